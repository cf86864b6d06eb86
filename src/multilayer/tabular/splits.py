"""Which rows are trained on and which are measured by: by chance, by whole groups, or by time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from multilayer._language import tr
from multilayer.functional import Array


def held_out(
    rows: int,
    share: float,
    *,
    classes: Array | None = None,
    groups: Array | None = None,
    times: Array | None = None,
    seed: int | None = None,
) -> tuple[Array, Array]:
    """The rows to train on, and those to measure by.

    Args:
        rows: How many rows there are.
        share: The share of them to measure by, between 0 and 1.
        classes: The class of each row, to have the same shares of classes in both parts.
        groups: The group of each row: no group is in both parts.
        times: The time of each row: what is measured by comes after what is trained on.
        seed: What the choice depends on.

    Returns:
        The numbers of the rows of both parts, in order.

    Raises:
        ValueError: A part would be empty.

    Example:
        >>> [part.tolist() for part in held_out(5, 0.4, times=np.array([3, 1, 5, 2, 4]))]
        [[0, 1, 3], [2, 4]]
    """
    if times is not None:
        where = _latest(times, share)
    elif groups is not None:
        where = _whole_groups(groups, share, np.random.default_rng(seed))
    else:
        where = np.zeros(rows, bool)
        order = _mixed(rows, classes, np.random.default_rng(seed))
        # Every so many of rows that are in the order of their classes: each class has its share.
        wanted = min(max(1, round(rows * share)), rows - 1)
        where[order[np.linspace(0, rows, wanted, endpoint=False).astype(int)]] = True
    train, test = np.flatnonzero(~where), np.flatnonzero(where)
    if not len(train) or not len(test):
        raise ValueError(
            tr(
                "Nothing would be left to {purpose}. Expected at least two {what}.",
                purpose=tr("measure by") if len(train) else tr("train on"),
                what=tr("times") if times is not None else tr("groups") if groups is not None else tr("rows"),
            )
        )
    return train, test


def folds(
    rows: int,
    count: int,
    *,
    classes: Array | None = None,
    groups: Array | None = None,
    times: Array | None = None,
    seed: int | None = None,
) -> Iterator[tuple[Array, Array]]:
    """Cross-validation: the rows to train on and to measure by, several times.

    By chance and by groups every row is measured by once. By time the rows are cut into `count` + 1 parts, each but the
    first of which is measured by after training on all before it.

    Args:
        rows: How many rows there are.
        count: How many times.
        classes: The class of each row, to have the same shares of classes in all parts.
        groups: The group of each row: no group is in both parts.
        times: The time of each row: what is measured by comes after what is trained on.
        seed: What the choice depends on.

    Yields:
        The numbers of the rows of both parts, in order.

    Raises:
        ValueError: There are fewer rows, groups or times than parts.
    """
    if times is not None:
        parts = np.array_split(np.unique(times), count + 1)
        _require(len(parts[-1]), tr("times"), count + 1)
        for part in parts[1:]:
            yield np.flatnonzero(times < part[0]), np.flatnonzero((times >= part[0]) & (times <= part[-1]))
        return
    draw = np.random.default_rng(seed)
    if groups is not None:
        values, which = np.unique(groups, return_inverse=True)
        _require(len(values) >= count, tr("groups"), count)
        fold = _balanced(np.bincount(which.reshape(-1)), count, draw)[which.reshape(-1)]
    else:
        _require(rows >= count, tr("rows"), count)
        fold = np.empty(rows, np.intp)
        fold[_mixed(rows, classes, draw)] = np.arange(rows) % count
    for one in range(count):
        yield np.flatnonzero(fold != one), np.flatnonzero(fold == one)


def _require(there: object, what: str, count: int) -> None:
    if not there:
        raise ValueError(
            tr(
                "There are fewer than {count} {what}. Expected at least as many: take fewer folds.",
                count=count,
                what=what,
            )
        )


def _mixed(rows: int, classes: Array | None, draw: np.random.Generator) -> Array:
    """The rows in the order of their classes, by chance within each."""
    order = draw.permutation(rows)
    return order if classes is None else order[np.argsort(classes[order], kind="stable")]


def _latest(times: Array, share: float) -> Array:
    """Rows of one time stay together, so that nothing is trained on that is of the time to be predicted."""
    border = np.sort(times)[min(len(times) - 1, round(len(times) * (1 - share)))]
    later: Array = times >= border
    # Where the border is the first time of all, all that are later than it.
    return later if not later.all() else times > border


def _whole_groups(groups: Array, share: float, draw: np.random.Generator) -> Array:
    values, which, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    chosen = np.zeros(len(values), bool)
    for one in draw.permutation(len(values)):
        if chosen.sum() == len(values) - 1 or sizes[chosen].sum() >= share * len(groups):
            break
        chosen[one] = True
    rows: Array = chosen[which.reshape(-1)]
    return rows


def _balanced(sizes: Array, count: int, draw: np.random.Generator) -> Array:
    """A fold for each group: the largest first, each to where there are the fewest rows."""
    order = draw.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    fold, filled = np.empty(len(sizes), np.intp), np.zeros(count)
    for group in order:
        fold[group] = np.argmin(filled)
        filled[fold[group]] += sizes[group]
    return fold
