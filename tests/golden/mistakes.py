"""Golden mistakes: what Keras refuses, `multilayer` refuses too, and both messages name what is wrong.

Each mistake is a function of `keras` that must raise, and the words that every message about it has to hold.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from golden.fitting import compiled
from golden.table import LABELS, ONE_HOT, X, classifier


class Mistake(NamedTuple):
    """Something that must raise, and what the message has to name."""

    make: Callable[[Any], object]
    words: tuple[str, ...]


def fit(keras: Any, x: Any = X, y: Any = LABELS, **arguments: Any) -> object:
    return compiled(keras).fit(x, y, shuffle=False, verbose=0, **arguments)


def fit_compiled_with(keras: Any, **arguments: Any) -> object:
    return compiled(keras, **arguments).fit(X, LABELS, verbose=0)


def unbuilt(keras: Any) -> Any:
    return keras.Sequential([keras.layers.Dense(3)])


def add_twice(keras: Any) -> None:
    keras.Sequential([keras.layers.Dense(3, name="twin"), keras.layers.Dense(3, name="twin")])


def transposed(weights: list[Any]) -> list[Any]:
    return [weight.T for weight in weights]


def of_model(use: Callable[[Any], object]) -> Callable[[Any], object]:
    """The mistake of using the classifier, uncompiled, like this."""
    return lambda keras: use(classifier(keras))


MISTAKES = {
    # Data
    "fit: too few features": Mistake(lambda k: fit(k, X[:, :4]), ("dense", "6", "4")),
    "evaluate: too few features": Mistake(lambda k: compiled(k).evaluate(X[:, :4], LABELS), ("dense", "6", "4")),
    "predict: too few features": Mistake(of_model(lambda m: m.predict(X[:, :4])), ("dense", "6", "4")),
    "call: too many features": Mistake(of_model(lambda m: m(np.ones((2, 9), "float32"))), ("dense", "6", "9")),
    "fit: one axis missing": Mistake(lambda k: fit(k, X[:, 0]), ("6",)),
    "fit: lengths of x and y": Mistake(lambda k: fit(k, X, LABELS[:-1]), ("'x'", "'y'", "45", "44")),
    "fit: length of sample weights": Mistake(lambda k: fit(k, sample_weight=np.ones(3)), ("'sample_weight'", "3")),
    "fit: lengths of validation data": Mistake(
        lambda k: fit(k, validation_data=(X, LABELS[:9])), ("cardinality", "45", "9")
    ),
    "fit: no targets": Mistake(lambda k: fit(k, X, None), ()),
    "fit: a label too large": Mistake(
        lambda k: fit(k, X, LABELS + 1), ("label value of 3 which is outside the valid range of [0, 3)",)
    ),
    "fit: a negative label": Mistake(lambda k: fit(k, X, LABELS - 1), ("label value of -1", "[0, 3)")),
    "evaluate: a label too large": Mistake(lambda k: compiled(k).evaluate(X, LABELS + 1), ("label value of 3",)),
    "fit: one-hot rows for labels": Mistake(lambda k: fit(k, X, ONE_HOT), ("shape", "3)")),
    "fit: labels for one-hot rows": Mistake(
        lambda k: fit_compiled_with(k, loss="categorical_crossentropy"), ("shape", "(None, 3)")
    ),
    "fit: text for numbers": Mistake(lambda k: fit(k, X.astype(str)), ()),
    # Arguments
    "fit: sample and class weights": Mistake(
        lambda k: fit(k, class_weight={0: 1.0}, sample_weight=np.ones(45)), ("class_weight", "sample_weight")
    ),
    "fit: everything split off": Mistake(
        lambda k: fit(k, validation_split=0.99), ("validation_split=0.99", "45 samples")
    ),
    "fit: a negative batch size": Mistake(lambda k: fit(k, batch_size=-1), ()),
    "fit: half a batch": Mistake(lambda k: fit(k, batch_size=2.5), ()),
    "fit: half an epoch": Mistake(lambda k: fit(k, epochs=2.5), ()),
    "fit: validation data without targets": Mistake(lambda k: fit(k, validation_data=(X,)), ()),
    "fit: a callback that is none": Mistake(lambda k: fit(k, callbacks=["stop"]), ()),
    # Names
    "compile: unknown optimizer": Mistake(lambda k: fit_compiled_with(k, optimizer="adm"), ("optimizer", "adm")),
    "compile: unknown loss": Mistake(lambda k: fit_compiled_with(k, loss="crossentropie"), ("loss", "crossentropie")),
    "compile: unknown metric": Mistake(lambda k: fit_compiled_with(k, metrics=["acuracy"]), ("metric", "acuracy")),
    "compile: an optimizer that is a number": Mistake(
        lambda k: fit_compiled_with(k, optimizer=3), ("Could not interpret optimizer identifier: 3",)
    ),
    "compile: metrics as a word": Mistake(
        lambda k: classifier(k).compile(metrics="accuracy"),
        ("Expected `metrics` argument to be a list", "accuracy", "<class 'str'>"),
    ),
    "Dense: unknown activation": Mistake(lambda k: k.layers.Dense(3, activation="rely"), ("activation", "rely")),
    "Dense: unknown initializer": Mistake(
        lambda k: k.layers.Dense(3, kernel_initializer="he_norml"), ("initializer", "he_norml")
    ),
    "Dense: unknown argument": Mistake(lambda k: k.layers.Dense(3, width=1), ("width",)),
    "Activation: unknown": Mistake(lambda k: k.layers.Activation("rely"), ("activation", "rely")),
    # Numbers
    "Dense: no units": Mistake(lambda k: k.layers.Dense(0), ("`units`, expected a positive integer", "units=0")),
    "Dense: negative units": Mistake(
        lambda k: k.layers.Dense(-1), ("`units`, expected a positive integer", "units=-1")
    ),
    "Dense: half a unit": Mistake(lambda k: k.layers.Dense(2.5), ("`units`, expected a positive integer", "units=2.5")),
    "Dropout: a rate above 1": Mistake(lambda k: k.layers.Dropout(1.5), ("`rate`", "between 0 and 1", "rate=1.5")),
    "Dropout: a rate below 0": Mistake(lambda k: k.layers.Dropout(-0.1), ("`rate`", "between 0 and 1", "rate=-0.1")),
    "SGD: momentum above 1": Mistake(
        lambda k: k.optimizers.SGD(momentum=2.0), ("`momentum` must be a float between [0, 1].",)
    ),
    "SGD: a learning rate that is a word": Mistake(lambda k: k.optimizers.SGD("fast"), ("`learning_rate`", "fast")),
    "EarlyStopping: monitors what nobody knows": Mistake(
        lambda k: fit(k, callbacks=[k.callbacks.EarlyStopping("nose")]), ("nose", "mode='max'", "mode='min'")
    ),
    # What comes first
    "fit: not compiled": Mistake(of_model(lambda m: m.fit(X, LABELS)), ("You must call `compile()` before",)),
    "evaluate: not compiled": Mistake(of_model(lambda m: m.evaluate(X, LABELS)), ("You must call `compile()` before",)),
    "train_on_batch: not compiled": Mistake(
        of_model(lambda m: m.train_on_batch(X, LABELS)), ("You must call `compile()` before",)
    ),
    "fit: compiled without a loss": Mistake(
        lambda k: fit_compiled_with(k, loss=None), ("No loss to compute. Provide a `loss` argument in `compile()`",)
    ),
    "count_params: not built": Mistake(lambda k: unbuilt(k).count_params(), ("count_params", "sequential")),
    "input_shape: not built": Mistake(lambda k: unbuilt(k).input_shape, ("sequential",)),
    "output_shape: not built": Mistake(lambda k: unbuilt(k).output_shape, ("sequential",)),
    "set_weights: not built": Mistake(
        lambda k: unbuilt(k).set_weights([np.ones(3)]), ("a weight list of length 1", "expecting 0 weights")
    ),
    "predict: no layers": Mistake(lambda k: k.Sequential().predict(X), ("has no layers", "model.add(layer)")),
    # Building
    "set_weights: too few": Mistake(
        of_model(lambda m: m.set_weights(m.get_weights()[:1])), ("a weight list of length 1", "expecting 4 weights")
    ),
    "set_weights: transposed": Mistake(
        of_model(lambda m: m.set_weights(transposed(m.get_weights()))), ("shape (6, 5)", "shape (5, 6)")
    ),
    "layer.set_weights: too many": Mistake(
        of_model(lambda m: m.layers[0].set_weights(m.get_weights())),
        ("a weight list of length 4", "expecting 2 weights"),
    ),
    "Sequential: two layers of one name": Mistake(add_twice, ("unique names", "'twin'")),
    "add: no layer": Mistake(lambda k: k.Sequential().add("dense"), ("can be added to a Sequential model", "dense")),
    "add: a second input": Mistake(lambda k: classifier(k).add(k.Input((4,))), ()),
    "pop: no layers": Mistake(lambda k: k.Sequential().pop(), ()),
    "to_categorical: a label too large": Mistake(lambda k: k.utils.to_categorical([0, 2], 2), ("2",)),
    # Losses
    "loss: unknown name": Mistake(lambda k: k.losses.get("huberr"), ("huberr",)),
    "loss: a number": Mistake(lambda k: k.losses.get(5), ("Could not interpret loss identifier: 5",)),
    "loss: unknown reduction": Mistake(lambda k: k.losses.Huber(reduction="average"), ("reduction", "average")),
    "loss: a name for a reduction": Mistake(lambda k: k.losses.LogCosh("mine"), ("reduction", "mine")),
    "loss: unknown argument": Mistake(lambda k: k.losses.Huber(gamma=2.0), ("gamma",)),
    "loss: unknown type": Mistake(lambda k: k.losses.Hinge(dtype="float31"), ("float31",)),
    "loss: a bool for an axis": Mistake(
        lambda k: k.losses.categorical_crossentropy(ONE_HOT, ONE_HOT, axis=True),
        ("`axis` must be of type `int`", "axis=True"),
    ),
    "loss: a bool for a focal axis": Mistake(
        lambda k: k.losses.categorical_focal_crossentropy(ONE_HOT, ONE_HOT, axis=True),
        ("`axis` must be of type `int`", "axis=True"),
    ),
    "loss: an axis too many": Mistake(lambda k: k.losses.cosine_similarity(ONE_HOT, ONE_HOT, axis=2), ("2",)),
    "loss: q of 0": Mistake(
        lambda k: k.losses.CategoricalGeneralizedCrossEntropy(q=0.0), ("q must be in the interval (0, 1",)
    ),
    "loss: q above 1": Mistake(
        lambda k: k.losses.CategoricalGeneralizedCrossEntropy(q=1.5), ("q must be in the interval (0, 1",)
    ),
    "loss: q left out": Mistake(lambda k: k.losses.categorical_generalized_cross_entropy(LABELS, ONE_HOT), ("'q'",)),
    "loss: shapes of regression": Mistake(lambda k: k.losses.Huber()(ONE_HOT, X), ("45", "3", "6")),
    "loss: shapes of margins": Mistake(lambda k: k.losses.Hinge()(ONE_HOT, X), ("45", "3", "6")),
    "loss: shapes of divergence": Mistake(lambda k: k.losses.KLDivergence()(ONE_HOT, X), ("45", "3", "6")),
    "loss: labels for one-hot rows": Mistake(
        lambda k: k.losses.CategoricalCrossentropy()(LABELS, ONE_HOT), ("45", "3")
    ),
    "loss: labels for a cosine": Mistake(lambda k: k.losses.CosineSimilarity()(LABELS, ONE_HOT), ("45",)),
    "loss: a label too large": Mistake(
        lambda k: k.losses.SparseCategoricalCrossentropy()(LABELS + 1, ONE_HOT), ("label value of 3", "[0, 3)")
    ),
    "loss: focal weights of too few classes": Mistake(
        lambda k: k.losses.CategoricalFocalCrossentropy(alpha=[0.5, 1.0])(ONE_HOT, ONE_HOT), ("2", "3")
    ),
    "loss: sample weights of another length": Mistake(
        lambda k: k.losses.Huber()(ONE_HOT, ONE_HOT, sample_weight=np.ones(9)), ("45", "9")
    ),
    "loss: no formula": Mistake(lambda k: k.losses.Loss()(ONE_HOT, ONE_HOT), ()),
    "fit: a loss of another shape": Mistake(lambda k: fit_compiled_with(k, loss="huber"), ()),
}
