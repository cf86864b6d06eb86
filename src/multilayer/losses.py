"""Losses: how wrong a prediction is, and in which direction, in one call.

A loss gives one value a sample, the mean over the last axis of what its formula says; `reduction` says how samples
become one number. `value_and_gradient` is what training calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer import kernels, naming, registry
from multilayer.checks import as_numbers, require_finite
from multilayer.config import epsilon, floatx
from multilayer.functional import Array

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Targets (n,) and predictions (n, 1), or the reverse, in one shape; anything else as it is."""
    if y_true.ndim == y_pred.ndim + 1 and y_true.shape[-1] == 1:
        return y_true.reshape(y_pred.shape), y_pred
    if y_pred.ndim == y_true.ndim + 1 and y_pred.shape[-1] == 1:
        return y_true.reshape(y_pred.shape), y_pred
    return y_true, y_pred


def weights_like(shape: tuple[int, ...], weight: Array) -> Array:
    """Weights (n,) or (n, 1) in the shape of the values (n, ...): a sample's weight belongs to all of its values.

    Raises:
        ValueError: They do not fit.
    """
    if weight.shape == shape:
        return weight
    if weight.ndim == len(shape) + 1 and weight.shape[-1] == 1:
        weight = weight[..., 0]
    if weight.ndim > len(shape) or weight.shape != shape[: weight.ndim]:
        raise ValueError(f"`sample_weight` of shape {weight.shape} does not fit values of shape {shape}.")
    return np.broadcast_to(weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)), shape)


def _weighted_sum(losses: Array, scale: float | Array) -> float:
    if isinstance(scale, float):
        return float(np.add.reduce(losses, axis=None)) * scale
    return float((losses * scale).sum())


