"""Families of losses: what several losses of this library share besides the base class."""

from __future__ import annotations

import warnings
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arrays import as_numbers, require_finite
from multilayer._checks.scalars import is_whole
from multilayer._core.tape import Operand, plain
from multilayer._language import tr
from multilayer.functional import Array
from multilayer.losses.base import Loss


class BuiltInLoss(Loss):
    """A loss of this library's own: `reduction` comes before `name`, and targets have the shape of predictions."""

    def __init__(
        self, reduction: str | None = "sum_over_batch_size", name: str | None = None, dtype: str | None = None
    ) -> None:
        super().__init__(name, reduction, dtype)

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        y_true, y_pred = super()._matched(y_true, y_pred)
        if y_true.ndim > y_pred.ndim or any(
            theirs not in (1, ours) for theirs, ours in zip(y_true.shape[::-1], y_pred.shape[::-1], strict=False)
        ):
            raise ValueError(
                tr(
                    "Loss '{name}' expects targets of the shape of the predictions, {shape}; got {got}.",
                    name=self.name,
                    shape=y_pred.shape,
                    got=y_true.shape,
                )
            )
        return y_true, y_pred


class JointLoss(BuiltInLoss):
    """A loss whose value and gradient are written together, in `call_and_gradient`.

    Its `formula` says the same in NumPy's functions: what a tape takes apart, where the targets have a derivative as
    well, a second one is asked for, or a loss of a user's own is made of this one.
    """

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        """Each sample's loss, of arrays and of tensors."""
        raise NotImplementedError

    def call(self, y_true: Array, y_pred: Array) -> Array:
        if isinstance(y_pred, Operand) or isinstance(y_true, Operand):
            return cast(Array, self.formula(y_true, y_pred))
        return self.call_and_gradient(y_true, y_pred, np.empty_like(y_pred), np.empty_like(y_pred))[0]

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        return self.call_and_gradient(y_true, y_pred, np.empty_like(y_pred), np.empty_like(y_pred))[1]


class ElementwiseLoss(JointLoss):
    """A loss that is the mean over the last axis of what each prediction costs by itself."""

    factor = 1.0  # of all slopes; it is multiplied in one pass with the 1 / k of the mean

    def costs(self, y_true: Any, y_pred: Any) -> Any:
        """What each prediction costs, as a formula."""
        raise NotImplementedError

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        return np.mean(self.costs(y_true, y_pred), axis=-1)

    def terms(self, y_true: Array, y_pred: Array, cost: Array, slope: Array) -> None:
        """Writes each prediction's cost to `cost`, and its derivative, but for `factor`, to `slope`."""
        raise NotImplementedError

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        self.terms(y_true, y_pred, work, out)
        out *= self.factor / y_pred.shape[-1]
        return np.mean(work, axis=-1), out


class OneHotLoss(BuiltInLoss):
    """A loss whose targets are one-hot: of one class alone it says nothing."""

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        self._warn_of_one_class(output_shape)
        return super().prepare(y_true, output_shape, dtype)

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        self._warn_of_one_class(y_pred.shape)
        return super()._matched(y_true, y_pred)

    def _warn_of_one_class(self, shape: tuple[int | None, ...]) -> None:
        if shape[-1:] == (1,):
            warnings.warn(
                tr(
                    "In loss {name}, expected y_pred.shape to be (batch_size, num_classes) with num_classes > "
                    "1. Received: y_pred.shape={shape}. Consider using 'binary_crossentropy' if you only have "
                    "2 classes.",
                    name=self.name,
                    shape=shape,
                ),
                SyntaxWarning,
                stacklevel=4,
            )


