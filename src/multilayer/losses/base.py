"""Losses: how wrong a prediction is, and in which direction, in one call.

A loss gives one value a sample, the mean over the last axis of what its formula says; `reduction` says how samples
become one number. `value_and_gradient` is what training calls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arrays import as_numbers, require_finite
from multilayer._checks.tables import as_array
from multilayer._core import kernels
from multilayer._core.masks import mask_of
from multilayer._core.number import Number
from multilayer._core.tape import (
    Node,
    Recording,
    Rule,
    Tensor,
    as_tensor,
    backpropagate,
    plain,
    record,
    recording,
    tracked,
)
from multilayer._core.tape.eager import eager
from multilayer._language import tr
from multilayer._names import naming, registry, remembered
from multilayer._names.reprs import config_repr
from multilayer.config import checked_float_type, floatx
from multilayer.functional import Array

REDUCTIONS = ("sum_over_batch_size", "sum", "mean", "mean_with_sample_weight", "none", None)


def align(y_true: Array, y_pred: Array) -> tuple[Array, Array]:
    """Targets and predictions with as many axes, where one has a last axis of length 1 too many.

    (n,) and (n, 1) become (n, 1) both; of more axes, such as (n, k) and (n, k, 1), the one too many goes: k numbers of
    a sample are one sample, as in Keras.
    """
    if y_true.shape == y_pred.shape:
        return y_true, y_pred
    if y_true.ndim == y_pred.ndim + 1 > 1 and y_true.shape[-1] == 1:
        return (y_true, y_pred[:, None]) if y_pred.ndim == 1 else (y_true[..., 0], y_pred)
    if y_pred.ndim == y_true.ndim + 1 > 1 and y_pred.shape[-1] == 1:
        return (y_true[:, None], y_pred) if y_true.ndim == 1 else (y_true, y_pred[..., 0])
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
        raise ValueError(
            tr(
                "`sample_weight` of shape {shape} does not fit values of shape {got}.",
                shape=weight.shape,
                got=shape,
            )
        )
    return np.broadcast_to(weight.reshape(weight.shape + (1,) * (len(shape) - weight.ndim)), shape)


def weight_of_steps(mask: Array, sample_weight: Any, scale: float = 1.0) -> Array:
    """What each step weighs, (n, steps): `scale` and its sample's weight where a mask says that it counts, else 0."""
    weight: Array = mask.astype(floatx()) * scale
    return weight if sample_weight is None else weight * weights_like(mask.shape, np.asarray(plain(sample_weight)))


def _weighted_sum(losses: Array, scale: float | Array) -> float:
    if isinstance(scale, float):
        return kernels.total(losses) * scale
    return kernels.total(losses * scale)


