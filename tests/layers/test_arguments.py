"""What constructors take and refuse, as Keras does, and that whatever they take can be described in a file."""

import json

import numpy as np
import pytest

import multilayer as keras
from multilayer import activations, initializers, layers, metrics, optimizers
from multilayer._core.arena import Variable
from multilayer.random import SeedGenerator

ARRAY = np.arange(6.0, dtype="float32").reshape(3, 2)


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Dense(2, kernel_initializer=initializers.Constant(ARRAY)),
        lambda: layers.Dense(2, kernel_initializer=ARRAY),
        lambda: layers.Dense(2, kernel_initializer=initializers.GlorotUniform(seed=SeedGenerator(3))),
        lambda: layers.Dense(2, kernel_initializer="one", bias_initializer="zero"),
        lambda: layers.Dense(2, activation=layers.LeakyReLU(0.2)),
        lambda: layers.Dense(2, activation=layers.ReLU(6.0)),
        lambda: layers.Activation(layers.ELU(0.5)),
        lambda: layers.Activation(layers.ReLU(negative_slope=0.25)),
        lambda: layers.Dropout(np.float32(0.5), noise_shape=np.array([1, 3])),
    ],
)
def test_what_a_layer_takes_comes_back_from_a_file(make, tmp_path):
    model = keras.Sequential([keras.Input((3,)), make()])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert json.dumps(again.layers[0].get_config()) == json.dumps(model.layers[0].get_config())


@pytest.mark.parametrize(
    "metric",
    [
        lambda: metrics.Precision(thresholds=np.array([0.25, 0.5])),
        lambda: metrics.TruePositives(np.float32(0.5)),
        lambda: metrics.AUC(thresholds=np.array([0.25, 0.5]), multi_label=True, label_weights=np.array([1.0, 2.0])),
    ],
)
def test_thresholds_that_are_arrays_are_described(metric):
    config = metric().get_config()
    assert json.dumps(type(metric()).from_config(config).get_config()) == json.dumps(config)


def test_an_initializer_with_a_seed_generator_draws_anew_and_is_described():
    first = initializers.RandomNormal(seed=SeedGenerator(7, name="seeds"))
    a, b = first((3,)), first((3,))
    assert not np.array_equal(a, b)
    again = initializers.get(json.loads(json.dumps(initializers.serialize(first))))
    np.testing.assert_array_equal(again((3,)), a)
    assert first.get_config()["seed"]["config"] == {"seed": 7, "name": "seeds"}


def test_a_described_array_holds_numbers():
    described = {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "<U1000000"}}
    with pytest.raises(ValueError, match="initializers hold numbers"):
        initializers.Constant(described)


def test_nothing_is_nothing():
    assert initializers.get(None) is None
    assert metrics.get(None) is None
    assert optimizers.get(None) is None


def test_a_model_without_an_optimizer_is_evaluated_and_not_trained():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer=None, loss="mse")
    assert model.evaluate(np.ones((3, 2)), np.ones((3, 1)), verbose=0) == 1.0
    for train in (model.fit, model.train_on_batch):
        with pytest.raises(ValueError, match="compiled with `optimizer=None`"):
            train(np.ones((3, 2)), np.ones((3, 1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: keras.Input((3,), batch_shape=(None, 3)), "both `shape` and `batch_shape`"),
        (lambda: keras.Input(batch_size=2, batch_shape=(None, 3)), "both `batch_size` and `batch_shape`"),
        (lambda: layers.Dense(2, trainable="no"), "`trainable` is expected to be a boolean"),
        (lambda: layers.Dropout(0.5, noise_shape=5), "`noise_shape`. Expected a tuple or list"),
        (lambda: layers.Dropout(0.5, noise_shape=(0, 2)), "`noise_shape`. Expected all dimensions to be positive"),
        (
            lambda: layers.AlphaDropout(0.5, noise_shape=(1, -2)),
            "`noise_shape`. Expected all dimensions to be positive",
        ),
        (lambda: layers.Dropout(0.5, noise_shape=(1, 2.5)), "`noise_shape`. Expected all elements to be integers"),
        (lambda: layers.Layer().add_weight("kernel", (2,)), "Pass its name as the keyword argument `name='kernel'`"),
        (lambda: layers.Layer().add_weight("kernel", shape=(2,)), "keyword argument `name='kernel'`"),
        (lambda: layers.Layer().add_weight((2,), shape=(2,)), "`shape` was passed both positionally and as a keyword"),
        (lambda: layers.Dense(2, trainable=1), "`trainable` is expected to be a boolean"),
        (lambda: layers.LayerNormalization(axis=[-1, 1])(np.ones((2, 4))), "Duplicate axes"),
        (lambda: layers.LayerNormalization(axis=2)(np.ones((2, 4))), "Axis 2 is out of bounds"),
        (lambda: layers.LayerNormalization(axis=99).compute_output_shape((2, 4)), "Axis 99 is out of bounds"),
        (lambda: layers.LayerNormalization(rms_scaling=True), "Use `RMSNormalization`"),
        (lambda: layers.Flatten("channels_first"), "`numpy.moveaxis"),
        (lambda: keras.Input((3,), sparse=True), "`sparse=True` is not supported"),
        (lambda: metrics.Mean(dtype="text"), "type of numbers"),
        (lambda: layers.Softmax(axis=()), "`axis` must be a whole number, or a list"),
    ],
)
def test_what_keras_refuses_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_tensor_without_numbers_is_neither_true_nor_false():
    with pytest.raises(TypeError, match="neither true nor false"):
        bool(keras.Input((3,)))


