"""Golden programs about the arguments of losses: their order and defaults, and values with those that are not."""

import inspect

import numpy as np

from golden.loss_programs import BITS, COUNTS, PICKED, SCORES, SIGNS, T, W, Y, _trained
from golden.table import AMOUNTS, LABELS, ONE_HOT, SEVERAL, WEIGHTS, YES_NO, X, program, variants

CLASSES = [
    "MeanSquaredError",
    "MeanAbsoluteError",
    "MeanAbsolutePercentageError",
    "MeanSquaredLogarithmicError",
    "Huber",
    "LogCosh",
    "Poisson",
    "CosineSimilarity",
    "Hinge",
    "SquaredHinge",
    "CategoricalHinge",
    "KLDivergence",
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "SparseCategoricalCrossentropy",
    "BinaryFocalCrossentropy",
    "CategoricalFocalCrossentropy",
    "CategoricalGeneralizedCrossEntropy",
]
FUNCTIONS = [
    "mean_squared_error",
    "mean_absolute_error",
    "mean_absolute_percentage_error",
    "mean_squared_logarithmic_error",
    "huber",
    "log_cosh",
    "poisson",
    "cosine_similarity",
    "hinge",
    "squared_hinge",
    "categorical_hinge",
    "kl_divergence",
    "binary_crossentropy",
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "binary_focal_crossentropy",
    "categorical_focal_crossentropy",
    "categorical_generalized_cross_entropy",
]
ALIASES = ["bce", "BCE", "kld", "KLD", "mae", "MAE", "mse", "MSE", "mape", "MAPE", "msle", "MSLE"]
LABELLED = PICKED.argmax(axis=1)
DEEP_T, DEEP_Y = T[:6].reshape(2, 3, 3), Y[:6].reshape(2, 3, 3)
DEEP_PICKED, DEEP_SCORES = PICKED[:6].reshape(2, 3, 3), SCORES[:6].reshape(2, 3, 3)
DEEP_W = W[:6].reshape(2, 3)


def _arguments(thing):
    """Names and defaults; a name's is left to what the loss is called."""
    found = inspect.signature(thing).parameters.values()
    return [p.name if p.default is p.empty or p.name == "name" else f"{p.name}={p.default!r}" for p in found]


@program
def arguments_of_losses(keras):
    return {name: _arguments(getattr(keras.losses, name)) for name in CLASSES + FUNCTIONS}


@program
def names_of_losses(keras):
    return {name: getattr(keras.losses, name)().name for name in CLASSES}


@program
def names_that_losses_go_by(keras):
    def title(found):  # Keras finds a function, and we the loss of that name
        return getattr(found, "__name__", None) or type(found).__name__

    # All but the last class and function, which Keras does not find by a name.
    known = [name for name in CLASSES[:-1] + FUNCTIONS[:-1] + ALIASES if callable(keras.losses.get(name))]
    return {"known": known, "classes": [title(keras.losses.get(name)) for name in CLASSES[:-1]]}


def _given(keras):
    """Losses with arguments of their own, and what they are asked about."""
    of = keras.losses
    return {
        "huber": (lambda **k: of.Huber(delta=0.2, **k), T, Y),
        "huber, wide": (lambda **k: of.Huber(5.0, **k), T, SCORES),
        "log_cosh of large errors": (of.LogCosh, T, 100 * SCORES),
        "mape near zero": (of.MeanAbsolutePercentageError, np.where(T < 0.4, 0.0, T).astype("float32"), Y * 1e-6),
        "msle of negative numbers": (of.MeanSquaredLogarithmicError, SCORES, SCORES[::-1]),
        "kl of any numbers": (of.KLDivergence, SCORES, SCORES[::-1] + 1),
        "poisson of zeros": (of.Poisson, BITS, np.maximum(SCORES, 0)),
        "cosine, axis": (lambda **k: of.CosineSimilarity(axis=1, **k), T, SCORES),
        "cosine of zeros": (of.CosineSimilarity, T, np.zeros_like(Y)),
        "cosine, deep": (lambda **k: of.CosineSimilarity(axis=2, **k), DEEP_T, DEEP_SCORES),
        "hinge of signs": (of.Hinge, 2 * BITS - 1, SCORES),
        "hinge of other numbers": (of.Hinge, T, SCORES),
        "squared_hinge of signs": (of.SquaredHinge, 2 * BITS - 1, SCORES),
        "categorical_hinge of signs": (of.CategoricalHinge, 2 * PICKED - 1, SCORES),
        "bce": (lambda **k: of.BinaryCrossentropy(label_smoothing=0.2, axis=1, **k), BITS, Y),
        "bce of logits": (lambda **k: of.BinaryCrossentropy(True, 0.2, **k), BITS, SCORES),
        "cce": (lambda **k: of.CategoricalCrossentropy(label_smoothing=0.2, axis=1, **k), PICKED, Y),
        "cce of logits": (lambda **k: of.CategoricalCrossentropy(True, 0.2, **k), PICKED, SCORES),
        "cce, deep": (lambda **k: of.CategoricalCrossentropy(axis=2, **k), DEEP_PICKED, DEEP_Y),
        "scce of logits": (lambda **k: of.SparseCategoricalCrossentropy(True, axis=1, **k), LABELLED, SCORES),
        "scce, ignoring": (lambda **k: of.SparseCategoricalCrossentropy(ignore_class=2, **k), LABELLED, Y),
        "scce of logits, ignoring": (lambda **k: of.SparseCategoricalCrossentropy(True, 0, **k), LABELLED, SCORES),
        "scce, ignoring what is no class": (
            lambda **k: of.SparseCategoricalCrossentropy(ignore_class=-1, **k),
            np.where(LABELLED == 1, -1, LABELLED),
            Y,
        ),
        "scce, ignoring all": (lambda **k: of.SparseCategoricalCrossentropy(ignore_class=1, **k), 0 * LABELLED + 1, Y),
        "binary focal": (lambda **k: of.BinaryFocalCrossentropy(True, 0.4, 1.5, False, 0.1, 1, **k), BITS, Y),
        "binary focal of logits": (lambda **k: of.BinaryFocalCrossentropy(gamma=3, from_logits=True, **k), T, SCORES),
        "categorical focal": (lambda **k: of.CategoricalFocalCrossentropy(0.5, 0.7, False, 0.2, 1, **k), PICKED, Y),
        "categorical focal, each": (
            lambda **k: of.CategoricalFocalCrossentropy(alpha=[0.2, 0.5, 1.0], from_logits=True, **k),
            PICKED,
            SCORES,
        ),
        "generalized": (lambda **k: of.CategoricalGeneralizedCrossEntropy(q=0.9, **k), LABELLED, Y),
    }


