"""Metrics that count right and wrong yeses and noes at thresholds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from multilayer import losses
from multilayer._checks.scalars import real_number, whole_number
from multilayer._checks.states import FOUR, Kind, is_number, require_arrays_like
from multilayer._core.arena import claim
from multilayer._core.number import Number
from multilayer._core.tape.eager import eager
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.metrics.base import Metric

_MOST = 10**6  # thresholds: each costs a number in five lists
NOWHERE = -1e10  # where a prediction is put that is not among the top k


class Counts(NamedTuple):
    """How many targets of 1 and of 0 were predicted above a threshold (positive) and not; one row a threshold."""

    true_positives: Array
    false_positives: Array
    true_negatives: Array
    false_negatives: Array


def ratio(a: Array, b: Array) -> Array:
    """A / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros(np.broadcast(a, b).shape), where=np.asarray(b) != 0)


def evenly_spaced(num: int) -> list[float]:
    """Thresholds from 0 to 1."""
    claim((num,), "thresholds")  # a file may ask for as many as it likes
    if num > _MOST:
        raise ValueError(f"`num_thresholds` is at most {_MOST:,}. Received: num_thresholds={num}")
    return [i / (num - 1) for i in range(num)] if num > 1 else [0.5]


def parsed_thresholds(thresholds: Any, default: float = 0.5) -> list[float]:
    """Thresholds as a list; raises ValueError where one is not in [0, 1]."""
    given = default if thresholds is None else thresholds
    listed = list(given) if isinstance(given, (list, tuple, np.ndarray)) else [given]
    if not listed:
        raise ValueError(f"At least one threshold is needed. Received: thresholds={given}")
    wrong = [one for one in listed if thresholds is not None and not (is_number(one) and 0 <= one <= 1)]
    if wrong:
        raise ValueError(f"Threshold values must be in [0, 1]. Received: {wrong}")
    return [float(one) for one in listed]


def _as_plain(thresholds: Any) -> Any:
    """Thresholds as they were given, arrays as lists: what a config holds."""
    return thresholds.tolist() if isinstance(thresholds, (np.ndarray, np.generic)) else thresholds


def confusion_counts(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    thresholds: Sequence[float],
    sample_weight: ArrayLike | None = None,
    *,
    top_k: int | None = None,
    class_id: int | None = None,
    label_weights: Array | None = None,
    multi_label: bool = False,
    metric: str = "",
) -> Counts:
    """The counts of a batch.

    Args:
        y_true: Targets of 0 and 1, shape (n, ...).
        y_pred: Predictions of the same shape.
        thresholds: What a prediction has to exceed.
        sample_weight: What each sample counts, shape (n,) or (n, 1).
        top_k: How many predictions of a sample may be positive at all.
        class_id: The only output that is looked at.
        label_weights: What each output counts, shape (k,).
        multi_label: Whether to count each output by itself; the counts are then (thresholds, k).
        metric: Whose counts they are, for a message.

    Raises:
        ValueError: Targets and predictions have different shapes.
    """
    y, t = losses.align(np.asarray(y_pred), np.asarray(y_true))
    require_one_shape(metric, t, y)
    weight = np.ones((len(y),) + (1,) * (y.ndim - 1))
    if sample_weight is not None:
        given = np.asarray(sample_weight, float)
        weight = given.reshape(given.shape + (1,) * (y.ndim - given.ndim))[: len(y)]
    if top_k is not None:
        if top_k > y.shape[-1]:
            raise ValueError(
                f"Metric '{metric}' has `top_k={top_k}`, and a sample has {y.shape[-1]} predictions: pass at most that "
                "many."
            )
        best = np.argsort(-y, axis=-1, kind="stable")[..., :top_k]
        kept = np.full_like(y, NOWHERE)
        np.put_along_axis(kept, best, np.take_along_axis(y, best, axis=-1), axis=-1)
        y = kept
    if class_id is not None:
        if y.ndim == 1:
            raise ValueError(
                "When class_id is provided, y_pred must be a 2D array with shape (num_samples, num_classes), found "
                f"shape: {y.shape}"
            )
        if not -y.shape[-1] <= class_id < y.shape[-1]:
            raise ValueError(
                f"Metric '{metric}' has `class_id={class_id}`, and there are {y.shape[-1]} outputs, which are counted "
                "from 0."
            )
        t, y = t[..., class_id, None], y[..., class_id, None]
    weight = np.broadcast_to(weight * (1.0 if label_weights is None else label_weights), y.shape)
    if multi_label:
        columns = [_counts_of(t[:, j], y[:, j], weight[:, j], thresholds) for j in range(y.shape[1])]
        return Counts(*(np.stack(each, axis=1) for each in zip(*columns, strict=True)))
    return _counts_of(t.reshape(-1), y.reshape(-1), weight.reshape(-1), thresholds)


