"""What is to be predicted, as a network has it, and back: classes as numbers from 0, values standardized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._language import tr
from multilayer._tables import Table
from multilayer.functional import Array

_FEW = 10  # values in a message


def as_values(y: Any, rows: int) -> Array:
    """The values of a target, (n,), or (n, targets) of several.

    Args:
        y: What the user gave: a column, an array, a frame of one column, or of several.
        rows: How many rows there are to predict from.

    Raises:
        ValueError: It has another length, lacks values, or holds what no target can be.
    """
    if y is None:
        raise ValueError(
            tr("There is no target: y is None. Expected a value for each row, as in `fit(X, y)`. requires y")
        )
    columns = list(_columns(y).values())
    text = next((one for one in columns if one.dtype.kind not in "fb"), None)
    if text is not None and len(text):
        raise ValueError(
            tr(
                "The target holds {what}, {text!r} for example. Expected numbers; `TabularClassifier` "
                "predicts classes.",
                what=tr("dates") if text.dtype.kind == "M" else tr("text"),
                text=str(text[0]),
            )
        )
    for column in columns:
        _require_values(column, rows)
    return columns[0] if len(columns) == 1 else np.stack([one.astype(np.float64) for one in columns], axis=1)


def _columns(y: Any) -> dict[str, Array]:
    if isinstance(y, Table):
        return y.columns
    shape = np.shape(y)
    if len(shape) == 2:
        return Table.of(y).columns
    if len(shape) != 1:
        raise ValueError(
            tr("y has the shape {shape}. Expected one value for each row, or a row of values for each.", shape=shape)
        )
    return Table({"y": y}).columns


def as_labels(y: Any, rows: int) -> Array:
    """A target's classes (n,), of the type that they came in: they are names, and no values to compute with.

    Raises:
        ValueError: There is not one for each row, some are missing, or text stands among numbers.
    """
    if y is None:
        raise ValueError(
            tr("There is no target: y is None. Expected a class for each row, as in `fit(X, y)`. requires y")
        )
    labels = np.asarray(y.to_numpy() if hasattr(y, "to_numpy") else y)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise ValueError(
            tr(
                "y has {shape} columns. Expected one class for each row, shape ({rows},).",
                shape=labels.shape[1] if labels.ndim == 2 else "no",
                rows=rows,
            )
        )
    _require_values(labels, rows)
    if labels.dtype.kind == "M":
        labels = labels.astype(str)
    if labels.dtype.kind == "O":
        types = {str if isinstance(one, str) else float for one in labels.tolist()}
        if len(types) > 1:
            raise ValueError(tr("The target holds text among numbers. Expected classes of one type: make text of all."))
        labels = labels if types == {str} else np.array(labels.tolist())
    if labels.dtype.kind not in "biufUO":
        raise ValueError(
            tr("The target is of the type {dtype}. Expected whole numbers, text or truth values.", dtype=labels.dtype)
        )
    return labels


def _require_values(y: Array, rows: int) -> None:
    """Raises ValueError where there is not one value for each row."""
    if len(y) != rows:
        raise ValueError(
            tr("y has {count} values, and X has {rows} rows. Expected one for each row.", count=len(y), rows=rows)
        )
    absent = np.array([one is None or type(one).__name__ == "NAType" or one != one for one in y.tolist()], bool)
    if absent.any():
        first = ", ".join(map(str, np.flatnonzero(absent)[:_FEW]))
        raise ValueError(
            tr(
                "The target is missing (NaN or None) in {count:,} of {rows:,} rows, the first of them {first}. "
                "Expected a value in every row: leave out the rows without one.",
                count=absent.sum(),
                rows=rows,
                first=first,
            )
        )


class Classes:
    """Classes in the order of their values, and the number of each.

    Example:
        >>> classes = Classes.learned(np.array(["no", "yes", "no"], object))
        >>> classes.values.tolist(), classes.numbers(np.array(["yes", "no"], object)).tolist()
        (['no', 'yes'], [1, 0])
    """

    def __init__(self, values: Array) -> None:
        self.values = values

    @classmethod
    def learned(cls, y: Array) -> Classes:
        """The classes in a target.

        Raises:
            ValueError: There is a single one.
        """
        values = np.unique(y)
        if len(values) < 2:
            raise ValueError(
                tr(
                    "The target has one class alone, {tolist!r}, in all {count:,} rows. Expected at least two: "
                    "there is nothing to tell apart.",
                    tolist=values.tolist()[0],
                    count=len(y),
                )
            )
        return cls(values)

    @classmethod
    def named(cls, classes: Any) -> Classes:
        """The classes of a target that comes in parts, named beforehand.

        Raises:
            ValueError: It is no list of two classes or more, of one type.
        """
        given = np.asarray(classes)
        if given.ndim != 1 or len(set(given.tolist())) < 2:
            raise ValueError(
                tr(
                    "`classes` is a list of all classes of the target, at least two. Received: {classes!r}",
                    classes=classes,
                )
            )
        return cls(np.unique(as_labels(given, len(given))))

    def numbers(self, y: Array) -> Array:
        """Each row's class as a number from 0."""
        return np.searchsorted(self.values, y)

    def config(self) -> dict[str, Any]:
        """As plain data, for a file."""
        kind = self.values.dtype
        return {"values": self.values.tolist(), "dtype": {"O": "object", "U": "U"}.get(kind.kind, kind.str)}

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Classes:
        """What `config` described."""
        return cls(np.array(config["values"], dtype=np.dtype(_checked_type(config["dtype"]))))


