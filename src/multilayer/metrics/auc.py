"""The area under a curve of thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arguments import numbers
from multilayer._checks.scalars import whole_number
from multilayer._checks.states import FOUR_OR_NONE, Kind
from multilayer._core import kernels
from multilayer._core.number import Number
from multilayer._names import registry
from multilayer.config import epsilon
from multilayer.functional import Array
from multilayer.metrics.base import Metric
from multilayer.metrics.confusion import Counts, confusion_counts, evenly_spaced, parsed_thresholds, ratio

_CURVES = ("ROC", "PR", "PRGAIN")
_SUMMATIONS = ("interpolation", "majoring", "minoring")


@registry.register("metric")
class AUC(Metric):
    """The area under the curve that thresholds draw: of recall over false positives (ROC), or precision over recall.

    Args:
        num_thresholds: Number of thresholds, evenly from 0 to 1; more than 1.
        curve: 'ROC', 'PR', or 'PRGAIN', precision and recall measured from what guessing gives.
        summation_method: 'interpolation' (trapezoids; for PR as Davis and Goadrich do it), 'minoring' or 'majoring'.
        name: Name in logs.
        dtype: See `Metric`.
        thresholds: Thresholds of one's own in [0, 1]; `num_thresholds` is then ignored.
        multi_label: Whether each output has a curve of its own; the result is the mean of their areas.
        num_labels: Number of outputs, for `multi_label`.
        label_weights: What each output counts.
        from_logits: Whether predictions are scores, which a sigmoid is applied to.

    Source: Davis and Goadrich, "The Relationship Between Precision-Recall and ROC Curves", 2006.

    Raises:
        ValueError: An argument is out of range.

    Example:
        >>> round(AUC()([0, 0, 1, 1], [0.0, 0.5, 0.3, 0.9]), 6)
        0.75
    """

    direction = "up"
    _variable_names = Counts._fields

    def __getattr__(self, name: str) -> Any:
        if name in Counts._fields:  # as Keras has them, also before anything was seen
            counts = vars(self).get("_counts")
            shape = (len(self.thresholds), *((self.num_labels,) if self.num_labels else ()))
            return np.zeros(shape) if counts is None else getattr(counts, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __init__(
        self,
        num_thresholds: int = 200,
        curve: str = "ROC",
        summation_method: str = "interpolation",
        name: str | None = None,
        dtype: str | None = None,
        thresholds: Sequence[float] | None = None,
        multi_label: bool = False,
        num_labels: int | None = None,
        label_weights: Sequence[float] | None = None,
        from_logits: bool = False,
    ) -> None:
        super().__init__(dtype, name)
        if thresholds is None:
            num_thresholds = whole_number("num_thresholds", num_thresholds, 2)
        if str(curve).upper() not in _CURVES:
            raise ValueError(f'Invalid AUC curve value: "{curve}". Expected values are ["PR", "ROC", "PRGAIN"]')
        if str(summation_method).lower() not in _SUMMATIONS:
            raise ValueError(
                f'Invalid AUC summation method value: "{summation_method}". Expected values are {list(_SUMMATIONS)}'
            )
        if num_labels and not multi_label:
            raise ValueError("`num_labels` is needed only when `multi_label` is True.")
        inner = evenly_spaced(num_thresholds)[1:-1] if thresholds is None else sorted(parsed_thresholds(thresholds))
        self.num_thresholds = len(inner) + 2
        self.thresholds = [-epsilon(), *inner, 1.0 + epsilon()]  # the curve's ends: all exceed the first, none the last
        self.curve = str(curve).upper()
        self.summation_method = str(summation_method).lower()
        self.multi_label = multi_label
        self.num_labels = whole_number("num_labels", num_labels, 1) if num_labels else None
        self.label_weights = (
            None if label_weights is None else np.asarray(numbers("label_weights", label_weights), float)
        )
        self.from_logits = from_logits
        self._given_thresholds = thresholds
        self.reset_state()

    _gathered: ClassVar[Mapping[str, Kind]] = {"_counts": FOUR_OR_NONE}

    def reset_state(self) -> None:
        self._counts: Counts | None = None

    def _take(self, attributes: dict[str, Any]) -> None:
        super()._take(attributes)
        self._counts = None if self._counts is None else Counts(*self._counts)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        counts = state["attributes"]["_counts"]
        if counts is not None and any(len(one) != len(self.thresholds) for one in counts):
            raise ValueError(f"of metric '{self.name}' it holds counts for other thresholds")

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        y = np.asarray(y_pred)
        if self.multi_label and y.ndim != 2:
            raise ValueError(
                f"`y_pred` must have rank 2 when `multi_label=True`. Found rank {y.ndim}. Full shape received for "
                f"`y_pred`: {y.shape}"
            )
        self._require_labels(y.shape)
        # Clipped, so that the ends of the curve are what they are to be: all exceed the first threshold, none the last.
        more = confusion_counts(
            y_true,
            kernels.sigmoid(y) if self.from_logits else np.clip(y, 0, 1),
            self.thresholds,
            sample_weight,
            label_weights=None if self.multi_label else self.label_weights,
            multi_label=self.multi_label,
            metric=self.name,
        )
        before = self._counts
        self._counts = more if before is None else Counts(*(a + b for a, b in zip(before, more, strict=True)))

    def _require_labels(self, shape: tuple[int, ...]) -> None:
        """Raises ValueError where there are not as many outputs as were announced, or have weights."""
        outputs = shape[-1] if len(shape) > 1 else 1
        weights = None if self.label_weights is None or self.label_weights.size == 1 else self.label_weights.size
        for argument, number in (("num_labels", self.num_labels), ("label_weights", weights)):
            if number not in (None, outputs):
                raise ValueError(
                    f"Metric '{self.name}' has `{argument}` for {number} outputs, and got predictions of {outputs}, "
                    f"shape {shape}."
                )

    def result(self) -> Number:
        if self._counts is None:
            return Number(0.0)
        areas = self._areas(self._counts).sum(axis=0)
        if not self.multi_label:
            return Number(areas)
        if self.label_weights is None:
            return Number(areas.mean())
        return Number(ratio((areas * self.label_weights).sum(), self.label_weights.sum()))

    def _areas(self, counts: Counts) -> Array:
        """The pieces of the area between neighbouring thresholds."""
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _interpolated_pr(counts)
        tp, fp, tn, fn = counts
        x, y = ratio(tp, tp + fn), ratio(tp, tp + fp)
        if self.curve == "ROC":
            x, y = ratio(fp, fp + tn), x
        elif self.curve == "PRGAIN":
            scale = ratio(tp + fn, tn + fp)
            x = np.where(tp > 0, np.maximum(1.0 - scale * ratio(fn, tp), 0.0), 0.0)
            y = np.where(tp > 0, 1.0 - scale * ratio(fp, tp), 1.0)
        if self.summation_method == "interpolation":
            heights = (y[:-1] + y[1:]) / 2.0
        else:
            heights = (np.minimum if self.summation_method == "minoring" else np.maximum)(y[:-1], y[1:])
        return (x[:-1] - x[1:]) * heights

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": None if self.label_weights is None else self.label_weights.tolist(),
            "from_logits": self.from_logits,
            **({} if self._given_thresholds is None else {"thresholds": list(self._given_thresholds)}),
        }


def _interpolated_pr(counts: Counts) -> Array:
    """Between two thresholds true positives grow in proportion to all positives: the area is a logarithm."""
    tp, fp, _, fn = counts
    p = tp + fp
    dtp, dp = tp[:-1] - tp[1:], p[:-1] - p[1:]
    slope = ratio(dtp, np.maximum(dp, 0.0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    quotient = np.where(both, ratio(p[:-1], np.maximum(p[1:], 0.0)), 1.0)
    return ratio(slope * (dtp + intercept * np.log(quotient)), np.maximum(tp[1:] + fn[1:], 0.0))