def require_one_shape(metric: str, y_true: Array, y_pred: Array) -> None:
    """Raises ValueError where targets have not the shape of the predictions, with advice where they are labels."""
    if y_true.shape == y_pred.shape and y_pred.ndim:
        return
    labels = y_pred.ndim > 1 and y_true.shape in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1))
    advice = (
        f" These are class labels: make them one-hot, `utils.to_categorical(y, {y_pred.shape[-1]})`, for the loss as "
        "well ('categorical_crossentropy')."
        if labels
        else ""
    )
    raise ValueError(
        f"Metric '{metric}' expects targets of 0 and 1 of the shape of the predictions, {y_pred.shape}; got targets of "
        f"shape {y_true.shape}.{advice}"
    )


def _counts_of(t: Array, y: Array, weight: Array, thresholds: Sequence[float]) -> Counts:
    """Sorts predictions into the gaps between thresholds, and adds up from the highest one on."""
    limits = np.asarray(thresholds, y.dtype if y.dtype.kind == "f" else "float32")
    order = np.argsort(limits, kind="stable")
    exceeded = np.searchsorted(limits[order], y, side="left")  # how many thresholds a prediction exceeds
    ones = weight * (t != 0)
    totals = float(ones.sum()), float(weight.sum() - ones.sum())
    positives = []
    for share in (ones, weight - ones):  # what targets of 1 weigh, and those of 0
        by_gap = np.bincount(exceeded, share, minlength=len(limits) + 1)
        above = np.empty(len(limits))
        above[order] = by_gap[::-1].cumsum()[::-1][1:]
        positives.append(above)
    return Counts(positives[0], positives[1], totals[1] - positives[1], totals[0] - positives[0])


class _ConfusionMetric(Metric):
    """A metric that is made of counts at thresholds."""

    _gathered: ClassVar[Mapping[str, Kind]] = {"counts": FOUR}
    _variable_names: tuple[str, ...] = Counts._fields
    thresholds: list[float]
    top_k: int | None = None
    class_id: int | None = None

    def __init__(self, name: str | None, dtype: str | None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def reset_state(self) -> None:
        self.counts = Counts(*np.zeros((4, len(self.thresholds))))

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        more = confusion_counts(
            y_true,
            y_pred,
            self.thresholds,
            sample_weight,
            top_k=self.top_k,
            class_id=self.class_id,
            metric=self.name,
        )
        self.counts = Counts(*(a + b for a, b in zip(self.counts, more, strict=True)))

    def _take(self, attributes: dict[str, Any]) -> None:
        super()._take(attributes)
        self.counts = Counts(*self.counts)

    def _check_state(self, state: Any) -> None:
        super()._check_state(state)
        require_arrays_like(list(state["attributes"]["counts"]), list(self.counts), f"the counts of '{self.name}'")

    @property
    def true_positives(self) -> Array:
        """How many targets of 1 were predicted, at each threshold."""
        return self.counts.true_positives

    @property
    def false_positives(self) -> Array:
        """How many targets of 0 were predicted, at each threshold."""
        return self.counts.false_positives

    @property
    def true_negatives(self) -> Array:
        """How many targets of 0 were not predicted, at each threshold."""
        return self.counts.true_negatives

    @property
    def false_negatives(self) -> Array:
        """How many targets of 1 were not predicted, at each threshold."""
        return self.counts.false_negatives

    def _as_result(self, values: Array) -> Any:
        return Number(values[0]) if len(self.thresholds) == 1 else eager(values.astype("float32"))


class _ConfusionCount(_ConfusionMetric):
    """One of the four counts.

    Args:
        thresholds: One or several in [0, 1], 0.5 by default; with several the result is an array.
        name: Name in logs.
        dtype: See `Metric`.
    """

    _which: ClassVar[str]
    _variable_names = ("accumulator",)

    @property
    def accumulator(self) -> Array:
        """The count at each threshold."""
        found: Array = getattr(self.counts, self._which)
        return found

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: str | None = None) -> None:
        self._given = _as_plain(thresholds)
        self.thresholds = parsed_thresholds(thresholds)
        super().__init__(name, dtype)

    def result(self) -> Any:
        return self._as_result(getattr(self.counts, self._which))

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self._given}


@registry.register("metric")
class TruePositives(_ConfusionCount):
    """How many targets of 1 were predicted.

    Example:
        >>> TruePositives()([0, 1, 1], [0.9, 0.9, 0.1])
        1.0
    """

    direction = "up"
    _which = "true_positives"


@registry.register("metric")
class TrueNegatives(_ConfusionCount):
    """How many targets of 0 were not predicted."""

    direction = "up"
    _which = "true_negatives"


@registry.register("metric")
class FalsePositives(_ConfusionCount):
    """How many targets of 0 were predicted."""

    direction = "down"
    _which = "false_positives"


@registry.register("metric")
class FalseNegatives(_ConfusionCount):
    """How many targets of 1 were not predicted."""

    direction = "down"
    _which = "false_negatives"