def _checked_type(name: str) -> str:
    # Of text without a length: NumPy finds it, and a length from a file could take any memory.
    if name not in ("object", "U") and (len(name) > 3 or np.dtype(name).kind not in "biuf"):
        raise ValueError(tr("its classes are of the type {name!r}.", name=name[:20]))
    return name


class Scale:
    """Values with mean 0 and standard deviation 1, and back.

    Example:
        >>> scale = Scale.learned(np.array([[1.0], [3.0]]))
        >>> scale.standardized(np.array([[5.0]])).tolist(), scale.values(np.array([[3.0]])).tolist()
        ([[3.0]], [[5.0]])
    """

    def __init__(self, mean: Sequence[float] | Array, deviation: Sequence[float] | Array) -> None:
        self.mean, self.deviation = np.asarray(mean, np.float64), np.asarray(deviation, np.float64)
        if not (np.isfinite(self.mean).all() and np.isfinite(self.deviation).all() and (self.deviation > 0).all()):
            raise ValueError(
                tr(
                    "The target has mean {mean} and standard deviation {deviation}, which float64 cannot hold.",
                    mean=mean,
                    deviation=deviation,
                )
            )

    @classmethod
    def learned(cls, y: Array, weight: Array | None = None) -> Scale:
        """The scale of targets (n, targets), which count what `weight` (n,) says.

        Raises:
            ValueError: A target has one value alone.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            mean = np.average(y, axis=0, weights=weight)
            deviation = np.sqrt(np.average(np.square(y - mean), axis=0, weights=weight))
        if not np.isfinite(deviation).all():
            raise ValueError(
                tr(
                    "The target goes from {lowest:.3g} to {highest:.3g}, and float64 cannot hold the squares of that. "
                    "Expected values below 1e150: give them in another unit, or their logarithms.",
                    lowest=y.min(),
                    highest=y.max(),
                )
            )
        constant = deviation <= 1e-12 * np.abs(mean)
        if constant.any():
            raise ValueError(
                tr(
                    "The target has one value alone, {y}, in all {count:,} rows. Expected at least two: there "
                    "is nothing to predict.",
                    y=y[0, int(np.argmax(constant))],
                    count=len(y),
                )
            )
        return cls(mean, deviation)

    def standardized(self, y: Array) -> Array:
        """Targets as the network has them, float32."""
        return ((y - self.mean) / self.deviation).astype(np.float32)

    def values(self, z: Array) -> Array:
        """What the network says, (n, targets), in the units of the targets."""
        return z.astype(np.float64) * self.deviation + self.mean

    def config(self) -> dict[str, Any]:
        """As plain data, for a file."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