class Loss:
    """Base class of all losses.

    A loss of your own overrides `call` and `gradient`; there is no automatic differentiation.

    Args:
        name: Name; by default the class name in snake case.
        reduction: How the samples' losses l become one number: 'sum_over_batch_size' (sum(w l) / n, the default),
            'sum' (sum(w l)), 'mean' (the same as the default), 'mean_with_sample_weight' (sum(w l) / sum(w)), or
            'none' (not reduced; cannot be trained on).

    Example:
        >>> class Quartic(Loss):
        ...     "(y_pred - y_true)^4"
        ...     def call(self, y_true, y_pred):
        ...         return np.mean((y_pred - y_true) ** 4, axis=-1)
        ...     def gradient(self, y_true, y_pred):
        ...         return 4.0 * (y_pred - y_true) ** 3 / y_pred.shape[-1]
        >>> Quartic()([[0.0]], [[2.0]])
        16.0
    """

    # The activation whose input, rather than its output, this loss can be computed from: exactly, where the output
    # has long been rounded to 0 or 1. A model that ends in this activation is trained through `call_fused`.
    fuses: str | None = None

    def __init__(self, name: str | None = None, reduction: str | None = "sum_over_batch_size") -> None:
        if reduction not in REDUCTIONS:
            raise registry.unknown("reduction", reduction, [r for r in REDUCTIONS if r])
        self.name = name or naming.snake_case(type(self).__name__)
        self.reduction = reduction

    # --- What a loss defines ---

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Each sample's loss, shape (n,) for predictions (n, k)."""
        raise NotImplementedError(f"Loss {type(self).__name__} does not define `call(self, y_true, y_pred)`.")

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        """Gradient of each sample's own loss with respect to its prediction, shape (n, k)."""
        raise NotImplementedError(
            f"Loss {type(self).__name__} does not define `gradient(self, y_true, y_pred)`. There is no automatic "
            "differentiation: a loss that is trained on has to give its own derivative."
        )

    def call_and_gradient(
        self,
        y_true: Array,
        y_pred: Array,
        out: Array,  # noqa: ARG002
        work: Array,  # noqa: ARG002
    ) -> tuple[Array, Array]:
        """Both at once, for losses that share work between them; the gradient may use `out`, anything `work`."""
        return self.call(y_true, y_pred), self.gradient(y_true, y_pred)

    def call_fused(
        self, y_true: Array, a: Array, y_pred: Array, out: Array, losses: Array | None, scale: float | Array
    ) -> tuple[Array, Array]:
        """Each sample's loss and its gradient times `scale` with respect to a, the input of the activation `fuses`.

        Rows are samples: a is (n, k). Writes the activation's output to `y_pred`, and may write to `out` and `losses`.
        """
        raise NotImplementedError(f"Loss {type(self).__name__} is not fused with an activation.")

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        """Targets as this loss wants them, checked before training starts.

        Args:
            y_true: What the user passed.
            output_shape: Shape of the model's output, the batch None.
            dtype: The type the model computes in; by default `floatx`.

        Raises:
            ValueError: They are of the wrong kind or shape, or out of range; the message says what to do.
        """
        y = as_numbers(y_true, "y").astype(dtype or floatx(), copy=False)
        require_finite(y, "y")
        return self._as_output(y, output_shape)

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss with these constructor arguments."""
        return cls(**config)

    # --- What everybody else uses ---

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        """The loss as one number, or, with reduction 'none', one a sample."""
        y_pred = np.asarray(y_pred)
        y_pred = y_pred if y_pred.dtype.kind == "f" else y_pred.astype(floatx())
        y_true, y_pred = align(np.asarray(y_true), y_pred)
        losses = self.call(y_true, y_pred)
        weight = None if sample_weight is None else np.asarray(sample_weight, losses.dtype)
        if self.reduction in ("none", None):
            return losses if weight is None else losses * weights_like(losses.shape, weight)
        return _weighted_sum(losses, self._scale(losses.shape, weight))

    def value_and_gradient(
        self,
        y_true: Array,
        y_pred: Array,
        sample_weight: Array | None = None,
        out: Array | None = None,
        work: Array | None = None,
    ) -> tuple[float, Array]:
        """The reduced loss, and its gradient with respect to y_pred.

        Args:
            y_true: Targets as `prepare` returned them.
            y_pred: Predictions, shape (n, k).
            sample_weight: Weight of each sample, shape (n,).
            out: Memory for the gradient, of y_pred's shape and type; made where it is missing.
            work: Scratch of the same shape and type.
        """
        out = np.empty_like(y_pred) if out is None else out
        losses, gradient = self.call_and_gradient(y_true, y_pred, out, np.empty_like(y_pred) if work is None else work)
        if np.shape(gradient) != y_pred.shape:
            raise ValueError(
                f"`gradient` of loss '{self.name}' must return the derivative for each prediction, shape "
                f"{y_pred.shape}; got shape {np.shape(gradient)}."
            )
        if np.shape(losses)[:1] != y_pred.shape[:1]:
            raise ValueError(
                f"`call` of loss '{self.name}' must return a loss for each sample, shape {y_pred.shape[:-1]}; got "
                f"shape {np.shape(losses)}. Take the mean over the last axis alone: `axis=-1`."
            )
        scale = self._scale(losses.shape, sample_weight)
        # The gradient may be an array that is not ours to change: a view of the targets, say.
        factor = scale if isinstance(scale, float) else scale[..., None]
        return _weighted_sum(losses, scale), np.multiply(gradient, factor, out=out, casting="unsafe")

    def value_and_gradient_fused(
        self,
        y_true: Array,
        a: Array,
        sample_weight: Array | None,
        y_pred: Array,
        out: Array,
        losses: Array | None = None,
    ) -> tuple[float, Array]:
        """The reduced loss and its gradient with respect to a, where y_pred = activation(a) is written on the way."""
        scale = self._scale(a.shape[:-1], sample_weight)
        losses, da = self._call_fused_by_rows(y_true, a, y_pred, out, losses, scale)
        return _weighted_sum(losses, scale), da

    def _call_fused_by_rows(
        self, y_true: Array, a: Array, y_pred: Array, out: Array, losses: Array | None, scale: float | Array
    ) -> tuple[Array, Array]:
        """`call_fused` for an a with any number of axes: every step of a sequence is a sample."""
        if a.ndim == 2:
            return self.call_fused(y_true, a, y_pred, out, losses, scale)
        rows = (-1, a.shape[-1])
        y_true = y_true.reshape(rows if y_true.ndim == a.ndim else -1)
        scale = scale if isinstance(scale, float) else scale.reshape(-1)
        losses, da = self.call_fused(y_true, a.reshape(rows), y_pred.reshape(rows), out.reshape(rows), None, scale)
        return losses.reshape(a.shape[:-1]), da.reshape(a.shape)

    def _scale(self, shape: tuple[int, ...], sample_weight: Array | None) -> float | Array:
        """The factor of each sample's loss in the reduced one: one number, or an array of the losses' shape."""
        if self.reduction in ("none", None):
            raise ValueError(f"Loss '{self.name}' has reduction 'none': one number is needed to train on.")
        if sample_weight is None:
            return 1.0 if self.reduction == "sum" else 1.0 / math.prod(shape)
        weight = weights_like(shape, sample_weight)
        if self.reduction == "sum":
            return weight
        if self.reduction == "mean_with_sample_weight":
            return weight / (weight.sum() or 1.0)
        return weight / math.prod(shape)

    def _as_output(self, y: Array, output_shape: tuple[int | None, ...]) -> Array:
        wanted = (len(y), *output_shape[1:])
        if y.shape != wanted and (*y.shape, 1) != wanted and y.shape != (*wanted, 1):
            raise ValueError(
                f"Loss '{self.name}' expects targets of the shape of the model's output, {output_shape}; got an array "
                f"of shape {y.shape}."
            )
        return y.reshape(wanted)


def _whole_labels(y_true: ArrayLike, output_shape: tuple[int | None, ...], loss: str) -> Array:
    """Class labels as whole numbers in [0, k), in the shape of the output without its last axis."""
    y = as_numbers(y_true, "y")
    num_classes = output_shape[-1]
    wanted = (len(y), *output_shape[1:-1])
    if y.shape not in (wanted, (*wanted, 1)):
        one_hot = " These look one-hot: use 'categorical_crossentropy'." if y.shape == (*wanted, num_classes) else ""
        raise ValueError(
            f"Loss '{loss}' expects one whole-number label a sample, shape {wanted}; got an array of shape {y.shape}."
            f"{one_hot}"
        )
    require_finite(y, "y")
    labels = y.astype(np.intp).reshape(wanted)
    if y.dtype.kind == "f" and not np.array_equal(labels, y.reshape(wanted)):
        raise ValueError(f"Loss '{loss}' expects whole-number labels; got fractions such as {y[y != np.floor(y)][0]}.")
    if labels.size and (labels.min() < 0 or labels.max() >= cast(int, num_classes)):
        binary = " For two classes and one output, use 'binary_crossentropy'." if num_classes == 1 else ""
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(
            f"Received a label value of {wrong} which is outside the valid range of [0, {num_classes}): the model has "
            f"{num_classes} output{'' if num_classes == 1 else 's'}.{binary}"
        )
    return labels


class _AtOnce(Loss):
    """A loss whose value and gradient are written together, in `call_and_gradient`."""

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return self.call_and_gradient(y_true, y_pred, np.empty_like(y_pred), np.empty_like(y_pred))[0]

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        return self.call_and_gradient(y_true, y_pred, np.empty_like(y_pred), np.empty_like(y_pred))[1]


# --- Regression -------------------------------------------------------------------------------------------------------


def mean_squared_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """mean((y_true - y_pred)^2) over the last axis."""
    y_true, y_pred = align(np.asarray(y_true), np.asarray(y_pred))
    error = y_pred - y_true
    return cast(Array, np.mean(error * error, axis=-1))


def mean_absolute_error(y_true: ArrayLike, y_pred: ArrayLike) -> Array:
    """mean(|y_true - y_pred|) over the last axis."""
    y_true, y_pred = align(np.asarray(y_true), np.asarray(y_pred))
    return cast(Array, np.mean(np.abs(y_pred - y_true), axis=-1))


@registry.register("loss", "mse", "MSE")
class MeanSquaredError(_AtOnce):
    """Mean squared error: loss = mean((y_true - y_pred)^2), gradient 2 (y_pred - y_true) / k.

    Example:
        >>> MeanSquaredError()([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_squared_error(y_true, y_pred)

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        error = np.subtract(y_pred, y_true, out=out)
        losses = np.mean(np.multiply(error, error, out=work), axis=-1)
        error *= 2.0 / y_pred.shape[-1]
        return losses, error


@registry.register("loss", "mae", "MAE")
class MeanAbsoluteError(_AtOnce):
    """Mean absolute error: loss = mean(|y_true - y_pred|), gradient sign(y_pred - y_true) / k.

    Example:
        >>> MeanAbsoluteError()([[0.0, 1.0]], [[0.0, 0.0]])
        0.5
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return mean_absolute_error(y_true, y_pred)

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        error = np.subtract(y_pred, y_true, out=out)
        losses = np.mean(np.abs(error, out=work), axis=-1)
        np.sign(error, out=error)
        error *= 1.0 / y_pred.shape[-1]
        return losses, error


# --- Classification ---------------------------------------------------------------------------------------------------


class _Crossentropy(_AtOnce):
    """What the cross-entropies share: `from_logits`, and probabilities that are kept away from 0 and 1."""

    def __init__(
        self, from_logits: bool = False, reduction: str | None = "sum_over_batch_size", name: str | None = None
    ) -> None:
        super().__init__(name=name, reduction=reduction)
        self.from_logits = from_logits

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        if not self.from_logits:
            return self._from_probabilities(y_true, y_pred, out, work)
        return self._call_fused_by_rows(y_true, y_pred, work, out, None, 1.0)

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits}


class _SmoothedCrossentropy(_Crossentropy):
    """A cross-entropy whose targets may be drawn a little towards indifference."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
    ) -> None:
        super().__init__(from_logits, reduction, name)
        if not 0.0 <= label_smoothing <= 1.0:
            raise ValueError(f"`label_smoothing` must be in [0, 1]. Received: label_smoothing={label_smoothing}")
        self.label_smoothing = label_smoothing

    def _smooth(self, y_true: Array, dtype: np.dtype[Any], indifferent: float) -> Array:
        y = y_true.astype(dtype, copy=False)
        if not self.label_smoothing:
            return y
        y = y * (1.0 - self.label_smoothing)
        y += indifferent * self.label_smoothing
        return y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def _uncut(y_pred: Array) -> Array:
    """Where clipping to [epsilon, 1 - epsilon] changes nothing: elsewhere the clipped value has no slope."""
    return (y_pred >= epsilon()) & (y_pred <= 1.0 - epsilon())


@registry.register("loss", "cce")
class CategoricalCrossentropy(_SmoothedCrossentropy):
    """Cross-entropy with one-hot targets: loss = -sum_k t_k log y_k.

    From probabilities, y is first scaled to sum 1 and then kept in [epsilon, 1 - epsilon]; a row of zeros cannot be
    scaled and gives NaN, as in Keras. From logits, or behind a softmax, loss and gradient (softmax(a) - t) come from
    one stable computation.

    Args:
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        label_smoothing: s in t (1 - s) + s / k, which keeps a network from being too sure.
        reduction: See `Loss`.
        name: Its name.

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]])), 6)
        0.287682
    """

    fuses = "softmax"

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        y = as_numbers(y_true, "y")
        if y.shape == (len(y), *output_shape[1:-1]) and y.dtype.kind in "iu":
            raise ValueError(
                f"Loss '{self.name}' expects one-hot targets of shape {output_shape}; got labels of shape {y.shape}. "
                "Use 'sparse_categorical_crossentropy', or `utils.to_categorical(y)`."
            )
        return super().prepare(y, output_shape, dtype)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        if y_true.shape != y_pred.shape:
            raise ValueError(
                f"Loss '{self.name}' expects one-hot targets of the shape of the predictions, {y_pred.shape}; got "
                f"{y_true.shape}. For labels, use 'sparse_categorical_crossentropy'."
            )
        return super().call(y_true, y_pred)

    def call_fused(
        self, y_true: Array, a: Array, y_pred: Array, out: Array, losses: Array | None, scale: float | Array
    ) -> tuple[Array, Array]:
        t = self._smooth(y_true, a.dtype, 1.0 / a.shape[-1])
        losses, _, da = kernels.softmax_cross_entropy(a, t, y_pred, out, losses, scale)
        return losses, da

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        t = self._smooth(y_true, y_pred.dtype, 1.0 / y_pred.shape[-1])
        total = y_pred.sum(axis=-1, keepdims=True)
        p = np.divide(y_pred, total, out=work)
        inside = _uncut(p)
        np.clip(p, epsilon(), 1.0 - epsilon(), out=p)
        losses = -np.sum(np.multiply(t, np.log(p, out=out), out=out), axis=-1)
        pull = np.multiply(t, inside, out=out)
        mass = pull.sum(axis=-1, keepdims=True)
        gradient = np.subtract(mass, np.divide(pull, p, out=out), out=out)
        gradient /= total
        return losses, gradient


@registry.register("loss")
class SparseCategoricalCrossentropy(_Crossentropy):
    """Cross-entropy with whole-number labels: loss = -log(y_label / sum_k y_k).

    The same number as `CategoricalCrossentropy` with one-hot targets, but for the order of two repairs: from
    probabilities, y is first kept in [epsilon, 1 - epsilon] and then scaled to sum 1, as in Keras. So a row of zeros
    costs log k, and what was cut has no slope.

    Args:
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        reduction: See `Loss`.
        name: Its name.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1], [[0.25, 0.75]])), 6)
        0.287682
    """

    fuses = "softmax"

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:  # noqa: ARG002
        return _whole_labels(y_true, output_shape, self.name)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return super().call(_whole_labels(y_true, y_pred.shape, self.name), y_pred)

    def call_fused(
        self, y_true: Array, a: Array, y_pred: Array, out: Array, losses: Array | None, scale: float | Array
    ) -> tuple[Array, Array]:
        losses, _, da = kernels.sparse_softmax_cross_entropy(a, y_true, y_pred, out, losses, scale)
        return losses, da

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        p = np.clip(y_pred, epsilon(), 1.0 - epsilon(), out=work)
        total = p.sum(axis=-1, keepdims=True)
        label = y_true[..., None]
        chosen = np.take_along_axis(p, label, axis=-1)
        losses = np.log(total[..., 0]) - np.log(chosen[..., 0])
        gradient = np.divide(1.0, total, out=total)
        np.copyto(out, gradient)
        np.put_along_axis(out, label, gradient - 1.0 / chosen, axis=-1)
        out *= _uncut(y_pred)
        return losses, out


@registry.register("loss", "bce", "BCE")
class BinaryCrossentropy(_SmoothedCrossentropy):
    """Cross-entropy for yes-or-no targets: loss = mean(-t log y - (1 - t) log(1 - y)) over the last axis.

    From probabilities, y is kept in [epsilon, 1 - epsilon]. From logits, or behind a sigmoid, loss and gradient
    (sigmoid(a) - t) / k come from one stable computation.

    Args:
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        label_smoothing: s in t (1 - s) + s / 2.
        reduction: See `Loss`.
        name: Its name.

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0]], [[0.75]])), 6)
        0.287682
    """

    fuses = "sigmoid"

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        y = super().prepare(y_true, output_shape, dtype)
        if y.size and (y.min() < 0 or y.max() > 1):
            wrong = y.min() if y.min() < 0 else y.max()
            raise ValueError(f"Loss '{self.name}' expects targets from 0 to 1; got {wrong}.")
        return y

    def call_fused(
        self, y_true: Array, a: Array, y_pred: Array, out: Array, losses: Array | None, scale: float | Array
    ) -> tuple[Array, Array]:
        t = self._smooth(y_true, a.dtype, 0.5)
        losses, _, da = kernels.sigmoid_binary_cross_entropy(a, t, y_pred, out, losses, scale)
        return losses, da

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        t = self._smooth(y_true, y_pred.dtype, 0.5)
        return kernels.binary_cross_entropy(y_pred, t, epsilon(), out, work)


def categorical_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """Each sample's `CategoricalCrossentropy`."""
    loss = CategoricalCrossentropy(from_logits=from_logits, label_smoothing=label_smoothing, reduction="none")
    return cast(Array, loss(y_true, y_pred))


def sparse_categorical_crossentropy(y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False) -> Array:
    """Each sample's `SparseCategoricalCrossentropy`."""
    return cast(Array, SparseCategoricalCrossentropy(from_logits=from_logits, reduction="none")(y_true, y_pred))


def binary_crossentropy(
    y_true: ArrayLike, y_pred: ArrayLike, from_logits: bool = False, label_smoothing: float = 0.0
) -> Array:
    """Each sample's `BinaryCrossentropy`."""
    loss = BinaryCrossentropy(from_logits=from_logits, label_smoothing=label_smoothing, reduction="none")
    return cast(Array, loss(y_true, y_pred))


_FUNCTIONS: dict[Callable[..., Array], type[Loss]] = {
    mean_squared_error: MeanSquaredError,
    mean_absolute_error: MeanAbsoluteError,
    categorical_crossentropy: CategoricalCrossentropy,
    sparse_categorical_crossentropy: SparseCategoricalCrossentropy,
    binary_crossentropy: BinaryCrossentropy,
}


def get(identifier: str | dict[str, Any] | Loss | type[Loss] | Callable[..., Array]) -> Loss:
    """The loss for a name, a config, a class, an instance, or one of this module's functions.

    Raises:
        ValueError: An unknown name, or another function: without a tape, its derivative has to be given too.
    """
    identifier = registry.resolved(identifier)
    if callable(identifier) and identifier in _FUNCTIONS:
        return _FUNCTIONS[identifier]()
    if callable(identifier) and not isinstance(identifier, (Loss, type)):
        raise ValueError(
            f"Could not interpret loss identifier: {identifier!r}. A plain function cannot be trained on, as there is "
            "no automatic differentiation: derive from `losses.Loss` and define `call` and `gradient`."
        )
    return cast(Loss, registry.get("loss", identifier, Loss))


def serialize(loss: Loss) -> dict[str, Any]:
    """The loss as a config that `get` reads."""
    return cast(dict[str, Any], registry.serialize(loss))