class _PrecisionRecall(_ConfusionMetric):
    """A share of the true positives.

    Args:
        thresholds: One or several in [0, 1], 0.5 by default; with several the result is an array.
        top_k: How many predictions of a sample may be positive at all; without thresholds, all of them are.
        class_id: The only output that is looked at.
        name: Name in logs.
        dtype: See `Metric`.
    """

    direction = "up"

    def __init__(
        self,
        thresholds: Any = None,
        top_k: int | None = None,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        self._given = _as_plain(thresholds)
        self.thresholds = parsed_thresholds(thresholds, default=0.5 if top_k is None else NOWHERE)
        self.top_k = None if top_k is None else whole_number("top_k", top_k, 1)
        self.class_id = None if class_id is None else whole_number("class_id", class_id)
        super().__init__(name, dtype)

    def get_config(self) -> dict[str, Any]:
        own = {"thresholds": self._given, "top_k": self.top_k, "class_id": self.class_id}
        return {**super().get_config(), **own}


@registry.register("metric")
class Precision(_PrecisionRecall):
    """How many of the predicted ones are right: TP / (TP + FP).

    See `TruePositives` for `thresholds`; `top_k` and `class_id` restrict what is looked at.

    Example:
        >>> Precision()([0, 1, 1], [0.9, 0.9, 0.1])
        0.5
    """

    _variable_names = ("true_positives", "false_positives")

    def result(self) -> Any:
        counts = self.counts
        return self._as_result(ratio(counts.true_positives, counts.true_positives + counts.false_positives))


@registry.register("metric")
class Recall(_PrecisionRecall):
    """How many of the ones that there are were predicted: TP / (TP + FN).

    Example:
        >>> Recall()([0, 1, 1], [0.9, 0.9, 0.1])
        0.5
    """

    _variable_names = ("true_positives", "false_negatives")

    def result(self) -> Any:
        counts = self.counts
        return self._as_result(ratio(counts.true_positives, counts.true_positives + counts.false_negatives))


def _rates(counts: Counts) -> dict[str, Array]:
    return {
        "sensitivity": ratio(counts.true_positives, counts.true_positives + counts.false_negatives),
        "specificity": ratio(counts.true_negatives, counts.true_negatives + counts.false_positives),
        "precision": ratio(counts.true_positives, counts.true_positives + counts.false_positives),
    }


class _BestAtBound(_ConfusionMetric):
    """The best of one share among the thresholds at which another is at least so much."""

    direction = "up"
    _wanted: ClassVar[str]  # the share that is to be large
    _bound: ClassVar[str]  # the share that is bounded
    _argument: ClassVar[str]

    def __init__(
        self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: str | None
    ) -> None:
        setattr(self, self._argument, real_number(self._argument, value, least=0, most=1))
        self.num_thresholds = whole_number("num_thresholds", num_thresholds, 1)
        self.class_id = None if class_id is None else whole_number("class_id", class_id)
        self.thresholds = evenly_spaced(self.num_thresholds)
        super().__init__(name, dtype)

    def result(self) -> Number:
        shares = _rates(self.counts)
        feasible = shares[self._bound] >= getattr(self, self._argument)
        return Number(np.where(feasible, shares[self._wanted], 0.0).max(initial=0.0))

    def get_config(self) -> dict[str, Any]:
        own = {
            self._argument: getattr(self, self._argument),
            "num_thresholds": self.num_thresholds,
            "class_id": self.class_id,
        }
        return {**super().get_config(), **own}


@registry.register("metric")
class SensitivityAtSpecificity(_BestAtBound):
    """The best TP / (TP + FN) where TN / (TN + FP) is at least `specificity`.

    Args:
        specificity: In [0, 1].
        num_thresholds: Number of thresholds that are tried, evenly from 0 to 1.
        class_id: The only output that is looked at.
        name: Name in logs.
        dtype: See `Metric`.

    Example:
        >>> SensitivityAtSpecificity(0.5)([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.8])
        1.0
    """

    _wanted, _bound, _argument = "sensitivity", "specificity", "specificity"
    specificity: float

    def __init__(
        self,
        specificity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


@registry.register("metric")
class SpecificityAtSensitivity(_BestAtBound):
    """The best TN / (TN + FP) where TP / (TP + FN) is at least `sensitivity`. See `SensitivityAtSpecificity`."""

    _wanted, _bound, _argument = "specificity", "sensitivity", "sensitivity"
    sensitivity: float

    def __init__(
        self,
        sensitivity: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


@registry.register("metric")
class PrecisionAtRecall(_BestAtBound):
    """The best precision where the recall is at least `recall`. See `SensitivityAtSpecificity`."""

    _wanted, _bound, _argument = "precision", "sensitivity", "recall"
    recall: float

    def __init__(
        self,
        recall: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


@registry.register("metric")
class RecallAtPrecision(_BestAtBound):
    """The best recall where the precision is at least `precision`. See `SensitivityAtSpecificity`."""

    _wanted, _bound, _argument = "sensitivity", "precision", "precision"
    precision: float

    def __init__(
        self,
        precision: float,
        num_thresholds: int = 200,
        class_id: int | None = None,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
