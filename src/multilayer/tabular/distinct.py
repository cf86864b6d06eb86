"""Rows that are alike, as one that counts more, in an order of their own.

What is learned from a table is to depend neither on the order in which its rows were written down nor on how often
one was: a row that stands there twice is the same as one of weight 2. So rows that are alike become one, and, as each
was seen so often, copies of that: as many as there are folds at most, among which its weight is shared out. In a table
of few cells, where the same columns come with one answer and with the other, every member sees most of both.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from multilayer._core.hashes import fingerprint64, splitmix64
from multilayer._tables import Table
from multilayer.functional import Array


class Distinct(NamedTuple):
    """The rows of a table, those that are alike as copies of one.

    Attributes:
        rows: Where each stands first, in an order that depends on their values alone; copies one after the other.
        unit: Which are copies of one: a number for each (n,), ascending from 0.
        weight: What each counts (n,).
        times: How often each stands there (n,): at the first of its copies, and 0 at the others.
    """

    rows: Array
    unit: Array
    weight: Array
    times: Array


def distinct(table: Table, others: Iterable[Array], weight: Array | None, copies: int = 1) -> Distinct:
    """The rows of a table, those that are alike as copies of one; those of weight 0 are left out.

    Args:
        table: The table.
        others: Further columns (n,) or (n, k) by which rows differ, such as the target.
        weight: What the rows count (n,), or None where all count 1.
        copies: The most copies of one, where weights are whole numbers, and so say how often a row was seen.

    Example:
        >>> found = distinct(Table.of({"city": ["Seoul", "Busan", "Seoul"]}), [np.array([1, 1, 1])], None)
        >>> sorted(zip(found.rows.tolist(), found.weight.tolist(), strict=True))
        [(0, 2.0), (1, 1.0)]
    """
    weight = np.ones(len(table)) if weight is None else weight
    counting = np.flatnonzero(weight)
    columns = list(table.columns.values())
    for one in others:
        columns += list(one.reshape(len(one), -1).T)
    codes = np.empty((len(columns), len(counting)), np.uint64)  # equal where values are
    hashes = np.zeros(len(counting), np.uint64)
    for i, column in enumerate(columns):
        codes[i], keys = _codes(column[counting])
        hashes = splitmix64(hashes ^ keys)
    order = np.argsort(hashes, kind="stable")
    ordered = codes[:, order]
    begins = np.r_[True, (ordered[:, 1:] != ordered[:, :-1]).any(axis=0)]
    number = np.empty(len(order), np.intp)
    number[order] = np.cumsum(begins) - 1
    sums, times = np.bincount(number, weights=weight[counting]), np.bincount(number)
    whole = bool((sums == np.floor(sums)).all())
    shares = np.clip(sums, 1, copies).astype(np.intp) if whole else np.ones(len(sums), np.intp)
    unit = np.repeat(np.arange(len(sums)), shares)
    is_first = np.r_[True, unit[1:] != unit[:-1]]
    return Distinct(counting[order[begins]][unit], unit, (sums / shares)[unit], times[unit] * is_first)


def _codes(column: Array) -> tuple[Array, Array]:
    """For each value a number that is its own in the column, and one that is its own in all tables, or nearly so."""
    if column.dtype.kind == "f":
        bits = np.where(column != column, np.nan, column + 0.0).astype(np.float64).view(np.uint64)  # and 0 for -0
        return bits, bits
    if column.dtype.kind in "biuM":
        whole = column.astype(np.int64).view(np.uint64)
        return whole, whole
    texts = column.tolist()
    numbers = {one: number for number, one in enumerate(dict.fromkeys(texts))}
    codes = np.fromiter(map(numbers.__getitem__, texts), np.uint64, len(texts))
    keys = fingerprint64([b"" if one is None else b"=" + one.encode("utf-8", "surrogatepass") for one in numbers])
    return codes, keys[codes]
