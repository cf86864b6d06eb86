"""Cross-entropies: what the truth is worth under the predicted probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arrays import as_numbers
from multilayer._checks.scalars import is_whole, real_number
from multilayer._core import kernels
from multilayer._core.tape import plain
from multilayer._language import tr
from multilayer._names import registry
from multilayer.config import epsilon, floatx
from multilayer.functional import Array
from multilayer.losses.base import weight_of_steps, weights_like
from multilayer.losses.families import (
    JointLoss,
    LastAxisLoss,
    OneHotLoss,
    SparseLoss,
    checked_axis,
    checked_fractions,
    require_last_axis,
)


class _Crossentropy(LastAxisLoss, JointLoss):
    """What the cross-entropies share: `from_logits`, and probabilities that are kept away from 0 and 1."""

    def __init__(
        self,
        from_logits: bool = False,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.from_logits = from_logits
        self.axis = checked_axis(axis)

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        if not self.from_logits:
            return self._from_probabilities(y_true, y_pred, out, work)
        return self._call_fused_by_rows(y_true, y_pred, work, out, None, 1.0)

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "from_logits": self.from_logits, "axis": self.axis}


class SmoothedCrossentropy(_Crossentropy):
    """A cross-entropy whose targets may be drawn a little towards indifference."""

    def __init__(
        self,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        if not 0.0 <= real_number("label_smoothing", label_smoothing) <= 1.0:
            raise ValueError(
                tr(
                    "`label_smoothing` must be in [0, 1]. Received: label_smoothing={label_smoothing}",
                    label_smoothing=label_smoothing,
                )
            )
        self.label_smoothing = label_smoothing

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        y_true, y_pred = super()._matched(y_true, y_pred)
        if y_true.shape != y_pred.shape:
            raise ValueError(
                tr(
                    "Loss '{name}' expects targets of the shape of the predictions, {shape}; got {got}.",
                    name=self.name,
                    shape=y_pred.shape,
                    got=y_true.shape,
                )
            )
        return y_true, y_pred

    def _smooth(self, y_true: Array, dtype: np.dtype[Any], indifferent: float) -> Array:
        y = y_true.astype(dtype, copy=False)
        if not self.label_smoothing:
            return y
        y = y * (1.0 - self.label_smoothing)
        y += indifferent * self.label_smoothing
        return y

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "label_smoothing": self.label_smoothing}


def log_softmax(a: Any) -> Any:
    """The logarithms of the softmax over the last axis, of an array or a tensor."""
    shifted = a - np.max(plain(a), axis=-1, keepdims=True)  # which changes nothing, and so has no derivative
    return shifted - np.log(np.sum(np.exp(shifted), axis=-1, keepdims=True))


def not_clipped(y_pred: Array) -> Array:
    """Where clipping to [epsilon, 1 - epsilon] changes nothing: elsewhere the clipped value has no slope."""
    return (y_pred >= epsilon()) & (y_pred <= 1.0 - epsilon())


@registry.register("loss", "cce")
class CategoricalCrossentropy(OneHotLoss, SmoothedCrossentropy):
    """Cross-entropy with one-hot targets: loss = -sum_k t_k log y_k.

    From probabilities, y is first scaled to sum 1 and then kept in [epsilon, 1 - epsilon]; a row of zeros cannot be
    scaled and gives NaN, as in Keras. From logits, or behind a softmax, loss and gradient (softmax(a) - t) come from
    one stable computation.

    Args:
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        label_smoothing: s in t (1 - s) + s / k, which keeps a network from being too sure.
        axis: The axis of the classes; only the last one.
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Example:
        >>> round(float(CategoricalCrossentropy()([[0.0, 1.0]], [[0.25, 0.75]])), 6)
        0.287682
    """

    fuses = "softmax"

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        y = as_numbers(y_true, "y")
        if y.shape == (len(y), *output_shape[1:-1]) and y.dtype.kind in "iu":
            raise ValueError(
                tr(
                    "Loss '{name}' expects one-hot targets of shape {output_shape}; got labels of shape "
                    "{shape}. Use 'sparse_categorical_crossentropy', or `utils.to_categorical(y)`.",
                    name=self.name,
                    output_shape=output_shape,
                    shape=y.shape,
                )
            )
        return super().prepare(y, output_shape, dtype)

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        if y_true.ndim == y_pred.ndim - 1 or y_true.shape[-1:] != y_pred.shape[-1:]:
            raise ValueError(
                tr(
                    "Loss '{name}' expects one-hot targets of the shape of the predictions, {shape}; got "
                    "{got}. For labels, use 'sparse_categorical_crossentropy'.",
                    name=self.name,
                    shape=y_pred.shape,
                    got=y_true.shape,
                )
            )
        return super()._matched(y_true, y_pred)

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        t = self._smooth(y_true, y_pred.dtype, 1.0 / y_pred.shape[-1])
        if self.from_logits:
            return -np.sum(t * log_softmax(y_pred), axis=-1)
        p = np.clip(y_pred / np.sum(y_pred, axis=-1, keepdims=True), epsilon(), 1.0 - epsilon())
        return -np.sum(t * np.log(p), axis=-1)

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
        inside = not_clipped(p)
        np.clip(p, epsilon(), 1.0 - epsilon(), out=p)
        losses = -np.sum(np.multiply(t, np.log(p, out=out), out=out), axis=-1)
        pull = np.multiply(t, inside, out=out)
        mass = pull.sum(axis=-1, keepdims=True)
        gradient = np.subtract(mass, np.divide(pull, p, out=out), out=out)
        gradient /= total
        return losses, gradient


@registry.register("loss")
class SparseCategoricalCrossentropy(SparseLoss, _Crossentropy):
    """Cross-entropy with whole-number labels: loss = -log(y_label / sum_k y_k).

    The same number as `CategoricalCrossentropy` with one-hot targets, but for the order of two repairs: from
    probabilities, y is first kept in [epsilon, 1 - epsilon] and then scaled to sum 1, as in Keras. So a row of zeros
    costs log k, and what was cut has no slope.

    Args:
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        ignore_class: A label whose samples do not count, such as -1; the mean is then that of the others.
        reduction: See `Loss`.
        axis: The axis of the classes; only the last one.
        name: Its name.
        dtype: See `Loss`.

    Example:
        >>> round(float(SparseCategoricalCrossentropy()([1], [[0.25, 0.75]])), 6)
        0.287682
    """

    fuses = "softmax"

    def __init__(
        self,
        from_logits: bool = False,
        ignore_class: int | None = None,
        reduction: str | None = "sum_over_batch_size",
        axis: int = -1,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(from_logits, axis, reduction, name, dtype)
        if ignore_class is not None and not is_whole(ignore_class):
            raise ValueError(
                tr(
                    "`ignore_class` must be None or a whole number. Received: ignore_class={ignore_class!r}",
                    ignore_class=ignore_class,
                )
            )
        self.ignore_class = None if ignore_class is None else int(ignore_class)

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        require_last_axis(self.axis, len(output_shape), self.name)
        if self.ignore_class is None:
            return super().prepare(y_true, output_shape, dtype)
        given = as_numbers(y_true, "y")
        labels = super().prepare(np.where(given == self.ignore_class, 0, given), output_shape, dtype)
        return np.where((given == self.ignore_class).reshape(labels.shape), self.ignore_class, labels)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        labels = self.prepare(y_true, y_pred.shape)
        if self.ignore_class is None:
            return super().call(labels, y_pred)
        counted, labels = labels != self.ignore_class, np.where(labels == self.ignore_class, 0, labels)
        losses: Array = super().call(labels, y_pred) * counted
        return losses

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        label = y_true[..., None]
        if self.from_logits:
            return -np.take_along_axis(log_softmax(y_pred), label, axis=-1)[..., 0]
        p = np.clip(y_pred, epsilon(), 1.0 - epsilon())
        return np.log(np.sum(p, axis=-1)) - np.log(np.take_along_axis(p, label, axis=-1)[..., 0])

    def __call__(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> Any:
        if self.ignore_class is None:
            return super().__call__(y_true, y_pred, sample_weight)
        shape = np.shape(y_pred)
        return super().__call__(y_true, y_pred, self._counted(self.prepare(y_true, shape), sample_weight)[1])

    def value_and_gradient(
        self,
        y_true: Array,
        y_pred: Array,
        sample_weight: Array | None = None,
        out: Array | None = None,
        work: Array | None = None,
    ) -> tuple[float, Array]:
        if self.ignore_class is not None:
            y_true, sample_weight = self._counted(y_true, sample_weight)
        return super().value_and_gradient(y_true, y_pred, sample_weight, out, work)

    def value_and_gradient_fused(
        self,
        y_true: Array,
        a: Array,
        sample_weight: Array | None,
        y_pred: Array,
        out: Array,
        losses: Array | None = None,
    ) -> tuple[float, Array]:
        if self.ignore_class is not None:
            y_true, sample_weight = self._counted(y_true, sample_weight)
        return super().value_and_gradient_fused(y_true, a, sample_weight, y_pred, out, losses)

    def masked_weight(self, mask: Array, sample_weight: Any, y_true: Array) -> Array:
        if self.ignore_class is None:
            return super().masked_weight(mask, sample_weight, y_true)
        counted = (y_true != self.ignore_class).reshape(mask.shape)
        divided_by_all = self.reduction in ("mean", "sum_over_batch_size")
        # `_counted` makes a mean over the steps of all other classes: this makes it one over those that the mask has.
        scale = float(counted.sum() / max((counted & mask).sum(), 1)) if divided_by_all else 1.0
        return weight_of_steps(mask, sample_weight, scale)

    def _counted(self, y_true: Array, sample_weight: ArrayLike | None) -> tuple[Array, Array]:
        """Labels that all exist, and weights: 0 for the class to ignore, and for a mean more for the others."""
        weight = (y_true != self.ignore_class).astype(floatx())
        if self.reduction in ("mean", "sum_over_batch_size"):
            weight *= weight.size / (weight.sum() or 1.0)
        if sample_weight is not None:
            weight = weight * weights_like(weight.shape, np.asarray(sample_weight))
        return np.where(y_true == self.ignore_class, 0, y_true), weight

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["axis"]  # as in Keras
        return {**config, "ignore_class": self.ignore_class}

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
        out *= not_clipped(y_pred)
        return losses, out


@registry.register("loss", "bce", "BCE")
class BinaryCrossentropy(SmoothedCrossentropy):
    """Cross-entropy for yes-or-no targets: loss = mean(-t log y - (1 - t) log(1 - y)) over the last axis.

    From probabilities, y is kept in [epsilon, 1 - epsilon]. From logits, or behind a sigmoid, loss and gradient
    (sigmoid(a) - t) / k come from one stable computation.

    Args:
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        label_smoothing: s in t (1 - s) + s / 2.
        axis: The axis of the classes; only the last one.
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Example:
        >>> round(float(BinaryCrossentropy()([[1.0]], [[0.75]])), 6)
        0.287682
    """

    fuses = "sigmoid"

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        return checked_fractions(super().prepare(y_true, output_shape, dtype), self.name)

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        t = self._smooth(y_true, y_pred.dtype, 0.5)
        if self.from_logits:
            return np.mean(np.logaddexp(0.0, y_pred) - y_pred * t, axis=-1)
        p = np.clip(y_pred, epsilon(), 1.0 - epsilon())
        return -np.mean(t * np.log(p) + (1.0 - t) * np.log1p(-p), axis=-1)

    def call_fused(
        self, y_true: Array, a: Array, y_pred: Array, out: Array, losses: Array | None, scale: float | Array
    ) -> tuple[Array, Array]:
        t = self._smooth(y_true, a.dtype, 0.5)
        losses, _, da = kernels.sigmoid_binary_cross_entropy(a, t, y_pred, out, losses, scale)
        return losses, da

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        t = self._smooth(y_true, y_pred.dtype, 0.5)
        return kernels.binary_cross_entropy(y_pred, t, epsilon(), out, work)
