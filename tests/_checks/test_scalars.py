"""Odd values for single arguments: Keras 3.15.1 refuses each, or gives NaN or an error at the first batch."""

import json
import math

import numpy as np
import pytest

import multilayer as keras
from multilayer import callbacks, constraints, initializers, layers, losses, metrics, optimizers, saving

schedules = optimizers.schedules

MUON = ("epsilon", "muon_a", "muon_b", "muon_c", "momentum", "adam_lr_ratio", "adam_beta_1")

REFUSED = [
    (layers.Rescaling, {"scale": None}, "`scale`"),
    (layers.Rescaling, {"scale": 2.0, "offset": [0.0, math.nan]}, "`offset`"),
    (layers.Normalization, {"axis": "last"}, "`axis`"),
    (layers.Normalization, {"axis": 0.5}, "`axis`"),
    (layers.Normalization, {"mean": math.nan, "variance": 1.0, "axis": None}, "`mean`"),
    (layers.InputLayer, {"shape": (4,), "batch_size": -1}, "`batch_size`"),
    (layers.InputLayer, {"shape": (4,), "batch_size": 0.5}, "`batch_size`"),
    (layers.PReLU, {"shared_axes": (0.5, 2.0)}, "shared_axes"),
    (layers.Reshape, {"target_shape": "34"}, "`target_shape`"),
    (layers.Dense, {"units": 3, "dtype": 0}, "float32"),
    (layers.Dense, {"units": 3, "dtype": {}}, "float32"),
    (layers.ELU, {"alpha": "3"}, "`alpha`"),
    (layers.LayerNormalization, {"epsilon": None}, "`epsilon`"),
    (layers.RMSNormalization, {"epsilon": "3"}, "`epsilon`"),
    (initializers.RandomNormal, {"stddev": [1.0]}, "`stddev`"),
    (initializers.RandomUniform, {"maxval": math.inf}, "`maxval`"),
    (initializers.TruncatedNormal, {"mean": "0"}, "`mean`"),
    (initializers.Orthogonal, {"gain": 10**400}, "`gain`"),
    (initializers.Identity, {"gain": 1j}, "`gain`"),
    (initializers.VarianceScaling, {"mode": None}, "mode"),
    (losses.MeanSquaredError, {"name": 5}, "`name`"),
    (losses.CategoricalCrossentropy, {"label_smoothing": None}, "`label_smoothing`"),
    (losses.SparseCategoricalCrossentropy, {"ignore_class": 0.5}, "`ignore_class`"),
    (schedules.ExponentialDecay, {"initial_learning_rate": [0.1], "decay_steps": 9, "decay_rate": 0.5}, "`initial"),
    (schedules.ExponentialDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": "1"}, "`decay_rate`"),
    (schedules.CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": math.nan}, "`decay_steps`"),
    (schedules.CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "name": []}, "`name`"),
    (schedules.PolynomialDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "power": ()}, "`power`"),
    (schedules.PiecewiseConstantDecay, {"boundaries": [1], "values": [0.1, "x"]}, "`values`"),
    (schedules.PiecewiseConstantDecay, {"boundaries": [1], "values": b"ab"}, "`values`"),
    (schedules.CosineDecayRestarts, {"initial_learning_rate": 0.1, "first_decay_steps": 9, "t_mul": -1}, "`t_mul`"),
    *[(optimizers.SGD, {"weight_decay": odd}, "`weight_decay`") for odd in ("", (), "0.1", math.nan, [0.1])],
    *[(optimizers.Muon, {name: odd}, f"`{name}`") for name in MUON for odd in ("0.1", None, math.nan, [1.0])],
    (optimizers.Muon, {"ns_steps": 0.5}, "`ns_steps`"),
    (optimizers.Muon, {"exclude_layers": "dense"}, "`exclude_layers`"),
    (optimizers.Adam, {"clipnorm": "1"}, "`clipnorm`"),
    (optimizers.Adam, {"use_ema": True, "ema_momentum": None}, "`ema_momentum`"),
    (optimizers.Adagrad, {"initial_accumulator_value": "0.1"}, "`initial_accumulator_value`"),
    (optimizers.Lion, {"beta_1": "0.9"}, "`beta_1`"),
    (optimizers.LBFGS, {"max_fun": 0.5}, "`max_fun`"),
    *[(metrics.TopKCategoricalAccuracy, {"k": odd}, "`k`") for odd in (0.5, math.nan, [1], 1e30, 0, "5", None)],
    *[(metrics.SparseTopKCategoricalAccuracy, {"k": odd}, "`k`") for odd in (0.5, math.nan, [1], 1e30, -1)],
    *[(metrics.Precision, {"top_k": odd}, "`top_k`") for odd in (-1, 0.5, "2", [1])],
    (metrics.Recall, {"class_id": 0.5}, "`class_id`"),
    (metrics.Recall, {"thresholds": ()}, "threshold is needed"),
    *[(metrics.AUC, {"num_thresholds": odd}, "`num_thresholds`") for odd in (math.nan, 2.5, "200", None)],
    (metrics.AUC, {"label_weights": "0.1"}, "`label_weights`"),
    (metrics.AUC, {"multi_label": True, "num_labels": -1}, "`num_labels`"),
    *[(metrics.PrecisionAtRecall, {"recall": 0.5, "num_thresholds": odd}, "`num_t") for odd in (0.5, math.nan)],
    (metrics.SensitivityAtSpecificity, {"specificity": "0.5"}, "`specificity`"),
    (metrics.BinaryAccuracy, {"threshold": "0.5"}, "`threshold`"),
    (metrics.FBetaScore, {"beta": math.nan}, "`beta`"),
    (metrics.R2Score, {"num_regressors": 0.5}, "`num_regressors`"),
    (metrics.PearsonCorrelation, {"axis": "last"}, "`axis`"),
    (metrics.CategoricalCrossentropy, {"label_smoothing": "0.1"}, "`label_smoothing`"),
    (metrics.MeanMetricWrapper, {"fn": 5}, "`fn`"),
    (callbacks.EarlyStopping, {"monitor": 5}, "`monitor`"),
    (callbacks.EarlyStopping, {"patience": "3"}, "`patience`"),
    (callbacks.EarlyStopping, {"min_delta": None}, "`min_delta`"),
    (callbacks.EarlyStopping, {"baseline": [1.0]}, "`baseline`"),
    (callbacks.ModelCheckpoint, {"filepath": 5}, "`filepath`"),
    (callbacks.ModelCheckpoint, {"filepath": "a.keras", "initial_value_threshold": "0.5"}, "`initial_value_threshold`"),
    (callbacks.ReduceLROnPlateau, {"factor": "0.1"}, "`factor`"),
    (callbacks.ReduceLROnPlateau, {"min_lr": None}, "`min_lr`"),
    (callbacks.LearningRateScheduler, {"schedule": 0.1}, "`schedule`"),
    (callbacks.LambdaCallback, {"on_epoch_end": "print"}, "`on_epoch_end`"),
    (callbacks.CSVLogger, {"filename": "a.csv", "separator": ", "}, "`separator`"),
    (callbacks.BackupAndRestore, {"backup_dir": 3}, "`backup_dir`"),
    (constraints.MaxNorm, {"max_value": "2"}, "`max_value`"),
    (constraints.MinMaxNorm, {"rate": None}, "`rate`"),
    (constraints.UnitNorm, {"axis": 0.5}, "`axis`"),
    (initializers.RandomNormal, {"stddev": -1.0}, "`stddev`"),
    (losses.Huber, {"delta": "1"}, "`delta`"),
    (losses.CategoricalFocalCrossentropy, {"alpha": "0.1"}, "`alpha`"),
    (layers.BatchNormalization, {"momentum": "0.9"}, "`momentum`"),
    (layers.ReLU, {"max_value": "6"}, "`max_value`"),
    (layers.Permute, {"dims": 1}, "`dims`"),
    (keras.Sequential, {"trainable": "no"}, "`trainable`"),
    (keras.Sequential, {"layers": 5}, "`layers`"),
]

