"""A table to learn from: what is predicted, from which columns, and whether as classes or as values."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilayer._language import tr
from multilayer._tables import Column, Table, describe_columns, read_table
from multilayer._tables.forms import listed, missing, places
from multilayer.cli.table_options import TableOptions, names_in, real_separator, types_in
from multilayer.functional import Array

_MOST_NUMBERED_CLASSES = 10
MOST_CLASSES = 1000
_MOST_LISTED = 20  # names in a message


class Learnable(NamedTuple):
    """A table that can be learned from.

    Attributes:
        features: The columns to predict from.
        target: What is to be predicted (n,): labels, as objects of str, or float64.
        name: The target's column.
        task: "classification" or "regression".
        reason: Why it is that task, in a sentence.
        columns: What each column was taken for.
        groups: The group of each row, or None.
        times: The time of each row, or None.
        notes: What was found out, in sentences.
        label_form: The form that labels had in the file.
        classes: The classes in order, those that are numbers by their size; of a regression none.
        total: How many rows the file has that can be learned from; more than these are, where these are a sample.
    """

    features: Table
    target: Array
    name: str
    task: str
    reason: str
    columns: list[Column]
    groups: Array | None
    times: Array | None
    notes: list[str]
    label_form: str
    classes: list[str]
    total: int


def in_order(labels: Iterable[str]) -> list[str]:
    """Classes in order, those that are numbers by their size."""
    return sorted(set(labels), key=_by_size)


def _by_size(label: str) -> tuple[float, str]:
    try:
        return float(label), label
    except ValueError:
        return float("inf"), label


def load(options: TableOptions) -> Learnable:
    """Reads a table, and finds out what can be learned from it.

    Raises:
        OSError: It cannot be read.
        ValueError: There is no such column, or nothing can be learned from it; the message says why.
    """
    separator = None if options.separator is None else real_separator(options.separator)
    table = read_table(options.table, separator, options.encoding, types_in(options.types))
    name = check_names(table, options)
    table, notes = with_target(table, name)
    return learnable_from(table, name, options, notes)


def check_names(table: Table, options: TableOptions) -> str:
    """The target's name.

    Raises:
        ValueError: An option names a column that the table does not have.
    """
    name = _target_of(table, options.target)
    for option, column in (("--group", options.group), ("--time", options.time)):
        if column is not None:
            _require(table, column, option)
    for column in names_in(options.drop):
        _require(table, column, "--drop")
    for column in types_in(options.types):
        _require(table, column, "--types")
    return name


def learnable_from(table: Table, name: str, options: TableOptions, notes: list[str]) -> Learnable:
    """What can be learned from rows that all have a target.

    Raises:
        ValueError: Nothing can be learned from them; the message says why.
    """
    target, task, reason = learned(table, name, options.task)
    left_out = {name, *names_in(options.drop), *([options.group] if options.group else [])}
    features = table.without(left_out)
    if not features.names:
        raise ValueError(tr("No column is left to predict {name!r} from. Expected at least one besides it.", name=name))
    if options.group is not None:
        notes = [
            *notes,
            tr("`{group}` says which rows belong together, and is not predicted from.", group=options.group),
        ]
    columns = describe_columns(features)
    if not any(one.kind in ("number", "category", "boolean", "date") for one in columns):
        raise ValueError(
            tr("There is nothing to predict {name!r} from: ", name=name)
            + "; ".join(
                tr("{name} is {kind}, {reason}", name=one.name, kind=tr(one.kind), reason=one.reason)
                for one in columns[:10]
            )
        )
    return Learnable(
        features, target, name, task, reason, columns,
        None if options.group is None else _as_groups(table[options.group]),
        None if options.time is None else as_times(table, options.time),
        [*table.notes, *notes], table.types[name],
        in_order(target) if task == "classification" else [], len(target),
    )  # fmt: skip


def _target_of(table: Table, given: str | None) -> str:
    if given is None:
        raise ValueError(
            tr(
                "Which column is to be predicted? Name it by --target. The last is {last!r}; there are {known}.",
                last=table.names[-1],
                known=listed(table.names, _MOST_LISTED),
            )
        )
    _require(table, given, "--target")
    return given


def _require(table: Table, name: str, option: str) -> None:
    if name not in table:
        close = [one for one in table.names if one.strip().lower() == name.strip().lower()]
        advice = tr(" Did you mean {close!r}?", close=close[0]) if close else ""
        raise ValueError(
            tr(
                "{option}: there is no column {name!r}.{advice} Expected one of {names}.",
                option=option,
                name=name,
                advice=advice,
                names=listed(table.names, _MOST_LISTED),
            )
        )


def with_target(table: Table, name: str) -> tuple[Table, list[str]]:
    """The rows that have a target."""
    absent = missing(table[name])
    if absent.all():
        raise ValueError(
            tr("The target {name!r} is missing in every row. Expected a value where it is known.", name=name)
        )
    if not absent.any():
        return table, []
    where = places(np.flatnonzero(absent), table.place)
    return table.rows(~absent), [
        tr(
            "{count:,} rows without a value of `{name}` were left out: {where}.",
            count=absent.sum(),
            name=name,
            where=where,
        )
    ]


def learned(table: Table, name: str, wanted: str | None) -> tuple[Array, str, str]:
    """The target as labels or numbers, the task, and why it is that."""
    column = table[name]
    form = table.types[name]
    values = np.unique(column)
    if len(values) < 2:
        value = table.as_types({name: "text"})[name][0]
        raise ValueError(
            tr(
                "The target {name!r} has one value alone, {value!r}, in all {count:,} rows. Expected at least "
                "two: there is nothing to predict.",
                name=name,
                value=value,
                count=len(column),
            )
        )
    if form == "date":
        raise ValueError(
            tr(
                "The target {name!r} holds dates. Expected classes or numbers: make it a number, such as days "
                "since another date.",
                name=name,
            )
        )
    task, reason = (wanted, tr("as --task says")) if wanted is not None else _task_of(name, column, values)
    if task == "regression":
        if form == "text":
            raise ValueError(
                tr(
                    "The target {name!r} holds text, such as {values!r}. Expected numbers for a regression.",
                    name=name,
                    values=values[0],
                )
            )
        return column.astype(np.float64), task, reason
    if len(values) > min(MOST_CLASSES, max(2, 0.5 * len(column))):
        raise ValueError(
            tr(
                "The target {name!r} has {count:,} different values in {rows:,} rows. Expected classes, "
                "each in several rows{advice}: see whether it is the column that is meant.",
                name=name,
                count=len(values),
                rows=len(column),
                advice=", or --task regression" if form == "number" else "",
            )
        )
    return table.as_types({name: "text"})[name], task, reason


def _task_of(name: str, column: Array, values: Array) -> tuple[str, str]:
    if column.dtype.kind == "O":
        return "classification", tr("`{name}` holds text, {count:,} different values", name=name, count=len(values))
    if column.dtype.kind == "b" or len(values) == 2:
        return "classification", tr("`{name}` has two values", name=name)
    whole = bool((values % 1 == 0).all())
    few = len(values) <= _MOST_NUMBERED_CLASSES and values[-1] - values[0] < 2 * _MOST_NUMBERED_CLASSES
    if whole and few and len(column) >= 5 * len(values):
        return (
            "classification",
            tr(
                "`{name}` has {count} different whole numbers; --task regression would predict values between them",
                name=name,
                count=len(values),
            ),
        )
    kind = tr("whole numbers") if whole else tr("numbers")
    return "regression", tr("`{name}` has {count:,} different {kind}", name=name, count=len(values), kind=kind)


def _as_groups(column: Array) -> Array:
    """Groups as whole numbers; rows without one are groups of their own."""
    absent = missing(column)
    numbers = np.empty(len(column), np.int64)
    numbers[~absent] = np.unique(column[~absent], return_inverse=True)[1].reshape(-1)
    numbers[absent] = len(column) + np.arange(absent.sum())
    return numbers


def as_times(table: Table, name: str) -> Array:
    """The time of each row, as numbers.

    Raises:
        ValueError: It is no time, or missing in some rows.
    """
    column = table[name]
    absent = missing(column)
    if table.types[name] not in ("date", "number"):
        raise ValueError(
            tr(
                "--time: {name!r} holds {types}. Expected dates or numbers, which have an order.",
                name=name,
                types=table.types[name],
            )
        )
    if absent.any():
        where = places(np.flatnonzero(absent), table.place)
        raise ValueError(
            tr("--time: {name!r} is missing in {where}. Expected a time in every row.", name=name, where=where)
        )
    return column.astype(np.int64) if column.dtype.kind == "M" else column