class SparseLoss(BuiltInLoss):
    """A loss whose targets are whole-number labels, (n,) for predictions (n, k)."""

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        if y_true.shape[:1] != y_pred.shape[:1]:
            raise ValueError(
                tr(
                    "Loss '{name}' expects one whole-number label a sample, shape {shape}; got an array of "
                    "shape {got}.",
                    name=self.name,
                    shape=y_pred.shape[:-1],
                    got=y_true.shape,
                )
            )
        return y_true, y_pred  # the rest is checked against the number of classes in `call`

    def _on_tape(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        # Labels may come as fractions without any, as those of a function that is a loss do.
        return super()._on_tape(self.prepare(plain(y_true), np.shape(plain(y_pred))), y_pred, sample_weight)

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:  # noqa: ARG002 - labels are whole numbers
        return integer_labels(y_true, output_shape, self.name)


class LastAxisLoss(BuiltInLoss):
    """A loss with an `axis`: the last one, which may be counted from either end."""

    axis: int

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        require_last_axis(self.axis, len(output_shape), self.name)
        return super().prepare(y_true, output_shape, dtype)

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        require_last_axis(self.axis, y_pred.ndim, self.name)
        return super()._matched(y_true, y_pred)


def integer_labels(y_true: ArrayLike, output_shape: tuple[int | None, ...], loss: str) -> Array:
    """Class labels as whole numbers in [0, k), in the shape of the output without its last axis."""
    y = as_numbers(y_true, "y")
    num_classes = output_shape[-1]
    wanted = (len(y), *output_shape[1:-1])
    if y.shape not in (wanted, (*wanted, 1)):
        one_hot = (
            tr(" These look one-hot: use 'categorical_crossentropy'.") if y.shape == (*wanted, num_classes) else ""
        )
        raise ValueError(
            tr(
                "Loss '{loss}' expects one whole-number label a sample, shape {wanted}; got an array of shape "
                "{shape}.{one_hot}",
                loss=loss,
                wanted=wanted,
                shape=y.shape,
                one_hot=one_hot,
            )
        )
    require_finite(y, "y")
    labels = y.astype(np.intp).reshape(wanted)
    if y.dtype.kind == "f" and not np.array_equal(labels, y.reshape(wanted)):
        raise ValueError(
            tr(
                "Loss '{loss}' expects whole-number labels; got fractions such as {value}.",
                loss=loss,
                value=y[y != np.floor(y)][0],
            )
        )
    if labels.size and (labels.min() < 0 or labels.max() >= cast(int, num_classes)):
        binary = tr(" For two classes and one output, use 'binary_crossentropy'.") if num_classes == 1 else ""
        wrong = labels.min() if labels.min() < 0 else labels.max()
        raise ValueError(
            tr(
                "Received a label value of {wrong} which is outside the valid range of [0, {num_classes}): the "
                "model has {num_classes} output{s}.{binary}",
                wrong=wrong,
                num_classes=num_classes,
                s="" if num_classes == 1 else "s",
                binary=binary,
            )
        )
    return labels


def checked_nonnegative(y: Array, loss: str) -> Array:
    """Targets of at least 0; raises ValueError where one is not."""
    if y.size and y.min() < 0:
        raise ValueError(tr("Loss '{loss}' expects targets of at least 0; got {lowest}.", loss=loss, lowest=y.min()))
    return y


def checked_fractions(y: Array, loss: str) -> Array:
    """Targets from 0 to 1; raises ValueError where one is not."""
    if y.size and (y.min() < 0 or y.max() > 1):
        wrong = y.min() if y.min() < 0 else y.max()
        raise ValueError(tr("Loss '{loss}' expects targets from 0 to 1; got {wrong}.", loss=loss, wrong=wrong))
    return y


def checked_axis(axis: Any) -> int:
    """An axis that can be the last one; raises ValueError for what cannot."""
    if not is_whole(axis):
        raise ValueError(
            tr("`axis` must be of type `int`. Received: axis={axis} of type {kind}", axis=axis, kind=type(axis))
        )
    if axis < -1 or axis == 0:
        raise ValueError(
            tr(
                "Losses work along the last axis of an output, axis=-1. Received: axis={axis}. Move that axis "
                "to the end.",
                axis=axis,
            )
        )
    return int(axis)


def require_last_axis(axis: int, ndim: int, loss: str) -> None:
    """Raises ValueError where `axis` is not the last of `ndim` ones."""
    if axis not in (-1, ndim - 1):
        raise ValueError(
            tr(
                "Loss '{loss}' works along the last axis of an output, axis=-1 or, of {ndim} axes, "
                "axis={last}. Received: axis={axis}. Move that axis to the end.",
                loss=loss,
                ndim=ndim,
                last=ndim - 1,
                axis=axis,
            )
        )
