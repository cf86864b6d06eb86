"""`multilayer train TABLE` where memory cannot hold the table: it is looked at once, and then read in parts.

A first pass draws a sample from the whole file, since its beginning may be of one day or of one class: what is learned
from columns before training, what training is judged by, and what is measured and reported goes by that. In a second
pass all rows but those held out become numbers, which lie shuffled on disk while the network goes through them.
"""

from __future__ import annotations

import hashlib
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from multilayer._core.hashes import splitmix64
from multilayer._language import tr
from multilayer._system.machine import allowed_memory, peak_memory
from multilayer._tables import Table, column_types, joined, read_in_chunks, read_names
from multilayer._tables.forms import missing
from multilayer.cli import table_data, table_training
from multilayer.cli.table_data import Learnable
from multilayer.cli.table_options import TableOptions, bytes_in, real_separator, types_in
from multilayer.cli.table_training import Result
from multilayer.cli.terminal import say
from multilayer.functional import Array
from multilayer.tabular import TableWarning, TabularClassifier, TabularRegressor, permutation_importance
from multilayer.tabular.partial import Part, fit_in_parts
from multilayer.tabular.streaming import Reservoir

_TIMES = {".parquet": 100, ".pq": 100, ".gz": 100}  # memory that training takes, to the size of the file; of text 25
_WHOLE = (".npz", ".feather", ".arrow")  # files that are read as a whole
_CELL = 300  # bytes that a value takes while text becomes a column
_LEAST = 48 * 2**20  # bytes to work in, beside what Python and its libraries take
_MOST_SAMPLED = 60_000
_MOST_MEASURED = 50_000


class Whole(NamedTuple):
    """What the first pass over a file has found.

    Attributes:
        sample: Some of its rows.
        keys: A number for each of these, as good as drawn by chance.
        held_out: Which of them are to be measured by.
        types: The form of each column.
        rows: How many rows of the file are read at once.
        counts: How many rows each class has, of a classification.
        border: The time from which on rows are measured by, or None.
    """

    sample: Learnable
    keys: Array
    held_out: Array
    types: dict[str, str]
    rows: int
    counts: dict[str, int]
    border: float | None


def memory_for(options: TableOptions) -> int | None:
    """The bytes to do with where the table has to be trained on in parts, or None where it fits.

    Raises:
        OSError: There is no such file.
        ValueError: It cannot be done in parts as wanted, or in so little memory.
    """
    path = Path(options.table)
    allowed = allowed_memory()
    limit = bytes_in(options.memory) if options.memory else None if allowed is None else allowed // 2
    if limit is None or path.is_dir() or path.suffix.lower() in _WHOLE:
        return None
    needed = path.stat().st_size * _TIMES.get(path.suffix.lower(), 25)
    own = peak_memory() or 0
    if own + needed <= limit:
        return None
    if own + _LEAST > limit:
        raise ValueError(
            tr(
                "--memory: {limit:,.0f} MB are too little. Expected at least {own:,.0f} MB.",
                limit=limit / 1e6,
                own=(own + _LEAST) / 1e6 + 1,
            )
        )
    if options.folds is not None:
        raise ValueError(
            tr(
                "--folds: the table would take about {needed:.1f} GB of memory, and in parts it is trained on "
                "once. Leave out --folds, or allow more by --memory.",
                needed=needed / 1e9,
            )
        )
    return limit - own


