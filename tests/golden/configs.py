"""Golden configs: what things are by default, argument by argument."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def things(keras: Any) -> dict[str, Any]:
    """Everything that has a config, by a name: with its defaults, and with some arguments given."""
    layers, initializers, losses = keras.layers, keras.initializers, keras.losses
    metrics, optimizers = keras.metrics, keras.optimizers
    return {
        "Dense": layers.Dense(3, name="dense"),
        "Dense, all given": layers.Dense(3, "relu", False, "he_normal", "ones", name="mine", trainable=False),
        "Activation": layers.Activation("tanh", name="activation"),
        "Flatten": layers.Flatten(name="flatten"),
        "Dropout": layers.Dropout(0.3, name="dropout"),
        "Dropout, seeded": layers.Dropout(0.3, seed=7, name="dropout"),
        "Rescaling": layers.Rescaling(0.5, name="rescaling"),
        "Rescaling, with offset": layers.Rescaling(0.5, offset=-1.0, name="rescaling"),
        "InputLayer": layers.InputLayer((3,), name="input"),
        "GlorotUniform": initializers.GlorotUniform(),
        "GlorotNormal": initializers.GlorotNormal(seed=3),
        "HeUniform": initializers.HeUniform(),
        "HeNormal": initializers.HeNormal(),
        "RandomNormal": initializers.RandomNormal(),
        "RandomNormal, given": initializers.RandomNormal(mean=1.0, stddev=0.5, seed=2),
        "RandomUniform": initializers.RandomUniform(),
        "RandomUniform, given": initializers.RandomUniform(-1.0, 2.0),
        "Zeros": initializers.Zeros(),
        "Ones": initializers.Ones(),
        "Constant": initializers.Constant(0.5),
        "Constant, by default": initializers.Constant(),
        "SparseCategoricalCrossentropy": losses.SparseCategoricalCrossentropy(),
        "SparseCategoricalCrossentropy, logits": losses.SparseCategoricalCrossentropy(from_logits=True),
        "CategoricalCrossentropy": losses.CategoricalCrossentropy(),
        "CategoricalCrossentropy, smoothed": losses.CategoricalCrossentropy(label_smoothing=0.1, name="smooth"),
        "BinaryCrossentropy": losses.BinaryCrossentropy(),
        "MeanSquaredError": losses.MeanSquaredError(),
        "MeanSquaredError, summed": losses.MeanSquaredError(reduction="sum", name="squares"),
        "MeanAbsoluteError": losses.MeanAbsoluteError(),
        "MeanAbsolutePercentageError": losses.MeanAbsolutePercentageError(),
        "MeanSquaredLogarithmicError": losses.MeanSquaredLogarithmicError("sum"),
        "LogCosh": losses.LogCosh(),
        "Poisson": losses.Poisson("mean", "counts"),
        "Hinge": losses.Hinge(),
        "SquaredHinge": losses.SquaredHinge(),
        "CategoricalHinge": losses.CategoricalHinge(),
        "KLDivergence": losses.KLDivergence(),
        "BinaryFocalCrossentropy": losses.BinaryFocalCrossentropy(),
        "BinaryFocalCrossentropy, all given": losses.BinaryFocalCrossentropy(
            True, 0.5, 1.5, True, 0.1, -1, "sum", "mine"
        ),
        "CategoricalFocalCrossentropy": losses.CategoricalFocalCrossentropy(),
        "CategoricalFocalCrossentropy, all given": losses.CategoricalFocalCrossentropy(
            [0.5, 1.0], 1.5, True, 0.1, -1, "sum", "mine"
        ),
        "CategoricalGeneralizedCrossEntropy": losses.CategoricalGeneralizedCrossEntropy(),
        "SparseCategoricalCrossentropy, ignoring": losses.SparseCategoricalCrossentropy(ignore_class=-1),
        "metric BinaryAccuracy": metrics.BinaryAccuracy(),
        "metric CategoricalAccuracy": metrics.CategoricalAccuracy(),
        "metric SparseCategoricalAccuracy": metrics.SparseCategoricalAccuracy(),
        "metric BinaryCrossentropy": metrics.BinaryCrossentropy(label_smoothing=0.1),
        "metric CategoricalCrossentropy": metrics.CategoricalCrossentropy(),
        "metric SparseCategoricalCrossentropy": metrics.SparseCategoricalCrossentropy(),
        "metric MeanSquaredError": metrics.MeanSquaredError(),
        "metric MeanAbsoluteError": metrics.MeanAbsoluteError(),
        "SGD": optimizers.SGD(),
        "SGD, all given": optimizers.SGD(0.5, momentum=0.9, nesterov=True, name="mine"),
        "RMSprop": optimizers.RMSprop(),
        "RMSprop, all given": optimizers.RMSprop(0.5, rho=0.8, momentum=0.1, epsilon=1e-3, centered=True),
        "Adam": optimizers.Adam(),
        "Adam, all given": optimizers.Adam(0.5, beta_1=0.8, beta_2=0.9, epsilon=1e-3),
        "Adafactor": optimizers.Adafactor(),
        "Ftrl": optimizers.Ftrl(),
        "Lamb": optimizers.Lamb(),
        "ScheduleFreeAdamW": optimizers.ScheduleFreeAdamW(),
        "Dot": layers.Dot(axes=[1, 2], name="dot"),
        "EinsumDense": layers.EinsumDense("ab,bc->ac", 3, name="einsum"),
        "EinsumDense, all given": layers.EinsumDense(
            "...x,xy->...y",
            (None, 3),
            "relu",
            "y",
            "he_normal",
            "ones",
            "l2",
            "l1",
            "max_norm",
            "non_neg",
            name="einsum",
        ),
        "GlobalAveragePooling1D": layers.GlobalAveragePooling1D(name="pooling"),
        "GlobalMaxPooling1D": layers.GlobalMaxPooling1D("channels_first", True, name="pooling"),
        "GroupNormalization": layers.GroupNormalization(name="groups"),
        "Masking": layers.Masking(name="masking"),
        "Permute": layers.Permute([2, 1], name="permute"),
        "RepeatVector": layers.RepeatVector(3, name="repeat"),
        "SpectralNormalization": layers.SpectralNormalization(layers.Dense(3, name="dense"), name="spectral"),
        "TimeDistributed": layers.TimeDistributed(layers.Dense(3, name="dense"), name="steps"),
    }


def config_of(thing: Any) -> dict[str, Any]:
    """A thing's config, argument by argument, those of things inside it (an initializer) behind a dot."""
    return dict(_arguments(thing.get_config()))


def _arguments(config: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in config.items():
        if not isinstance(value, dict):
            yield prefix + key, _plain(value)
        elif value["class_name"] == "DTypePolicy":  # where Keras has an object, a name is enough
            yield prefix + key, value["config"]["name"]
        else:
            yield prefix + key, value["class_name"]
            yield from _arguments(value["config"], f"{prefix}{key}.")


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}")  # an optimizer's numbers have been float32 in between
    return list(value) if isinstance(value, tuple) else value
