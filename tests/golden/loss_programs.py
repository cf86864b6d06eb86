"""Golden programs about losses: walks with each of them, and their values with weights and reductions."""

import numpy as np

from golden.table import AMOUNTS, LABELS, ONE_HOT, SEVERAL, WEIGHTS, YES_NO, X, program, variants, walk

COUNTS = np.abs(np.round(AMOUNTS * 2))
SIGNS = (2 * YES_NO - 1).astype("float32")[:, None]
_STREAM = np.random.RandomState(3)
T, Y = (
    _STREAM.uniform(0.1, 0.9, size=(7, 3)).astype("float32"),
    _STREAM.uniform(0.1, 0.9, size=(7, 3)).astype("float32"),
)
BITS = (T > 0.5).astype("float32")
SCORES = _STREAM.normal(size=(7, 3)).astype("float32")
PICKED = np.eye(3, dtype="float32")[[0, 1, 2, 2, 1, 0, 1]]
W = np.array([1.0, 0.5, 2.0, 0.0, 1.0, 3.0, 1.0], "float32")


def _trained(keras, loss, x, y, units, activation, **arguments):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(units, activation=activation)]
    )
    model.compile("adam", loss)
    return walk(model, x, y, epochs=4, **arguments)


@variants(
    mape=lambda keras: "mape",
    msle=lambda keras: "mean_squared_logarithmic_error",
    huber=lambda keras: "huber",
    huber_delta=lambda keras: keras.losses.Huber(delta=0.3),
    log_cosh=lambda keras: "log_cosh",
    mean=lambda keras: keras.losses.LogCosh(reduction="mean"),
    total=lambda keras: keras.losses.Huber(reduction="sum"),
    with_sample_weight=lambda keras: keras.losses.MeanSquaredError(reduction="mean_with_sample_weight"),
)
def loss_for_amounts(keras, loss):
    return _trained(keras, loss, X, np.abs(AMOUNTS) + 0.5, 1, "softplus", sample_weight=WEIGHTS)


@variants(hinge=lambda keras: "hinge", squared_hinge=lambda keras: keras.losses.SquaredHinge())
def loss_with_a_margin(keras, loss):
    return _trained(keras, loss, X, SIGNS, 1, "tanh")


@variants(
    hinge=lambda keras: "categorical_hinge",
    cosine=lambda keras: "cosine_similarity",
    kl=lambda keras: "kl_divergence",
    kld=lambda keras: "kld",
    focal=lambda keras: keras.losses.CategoricalFocalCrossentropy(),
    focal_given=lambda keras: keras.losses.CategoricalFocalCrossentropy(alpha=[0.2, 0.5, 1.0], gamma=1.0),
    focal_smoothed=lambda keras: keras.losses.CategoricalFocalCrossentropy(label_smoothing=0.1),
)
def loss_for_one_hot(keras, loss):
    return _trained(keras, loss, X, ONE_HOT, 3, "softmax")


@variants(
    focal=lambda keras: "binary_focal_crossentropy",
    focal_balanced=lambda keras: keras.losses.BinaryFocalCrossentropy(True, alpha=0.6, gamma=1.0),
)
def loss_for_several_bits(keras, loss):
    return _trained(keras, loss, X, SEVERAL, 3, "sigmoid")


@variants(
    binary=lambda keras: keras.losses.BinaryFocalCrossentropy(from_logits=True),
    categorical=lambda keras: keras.losses.CategoricalFocalCrossentropy(from_logits=True, gamma=3.0),
)
def focal_loss_of_logits(keras, loss):
    return _trained(keras, loss, X, ONE_HOT, 3, None)


@program
def loss_for_noisy_labels(keras):
    return _trained(keras, keras.losses.CategoricalGeneralizedCrossEntropy(q=0.7), X, LABELS, 3, "softmax")


@program
def loss_for_counts(keras):
    return _trained(keras, "poisson", X, COUNTS, 1, "softplus")


@program
def loss_with_a_class_to_ignore(keras):
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=1)
    return _trained(keras, loss, X, LABELS, 3, "softmax")


def _losses(keras):
    of = keras.losses
    return {
        "mse": (of.MeanSquaredError, T, Y),
        "mae": (of.MeanAbsoluteError, T, Y),
        "mape": (of.MeanAbsolutePercentageError, T, Y),
        "msle": (of.MeanSquaredLogarithmicError, T, Y),
        "huber": (of.Huber, T, Y),
        "log_cosh": (of.LogCosh, T, Y),
        "poisson": (of.Poisson, T, Y),
        "cosine": (of.CosineSimilarity, T, Y),
        "hinge": (of.Hinge, BITS, SCORES),
        "squared_hinge": (of.SquaredHinge, BITS, SCORES),
        "categorical_hinge": (of.CategoricalHinge, PICKED, SCORES),
        "kl": (of.KLDivergence, T, Y),
        "bce": (of.BinaryCrossentropy, BITS, Y),
        "cce": (of.CategoricalCrossentropy, PICKED, Y),
        "scce": (of.SparseCategoricalCrossentropy, PICKED.argmax(axis=1), Y),
        "binary focal": (of.BinaryFocalCrossentropy, BITS, Y),
        "categorical focal": (of.CategoricalFocalCrossentropy, PICKED, Y),
        "generalized": (of.CategoricalGeneralizedCrossEntropy, PICKED.argmax(axis=1), Y),
    }


@variants(
    sum_over_batch_size=lambda keras: "sum_over_batch_size",
    sum=lambda keras: "sum",
    mean=lambda keras: "mean",
    mean_with_sample_weight=lambda keras: "mean_with_sample_weight",
    none=lambda keras: "none",
)
def values_of_losses_reduced_by(keras, reduction):
    found = {}
    for name, (make, t, y) in _losses(keras).items():
        loss = make(reduction=reduction)
        found[name] = np.atleast_1d(loss(t, y))
        found[f"{name}, weighted"] = np.atleast_1d(loss(t, y, sample_weight=W))
    return found


@program
def losses_as_functions(keras):
    of = keras.losses
    labels = PICKED.argmax(axis=1)
    found = {
        "mse": of.mean_squared_error(T, Y),
        "mae": of.mean_absolute_error(T, Y),
        "mape": of.mean_absolute_percentage_error(T, Y),
        "msle": of.mean_squared_logarithmic_error(T, Y),
        "huber": of.huber(T, Y, delta=0.2),
        "log_cosh": of.log_cosh(T, Y),
        "poisson": of.poisson(T, Y),
        "cosine": of.cosine_similarity(T, Y),
        "hinge": of.hinge(BITS, SCORES),
        "squared_hinge": of.squared_hinge(BITS, SCORES),
        "categorical_hinge": of.categorical_hinge(PICKED, SCORES),
        "kl": of.kl_divergence(T, Y),
        "bce": of.binary_crossentropy(BITS, SCORES, from_logits=True, label_smoothing=0.1),
        "cce": of.categorical_crossentropy(PICKED, Y, label_smoothing=0.1),
        "scce": of.sparse_categorical_crossentropy(labels, SCORES, from_logits=True),
        "scce, ignoring": of.sparse_categorical_crossentropy(labels, Y, ignore_class=1),
        "binary focal": of.binary_focal_crossentropy(BITS, Y, apply_class_balancing=True, gamma=1.0),
        "categorical focal": of.categorical_focal_crossentropy(PICKED, Y, alpha=0.5),
        "generalized": of.categorical_generalized_cross_entropy(labels, Y, 0.7),
    }
    return {name: np.array(value) for name, value in found.items()}