@variants(
    sum_over_batch_size=lambda keras: "sum_over_batch_size",
    sum=lambda keras: "sum",
    mean_with_sample_weight=lambda keras: "mean_with_sample_weight",
    not_at_all=lambda keras: None,
)
def values_of_losses_with_arguments_reduced_by(keras, reduction):
    found = {}
    for name, (make, t, y) in _given(keras).items():
        loss = make(reduction=reduction)
        found[name] = np.atleast_1d(loss(t, y))
        weight = DEEP_W if np.ndim(y) == 3 else W
        found[f"{name}, weighted"] = np.atleast_1d(loss(t, y, sample_weight=weight))
    return found


@program
def values_of_losses_in_another_type(keras):
    t, y = T.astype("float64"), Y.astype("float64")
    found = {name: getattr(keras.losses, name)(dtype="float64") for name in CLASSES[:6]}
    return {name: float(loss(t, y)) for name, loss in found.items()} | {
        f"{name}, type": str(loss.dtype) for name, loss in found.items()
    }


@variants(
    mae=lambda keras: keras.losses.MeanAbsoluteError("sum"),
    mape=lambda keras: keras.losses.MeanAbsolutePercentageError("mean_with_sample_weight"),
    msle=lambda keras: keras.losses.MeanSquaredLogarithmicError("sum", "logs"),
    huber_wide=lambda keras: keras.losses.Huber(5.0),
    huber_narrow=lambda keras: keras.losses.Huber(delta=0.01, reduction="sum"),
    log_cosh=lambda keras: keras.losses.LogCosh("mean_with_sample_weight"),
)
def loss_with_arguments_for_amounts(keras, loss):
    return _trained(keras, loss, X, np.abs(AMOUNTS) + 0.5, 1, "softplus", sample_weight=WEIGHTS)


@variants(
    hinge=lambda keras: keras.losses.Hinge("sum"),
    squared_hinge=lambda keras: keras.losses.SquaredHinge("sum"),
)
def loss_with_a_margin_of_bits(keras, loss):
    return _trained(keras, loss, X, SEVERAL, 3, None)


@program
def loss_with_a_margin_of_signs_without_activation(keras):
    return _trained(keras, "hinge", X, SIGNS, 1, None)


@variants(
    poisson=lambda keras: keras.losses.Poisson("mean_with_sample_weight"),
    msle=lambda keras: "msle",
)
def loss_with_arguments_for_counts(keras, loss):
    return _trained(keras, loss, X, COUNTS, 1, "softplus", sample_weight=WEIGHTS)


@variants(
    cosine=lambda keras: keras.losses.CosineSimilarity(axis=1, reduction="sum"),
    hinge=lambda keras: keras.losses.CategoricalHinge("sum"),
    hinge_of_ties=lambda keras: keras.losses.CategoricalHinge(),
)
def loss_with_arguments_for_one_hot(keras, loss):
    return _trained(keras, loss, X, ONE_HOT, 3, "relu" if loss.reduction != "sum" else None)


@variants(
    smoothed=lambda keras: keras.losses.BinaryFocalCrossentropy(label_smoothing=0.2, gamma=0.5),
    without_focus=lambda keras: keras.losses.BinaryFocalCrossentropy(gamma=0.0),
    balanced=lambda keras: keras.losses.BinaryFocalCrossentropy(True, reduction="mean_with_sample_weight"),
)
def focal_loss_with_arguments(keras, loss):
    return _trained(keras, loss, X, YES_NO[:, None], 1, "sigmoid", sample_weight=WEIGHTS)


@variants(
    of_logits=lambda keras: keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=0),
    of_logits_summed=lambda keras: keras.losses.SparseCategoricalCrossentropy(True, 2, "sum"),
    no_class=lambda keras: keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1),
)
def loss_with_labels_to_ignore(keras, loss):
    labels = np.where(LABELS == 1, -1, LABELS) if loss.ignore_class == -1 else LABELS
    return _trained(keras, loss, X, labels, 3, None, sample_weight=WEIGHTS)


@variants(half=lambda keras: 0.5, low=lambda keras: 0.1)
def loss_for_noisy_labels_by_q(keras, q):
    return _trained(keras, keras.losses.CategoricalGeneralizedCrossEntropy(q), X, LABELS, 3, "softmax")