class Loss(remembered.Remembering):
    """Base class of all losses.

    A loss of your own overrides `call`, written with NumPy's functions or `ops`: a tape differentiates it. One that
    overrides `gradient` as well gives its derivative itself, which is faster. A plain function of (y_true, y_pred) is a
    loss, too: `compile(loss=function)`.

    Args:
        name: Name; by default the class name in snake case.
        reduction: How the samples' losses l become one number: 'sum_over_batch_size' (sum(w l) / n, the default),
            'sum' (sum(w l)), 'mean' (the same as the default), 'mean_with_sample_weight' (sum(w l) / sum(w)), or
            'none' (not reduced; cannot be trained on).
        dtype: The type that it computes in, 'float32' or 'float64'; by default that of the predictions.

    Example:
        >>> class Quartic(Loss):
        ...     "(y_pred - y_true)^4"
        ...     def call(self, y_true, y_pred):
        ...         return np.mean((y_pred - y_true) ** 4, axis=-1)
        >>> Quartic()([[0.0]], [[2.0]])
        16.0
    """

    # The activation whose input, rather than its output, this loss can be computed from: exactly, where the output
    # has long been rounded to 0 or 1. A model that ends in this activation is trained through `call_fused`.
    fuses: str | None = None
    by_tape = False  # whether it is `call` alone that says what it is
    of_batches = False  # whether a class of the user's says by `__call__` what the loss of a whole batch is
    _tried_for: tuple[int | None, ...] | None = None  # the outputs that `call` was tried with

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Has the tape differentiate a `call` that comes without the derivative that belongs to it."""
        super().__init_subclass__(**kwargs)
        gives = {"gradient", "call_and_gradient"} & set(vars(cls))
        built_in = cls.__module__.startswith("multilayer.losses.")
        if "call" in vars(cls) and not gives and not built_in:
            cls.by_tape, cls.fuses = True, None
        elif gives:
            cls.by_tape = False
        if (
            "__call__" in vars(cls) and not built_in
        ):  # targets may have any shape, and the reduction is its own business
            cls.by_tape, cls.of_batches, cls.fuses = True, True, None

    def __init__(
        self, name: str | None = None, reduction: str | None = "sum_over_batch_size", dtype: str | None = None
    ) -> None:
        if reduction not in REDUCTIONS:
            raise registry.unknown("reduction", reduction, [r for r in REDUCTIONS if r])
        self.name = naming.checked(name) or naming.snake_case(type(self).__name__)
        self.reduction = reduction
        self._dtype = None if dtype is None else checked_float_type(dtype)

    @property
    def dtype(self) -> str:
        """The type that it computes in: the one it was given, or else `floatx`."""
        return self._dtype or floatx()

    # --- What a loss defines ---

    def call(self, y_true: Array, y_pred: Array) -> Array:
        """Each sample's loss, shape (n,) for predictions (n, k)."""
        raise NotImplementedError(
            tr("Loss {kind} does not define `call(self, y_true, y_pred)`.", kind=type(self).__name__)
        )

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        """Gradient of each sample's own loss with respect to its prediction, shape (n, k)."""
        losses, x = self._recorded(y_true, y_pred)
        gradient: Array = backpropagate([losses], [np.ones(losses.shape, losses.dtype)], [x.node])[0]  # type: ignore[list-item]
        return gradient

    def _recorded(self, y_true: Array, y_pred: Array, *sample_weight: Array | None) -> tuple[Tensor, Tensor]:
        """What `call` gives, on a tape, and the tensor of the predictions.

        Raises:
            ValueError: It does not depend on the predictions in a way that has a derivative.
        """
        with Recording(strict=True) as recording:
            x = recording.watch(Tensor(y_pred))
            losses: Any = self(y_true, x, *sample_weight) if self.of_batches else self.call(y_true, x)  # type: ignore[arg-type]
        if type(losses) is not Tensor:
            raise ValueError(self._without_gradient(losses))
        return losses, x

    def _without_gradient(self, losses: Any) -> str:
        if losses is None:
            return tr(
                "Loss '{name}' returned None: it must return a loss for each sample. Is there a `return`?",
                name=self.name,
            )
        if not hasattr(losses, "dtype"):
            kind = type(losses).__name__
            return tr(
                "Loss '{name}' returned a {kind}: it must return an array, a loss for each sample.",
                name=self.name,
                kind=kind,
            )
        return tr(
            "Loss '{name}' gives {dtype} numbers that do not depend on the predictions in a way that has a "
            "derivative, so that nothing can be learned from it. An `argmax`, a comparison, rounding, "
            "`ops.stop_gradient` or `.numpy()` on the way cuts it off. (As a metric it will do.)",
            name=self.name,
            dtype=np.asarray(plain(losses)).dtype,
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
        raise NotImplementedError(tr("Loss {kind} is not fused with an activation.", kind=type(self).__name__))

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
        if self.of_batches:
            return y
        if not self.by_tape:
            return self._as_output(y, output_shape)
        wanted = (len(y), *output_shape[1:])
        y = y.reshape(wanted) if None not in wanted and y.size == math.prod(wanted) else y  # type: ignore[arg-type]
        self._try(y[:2], output_shape, dtype or floatx())
        return y

    def _try(self, y: Array, output_shape: tuple[int | None, ...], dtype: str) -> None:
        """Computes the loss of two samples, once: what has no derivative is said before training begins."""
        if self._tried_for == output_shape[1:]:
            return
        sides = (len(y), *(3 if side is None else side for side in output_shape[1:]))
        fault = None
        # An error may come of there being two samples, where a function counts on more: the first step is to say it.
        with np.errstate(all="ignore"), suppress(Exception), Recording(strict=True) as recording:
            y_pred = recording.watch(Tensor(np.full(sides, 1.0 / max(sides[-1], 2), dtype)))
            losses = self.call(y, y_pred)  # type: ignore[arg-type]
            if type(losses) is not Tensor:
                fault = self._without_gradient(losses)
        if fault is not None:
            raise ValueError(fault)
        self._tried_for = output_shape[1:]

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments; a type only where one was given."""
        config = {"name": self.name, "reduction": self.reduction}
        return remembered.described(self, {**config, "dtype": self._dtype} if self._dtype else config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Loss:
        """The loss with these constructor arguments."""
        return remembered.made(cls, config)

    __repr__ = config_repr

    # --- What everybody else uses ---

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: ArrayLike | None = None) -> Any:
        """The loss as one number, or, with reduction 'none', one a sample; of a tensor on a tape, a tensor.

        Steps that a mask of the predictions leaves out do not count.
        """
        y_true, y_pred = as_array(y_true, "y_true"), as_array(y_pred, "y_pred")
        sample_weight = as_array(sample_weight, "sample_weight")
        mask = mask_of(y_pred)
        if mask is not None:
            sample_weight = self.masked_weight(mask, sample_weight, np.asarray(plain(y_true)))
        if recording():
            y_true, y_pred = as_tensor(y_true), as_tensor(y_pred)
            if tracked(y_pred) or tracked(y_true) or tracked(sample_weight):
                return self._on_tape(y_true, y_pred, sample_weight)
        y_true, y_pred = np.asarray(plain(y_true)), np.asarray(plain(y_pred))
        if self._dtype or y_pred.dtype.kind != "f":
            y_pred = y_pred.astype(self.dtype, copy=False)
        y_true, y_pred = self._matched(np.asarray(y_true), y_pred)
        losses = self.call(y_true, y_pred)
        weight = None if sample_weight is None else np.asarray(sample_weight, losses.dtype)
        if self.reduction in ("none", None):
            return eager(losses if weight is None else losses * weights_like(losses.shape, weight))
        return Number(_weighted_sum(losses, self._scale(losses.shape, weight)))

    def _on_tape(self, y_true: Any, y_pred: Any, sample_weight: Any) -> Any:
        """The same as a step of a computation that is being recorded."""
        y_true, y_pred = (one if tracked(one) else np.asarray(plain(one)) for one in (y_true, y_pred))
        if self._dtype or y_pred.dtype.kind != "f":
            y_pred = y_pred.astype(self.dtype)
        y_true, y_pred = self._matched(y_true, y_pred)
        weight = sample_weight
        if weight is not None and not tracked(weight):
            weight = np.asarray(plain(weight), y_pred.dtype)
        reduced = self.reduction not in ("none", None)
        if self.by_tape or not tracked(y_pred) or tracked(y_true):  # its own gradient is that of predictions alone
            losses = self.call(y_true, y_pred)
        elif reduced and not tracked(weight):
            return self._as_one_step(y_true, y_pred, weight)
        else:
            losses, gradient = self.call_and_gradient(
                y_true, y_pred.value, np.empty_like(y_pred.value), np.empty_like(y_pred.value)
            )
            losses = record(_LossRule(self.call, gradient, self.name), (y_true, y_pred), {}, losses)
        if not reduced:
            return losses if weight is None else losses * weights_like(losses.shape, weight)
        return np.sum(losses * self._scale(losses.shape, weight))

    def _as_one_step(self, y_true: Array, y_pred: Tensor, weight: Array | None) -> Any:
        """The reduced loss of predictions on a tape; computed from behind the activation that it fuses with."""
        a = self.behind(y_pred)
        x = y_pred if a is None else a
        out = np.empty_like(x.value)
        if a is None:
            value, gradient = self.value_and_gradient(y_true, x.value, weight, out)
        else:
            value, gradient = self.value_and_gradient_fused(y_true, x.value, weight, np.empty_like(out), out)

        def formula(y_true: Any, x: Any) -> Any:
            losses = self.call(y_true, x if a is None else registry.lookup("activation", str(self.fuses))(x))
            return np.sum(losses * self._scale(losses.shape, weight))

        return record(_LossRule(formula, gradient, self.name), (y_true, x), {}, x.dtype.type(value))

    def behind(self, y_pred: Any) -> Tensor | None:
        """What the activation that the loss fuses with was applied to, where that gave these predictions; else None."""
        if self.fuses is None or getattr(self, "from_logits", False) or type(y_pred) is not Tensor:
            return None
        node = y_pred.node
        return None if node is None or node.rule is None else node.rule.before(node, self.fuses)

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
        if not self.by_tape and _has_an_axis_too_many(y_pred, y_true):
            work = None if work is None else work[..., 0]
            return self.value_and_gradient(y_true, y_pred[..., 0], sample_weight, out[..., 0], work)[0], out
        if self._dtype and y_pred.dtype != self._dtype:
            value, gradient = self.value_and_gradient(y_true, y_pred.astype(self._dtype), sample_weight)
            np.copyto(out, gradient, casting="unsafe")
            return value, out
        if self.by_tape:
            return self._value_and_gradient_by_tape(y_true, y_pred, sample_weight, out)
        losses, gradient = self.call_and_gradient(y_true, y_pred, out, np.empty_like(y_pred) if work is None else work)
        if np.shape(gradient) != y_pred.shape:
            raise ValueError(
                tr(
                    "`gradient` of loss '{name}' must return the derivative for each prediction, shape "
                    "{shape}; got shape {gradient}.",
                    name=self.name,
                    shape=y_pred.shape,
                    gradient=np.shape(gradient),
                )
            )
        if np.shape(losses)[:1] != y_pred.shape[:-1][:1]:
            raise ValueError(
                tr(
                    "`call` of loss '{name}' must return a loss for each sample, shape {shape}; got shape "
                    "{losses}. Take the mean over the last axis alone: `axis=-1`.",
                    name=self.name,
                    shape=y_pred.shape[:-1],
                    losses=np.shape(losses),
                )
            )
        scale = self._scale(losses.shape, sample_weight)
        # The gradient may be an array that is not ours to change: a view of the targets, say.
        factor = scale if isinstance(scale, float) else scale[..., None]
        return _weighted_sum(losses, scale), np.multiply(gradient, factor, out=out, casting="unsafe")

    def _value_and_gradient_by_tape(
        self, y_true: Array, y_pred: Array, sample_weight: Array | None, out: Array
    ) -> tuple[float, Array]:
        weights = () if sample_weight is None else (sample_weight,)  # `__call__` may take none
        tensor, x = self._recorded(y_true, y_pred, *weights)
        losses = tensor.value
        scale = 1.0 if self.of_batches else self._scale(losses.shape, sample_weight)
        if losses.ndim == 0 and not isinstance(scale, float):  # one number for the whole batch
            scale = float(np.sum(scale))
        seed = scale
        if isinstance(scale, float):
            seed = np.empty(losses.shape, losses.dtype)
            seed.fill(scale)
        assert x.node is not None  # it is watched
        gradient = backpropagate([tensor], [seed], [x.node])[0]
        if gradient is None:
            raise ValueError(self._without_gradient(losses))
        out[...] = gradient
        return _weighted_sum(losses, scale), out

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
        if a.ndim > 2 and _has_an_axis_too_many(a, y_true):
            within = (y_pred[..., 0], out[..., 0], None)
            return self.value_and_gradient_fused(y_true, a[..., 0], sample_weight, *within)[0], out
        if self._dtype and a.dtype != self._dtype:
            of_type = a.astype(self._dtype)
            y, da = np.empty_like(of_type), np.empty_like(of_type)
            value, da = self.value_and_gradient_fused(y_true, of_type, sample_weight, y, da)
            np.copyto(y_pred, y, casting="unsafe")
            np.copyto(out, da, casting="unsafe")
            return value, out
        scale = self._scale(a.shape[:-1], sample_weight)
        call_fused = self.call_fused if a.ndim == 2 else self._call_fused_by_rows
        losses, da = call_fused(y_true, a, y_pred, out, losses, scale)
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
            raise ValueError(
                tr(
                    "Loss '{name}' has reduction 'none': one number is needed to train on. Use "
                    "'sum_over_batch_size' or 'sum'.",
                    name=self.name,
                )
            )
        if sample_weight is None:
            return 1.0 if self.reduction == "sum" else 1.0 / math.prod(shape)
        if shape == ():  # one number for the whole batch, which every sample's weight belongs to
            shape = sample_weight.shape
        weight = weights_like(shape, sample_weight)
        if self.reduction == "sum":
            return weight
        if self.reduction == "mean_with_sample_weight":
            return weight / (weight.sum() or 1.0)
        return weight / math.prod(shape)

    def masked_weight(self, mask: Array, sample_weight: Any, y_true: Array) -> Array:  # noqa: ARG002
        """What each step weighs where only those count that a mask, (n, steps), says; a mean is one over these.

        Weights of samples, (n,), belong to all of their steps.
        """
        divided_by_all = self.reduction in ("mean", "sum_over_batch_size")
        return weight_of_steps(mask, sample_weight, mask.size / max(int(mask.sum()), 1) if divided_by_all else 1)

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        """Targets and predictions of a user's call, in shapes and types that go together."""
        y_true, y_pred = align(y_true, y_pred)
        return y_true.astype(y_pred.dtype, copy=False), y_pred

    def _as_output(self, y: Array, output_shape: tuple[int | None, ...]) -> Array:
        wanted = (len(y), *output_shape[1:])
        if y.shape != wanted and (*y.shape, 1) != wanted and y.shape != (*wanted, 1):
            raise ValueError(
                tr(
                    "Loss '{name}' expects targets of the shape of the model's output, {output_shape}; got an "
                    "array of shape {shape}.",
                    name=self.name,
                    output_shape=output_shape,
                    shape=y.shape,
                )
            )
        return y if len(wanted) > 2 and (*y.shape, 1) == wanted else y.reshape(wanted)  # see `_has_an_axis_too_many`


class _LossRule(Rule):
    """A loss with a derivative of its own, as one step of a tape: its operands are the targets and the predictions.

    Args:
        formula: What it computes, a loss for each sample or one number, by NumPy's functions: for a second derivative.
        gradient: The gradient of each sample's loss, or of the one number, with respect to the predictions.
        name: Its name.
    """

    __slots__ = ("gradient",)
    differentiable = (1,)

    def __init__(self, formula: Callable[..., Any], gradient: Array, name: str) -> None:
        super().__init__(formula, name=name)
        self.gradient = gradient

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:  # noqa: ARG002
        if recorded:
            again = self.function(node.values[0], node.operands[1])
            return backpropagate([again], [g], [parent for _, parent in node.ways])
        return [self.gradient * (g[..., None] if np.ndim(g) else g)]


def _has_an_axis_too_many(y_pred: Array, y_true: Array) -> bool:
    """Whether outputs (n, k, 1) have targets (n, k), whose k numbers are those of one sample: see `align`.

    Class labels have an axis less than outputs as well, but those of one class alone.
    """
    return y_pred.ndim > 2 and y_true.ndim == y_pred.ndim - 1 and y_pred.shape[-1] == 1
