"""One training step laid open: every array that it computes, by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from multilayer._language import later, tr
from multilayer._names import registry
from multilayer.functional import Array

_COLUMNS = (
    later("name"), later("formula"), later("shape"), later("smallest"), later("mean"), later("largest"),
)  # fmt: skip
_PARTS = (later("forward"), later("loss"), later("backward"), later("update"))  # of a step, as its entries name them


class Entry(NamedTuple):
    """One array of a step.

    Attributes:
        name: What it is called, such as 'dW2'.
        formula: How it comes about, such as 'z1.T @ dy'.
        value: The array; the loss has the shape ().
        part: 'forward', 'loss', 'backward' or 'update'.
    """

    name: str
    formula: str
    value: Array
    part: str


class Trace(Mapping[str, Array]):
    """What one training step computes, by name and in order: `model.trace(x, y)` gives one.

    It is a mapping from names to arrays, which are copies that can be read only. Printed, it is a table with each
    array's formula, shape, and smallest, mean and largest number; a notebook shows it with a picture of every matrix.

    Args:
        title: What was traced.
        entries: The arrays.

    Attributes:
        entries: All that is known of each: name, formula, value, part.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((1,)), layers.Dense(1, kernel_initializer="ones")])
        >>> model.compile("sgd", "mse")
        >>> step = model.trace([[2.0]], [1.0])
        >>> [(entry.name, entry.formula) for entry in step.entries if entry.part == "backward"]
        [('dy', '2 (y_hat - t) / n'), ('dW1', 'X.T @ dy'), ('db1', 'dy.sum(axis=0)')]
        >>> step["dW1"]
        array([[4.]], dtype=float32)
    """

    def __init__(self, title: str, entries: Sequence[Entry]) -> None:
        self.title = title
        self.entries = tuple(entries)
        self._values = {entry.name: entry.value for entry in self.entries}
        for value in self._values.values():
            value.setflags(write=False)

    def __getitem__(self, name: str) -> Array:
        try:
            return self._values[name]
        except KeyError:
            raise KeyError(str(registry.unknown("array", name, self._values))) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    @property
    def loss(self) -> float:
        """The loss before the step."""
        return float(self._values["loss"])

    def __repr__(self) -> str:
        return f"<Trace of {self.title}: {', '.join(self)}>"

    def __str__(self) -> str:
        return text_table(self)

    def _repr_html_(self) -> str:
        return html_table(self)


def statistics(value: Array) -> tuple[str, str, str]:
    """The smallest, mean and largest number of an array, in four digits; a single number stands in the middle."""
    with np.errstate(all="ignore"):  # what is infinite is shown as such
        numbers = (value.min(), value.mean(dtype=np.float64), value.max())
    smallest, mean, largest = (f"{float(number):.4g}" for number in numbers)
    return (smallest, mean, largest) if value.ndim else ("", mean, "")


def text_table(trace: Trace) -> str:
    """A trace as text: a line for each array."""
    rows: list[Sequence[str]] = [_COLUMNS]
    rows += [(*_described(entry), *statistics(entry.value)) for entry in trace.entries]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_COLUMNS))]
    lines = [_line(row, widths) for row in rows]
    width = max(len(line) for line in lines)
    text, part = [trace.title, lines[0]], ""
    for entry, line in zip(trace.entries, lines[1:], strict=True):
        if entry.part != part:
            text.append(f"-- {entry.part} ".ljust(width, "-"))
        part = entry.part
        text.append(line)
    return "\n".join(text)


def html_table(trace: Trace) -> str:
    """A trace for a notebook: a row for each array, with its picture; its words in the language that is spoken."""
    from multilayer.glass import page  # only here: `import multilayer` is quick

    rows, part, header = [], "", [tr(column) for column in _COLUMNS]
    for entry in trace.entries:
        if entry.part != part:
            rows.append(page.heading(tr(entry.part), len(_COLUMNS) + 1))
        part = entry.part
        name, formula, shape = _described(entry)
        rows.append(page.row((name, tr(formula), shape), statistics(entry.value), page.picture(entry.value)))
    return page.table(trace.title, page.row(header[:3], header[3:], kind="th"), rows)


def _described(entry: Entry) -> tuple[str, str, str]:
    return entry.name, entry.formula, str(entry.value.shape)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    left = [cell.ljust(width) for cell, width in zip(row[:3], widths, strict=False)]
    right = [cell.rjust(width) for cell, width in zip(row[3:], widths[3:], strict=True)]
    return "  ".join([*left, *right]).rstrip()