def test_weights_that_are_no_fractions_start_at_zero():
    layer = layers.Layer()
    for dtype in ("bool", "int32"):
        weight = layer.add_weight((2,), dtype=dtype)
        assert weight.dtype == dtype
        assert not weight.value.any()
    assert layer.add_weight().shape == ()


def test_a_variable_reckons_like_an_array():
    variable = Variable(np.arange(3.0))
    assert (variable.ndim, len(variable), int(Variable(5))) == (1, 3, 5)
    assert optimizers.schedules.PiecewiseConstantDecay([4], [1.0, 0.5])(Variable(5)) == 0.5
    assert keras.regularizers.OrthogonalRegularizer()(Variable(np.eye(2))) == 0.0


def test_a_learning_rate_has_a_value():
    assert optimizers.SGD(0.25).learning_rate.value == 0.25


def test_layers_without_weights_are_built_and_those_that_declare_some_are_not():
    for layer in (layers.Dropout(0.5), layers.ReLU(), layers.Identity(), layers.UnitNormalization()):
        assert layer.built
        layer.build((None, 3))
        assert layer.built

    class Shifted(layers.ReLU):
        def build(self, input_shape):
            self.shift = self.add_weight(input_shape[1:], "ones")

    layer = Shifted()
    assert not layer.built
    layer(np.ones((2, 3)))
    assert layer.built
    assert len(layer.weights) == 1


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), [(2, 3), (2, 3)], [[2, 3], [2, 3]], ((None, 3), [None, 3])])
def test_merging_layers_are_built_from_shapes_in_lists_and_tuples(shapes):
    for cls in (layers.Add, layers.Concatenate, layers.Maximum):
        layer = cls()
        layer.build(shapes)
        assert layer.built


def test_an_activation_can_be_taken_away():
    layer = layers.Dense(2, activation="relu", kernel_initializer=-ARRAY)
    layer.activation = None
    np.testing.assert_array_equal(layer(np.eye(3)), -ARRAY)
    layer.activation = "relu"
    assert layer.activation is activations.relu


def test_the_penalty_on_an_output_is_among_the_losses_after_a_call():
    """l2 0.5 sum(y^2) / n with y = (1, 2) and (3, 0): 0.5 (5 + 9) / 2, and the weights' behind it."""
    layer = layers.ActivityRegularization(l2=0.5)
    assert layer.losses == []
    layer(np.array([[1.0, 2.0], [3.0, 0.0]]))
    assert layer.losses == [3.5]
    dense = layers.Dense(1, kernel_initializer="ones", kernel_regularizer="l2", activity_regularizer="l2")
    dense(np.ones((4, 2)))
    np.testing.assert_allclose(dense.losses, [0.01 * 4, 0.01 * 2], rtol=1e-6)