# Numbers as NumPy has them, which a file of JSON has not.
DESCRIBED = [
    (layers.Dense, {"units": np.int64(3), "use_bias": np.bool_(True)}),
    (layers.LayerNormalization, {"axis": [np.int64(-1)], "epsilon": np.float32(0.5), "center": np.bool_(False)}),
    (layers.PReLU, {"shared_axes": np.int64(1)}),
    (layers.Normalization, {"axis": np.int64(-1), "mean": np.float32(1.0), "variance": np.float32(2.0)}),
    (layers.Reshape, {"target_shape": np.array([2, 2])}),
    (layers.InputLayer, {"shape": (4,), "batch_size": np.int64(3)}),
    (initializers.RandomNormal, {"mean": np.float32(0.5), "stddev": np.int64(1)}),
    (schedules.CosineDecay, {"initial_learning_rate": np.float32(0.5), "decay_steps": np.int64(9)}),
    (schedules.PiecewiseConstantDecay, {"boundaries": np.array([1]), "values": np.array([0.5, 0.25])}),
]


@pytest.mark.parametrize(("cls", "arguments", "named"), REFUSED)
def test_an_odd_argument_is_refused_by_its_name_where_it_is_given(cls, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        cls(**arguments)


@pytest.mark.parametrize(("cls", "arguments"), DESCRIBED)
def test_what_a_constructor_takes_can_be_described(cls, arguments):
    described = saving.serialize_keras_object(cls(**arguments))
    again = saving.deserialize_keras_object(json.loads(json.dumps(described)))
    assert again.get_config() == cls.from_config(described["config"]).get_config()


def test_slopes_are_shared_along_axes_that_inputs_have():
    with pytest.raises(ValueError, match="`shared_axes` of layer"):
        layers.PReLU(shared_axes=[2])(np.ones((2, 3)))


def model():
    built = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    built.compile("sgd", "mse")
    return built


X, Y = np.ones((4, 3)), np.ones((4, 1))

# Calls, each with one odd argument.
CALLS = [
    (lambda: model().fit(X, Y, validation_split="0.1"), "`validation_split`"),
    (lambda: model().fit(X, Y, steps_per_epoch="2"), "`steps_per_epoch`"),
    (lambda: model().fit(X, Y, callbacks=5), "`callbacks`"),
    (lambda: model().summary(line_length="wide"), "`line_length`"),
    (lambda: model().summary(print_fn="print"), "`print_fn`"),
    (lambda: model().summary(positions=1), "`positions`"),
    (lambda: model().get_layer(index=0.5), "`index`"),
    (lambda: model().save(5), "`filepath`"),
    (lambda: model().save_weights(None), "`filepath`"),
    (lambda: model().load_weights(None), "`filepath`"),
    (lambda: model().set_weights(None), "`weights`"),
    (lambda: model().compile_from_config("adam"), "`config`"),
    (lambda: keras.models.load_model(5), "`filepath`"),
    (lambda: keras.models.clone_model(model(), clone_function="copy"), "`clone_function`"),
    (lambda: keras.Model(keras.Input((3,)), []), "`outputs`"),
    (lambda: optimizers.SGD().apply(0.5, [keras.Variable(np.ones(2))]), "`grads`"),
    (lambda: layers.Layer().add_loss("loss"), "`loss`"),
    (lambda: layers.Layer().add_weight(shape="ab"), "`shape`"),
    (lambda: layers.Layer().add_weight((2,), aggregation="median"), "aggregation"),
    (lambda: layers.Dense(2).build(3), "`input_shape`"),
    (lambda: initializers.Zeros()((2, -1)), "`shape`"),
    (lambda: keras.random.normal(None), "`shape`"),
    (lambda: keras.random.uniform((2,), maxval="1"), "`maxval`"),
    (lambda: keras.random.randint((2,), 0, 2.5), "`maxval`"),
    (lambda: keras.random.categorical(X, None), "`num_samples`"),
    (lambda: keras.utils.to_categorical([0, 1], "2"), "`num_classes`"),
    (lambda: keras.utils.normalize(X, axis="last"), "`axis`"),
    (lambda: keras.utils.custom_object_scope([1]), "`custom_objects`"),
    (lambda: metrics.top_k_categorical_accuracy(np.eye(3), np.eye(3), k=0.5), "`k`"),
    (lambda: metrics.Precision(top_k=4)(np.eye(3), np.eye(3)), "top_k=4"),
    (lambda: metrics.Recall(class_id=3)(np.eye(3), np.eye(3)), "class_id=3"),
    (lambda: metrics.AUC(multi_label=True, num_labels=2)(np.eye(3), np.eye(3)), "`num_labels` for 2"),
]


@pytest.mark.parametrize(("call", "named"), CALLS)
def test_an_odd_argument_of_a_call_is_refused_by_its_name(call, named):
    with pytest.raises(ValueError, match=named):
        call()


def test_what_keras_takes_is_taken():
    np.testing.assert_array_equal(model()(inputs=X).shape, (4, 1))
    assert keras.Input((3,), tensor=None, optional=False).shape == (None, 3)
    swapped = initializers.RandomUniform(1.0, 0.5, seed=1)((20,))
    assert ((swapped >= 0.5) & (swapped <= 1.0)).all()
    assert layers.ActivityRegularization(l1=None, l2=0.5).l1 == 0.0
    assert metrics.BinaryAccuracy(threshold=np.array([0.25, 0.75]))([[1.0, 0.0]], [[0.5, 0.5]]) == 1.0
    assert math.isinf(callbacks.EarlyStopping(patience=math.inf).patience)
