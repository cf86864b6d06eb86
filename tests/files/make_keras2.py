"""Makes the files of Keras 2 beside it: `python tests/files/make_keras2.py`, in an environment of its own, by

    python3.11 -m venv keras2 && keras2/bin/pip install "tensorflow-cpu==2.16.*" "tf_keras==2.16.*"

for `keras2_2.16.zip`, and for `keras2_2.12.zip` with "tensorflow-cpu==2.12.*" alone, whose Keras is of that version.

Every program below is trained for a while and saved in the forms that stand beside it. In the archive,
`expected_keras2.json` tells what each file's model then predicts, how it is evaluated, and the losses of two steps
more, all of it run eagerly: in a graph, Keras 2 counts the steps of Nadam wrongly. `compiled_keras2.json` has what
`compile` was given as the two forms of files describe it, without a file for each, and `by_name_keras2.json` what Keras
2 makes of weights whose names or shapes are not those of the model.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

ZIPPED = "keras_v3"  # the archive; in 2.12, "keras" is an HDF5 file yet
Made = tuple[Any, Any, Any]  # a compiled model, what goes in, what is to come out
Program = Callable[[Any], Made]


def rows(n: int = 6, d: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, d)).round(2).astype("float32")


def labels(n: int = 6, k: int = 3, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(k, size=n)


def one_hot(n: int = 6, k: int = 3, seed: int = 1) -> np.ndarray:
    return np.eye(k, dtype="float32")[labels(n, k, seed)]


def words(n: int = 6, d: int = 5, k: int = 7) -> np.ndarray:
    return np.random.default_rng(2).integers(k, size=(n, d)).astype("int32")


def lines(keras: Any, *layers: Any, d: int = 4, loss: Any = "mse", x: Any = None, y: Any = None) -> Made:
    """A stack of layers, compiled with plain SGD; it is to give an array of ones where nothing is said."""
    x = rows(d=d) if x is None else x
    model = keras.Sequential([keras.Input(x.shape[1:]), *layers])
    model.compile(keras.optimizers.SGD(0.05), loss)
    return model, x, np.ones((len(x), *model.output_shape[1:]), "float32") if y is None else y


# --- Optimizers -------------------------------------------------------------------------------------------------------

OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "sgd": lambda o: o.SGD(0.1),
    "sgd_nesterov": lambda o: o.SGD(0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    "rmsprop": lambda o: o.RMSprop(0.01),
    "rmsprop_all": lambda o: o.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True, clipvalue=0.1),
    "adam": lambda o: o.Adam(0.01),
    "adam_amsgrad": lambda o: o.Adam(0.01, beta_1=0.8, amsgrad=True, clipnorm=0.1),
    "adam_ema": lambda o: o.Adam(0.01, use_ema=True, ema_momentum=0.9, global_clipnorm=1.0),
    "adam_schedule": lambda o: o.Adam(o.schedules.ExponentialDecay(0.05, 3, 0.7, staircase=True)),
    "adamw": lambda o: o.AdamW(0.01, weight_decay=0.1),
    "adamax": lambda o: o.Adamax(0.01),
    "nadam": lambda o: o.Nadam(0.01),
    "adagrad": lambda o: o.Adagrad(0.1),
    "adadelta": lambda o: o.Adadelta(1.0),
    "lion": lambda o: o.Lion(0.01),  # from 2.13 on
    "legacy_sgd": lambda o: o.legacy.SGD(0.1),
    "legacy_sgd_decay": lambda o: o.legacy.SGD(0.1, momentum=0.9, nesterov=True, decay=0.1),
    "legacy_rmsprop": lambda o: o.legacy.RMSprop(0.01),
    "legacy_rmsprop_all": lambda o: o.legacy.RMSprop(0.01, rho=0.8, momentum=0.5, centered=True, decay=0.01),
    "legacy_adam": lambda o: o.legacy.Adam(0.01),
    "legacy_adam_amsgrad": lambda o: o.legacy.Adam(0.01, amsgrad=True, decay=0.05, clipnorm=0.1),
    "legacy_adam_schedule": lambda o: o.legacy.Adam(o.schedules.InverseTimeDecay(0.05, 3, 0.7)),
    "legacy_adamax": lambda o: o.legacy.Adamax(0.01),
    "legacy_nadam": lambda o: o.legacy.Nadam(0.01),
    "legacy_adagrad": lambda o: o.legacy.Adagrad(0.1),
    "legacy_adadelta": lambda o: o.legacy.Adadelta(1.0),
    # Beyond what multilayer has:
    "ftrl": lambda o: o.Ftrl(0.1),
    "legacy_ftrl": lambda o: o.legacy.Ftrl(0.1),
}


def with_optimizer(make: Callable[[Any], Any]) -> Program:
    def program(keras: Any) -> Made:
        layers = keras.layers
        model = keras.Sequential(
            [layers.Dense(3, "tanh", input_shape=(4,), name="hidden"), layers.Dense(3, "softmax", name="out")]
        )
        model.compile(make(keras.optimizers), "sparse_categorical_crossentropy", metrics=["accuracy"])
        return model, rows(), labels()

    return program


# --- Layers -----------------------------------------------------------------------------------------------------------


def dense(keras: Any) -> Made:
    layers, initializers = keras.layers, keras.initializers
    regularizers, constraints = keras.regularizers, keras.constraints
    return lines(
        keras,
        layers.Dense(
            5,
            activation="swish",
            kernel_initializer=initializers.HeNormal(seed=3),
            bias_initializer=initializers.Constant(0.1),
            kernel_regularizer=regularizers.L1L2(l1=0.001, l2=0.01),
            bias_regularizer="l2",
            activity_regularizer=regularizers.L2(0.001),
            kernel_constraint=constraints.MaxNorm(1.5, axis=0),
            bias_constraint=constraints.NonNeg(),
        ),
        layers.Dense(4, use_bias=False, kernel_initializer="orthogonal", kernel_constraint=constraints.UnitNorm(1)),
        layers.Dense(
            4,
            kernel_initializer=initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=4),
            bias_initializer="random_normal",
            kernel_regularizer=regularizers.OrthogonalRegularizer(0.01, mode="columns"),
            kernel_constraint=constraints.MinMaxNorm(0.5, 2.0, rate=0.5),
        ),
        layers.Dense(3, kernel_initializer=initializers.TruncatedNormal(stddev=0.3), bias_regularizer="l1"),
        layers.Dense(3, kernel_initializer=initializers.RandomUniform(-0.5, 0.5), trainable=False),
        layers.Dense(3, kernel_initializer=initializers.Identity(0.5), dtype="float32"),
        layers.Dense(2, kernel_initializer="glorot_normal", kernel_regularizer=keras.regularizers.l1_l2(0.01, 0.02)),
    )


def initializers(keras: Any) -> Made:
    names = "lecun_normal lecun_uniform he_uniform glorot_uniform ones zeros random_uniform truncated_normal constant"
    each = [keras.layers.Dense(2, kernel_initializer=name) for name in names.split()]
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Concatenate()([layer(x) for layer in each]))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, rows(d=3), np.ones((6, 18), "float32")


def dropouts(keras: Any) -> Made:
    layers = keras.layers
    return lines(
        keras,
        layers.Dropout(0.3, seed=7),
        layers.Reshape((2, 2)),
        layers.Dropout(0.5, noise_shape=(None, 1, 2)),
        layers.Flatten(),
        layers.AlphaDropout(0.1),
        layers.GaussianDropout(0.2),
        layers.GaussianNoise(0.1),
        layers.ActivityRegularization(l1=0.01, l2=0.02),
        layers.Dense(2),
    )


def normalizations(keras: Any) -> Made:
    layers, initializers = keras.layers, keras.initializers
    return lines(
        keras,
        layers.Dense(6),
        layers.BatchNormalization(
            momentum=0.8,
            epsilon=1e-2,
            gamma_initializer=initializers.RandomUniform(0.5, 1.5, seed=1),
            beta_regularizer=keras.regularizers.L1(0.01),
            gamma_constraint=keras.constraints.MaxNorm(1.2, axis=0),
        ),
        layers.BatchNormalization(scale=False),
        layers.BatchNormalization(center=False),
        layers.BatchNormalization(trainable=False),
        layers.Reshape((2, 3)),
        layers.LayerNormalization(axis=-1, epsilon=1e-5),
        layers.LayerNormalization(axis=[1, 2], beta_initializer="ones", gamma_regularizer="l2"),
        layers.LayerNormalization(center=False, scale=False),
        layers.UnitNormalization(axis=-1),
        layers.Flatten(),
        layers.Dense(2),
    )


def activation_layers(keras: Any) -> Made:
    layers = keras.layers
    return lines(
        keras,
        layers.Reshape((2, 2)),
        layers.LeakyReLU(alpha=0.2),
        layers.LeakyReLU(),
        layers.PReLU(alpha_initializer=keras.initializers.Constant(0.2), shared_axes=[1]),
        layers.PReLU(),
        layers.ELU(alpha=0.7),
        layers.Dense(4),
        layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.1),
        layers.ReLU(),
        layers.Softmax(axis=1),
        layers.Activation("tanh"),
        layers.Flatten(),
        layers.Softmax(),
    )


def activations(keras: Any) -> Made:
    """Every function that Keras 2 has by name, but 'hard_sigmoid'."""
    names = "elu exponential gelu linear relu selu sigmoid softmax softplus softsign swish tanh"
    each = [keras.layers.Dense(2, name) for name in names.split()]
    x = keras.Input((4,))
    model = keras.Model(x, keras.layers.Concatenate()([layer(x) for layer in each]))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, rows(), np.ones((6, 24), "float32")


def hard_sigmoid(keras: Any) -> Made:
    """In Keras 2 it is max(0, min(1, 0.2 x + 0.5)), in Keras 3 relu6(x + 3) / 6."""
    return lines(keras, keras.layers.Dense(2, "hard_sigmoid"), keras.layers.Activation("hard_sigmoid"))


def activation_objects(keras: Any) -> Made:
    """Layers and functions of TensorFlow as activations."""
    import tensorflow as tf

    layers = keras.layers
    given = [layers.LeakyReLU(alpha=0.1), layers.ReLU(6.0), tf.nn.relu, tf.nn.leaky_relu, tf.nn.relu6, tf.nn.silu]
    x = keras.Input((4,))
    model = keras.Model(x, layers.Concatenate()([layers.Dense(2, activation=one)(x) for one in given]))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, rows(), np.ones((6, 12), "float32")


def shapes(keras: Any) -> Made:
    layers = keras.layers
    return lines(
        keras,
        layers.Reshape((2, 2)),
        layers.Reshape((-1,)),
        layers.Reshape((4, 1)),
        layers.Flatten(),
        layers.Identity(),
        layers.Dense(2),
        layers.Flatten(data_format="channels_last"),
    )


def embedding(keras: Any) -> Made:
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Embedding(7, 3, input_length=5, embeddings_initializer="he_uniform", embeddings_regularizer="l2"),
            layers.Flatten(),
            layers.Dense(1, "sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), "binary_crossentropy", metrics=["accuracy"])
    return model, words(), labels(k=2)[:, None]


def embedding_masked(keras: Any) -> Made:
    layers = keras.layers
    x = keras.Input((5,), dtype="int32", name="words")
    model = keras.Model(x, layers.Dense(1)(layers.Flatten()(layers.Embedding(7, 3, mask_zero=True)(x))))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, words(), np.ones((6, 1), "float32")


def categories(keras: Any) -> Made:
    layers = keras.layers
    x = keras.Input((5,), dtype="int32", name="words")
    first = keras.Input((1,), dtype="int32", name="first")
    counts = layers.CategoryEncoding(num_tokens=7, output_mode="count")(x)
    kinds = layers.CategoryEncoding(num_tokens=7, output_mode="multi_hot")(x)
    one = layers.CategoryEncoding(num_tokens=7, output_mode="one_hot")(first)
    model = keras.Model([x, first], layers.Dense(2)(layers.Concatenate()([counts, kinds, one])))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, [words(), words()[:, :1]], np.ones((6, 2), "float32")


def merging(keras: Any) -> Made:
    layers = keras.layers
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    a, b = layers.Dense(3, "tanh")(left), layers.Dense(3)(right)
    merged = [one()([a, b]) for one in (layers.Add, layers.Average, layers.Maximum, layers.Minimum, layers.Multiply)]
    merged += [layers.Subtract()([b, a]), layers.add([a, b, b]), layers.concatenate([a, b])]
    model = keras.Model([left, right], layers.Dense(1)(layers.Concatenate(axis=1)(merged)))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, [rows(), rows(seed=5)], rows(d=1, seed=6)


def normalization_adapted(keras: Any) -> Made:
    normalization = keras.layers.Normalization(axis=-1)
    normalization.adapt(3.0 + 2.0 * rows(12))
    return lines(keras, normalization, keras.layers.Dense(1))


def normalization_given(keras: Any) -> Made:
    layers = keras.layers
    return lines(
        keras,
        layers.Rescaling(0.5, offset=1.0),
        layers.Rescaling([1.0, 2.0, 0.5, 1.0], offset=[0.1, 0.0, 0.0, 0.2]),
        layers.Normalization(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 1.0, 0.5]),
        layers.Normalization(axis=None, mean=0.5, variance=2.0),
        layers.Normalization(mean=0.5, variance=2.0, invert=True),
        layers.Dense(1),
    )


# --- Beyond what multilayer has: each is to be refused by name --------------------------------------------------------


def beyond(make: Callable[[Any], Any], d: int = 4) -> Program:
    return lambda keras: lines(keras, make(keras.layers), keras.layers.Flatten(), keras.layers.Dense(1), d=d)


def permute(keras: Any) -> Made:
    layers = keras.layers
    return lines(keras, layers.Reshape((2, 2)), layers.Permute((2, 1)), layers.Flatten(), layers.Dense(1))


BEYOND: dict[str, Program] = {
    "thresholded": beyond(lambda layers: layers.ThresholdedReLU(theta=0.5)),
    "repeat": beyond(lambda layers: layers.RepeatVector(2)),
    "permute": permute,
    "discretization": beyond(lambda layers: layers.Discretization(bin_boundaries=[-0.5, 0.0, 0.5])),
}


# --- Networks ---------------------------------------------------------------------------------------------------------


def several(keras: Any) -> Made:
    """Several inputs and outputs by name, a shared layer, losses and metrics in dicts."""
    layers = keras.layers
    wide, deep = keras.Input((4,), name="wide"), keras.Input((3,), name="deep")
    shared = layers.Dense(3, activation="relu", name="shared")
    merged = layers.Concatenate(name="merged")([wide, shared(shared(deep))])
    hidden = layers.BatchNormalization(momentum=0.9)(layers.Dense(4, "gelu")(merged))
    model = keras.Model(
        {"deep": deep, "wide": wide},
        {"label": layers.Dense(3, name="label")(hidden), "amount": layers.Dense(1, name="amount")(hidden)},
    )
    model.compile(
        keras.optimizers.Adam(0.01),
        loss={
            "label": keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            "amount": keras.losses.MeanAbsoluteError(),
        },
        loss_weights={"label": 0.5, "amount": 2.0},
        metrics={"label": ["accuracy"], "amount": [keras.metrics.RootMeanSquaredError(name="rmse")]},
    )
    x = {"wide": rows(), "deep": rows(d=3, seed=3)}
    return model, x, {"label": labels(), "amount": rows(d=1, seed=4)}


def two_outputs(keras: Any, **compiled: Any) -> Made:
    layers = keras.layers
    x = keras.Input((4,), name="rows")
    h = layers.Dense(3, "relu")(x)
    model = keras.Model(x, [layers.Dense(1, name="amount")(h), layers.Dense(2, name="pair")(h)])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), **compiled)
    return model, rows(), [rows(d=1, seed=4), rows(d=2, seed=5)]


def loss_list(keras: Any) -> Made:
    loss, metrics = ["mse", keras.losses.Huber(delta=0.5)], [["mae"], [keras.metrics.MeanSquaredError(name="m")]]
    return two_outputs(keras, loss=loss, loss_weights=[1.0, 0.5], metrics=metrics)


def loss_one(keras: Any) -> Made:
    """One loss and flat metrics for all outputs."""
    return two_outputs(keras, loss="mse", metrics=["mae", "mse"])


def loss_dict(keras: Any) -> Made:
    """Losses and metrics by the names of a list of outputs, one of them without a loss."""
    return two_outputs(keras, loss={"pair": "mse"}, metrics={"pair": "mae", "amount": ["mae", "mse"]})


def nested(keras: Any) -> Made:
    layers = keras.layers
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.BatchNormalization(), layers.ReLU()])
    a = keras.Input((3,))
    block = keras.Model(a, layers.Add()([a, layers.Dense(3, "tanh")(a)]), name="block")
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    both = layers.Subtract()([block(inner(left)), block(inner(right))])
    model = keras.Model([left, right], layers.Dense(1)(both))
    model.compile(keras.optimizers.SGD(0.05, momentum=0.5), keras.losses.Huber(), metrics=["mae"])
    return model, [rows(), rows(seed=5)], rows(d=1, seed=6)


def nested_frozen(keras: Any) -> Made:
    """A model in a model with a part that is not trained: in '.h5' files, its weights stand last."""
    layers = keras.layers
    frozen = layers.Dense(3, name="frozen", trainable=False)
    inner = keras.Sequential([keras.Input((4,)), frozen, layers.Dense(3), layers.BatchNormalization()], name="inner")
    deeper = keras.Sequential([keras.Input((4,)), layers.Dense(4, "relu"), inner, layers.Dense(2)], name="deeper")
    model = keras.Sequential([keras.Input((4,)), deeper, layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, rows(), rows(d=1, seed=6)


def partly_frozen(keras: Any) -> Made:
    layers = keras.layers
    x = keras.Input((4,))
    frozen = layers.Dense(3, "relu", name="frozen")
    normalized = layers.BatchNormalization()
    model = keras.Model(x, layers.Dense(3, "softmax")(normalized(frozen(x))))
    frozen.trainable = normalized.trainable = False
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model, rows(), labels()


def operators(keras: Any) -> Made:
    """`+` and its like between tensors, which Keras 2 writes as layers of the class `TFOpLambda`."""
    layers = keras.layers
    x = keras.Input((4,))
    h = x + layers.Dense(4, activation="swish")(x)
    h = 2.0 * h - layers.Dense(4, use_bias=False)(h)
    model = keras.Model(x, layers.Dense(3, "softmax")((1.0 - h) / 2.0))
    model.compile(keras.optimizers.RMSprop(0.01), "sparse_categorical_crossentropy")
    return model, rows(), labels()


def training_given(keras: Any) -> Made:
    """A layer that is called with `training=False`."""
    layers = keras.layers
    x = keras.Input((4,))
    h = layers.Dropout(0.5)(layers.BatchNormalization()(layers.Dense(3)(x), training=False), training=False)
    model = keras.Model(x, layers.Dense(1)(h))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    return model, rows(), rows(d=1, seed=6)


def without_input(keras: Any) -> Made:
    """A stack that got its shape from the first data."""
    model = keras.Sequential([keras.layers.Dense(3, "relu"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, rows(), rows(d=1, seed=6)


def batch_of_six(keras: Any) -> Made:
    layers = keras.layers
    model = keras.Sequential([layers.Dense(3, "relu", batch_input_shape=(6, 4)), layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    return model, rows(), rows(d=1, seed=6)


def double(keras: Any) -> Made:
    layers = keras.layers
    first = layers.Dense(3, "relu", input_shape=(4,), dtype="float64")
    model = keras.Sequential([first, layers.Dense(1, dtype="float64")])
    model.compile(keras.optimizers.SGD(0.05, momentum=0.9), "mse")
    return model, rows(), rows(d=1, seed=6)


def uncompiled(keras: Any) -> Made:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="one"), keras.layers.Dense(1, name="two")])
    return model, rows(), None


LAYERS: dict[str, Program] = {
    "dense": dense,
    "initializers": initializers,
    "dropouts": dropouts,
    "normalizations": normalizations,
    "activation_layers": activation_layers,
    "activations": activations,
    "hard_sigmoid": hard_sigmoid,
    "activation_objects": activation_objects,
    "shapes": shapes,
    "embedding": embedding,
    "embedding_masked": embedding_masked,
    "categories": categories,
    "merging": merging,
    "normalization_adapted": normalization_adapted,
    "normalization_given": normalization_given,
}
NETWORKS: dict[str, Program] = {
    "several": several,
    "loss_list": loss_list,
    "loss_one": loss_one,
    "loss_dict": loss_dict,
    "nested": nested,
    "nested_frozen": nested_frozen,
    "partly_frozen": partly_frozen,
    "operators": operators,
    "training_given": training_given,
    "without_input": without_input,
    "batch_of_six": batch_of_six,
    "double": double,
    "uncompiled": uncompiled,
}
PROGRAMS: dict[str, Program] = {
    **{name: with_optimizer(make) for name, make in OPTIMIZERS.items()},
    **LAYERS,
    **NETWORKS,
    **BEYOND,
}
# What is drawn anew in every step cannot be trained on alike.
RANDOM = {"dropouts"}
# By ending, the programs that are saved so; all are saved as '.h5'. Keras 2 writes '.weights.h5' as Keras 3 does, and
# weights in any other '.h5' or '.hdf5' layer by layer.
FURTHER = {
    ".keras": [
        *("sgd", "sgd_nesterov", "rmsprop_all", "adam", "adam_amsgrad", "adam_ema", "adam_schedule", "nadam"),
        *("adadelta", "legacy_sgd_decay", "legacy_adam"),
        *("dense", "normalizations", "activation_layers", "activation_objects", "hard_sigmoid", "embedding"),
        *("categories", "normalization_adapted", "normalization_given", "dropouts"),
        *("several", "loss_list", "nested", "nested_frozen", "operators", "training_given", "without_input", "double"),
    ],
    ".weights.h5": ["adam", "nested", "several", "normalizations"],
    "_weights.h5": ["adam", "nested", "nested_frozen", "normalizations"],
    "_weights.hdf5": ["several"],
}


# --- What is compiled -------------------------------------------------------------------------------------------------

# By name: the network, the targets, and what `compile` is given beside an optimizer.
Compiled = tuple[str, Any, Callable[[Any], dict[str, Any]]]


def compiled() -> dict[str, Compiled]:
    binary, sparse, hot, real = labels(k=2)[:, None].astype("float32"), labels(), one_hot(), rows(d=3, seed=4)
    signs = 2.0 * one_hot() - 1.0
    found: dict[str, Compiled] = {}

    def enter(name: str, network: str, y: Any, make: Callable[[Any], dict[str, Any]]) -> None:
        found[name] = (network, y, make)

    strings = {
        ("linear", "real"): "mse mae mape msle mean_squared_error mean_absolute_error mean_absolute_percentage_error "
        "mean_squared_logarithmic_error huber log_cosh logcosh cosine_similarity MSE MeanSquaredError",
        ("softmax", "hot"): "categorical_crossentropy kl_divergence kld KLD kullback_leibler_divergence poisson "
        "categorical_focal_crossentropy",
        ("softmax", "sparse"): "sparse_categorical_crossentropy",
        ("sigmoid", "binary"): "binary_crossentropy binary_focal_crossentropy",
        ("linear", "signs"): "hinge squared_hinge categorical_hinge",
    }
    targets = {"real": real, "hot": hot, "sparse": sparse, "binary": binary, "signs": signs}
    for (network, y), names in strings.items():
        for name in names.split():
            enter(f"loss {name!r}", network, targets[y], lambda keras, name=name: {"loss": name})
    functions = {("linear", "real"): ["mean_squared_error", "log_cosh"], ("softmax", "hot"): ["kl_divergence"]}
    for (network, y), names_ in functions.items():
        for name in names_:
            enter(
                f"loss function {name}",
                network,
                targets[y],
                lambda keras, name=name: {"loss": getattr(keras.losses, name)},
            )
    objects: dict[str, tuple[str, Any, dict[str, Any]]] = {
        "MeanSquaredError": ("linear", real, {"reduction": "sum"}),
        "MeanAbsoluteError": ("linear", real, {"name": "own"}),
        "MeanAbsolutePercentageError": ("linear", real, {}),
        "MeanSquaredLogarithmicError": ("linear", real, {}),
        "Huber": ("linear", real, {"delta": 0.5}),
        "LogCosh": ("linear", real, {"reduction": "sum_over_batch_size"}),
        "CosineSimilarity": ("linear", real, {"axis": -1}),
        "Poisson": ("softmax", hot, {}),
        "KLDivergence": ("softmax", hot, {}),
        "CategoricalCrossentropy": ("linear", hot, {"from_logits": True, "label_smoothing": 0.1}),
        "SparseCategoricalCrossentropy": ("linear", sparse, {"from_logits": True}),
        "SparseCategoricalCrossentropy ignoring": ("softmax", sparse, {"ignore_class": 1}),
        "BinaryCrossentropy": ("sigmoid", binary, {"label_smoothing": 0.1}),
        "BinaryFocalCrossentropy": ("sigmoid", binary, {"gamma": 1.5, "apply_class_balancing": True, "alpha": 0.3}),
        "CategoricalFocalCrossentropy": ("softmax", hot, {"gamma": 1.5, "alpha": 0.5}),
        "Hinge": ("linear", signs, {}),
        "SquaredHinge": ("linear", signs, {}),
        "CategoricalHinge": ("linear", hot, {}),
    }
    for name, (network, y, arguments) in objects.items():
        enter(
            f"loss {name}({arguments})",
            network,
            y,
            lambda keras, n=name, a=arguments: {"loss": getattr(keras.losses, n.split()[0])(**a)},
        )
    named = {
        ("softmax", "hot", "categorical_crossentropy"): "accuracy acc ce categorical_accuracy "
        "top_k_categorical_accuracy categorical_crossentropy cosine_similarity AUC Precision Recall categorical_hinge",
        ("softmax", "sparse", "sparse_categorical_crossentropy"): "accuracy ce sparse_categorical_accuracy "
        "sparse_top_k_categorical_accuracy sparse_categorical_crossentropy",
        ("sigmoid", "binary", "binary_crossentropy"): "accuracy acc crossentropy binary_accuracy hinge AUC "
        "binary_crossentropy TruePositives",
        ("linear", "real", "mse"): "mse MAE mape msle mean_squared_error log_cosh RootMeanSquaredError poisson",
    }
    for (network, y, loss), names in named.items():
        for name in names.split():
            enter(
                f"metric {name!r} of {y}",
                network,
                targets[y],
                lambda keras, loss=loss, name=name: {"loss": loss, "metrics": [name]},
            )
    measures: dict[str, tuple[str, Any, dict[str, Any]]] = {
        **{n: ("softmax", hot, {}) for n in ("Accuracy", "CategoricalAccuracy", "CategoricalHinge", "KLDivergence")},
        **{n: ("softmax", hot, {}) for n in ("Poisson", "F1Score", "CosineSimilarity", "SquaredHinge", "Hinge")},
        "CategoricalCrossentropy": ("softmax", hot, {"label_smoothing": 0.1}),
        "TopKCategoricalAccuracy": ("softmax", hot, {"k": 2, "name": "top"}),
        "SparseTopKCategoricalAccuracy": ("softmax", sparse, {"k": 2}),
        "SparseCategoricalAccuracy": ("softmax", sparse, {}),
        "SparseCategoricalCrossentropy": ("linear", sparse, {"from_logits": True}),
        "BinaryAccuracy": ("sigmoid", binary, {"threshold": 0.4}),
        "BinaryCrossentropy": ("sigmoid", binary, {"label_smoothing": 0.1}),
        "AUC": ("sigmoid", binary, {"num_thresholds": 20, "curve": "PR", "summation_method": "minoring"}),
        "AUC of thresholds": ("sigmoid", binary, {"thresholds": [0.2, 0.5, 0.7]}),
        "AUC of several": ("softmax", hot, {"num_thresholds": 20, "multi_label": True, "num_labels": 3}),
        "Precision": ("sigmoid", binary, {"thresholds": 0.4}),
        "Recall": ("softmax", hot, {"top_k": 1, "class_id": 1}),
        **{n: ("sigmoid", binary, {"thresholds": 0.45}) for n in ("TruePositives", "TrueNegatives", "FalsePositives")},
        "FalseNegatives": ("sigmoid", binary, {}),
        "PrecisionAtRecall": ("sigmoid", binary, {"recall": 0.5, "num_thresholds": 20}),
        "RecallAtPrecision": ("sigmoid", binary, {"precision": 0.5, "num_thresholds": 20}),
        "SensitivityAtSpecificity": ("sigmoid", binary, {"specificity": 0.5, "num_thresholds": 20}),
        "SpecificityAtSensitivity": ("sigmoid", binary, {"sensitivity": 0.5, "num_thresholds": 20}),
        "FBetaScore": ("softmax", hot, {"average": "macro", "beta": 2.0, "threshold": 0.4}),
        "MeanSquaredError": ("linear", real, {"name": "m"}),
        "MeanAbsoluteError": ("linear", real, {"dtype": "float32"}),
        **{n: ("linear", real, {}) for n in ("RootMeanSquaredError", "LogCoshError", "MeanAbsolutePercentageError")},
        "MeanSquaredLogarithmicError": ("linear", real, {}),
        "R2Score": ("linear", real, {"class_aggregation": "variance_weighted_average"}),
        "MeanMetricWrapper": ("linear", real, {}),
    }
    for name, (network, y, arguments) in measures.items():

        def with_metric(keras: Any, name: str = name, arguments: Any = arguments, network: str = network) -> Any:
            wrapped = {"fn": keras.losses.mean_absolute_error, "name": "wrapped"}
            made = getattr(keras.metrics, name.split()[0])(**(wrapped if name == "MeanMetricWrapper" else arguments))
            return {"loss": "mse", "metrics": [made], "weighted_metrics": ["mae"]}

        if "Sparse" not in name:
            enter(f"metric {name}({arguments})", network, y, with_metric)
        else:
            sparsely = {"loss": "sparse_categorical_crossentropy", "weighted_metrics": None}
            enter(
                f"metric {name}({arguments})",
                network,
                y,
                lambda keras, given=with_metric, rest=sparsely: {**given(keras), **rest},
            )
    schedules: dict[str, tuple[Any, ...]] = {
        "ExponentialDecay": (0.05, 3, 0.7, True),
        "PiecewiseConstantDecay": ([2, 4], [0.1, 0.05, 0.01]),
        "PolynomialDecay": (0.1, 10, 0.01, 2.0, True),
        "InverseTimeDecay": (0.1, 3, 0.5),
        "CosineDecay": (0.1, 10, 0.1),
        "CosineDecayRestarts": (0.1, 4, 2.0, 0.9, 0.1),
    }
    for name, arguments_ in schedules.items():
        for style in ("", "legacy."):

            def scheduled(keras: Any, name: str = name, arguments: Any = arguments_, style: str = style) -> Any:
                optimizers = keras.optimizers.legacy if style else keras.optimizers
                rate = getattr(keras.optimizers.schedules, name)(*arguments)
                return {"optimizer": optimizers.SGD(rate, momentum=0.9), "loss": "mse"}

            enter(f"schedule {style}{name}", "linear", real, scheduled)
    for name in OPTIMIZERS:
        enter(
            f"optimizer {name}",
            "linear",
            real,
            lambda keras, name=name: {"optimizer": OPTIMIZERS[name](keras.optimizers), "loss": "mse"},
        )
    for name in ("sgd", "adam", "Adam", "rmsprop", "nadam", "adamax", "adagrad", "adadelta"):
        enter(f"optimizer {name!r}", "linear", real, lambda keras, name=name: {"optimizer": name, "loss": "mse"})
    enter("steps", "linear", real, lambda keras: {"loss": "mse", "steps_per_execution": 2})
    enter("nothing but a loss of one in a list", "linear", real, lambda keras: {"loss": ["mse"], "metrics": [["mae"]]})
    return found


def compiled_model(keras: Any, network: str) -> Any:
    """A network whose weights are the same everywhere."""
    activation = None if network == "linear" else network
    layer = keras.layers.Dense(1 if network == "sigmoid" else 3, activation, name="out")
    model = keras.Sequential([keras.Input((4,), name="rows"), layer])
    rng = np.random.default_rng(8)
    model.set_weights([rng.normal(size=w.shape).round(2).astype("float32") for w in model.get_weights()])
    return model


def describe_compiled(keras: Any) -> dict[str, Any]:
    """What each entry of `compiled` looks like in a '.h5' and in a '.keras' file, and what it comes to."""
    import h5py

    found = {}
    for name, (network, y, make) in compiled().items():
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        model = compiled_model(keras, network)
        try:
            model.compile(**{"optimizer": keras.optimizers.SGD(0.05), **make(keras)})
            fitted = train(model, rows(), y, 3)
            evaluated = model.evaluate(rows(), y, batch_size=6, return_dict=True, verbose=0)
        except (AttributeError, TypeError, ValueError) as error:
            print(f"left out: {name}: {str(error)[:200]}", file=sys.stderr)
            continue
        entry = {"network": network, "y": listed(y), "losses": fitted, "evaluated": evaluated}
        with tempfile.TemporaryDirectory() as folder:
            model.save(f"{folder}/model.h5", save_format="h5")
            with h5py.File(f"{folder}/model.h5") as file:
                entry["h5"] = json.loads(file.attrs["training_config"])
            try:
                model.save(f"{folder}/model.keras", save_format=ZIPPED)
                with zipfile.ZipFile(f"{folder}/model.keras") as archive:
                    entry["keras"] = json.loads(archive.read("config.json"))["compile_config"]
            except (TypeError, ValueError, NotImplementedError) as error:
                entry["keras_error"] = str(error)[:200]
        found[name] = entry
    return found


# --- Weights by name --------------------------------------------------------------------------------------------------


def by_name(keras: Any, folder: Path) -> dict[str, Any]:
    """What `load_weights` of Keras 2 does with 'by_name_weights.h5' in models that differ from its model.

    For each: the layers of the model by name with their numbers of units, how it loads, and the sums of all weights
    after that; before, each weight is 0.
    """

    def model_of(units: dict[str, int]) -> Any:
        layers = [keras.layers.Dense(n, name=name) for name, n in units.items()]
        return keras.Sequential([keras.Input((4,)), *layers, keras.layers.BatchNormalization(name="last")])

    source = model_of({"first": 3, "second": 3, "third": 2})
    rng = np.random.default_rng(9)
    source.set_weights([rng.uniform(0.5, 1.5, size=w.shape).round(2) for w in source.get_weights()])
    source.save_weights(folder / "by_name_weights.h5")
    targets = {
        "the same": {"first": 3, "second": 3, "third": 2},
        "another order": {"second": 3, "first": 3, "third": 2},
        "other names": {"a": 3, "b": 3, "c": 2},
        "one more": {"first": 3, "more": 3, "second": 3, "third": 2},
        "one less": {"first": 3, "third": 2},
        "another shape": {"first": 3, "second": 5, "third": 2},
    }
    cases = []
    for name, units in targets.items():
        for arguments in ({}, {"by_name": True}, {"skip_mismatch": True}, {"by_name": True, "skip_mismatch": True}):
            model = model_of(units)
            model.set_weights([np.zeros_like(w) for w in model.get_weights()])
            case: dict[str, Any] = {"case": name, "units": units, "arguments": arguments}
            try:
                model.load_weights(folder / "by_name_weights.h5", **arguments)
                case["sums"] = [round(float(w.sum()), 4) for w in model.get_weights()]
            except ValueError as error:
                case["error"] = str(error)[:300]
            cases.append(case)
    sums = [round(float(w.sum()), 4) for w in source.get_weights()]
    return {"file": "by_name_weights.h5", "sums": sums, "cases": cases}


# --- The files --------------------------------------------------------------------------------------------------------


def train(model: Any, x: Any, y: Any, steps: int) -> list[float]:
    """The losses of so many steps, each with all rows."""
    history = model.fit(x, y, batch_size=6, epochs=steps, shuffle=False, verbose=0)
    return [float(loss) for loss in history.history["loss"]]


def listed(structure: Any) -> Any:
    """Arrays as lists, in the form in which they stand."""
    if isinstance(structure, dict):
        return {key: listed(one) for key, one in structure.items()}
    if isinstance(structure, (list, tuple)):
        return {"list": [listed(one) for one in structure]}
    if structure is None:
        return None
    array = np.asarray(structure)
    return array.tolist() if array.dtype.kind == "i" else array.astype("float64").round(7).tolist()


def save(model: Any, path: Path) -> None:
    ending = path.name[path.name.index(".") :] if ".weights." in path.name else path.suffix
    if ending == ".weights.h5" or path.stem.endswith("_weights"):
        model.save_weights(path)
    else:
        model.save(path, save_format="h5" if ending == ".h5" else ZIPPED)


def saved(model: Any, path: Path) -> bool:
    """Whether Keras 2 can write this."""
    try:
        save(model, path)
    except (AttributeError, NotImplementedError, TypeError, ValueError) as error:
        print(f"left out: {path.name}: {type(error).__name__}: {str(error)[:200]}", file=sys.stderr)
        path.unlink(missing_ok=True)
    return path.exists()


def make(keras: Any, folder: Path) -> dict[str, Any]:
    expected = {}
    for name, program in PROGRAMS.items():
        endings = [".h5", *(ending for ending, names in FURTHER.items() if name in names)]
        keras.backend.clear_session()
        keras.utils.set_random_seed(1)
        try:
            model, x, y = program(keras)
        except AttributeError as error:
            print(f"left out: {name}: {error}", file=sys.stderr)
            continue
        entry: dict[str, Any] = {"program": name, "x": listed(x), "y": listed(y)}
        if y is not None:
            train(model, x, y, 3)
        entry["predictions"] = listed(model.predict(x, verbose=0))
        files = [f"{name}{ending}" for ending in endings]
        entry["files"] = [file for file in files if saved(model, folder / file)]
        entry["json"] = json.loads(model.to_json())
        if y is not None:
            entry["evaluated"] = model.evaluate(x, y, batch_size=6, return_dict=True, verbose=0)
            if name not in RANDOM:
                entry["losses"] = train(model, x, y, 2)
        expected[name] = entry
    return expected


def main() -> None:
    try:
        import tf_keras as keras
    except ImportError:
        from tensorflow import keras
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)  # no graph is traced for so few steps
    about = {"keras": keras.__version__, "tensorflow": tf.__version__}
    target = Path(__file__).parent / f"keras2_{'.'.join(keras.__version__.split('.')[:2])}.zip"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, content in (
            ("expected_keras2.json", {"programs": make(keras, folder)}),
            ("compiled_keras2.json", {"x": listed(rows()), "compiled": describe_compiled(keras)}),
            ("by_name_keras2.json", by_name(keras, folder)),
        ):
            (folder / file).write_text(json.dumps({**about, **content}, default=lambda array: array.tolist()) + "\n")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(folder.iterdir()):
                archive.write(path, path.name)


if __name__ == "__main__":
    main()
