"""The network that an estimator's parameters describe, its loss and its optimizer."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import is_classifier

from multilayer import activations, layers, losses, optimizers
from multilayer._core.arena import Variable
from multilayer._training.heads import Head
from multilayer.functional import Array
from multilayer.losses.families import OneHotLoss, SparseLoss
from multilayer.models import Sequential
from multilayer.sklearn.losses import HalfSquaredError, PoissonDeviance
from multilayer.sklearn.parameters import ACTIVATIONS, hidden_units, of_each_layer

SEEDS = 2**31 - 1
FTOL = 1e7 * np.finfo(np.float64).eps  # of `scipy.optimize`, where nothing is said
# What to write into the model's file for the estimator's own losses: names that every reader knows.
_IN_FILES = {"squared_error": "mean_squared_error", "poisson": "poisson"}


def activation(name: Any) -> activations.Activation:
    """An activation by scikit-learn's name, or by whatever else the library takes."""
    return activations.get(ACTIVATIONS.get(name, name) if isinstance(name, str) else name)


def build(estimator: Any, features: int, outputs: int, dtype: str, random_state: np.random.RandomState) -> Sequential:
    """The network, with the first weights that scikit-learn draws of the same `RandomState`.

    Args:
        estimator: Whose parameters describe it.
        features: Numbers in a sample.
        outputs: Numbers in a prediction.
        dtype: The type that it computes in.
        random_state: Where the weights come from, and after them the seeds of the dropout layers.
    """
    units = hidden_units(estimator)
    of_each = [activation(name) for name in of_each_layer(estimator, "activation", len(units))]
    rates = of_each_layer(estimator, "dropout", len(units))
    sizes = [features, *units, outputs]
    # The last layer's weights are drawn as those before it are, whatever it ends in.
    like = of_each[-1] if of_each else activation(estimator.activation)
    drawn = [_drawn(*of_one, random_state) for of_one in zip(sizes, sizes[1:], [*of_each, like], strict=False)]
    hidden: list[layers.Layer] = []
    for number, (size, f, rate) in enumerate(zip(units, of_each, rates, strict=True), 1):
        plain = not estimator.batch_normalization
        hidden.append(_dense(size, f if plain else "linear", f"hidden_{number}", dtype))
        if not plain:
            hidden.append(layers.BatchNormalization(name=f"normalization_{number}", dtype=dtype))
            hidden.append(layers.Activation(f, name=f"activation_{number}", dtype=dtype))
        if rate:
            seed = int(random_state.randint(SEEDS))
            hidden.append(layers.Dropout(rate, seed=seed, name=f"dropout_{number}", dtype=dtype))
    output = _dense(outputs, activation(estimator.out_activation_), "output", dtype)
    model = Sequential([layers.Input((features,), dtype=dtype), *hidden, output], name=type(estimator).__name__.lower())
    for layer, (W, b) in zip(dense_layers(model), drawn, strict=True):
        layer.kernel.assign(W)
        layer.bias.assign(b)  # type: ignore[union-attr] # `_dense` asks for one
    return model


def _dense(units: int, f: Any, name: str, dtype: str) -> layers.Dense:
    # Values follow: an initializer that draws would move the library's global random stream.
    return layers.Dense(units, activation=f, kernel_initializer="zeros", name=name, dtype=dtype)


def _drawn(d: int, h: int, f: Any, random_state: np.random.RandomState) -> tuple[Array, Array]:
    """A layer's weights and biases, from [-s, s] with s = sqrt(6 / (d + h)), or, for a sigmoid, sqrt(2 / (d + h))."""
    bound = np.sqrt((2.0 if f is activations.sigmoid else 6.0) / (d + h))
    W = random_state.uniform(-bound, bound, (d, h))
    return W, random_state.uniform(-bound, bound, h)


def dense_layers(model: Sequential) -> list[layers.Dense]:
    """The layers whose weights are `coefs_` and `intercepts_`."""
    return [layer for layer in model.layers if isinstance(layer, layers.Dense)]


def kernels(model: Sequential) -> list[Variable]:
    """The weights that are penalized."""
    return [layer.kernel for layer in dense_layers(model)]


def head(estimator: Any, metrics: list[Any]) -> tuple[Head, Any]:
    """What is asked of the network's output, and the loss that the model's file is to name for it.

    Raises:
        ValueError: The loss is unknown, or does not go with two classes, or with `label_smoothing`.
    """
    name, outputs = estimator.loss, estimator.n_outputs_
    smoothing = getattr(estimator, "label_smoothing", 0.0)
    if smoothing and name != "log_loss":
        raise ValueError(
            f"The parameter `label_smoothing` of {type(estimator).__name__} goes with loss='log_loss'; got "
            f"label_smoothing={smoothing!r} and loss={name!r}. A loss of Keras' has an argument of that name."
        )
    weight = 1.0
    if not is_classifier(estimator) and isinstance(name, str) and name in _IN_FILES:
        loss: Any = HalfSquaredError() if name == "squared_error" else PoissonDeviance()
    elif is_classifier(estimator) and name == "log_loss":
        if estimator.out_activation_ == "softmax":
            one_hot = losses.CategoricalCrossentropy(label_smoothing=smoothing)
            loss = one_hot if smoothing else losses.SparseCategoricalCrossentropy()
        else:
            loss = losses.BinaryCrossentropy(label_smoothing=smoothing)
            weight = float(outputs)  # it is a mean over the labels, scikit-learn's the sum
    else:
        loss = losses.get(name)
        if is_classifier(estimator) and outputs == 1 and isinstance(loss, (OneHotLoss, SparseLoss)):
            raise ValueError(
                f"The loss {name!r} is one of several classes, and `y` has two, which the network tells apart by one "
                "output. Use loss='log_loss', or one for such outputs, such as 'binary_focal_crossentropy'."
            )
    in_files = _IN_FILES[name] if isinstance(name, str) and name in _IN_FILES else loss
    return Head(None, loss, weight, metrics), in_files


def optimizer(estimator: Any) -> optimizers.Optimizer:
    """A new optimizer, as the parameters describe it.

    Raises:
        ValueError: Its name is unknown, or the schedule of its learning rate is said twice.
    """
    solver, rate = estimator.solver, estimator.learning_rate_init
    if solver == "sgd":
        return optimizers.SGD(rate, momentum=estimator.momentum, nesterov=estimator.nesterovs_momentum)
    if solver == "adam":
        return optimizers.Adam(rate, estimator.beta_1, estimator.beta_2, estimator.epsilon)
    if isinstance(solver, str) and solver.lower() == "lbfgs":
        return optimizers.LBFGS(ftol=FTOL, gtol=estimator.tol, max_fun=estimator.max_fun)
    if isinstance(solver, str):
        made = optimizers.get(solver)
        made.learning_rate = rate
        return made  # type: ignore[no-any-return]
    # A copy of its description: one that has trained follows the weights that it trained, and `clone` makes others.
    found = optimizers.get(optimizers.serialize(solver) if isinstance(solver, optimizers.Optimizer) else solver)
    if estimator.learning_rate != "constant":
        raise ValueError(
            f"The parameter `learning_rate` of {type(estimator).__name__} is {estimator.learning_rate!r}, and `solver` "
            f"is an optimizer, {solver!r}, which has a learning rate of its own. Leave `learning_rate` at 'constant', "
            "and give the optimizer a schedule of `multilayer.optimizers.schedules`, or `solver` by its name."
        )
    return found  # type: ignore[no-any-return]
