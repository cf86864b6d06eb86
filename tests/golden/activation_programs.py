"""Golden programs about activations, with their options and as layers, and about penalties and constraints."""

import numpy as np

from golden.table import AMOUNTS, LABELS, X, program, variants, walk

NAMES = (
    "celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid "
    "log_softmax mish relu6 selu silu soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus "
    "swish tanh_shrink"
)
VALUES = np.linspace(-4.0, 4.0, 34, dtype="float32").reshape(2, 17)[:, :16]
# Not sparsemax: Keras adds up the running sums instead of the values, so that its result does not sum to 1.
SPARSE = {"loss": "sparse_categorical_crossentropy"}


def named(name):
    return lambda keras: name


@variants(**{name: named(name) for name in NAMES.split()})
def hidden_activation_called(keras, name):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(8, activation=name), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile("adam", **SPARSE)
    return walk(model, X, LABELS, epochs=3)


@program
def values_of_activations(keras):
    return {
        name: np.array(getattr(keras.activations, name)(VALUES))
        for name in (*NAMES.split(), "glu", "relu", "sigmoid", "tanh")
    }


@program
def values_of_activations_with_options(keras):
    of = keras.activations
    found = {
        "relu": of.relu(VALUES, negative_slope=0.1, max_value=2.0, threshold=0.5),
        "relu, positional": of.relu(VALUES, 0.3),
        "celu": of.celu(VALUES, alpha=0.5),
        "elu": of.elu(VALUES, alpha=0.3),
        "gelu": of.gelu(VALUES, approximate=True),
        "glu": of.glu(VALUES, axis=0),
        "hard_shrink": of.hard_shrink(VALUES, threshold=1.0),
        "leaky_relu": of.leaky_relu(VALUES, negative_slope=0.4),
        "log_softmax": of.log_softmax(VALUES, axis=0),
        "soft_shrink": of.soft_shrink(VALUES, threshold=1.0),
        "softmax": of.softmax(VALUES, axis=0),
        "squareplus": of.squareplus(VALUES, b=1.0),
        "threshold": of.threshold(VALUES, 0.5, 9.0),
    }
    return {name: np.array(value) for name, value in found.items()}


@variants(
    relu=lambda keras: keras.layers.ReLU(),
    relu_given=lambda keras: keras.layers.ReLU(max_value=1.0, negative_slope=0.2, threshold=0.1),
    leaky_relu=lambda keras: keras.layers.LeakyReLU(),
    leaky_relu_given=lambda keras: keras.layers.LeakyReLU(negative_slope=0.1),
    elu=lambda keras: keras.layers.ELU(alpha=0.5),
    prelu=lambda keras: keras.layers.PReLU(alpha_initializer="ones"),
    prelu_regularized=lambda keras: keras.layers.PReLU(alpha_regularizer="l2", alpha_constraint="non_neg"),
    softmax=lambda keras: keras.layers.Softmax(),
    activity=lambda keras: keras.layers.ActivityRegularization(l1=0.01, l2=0.02),
)
def activation_layer(keras, layer):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5), layer, keras.layers.Dense(3), keras.layers.Softmax()]
    )
    model.compile("adam", **SPARSE, metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=4)


@program
def prelu_with_shared_axes(keras):
    model = keras.Sequential(
        [keras.Input((2, 3)), keras.layers.PReLU(shared_axes=[1]), keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("adam", "mse")
    return walk(model, X.reshape(-1, 2, 3), AMOUNTS)


@variants(
    l1=lambda keras: {"kernel_regularizer": keras.regularizers.L1(0.01)},
    l2=lambda keras: {"kernel_regularizer": keras.regularizers.l2(0.02)},
    l1_l2=lambda keras: {"kernel_regularizer": keras.regularizers.L1L2(l1=0.01, l2=0.01)},
    by_name=lambda keras: {"kernel_regularizer": "l2", "bias_regularizer": "l1", "activity_regularizer": "l2"},
    orthogonal=lambda keras: {"kernel_regularizer": keras.regularizers.OrthogonalRegularizer(0.1)},
    orthogonal_columns=lambda keras: {"kernel_regularizer": keras.regularizers.OrthogonalRegularizer(0.1, "columns")},
    max_norm=lambda keras: {"kernel_constraint": keras.constraints.MaxNorm(0.8)},
    max_norm_rows=lambda keras: {"kernel_constraint": keras.constraints.max_norm(0.5, axis=1)},
    unit_norm=lambda keras: {"kernel_constraint": "unit_norm", "bias_constraint": "non_neg"},
    min_max_norm=lambda keras: {"kernel_constraint": keras.constraints.MinMaxNorm(0.9, 1.0, rate=0.5)},
)
def penalty(keras, arguments):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="tanh", **arguments),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", **SPARSE, metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=4, validation_split=0.2)