def test_softmax_over_several_axes():
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    exponentials = np.exp(x)
    expected = exponentials / exponentials.sum(axis=(1, 3), keepdims=True)
    np.testing.assert_allclose(layers.Softmax(axis=(1, 3))(x), expected, rtol=1e-5)
    np.testing.assert_allclose(activations.softmax(x, axis=(3, 1)), expected, rtol=1e-5)
    layer = layers.Softmax(axis=[1, 3])
    y, dy = layer(x, training=True), np.ones_like(x)
    dy[0] = 2.0
    np.testing.assert_allclose(layer.backward(dy), 0.0, atol=1e-6)  # what all share moves no probability
    dy = np.random.default_rng(1).normal(size=x.shape).astype("float32")
    layer(x, training=True)
    np.testing.assert_allclose(
        layer.backward(dy.copy()), y * (dy - (dy * y).sum(axis=(1, 3), keepdims=True)), rtol=1e-4, atol=1e-6
    )


@pytest.mark.parametrize(
    "make", [lambda: layers.Dense(1, activation="softmax"), layers.Softmax, lambda: layers.Activation("softmax")]
)
def test_a_softmax_over_one_unit_is_warned_of(make):
    with pytest.warns(UserWarning, match="always gives 1.*'sigmoid'"):
        keras.Sequential([keras.Input((1,)), make()])


def test_normalization_measures_no_numbers_that_are_none():
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"`adapt` received values that are NaN or infinite, in column 1"):
            layers.Normalization().adapt(np.array([[1.0, wrong], [2.0, 3.0]]))


def test_one_number_is_the_shape_of_a_row():
    assert keras.Sequential([layers.Dense(2, input_shape=4)]).input_shape == (None, 4)


# The variables that Keras 3.15.1 has, in its order.
@pytest.mark.parametrize(
    ("metric", "names"),
    [
        (metrics.Mean(), ["total", "count"]),
        (metrics.MeanSquaredError(), ["total", "count"]),
        (metrics.Sum(), ["total"]),
        (metrics.Precision(), ["true_positives", "false_positives"]),
        (metrics.Recall(), ["true_positives", "false_negatives"]),
        (metrics.TruePositives(), ["accumulator"]),
        (metrics.AUC(), ["true_positives", "false_positives", "true_negatives", "false_negatives"]),
        (metrics.PrecisionAtRecall(0.5), ["true_positives", "false_positives", "true_negatives", "false_negatives"]),
    ],
)
def test_metrics_show_what_they_keep(metric, names):
    assert [variable.name for variable in metric.variables] == names
    metric([1.0]) if type(metric) in (metrics.Mean, metrics.Sum) else metric([[0.0], [1.0]], [[0.5], [0.75]])
    for variable in metric.variables:
        np.testing.assert_array_equal(variable.numpy(), getattr(metric, variable.name))
    metric.reset_state()
    assert not any(variable.numpy().any() for variable in metric.variables)


def test_a_metric_has_the_variables_of_those_it_holds():
    class Both(metrics.Metric):
        def __init__(self):
            super().__init__(name="both")
            self.mean, self.own, self.others = metrics.Mean(), self.add_variable((2,)), [metrics.Sum()]

    assert len(Both().variables) == 4


def test_a_metric_keeps_the_type_it_was_given():
    assert metrics.MeanAbsoluteError(dtype="int32").get_config() == {"name": "mean_absolute_error", "dtype": "int32"}


def test_weights_of_means_are_repeated_as_keras_does():
    """Weights (1, n) for values (m, n), one of a sample for all of its values, and (m, n): as in Keras 3.15.1."""
    values = np.array([[1.0, 2.0], [3.0, 4.0]])
    for weight, expected in (([[1.0, 3.0]], 2.75), ([1.0, 3.0], 3.0), ([[1.0], [3.0]], 3.0), ([[1, 0], [0, 1]], 2.5)):
        assert metrics.Mean()(values, sample_weight=weight) == expected
    with pytest.raises(ValueError, match="does not fit values of shape"):
        metrics.Mean()(values, sample_weight=[1.0, 2.0, 3.0])


def test_an_input_layer_as_keras_2_wrote_it():
    with pytest.warns(UserWarning, match="Argument `input_shape` is deprecated. Use `shape` instead."):
        assert layers.InputLayer(input_shape=(3,), batch_size=4).batch_shape == (4, 3)
    assert layers.InputLayer(batch_input_shape=(4, 3)).batch_shape == (4, 3)
    assert keras.Input((3,), sparse=False, ragged=False).shape == (None, 3)
