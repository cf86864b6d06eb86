"""Further losses for probabilities: focal ones, divergence, and one that noisy labels do little harm to."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arguments import numbers
from multilayer._checks.scalars import real_number
from multilayer._core import kernels
from multilayer._core.tape.activations import sigmoid
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.losses.crossentropy import SmoothedCrossentropy, log_softmax, not_clipped
from multilayer.losses.families import BuiltInLoss, OneHotLoss, SparseLoss, checked_fractions, integer_labels


def _power(base: Array, exponent: float) -> Array:
    """base^exponent for a base of at least 0, finite at 0 where the exponent is negative."""
    return np.power(np.maximum(base, np.finfo(base.dtype).tiny) if exponent < 0 else base, exponent)


@registry.register("loss", "kld", "KLD")
class KLDivergence(BuiltInLoss):
    """Kullback-Leibler divergence: loss = sum(t log(t / y)), both kept in [epsilon, 1].

    Example:
        >>> round(float(KLDivergence()([[0.5, 0.5]], [[0.25, 0.75]])), 6)
        0.143841
    """

    def call(self, y_true: Array, y_pred: Array) -> Array:
        t, y = np.clip(y_true, epsilon(), 1.0), np.clip(y_pred, epsilon(), 1.0)
        return cast(Array, np.sum(t * np.log(t / y), axis=-1))

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        inside = (y_pred >= epsilon()) & (y_pred <= 1.0)
        gradient: Array = -np.clip(y_true, epsilon(), 1.0) * inside / np.clip(y_pred, epsilon(), 1.0)
        return gradient


class _FocalLoss(SmoothedCrossentropy):
    """What the focal losses share: probabilities, also of logits, and no common form with an activation."""

    fuses = None

    def __init__(
        self,
        alpha: Any,
        gamma: float,
        from_logits: bool,
        label_smoothing: float,
        axis: int,
        reduction: str | None,
        name: str | None,
        dtype: str | None,
    ) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.alpha = alpha
        self.gamma = float(real_number("gamma", gamma))

    def call_and_gradient(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        if not self.from_logits:
            return self._from_probabilities(y_true, y_pred, out, work)
        p = self._probabilities(y_pred)
        losses, dp = self._from_probabilities(y_true, p, np.empty_like(p), work)
        return losses, self._to_logits(dp, p)

    def _probabilities(self, a: Array) -> Array:
        raise NotImplementedError

    def _to_logits(self, dp: Array, p: Array) -> Array:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "alpha": self.alpha, "gamma": self.gamma}


@registry.register("loss")
class BinaryFocalCrossentropy(_FocalLoss):
    """Binary cross-entropy in which what is right already counts little: mean((1 - p_t)^gamma bce), p_t = y or 1 - y.

    Args:
        apply_class_balancing: Whether targets of 1 weigh alpha and those of 0 weigh 1 - alpha.
        alpha: See there.
        gamma: How little what is right already counts.
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        label_smoothing: s in t (1 - s) + s / 2.
        axis: Only the last one.
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Source: Lin et al., "Focal Loss for Dense Object Detection", 2017.

    Example:
        >>> round(float(BinaryFocalCrossentropy()([[1.0]], [[0.5]])), 6)
        0.173287
    """

    def __init__(
        self,
        apply_class_balancing: bool = False,
        alpha: float = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(alpha, gamma, from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing = bool(apply_class_balancing)

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        return checked_fractions(super().prepare(y_true, output_shape, dtype), self.name)

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        t = self._smooth(y_true, y_pred.dtype, 0.5)
        p = sigmoid(y_pred) if self.from_logits else y_pred
        y = np.clip(p, epsilon(), 1.0 - epsilon())
        missing = 1.0 - (t * p + (1.0 - t) * (1.0 - p))
        losses = -_power(missing, self.gamma) * (t * np.log(y) + (1.0 - t) * np.log(1.0 - y))
        if self.apply_class_balancing:
            losses = losses * (t * self.alpha + (1.0 - t) * (1.0 - self.alpha))
        return np.mean(losses, axis=-1)

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        t = self._smooth(y_true, y_pred.dtype, 0.5)
        y = np.clip(y_pred, epsilon(), 1.0 - epsilon(), out=work)
        bce = -(t * np.log(y) + (1.0 - t) * np.log(1.0 - y))
        missing = 1.0 - (t * y_pred + (1.0 - t) * (1.0 - y_pred))
        factor = _power(missing, self.gamma)
        gradient = factor * ((1.0 - t) / (1.0 - y) - t / y) * not_clipped(y_pred)
        if self.gamma:
            gradient -= self.gamma * _power(missing, self.gamma - 1.0) * (2.0 * t - 1.0) * bce
        losses = factor * bce
        if self.apply_class_balancing:
            weight = t * self.alpha + (1.0 - t) * (1.0 - self.alpha)
            losses, gradient = losses * weight, gradient * weight
        return losses.mean(axis=-1), np.multiply(gradient, 1.0 / y_pred.shape[-1], out=out)

    def _probabilities(self, a: Array) -> Array:
        return kernels.sigmoid(a)

    def _to_logits(self, dp: Array, p: Array) -> Array:
        return kernels.sigmoid_backward(dp, p)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "apply_class_balancing": self.apply_class_balancing}


@registry.register("loss")
class CategoricalFocalCrossentropy(OneHotLoss, _FocalLoss):
    """Cross-entropy in which what is right already counts little: -sum(alpha (1 - y)^gamma t log y).

    y is first scaled to sum 1 and then kept in [epsilon, 1 - epsilon].

    Args:
        alpha: Factor of every class, or a list with one for each.
        gamma: How little what is right already counts.
        from_logits: Whether predictions are scores (logits) instead of probabilities.
        label_smoothing: s in t (1 - s) + s / k.
        axis: The axis of the classes; only the last one.
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Raises:
        ValueError: `alpha` has another length than there are classes.

    Source: Lin et al., "Focal Loss for Dense Object Detection", 2017.

    Example:
        >>> round(float(CategoricalFocalCrossentropy()([[0.0, 1.0]], [[0.5, 0.5]])), 6)
        0.043322
    """

    def __init__(
        self,
        alpha: Any = 0.25,
        gamma: float = 2.0,
        from_logits: bool = False,
        label_smoothing: float = 0.0,
        axis: int = -1,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        numbers("alpha", alpha)
        alpha = float(alpha) if np.ndim(alpha) == 0 else [float(one) for one in alpha]
        super().__init__(alpha, gamma, from_logits, label_smoothing, axis, reduction, name, dtype)

    def prepare(self, y_true: ArrayLike, output_shape: tuple[int | None, ...], dtype: str | None = None) -> Array:
        self._require_alpha_for(output_shape[-1])
        return super().prepare(y_true, output_shape, dtype)

    def _matched(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        self._require_alpha_for(y_pred.shape[-1])
        return super()._matched(y_true, y_pred)

    def _require_alpha_for(self, num_classes: int | None) -> None:
        if np.size(self.alpha) not in (1, num_classes):
            raise ValueError(
                f"Loss '{self.name}' expects `alpha` as one number or one for each of the {num_classes} classes; got "
                f"{len(self.alpha)}: {self.alpha}."
            )

    def formula(self, y_true: Any, y_pred: Any) -> Any:
        t = self._smooth(y_true, y_pred.dtype, 1.0 / y_pred.shape[-1])
        p = np.exp(log_softmax(y_pred)) if self.from_logits else y_pred / np.sum(y_pred, axis=-1, keepdims=True)
        y = np.clip(p, epsilon(), 1.0 - epsilon())
        return -np.sum(np.asarray(self.alpha, y.dtype) * t * _power(1.0 - y, self.gamma) * np.log(y), axis=-1)

    def _from_probabilities(self, y_true: Array, y_pred: Array, out: Array, work: Array) -> tuple[Array, Array]:
        t = self._smooth(y_true, y_pred.dtype, 1.0 / y_pred.shape[-1])
        total = y_pred.sum(axis=-1, keepdims=True)
        p = y_pred / total
        y = np.clip(p, epsilon(), 1.0 - epsilon(), out=work)
        weight = t * np.asarray(self.alpha, y.dtype)
        factor, logs = _power(1.0 - y, self.gamma), np.log(y)
        slope = -factor / y
        if self.gamma:
            slope += self.gamma * _power(1.0 - y, self.gamma - 1.0) * logs
        slope *= weight * not_clipped(p)
        losses = -np.sum(weight * factor * logs, axis=-1)
        return losses, np.divide(slope - np.sum(slope * p, axis=-1, keepdims=True), total, out=out)

    def _probabilities(self, a: Array) -> Array:
        return kernels.softmax(a)

    def _to_logits(self, dp: Array, p: Array) -> Array:
        return kernels.softmax_backward(dp, p)


@registry.register("loss")
class CategoricalGeneralizedCrossEntropy(SparseLoss):
    """Between cross-entropy (q -> 0) and mean absolute error (q = 1): loss = (1 - y_label^q) / q, for noisy labels.

    Args:
        q: In (0, 1].
        reduction: See `Loss`.
        name: Its name.
        dtype: See `Loss`.

    Source: Zhang and Sabuncu, "Generalized Cross Entropy Loss for Training Deep Neural Networks with Noisy Labels",
    2018.

    Raises:
        ValueError: `q` is not in (0, 1].

    Example:
        >>> round(float(CategoricalGeneralizedCrossEntropy(q=1.0)([1], [[0.25, 0.75]])), 6)
        0.25
    """

    def __init__(
        self,
        q: float = 0.5,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        if not 0 < q <= 1:
            raise ValueError(f"q must be in the interval (0, 1]. Received: q={q}")
        super().__init__(reduction, name, dtype)
        self.q = float(q)

    def _chosen(self, y_true: Array, y_pred: Array) -> tuple[Array, Array]:
        labels = integer_labels(y_true, y_pred.shape, self.name)[..., None]
        return labels, np.take_along_axis(y_pred, labels, axis=-1)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return (1.0 - _power(self._chosen(y_true, y_pred)[1], self.q)[..., 0]) / self.q

    def gradient(self, y_true: Array, y_pred: Array) -> Array:
        labels, chosen = self._chosen(y_true, y_pred)
        gradient = np.zeros_like(y_pred)
        np.put_along_axis(gradient, labels, -_power(chosen, self.q - 1.0), axis=-1)
        return gradient

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "q": self.q}