def surveyed(options: TableOptions, memory: int) -> Whole:
    """Looks at the whole file, a part at a time.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no table, or nothing can be learned from it; the message says why.
    """
    path, separator = Path(options.table), _separator(options)
    names = read_names(path, separator, options.encoding)
    name = table_data.check_names(Table({one: [""] for one in names}), options)
    rows = int(np.clip(memory // 4 // (_CELL * len(names)), 100, 50_000))
    most = int(np.clip(memory // 6 // (100 * len(names)), 1_000, _MOST_SAMPLED))
    say(tr("The table is trained on in parts of {rows:,} rows, as memory could not hold it.", rows=rows))
    say(tr("Reading it for the first time, to see what its columns are"))
    types = column_types(path, rows, separator, options.encoding, types_in(options.types))
    if types[name] == "boolean":
        types[name] = "text"  # a part may have one of the two words alone, and nobody would know the other
    reservoir = Reservoir(most, np.random.default_rng(options.seed))
    kept: Table | None = None
    keys = np.zeros(0, np.uint64)
    values: Counter[object] = Counter()
    without = count = 0
    for part, of_part in _parts(options, types, rows, name):
        without += part.absent
        count += len(of_part)
        if len(values) <= table_data.MOST_CLASSES:
            values.update(part.table[name].tolist())
        stay, join = reservoir.kept(len(of_part))
        new = part.table.rows(join)
        kept = new if kept is None else joined([kept.rows(stay), new])
        keys = np.concatenate([keys[stay], of_part[join]])
    if kept is None or not count:
        raise ValueError(
            tr("The target {name!r} is missing in every row. Expected a value where it is known.", name=name)
        )
    # Of some parts nobody could tell, such as one whose numbers have no decimals.
    kept.written = {one: form.partition(": ")[2] for one, form in types.items() if ": " in form}
    notes = [
        tr(
            "Columns, and all figures, are those of a sample of {count:,} of {rows:,} rows.",
            count=len(kept),
            rows=count,
        )
    ]
    if without:
        notes.append(tr("{without:,} rows without a value of `{name}` were left out.", without=without, name=name))
    return _whole(kept, keys, name, options, types, rows, values, count, notes)


def _whole(
    kept: Table,
    keys: Array,
    name: str,
    options: TableOptions,
    types: dict[str, str],
    rows: int,
    values: Counter[object],
    count: int,
    notes: list[str],
) -> Whole:
    sample = table_data.learnable_from(kept, name, options, notes)._replace(total=count)
    counts = _counts(values, name) if sample.task == "classification" else {}
    if counts:  # also of classes that the sample has no row of
        sample = sample._replace(classes=table_data.in_order(counts))
    border = None
    if sample.times is not None:
        border = float(np.quantile(sample.times, 1 - options.validation, method="higher"))
    held_out = _held_out(keys, sample.times, options.validation, border)
    if held_out.all() or not held_out.any():
        raise ValueError(
            tr(
                "Nothing would be left to {purpose} of a sample of {count:,} rows. Expected rows of several "
                "groups or times, and another --validation.",
                purpose=tr("train on") if held_out.all() else tr("measure by"),
                count=len(kept),
            )
        )
    return Whole(sample, keys, held_out, types, rows, counts, border)


def _counts(values: Counter[object], name: str) -> dict[str, int]:
    """How many rows each class has."""
    if len(values) > table_data.MOST_CLASSES:
        raise ValueError(
            tr(
                "The target {name!r} has more than {most_classes:,} different values. Expected classes: see "
                "whether it is the column that is meant.",
                name=name,
                most_classes=table_data.MOST_CLASSES,
            )
        )
    labels = Table({name: list(values)}).as_types({name: "text"})[name]
    return dict(zip(labels.tolist(), values.values(), strict=True))


class _Rows(NamedTuple):
    table: Table
    absent: int


def _parts(options: TableOptions, types: dict[str, str], rows: int, name: str) -> Iterator[tuple[_Rows, Array]]:
    """The rows of the file that have a target, with their keys.

    A key goes by the number of the row, and not by what stands in it: rows that are alike would all be held out, or
    none of them, and where there are few different ones, what was to be learned of them would be missing.
    """
    first = 0
    for part in read_in_chunks(options.table, rows, _separator(options), options.encoding, types):
        numbers = np.arange(first, first + len(part), dtype=np.uint64)
        first += len(part)
        there = ~missing(part[name])
        table = part if there.all() else part.rows(there)
        if options.group is not None:
            keys = _keys_of_groups(table[options.group], numbers[there])
        else:
            keys = numbers[there]
        yield _Rows(table, int((~there).sum())), splitmix64(keys, options.seed)


def _keys_of_groups(column: Array, numbers: Array) -> Array:
    """The same number for all rows of a group; rows without one are groups of their own."""
    there = ~missing(column)
    keys: Array = numbers.copy()
    groups, which = np.unique(column[there].astype(str), return_inverse=True)
    hashes = [hashlib.blake2b(one.encode(), digest_size=8).digest() for one in groups.tolist()]
    keys[there] = np.frombuffer(b"".join(hashes), "<u8")[which.reshape(-1)]
    return keys


def _held_out(keys: Array, times: Array | None, share: float, border: float | None) -> Array:
    """Which rows are to be measured by."""
    if border is not None:
        later: Array = np.asarray(times, np.float64) >= border
        return later
    # The folds go by the rest of division: what is held out goes by another number that the key gives.
    chosen: Array = splitmix64(keys, 2**31) < np.uint64(share * 2**64)
    return chosen


def run(options: TableOptions, whole: Whole, memory: int) -> Result:
    """Trains on the file in parts, and measures on rows of the sample that were held out.

    Raises:
        OSError: The file cannot be read any more, or the disk has too little space.
        ValueError: The estimator refuses the rows.
    """
    began = time.monotonic()
    sample, held_out = whole.sample, whole.held_out
    kind = TabularClassifier if sample.task == "classification" else TabularRegressor
    estimator = kind(
        options.recipe, members=options.members, budget=options.budget, random_state=options.seed, verbose=1
    )
    train, test = np.flatnonzero(~held_out), np.flatnonzero(held_out)[:_MOST_MEASURED]
    seen = Part(sample.features.rows(train), sample.target[train], whole.keys[train])
    say(tr("Reading it again, to have its rows shuffled on disk as numbers, and training on these"))
    with warnings.catch_warnings(), table_training.in_a_line(tr("Training")):
        warnings.simplefilter("ignore", TableWarning)
        fit_in_parts(
            estimator, seen, _to_train_on(options, whole), round(sample.total * len(train) / len(held_out)),
            memory=memory, counts=whole.counts or None,
        )  # fmt: skip
    say(tr("Training: {seconds:.1f} s", seconds=time.monotonic() - began))
    measured = table_training.measured(sample, estimator, train, test)
    say(tr("Shuffling one column at a time, to see what each is worth"))
    worth = permutation_importance(
        estimator, sample.features.rows(test), sample.target[test], random_state=options.seed
    )
    by = (
        tr("by whole groups of `{group}`", group=options.group) if options.group is not None
        else tr("by `{time}`, measured by what comes last", time=options.time) if options.time is not None
        else tr("by chance")
    )  # fmt: skip
    share = held_out.mean()
    split = tr(
        "trained in parts on about {total:,.0f} rows, measured on {count:,} of about {others:,.0f} "
        "others, chosen {by}; the linear model learned from {learned:,} rows",
        total=sample.total * (1 - share),
        count=len(test),
        others=sample.total * share,
        by=by,
        learned=len(train),
    )
    return Result(sample, estimator, [measured], worth, split, estimator.messages_, time.monotonic() - began)


def _to_train_on(options: TableOptions, whole: Whole) -> Iterator[Part]:
    sample = whole.sample
    for part, keys in _parts(options, whole.types, whole.rows, sample.name):
        times = None if options.time is None else table_data.as_times(part.table, options.time)
        table, known = part.table, ~_held_out(keys, times, options.validation, whole.border)
        table = table.rows(known)
        if sample.task == "classification":
            target = table.as_types({sample.name: "text"})[sample.name]
        else:
            target = table[sample.name].astype(np.float64)
        yield Part(table.select(sample.features.names), target, keys[known])


def _separator(options: TableOptions) -> str | None:
    return None if options.separator is None else real_separator(options.separator)
