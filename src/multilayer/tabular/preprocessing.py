"""From the columns of a table to the two matrices that a network begins with, by what was learned from training rows.

Numbers are centred at the median and divided by the distance between the quartiles; what is missing is the median, and
a code says that it was missing. Categories are codes, of which 0 is what was never seen. A date is the days since the
median, and its parts on circles: the month, the day of the week, the hour.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import numpy as np

from multilayer._checks.scalars import real_number
from multilayer._language import tr
from multilayer._tables import Column, Table, describe_columns
from multilayer._tables.forms import listed, missing
from multilayer.functional import Array

FARTHEST = 1e6  # distances between quartiles from the median; farther than that a float32 squared is none
_MOST_CATEGORIES = 100  # a column; the rarer ones share a code
_FEWEST_OF_CATEGORY = 2  # of one that was seen once, a network learns nothing but noise


class Encoded(NamedTuple):
    """A table as a network takes it.

    Attributes:
        numbers: float32 (n, p), no NaN.
        codes: int32 (n, q), 0 for what was not seen in training, else from 1 to the column's cardinality.
        notes: What a user should know of these rows, in sentences.
    """

    numbers: Array
    codes: Array
    notes: list[str]


class NumberEncoding:
    """A number: z = (x - median) / (q75 - q25), where q75 = q25, (x - median) 2 / (max - min).

    Where values were missing in training, a code says which: 1 for one that is there, 2 for one that is not.
    """

    kind: ClassVar[str] = "number"
    width: ClassVar[int] = 1  # numbers that it becomes

    def __init__(self, name: str, center: float, factor: float, missing: bool) -> None:
        self.name, self.center, self.factor, self.missing = name, center, factor, missing

    @classmethod
    def learned(cls, name: str, column: Array) -> NumberEncoding:
        """What training rows say of the column."""
        column = column.astype(np.float64)
        absent = np.isnan(column)
        center, factor = _robust(column[~absent])
        return cls(name, center, factor, bool(absent.any()))

    @property
    def cardinalities(self) -> list[int]:
        return [2] if self.missing else []

    def numbers(self, column: Array) -> list[Array]:
        return [_scaled(column.astype(np.float64), self.center, self.factor)]

    def codes(self, column: Array) -> list[Array]:
        return [1 + np.isnan(column.astype(np.float64))] if self.missing else []

    def config(self) -> dict[str, Any]:
        return {"name": self.name, "center": self.center, "factor": self.factor, "missing": self.missing}


class CategoryEncoding:
    """Text, or truth values: a code for each category, one for all that are rare, and one for what is missing.

    Codes go by how often a category was seen, the most frequent first; the rare ones follow, then what is missing.
    """

    kind: ClassVar[str] = "category"
    width: ClassVar[int] = 0

    def __init__(self, name: str, categories: Sequence[str], rare: Sequence[str], missing: bool, boolean: bool) -> None:
        self.name, self.categories, self.rare = name, list(categories), list(rare)
        self.missing, self.boolean = missing, boolean
        self.code_of: dict[Any, int] = {one: 1 + i for i, one in enumerate(self.categories)}
        self.code_of |= dict.fromkeys(self.rare, 1 + len(self.categories))
        if missing:
            self.code_of[None] = self.cardinalities[0]

    @classmethod
    def learned(cls, name: str, column: Array) -> CategoryEncoding:
        """What training rows say of the column."""
        boolean = column.dtype.kind != "O"
        texts = _as_categories(column)
        present = texts[~missing(texts)]
        values, counts = np.unique(present, return_counts=True) if len(present) else (present, np.zeros(0, int))
        often = [i for i in np.argsort(-counts, kind="stable") if counts[i] >= _FEWEST_OF_CATEGORY or len(values) == 2]
        kept = [str(values[i]) for i in often[:_MOST_CATEGORIES]]
        rare = sorted({str(one) for one in values} - set(kept))
        return cls(name, kept, rare, len(present) < len(texts), boolean)

    @property
    def cardinalities(self) -> list[int]:
        return [len(self.categories) + bool(self.rare) + self.missing]

    def numbers(self, column: Array) -> list[Array]:  # noqa: ARG002
        return []

    def codes(self, column: Array) -> list[Array]:
        get = self.code_of.get
        return [np.array([get(one, 0) for one in _as_categories(column).tolist()], np.int32)]

    def unseen(self, column: Array) -> list[str]:
        """The categories in a column that training rows did not have."""
        return sorted({one for one in _as_categories(column).tolist() if one is not None and one not in self.code_of})

    def config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "categories": self.categories,
            "rare": self.rare,
            "missing": self.missing,
            "boolean": self.boolean,
        }


_Part = tuple[str, float, Callable[[Array], Array]]
_DAY = 86_400.0  # seconds
# A part of a date goes round: December lies beside January. So it is a point on a circle, not a number on a line.
_PARTS: list[_Part] = [
    ("month", 12.0, lambda dates: dates.astype("datetime64[M]").astype(np.int64) % 12),
    ("day of the week", 7.0, lambda dates: (dates.astype("datetime64[D]").astype(np.int64) + 3) % 7),
    ("hour", 24.0, lambda dates: dates.astype("datetime64[s]").astype(np.int64) % 86_400 / 3_600),
]

_PART_NAMES = {part: part for part, _, _ in _PARTS}


class DateEncoding:
    """A date: its days since the median, scaled as numbers are, and (cos, sin) of each part of which training has two.

    The parts are the month, the day of the week and the hour. A missing date is the median, with parts (0, 0).
    """

    kind: ClassVar[str] = "date"

    def __init__(self, name: str, center: float, factor: float, missing: bool, parts: Sequence[str]) -> None:
        self.name, self.center, self.factor, self.missing, self.parts = name, center, factor, missing, list(parts)
        self.width = 1 + 2 * len(self.parts)

    @classmethod
    def learned(cls, name: str, column: Array) -> DateEncoding:
        """What training rows say of the column."""
        present = column[~np.isnat(column)]
        center, factor = _robust(_days(present))
        parts = [part for part, _, of in _PARTS if len(np.unique(of(present))) > 1]
        return cls(name, center, factor, len(present) < len(column), parts)

    @property
    def cardinalities(self) -> list[int]:
        return [2] if self.missing else []

    def numbers(self, column: Array) -> list[Array]:
        there = ~np.isnat(column)
        result = [_scaled(np.where(there, _days(column), np.nan), self.center, self.factor)]
        for part, whole, of in _PARTS:
            if part in self.parts:
                angle = 2 * np.pi * of(column) / whole
                result += [np.where(there, np.cos(angle), 0.0), np.where(there, np.sin(angle), 0.0)]
        return result

    def codes(self, column: Array) -> list[Array]:
        return [1 + np.isnat(column)] if self.missing else []

    def config(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "center": self.center,
            "factor": self.factor,
            "missing": self.missing,
            "parts": self.parts,
        }


Encoding = NumberEncoding | CategoryEncoding | DateEncoding
_ENCODINGS: dict[str, type[Any]] = {one.kind: one for one in (NumberEncoding, CategoryEncoding, DateEncoding)}


class Preprocessing:
    """What is done with the columns of a table before a network has them, as training rows have it.

    Args:
        names: All columns that the table had.
        named: Whether these are the user's names.
        encodings: What is done with each column that is used.
        forms: The form of each used column, as `Table.types` has it.

    Example:
        >>> table = Table.of({"age": [31, 35, None, 40], "city": ["Seoul", "Busan", "Seoul", "Seoul"]})
        >>> preprocessing, columns = Preprocessing.learned(table)
        >>> encoded = preprocessing(table)
        >>> encoded.numbers.ravel().tolist()
        [-0.8888888955116272, 0.0, 0.0, 1.1111111640930176]
        >>> encoded.codes.tolist(), preprocessing.cardinalities
        ([[1, 1], [1, 2], [2, 1], [1, 1]], [2, 2])
    """

    def __init__(
        self, names: Sequence[str], named: bool, encodings: Sequence[Encoding], forms: Mapping[str, str]
    ) -> None:
        self.names, self.named = list(names), named
        self.encodings, self.forms = list(encodings), dict(forms)

    @classmethod
    def learned(cls, table: Table) -> tuple[Preprocessing, list[Column]]:
        """What training rows say, and what each column was taken for.

        Identifiers, constants and copies of other columns are left out, as they tell nothing of further rows.
        """
        columns = _kept_where_needed(describe_columns(table), table)
        encodings: list[Encoding] = []
        for column in columns:
            values = table[column.name]
            if column.kind in ("category", "boolean"):
                encodings.append(CategoryEncoding.learned(column.name, values))
            elif column.kind == "date":
                encodings.append(DateEncoding.learned(column.name, values))
            elif column.kind == "number":
                encodings.append(NumberEncoding.learned(column.name, values))
        forms = {one.name: table.forms[one.name] for one in encodings}
        return cls(table.names, table.named, encodings, forms), columns

    @property
    def cardinalities(self) -> list[int]:
        """How many codes each column of `codes` has, 0 not counted."""
        return [count for one in self.encodings for count in one.cardinalities]

    def __call__(self, table: Table) -> Encoded:
        """The matrices of some rows.

        Raises:
            ValueError: The table lacks columns, or holds what training rows did not; the message names them.
        """
        rows = len(table)
        table, notes = self._aligned(table)
        numbers: list[Array] = []
        codes: list[Array] = []
        scaled = self._scaled_at_once(table)
        for encoding in self.encodings:
            column = table[encoding.name]
            numbers += [scaled[encoding.name]] if encoding.name in scaled else encoding.numbers(column)
            codes += encoding.codes(column)
            notes += _notes(encoding, column)
        return Encoded(
            # Of nothing at all no network can be made: where every column is constant, it sees a column of zeros.
            np.stack(numbers, axis=1).astype(np.float32) if numbers else np.zeros((rows, int(not codes)), np.float32),
            np.stack(codes, axis=1).astype(np.int32) if codes else np.zeros((rows, 0), np.int32),
            notes,
        )

    def _scaled_at_once(self, table: Table) -> dict[str, Array]:
        """What `NumberEncoding.numbers` gives for each column of numbers, by a few calls for all of them."""
        found = [one for one in self.encodings if isinstance(one, NumberEncoding)]
        if not found:
            return {}
        values = np.stack([table[one.name].astype(np.float64) for one in found])  # (columns, n)
        center, factor = np.array([(one.center, one.factor) for one in found]).T[..., None]  # a row for each column
        return dict(zip((one.name for one in found), _scaled(values, center, factor), strict=True))

    def _aligned(self, table: Table) -> tuple[Table, list[str]]:
        """The used columns, in the forms that they had."""
        notes = []
        if self.named and table.named:
            table = table.named_as(self.names)
            missing = [one.name for one in self.encodings if one.name not in table]
            if missing:
                raise ValueError(
                    tr(
                        "These columns are missing: {missing}. Expected what was there in training: "
                        "{encodings}. Received: {names}.",
                        missing=listed(missing),
                        encodings=listed([one.name for one in self.encodings]),
                        names=listed(table.names),
                    )
                )
            others = [name for name in table.names if name not in self.names]
            if others:
                notes.append(
                    tr("Columns that were not there in training are ignored: {others}.", others=listed(others))
                )
        elif len(table.names) != len(self.names):
            raise ValueError(
                tr(
                    "X has {count} columns. Expected {expected}, as there were in training.",
                    count=len(table.names),
                    expected=len(self.names),
                )
            )
        else:
            table = Table(dict(zip(self.names, table.columns.values(), strict=True)), named=self.named)
        return table.select([one.name for one in self.encodings]).as_types(self.forms), notes

    def config(self) -> dict[str, Any]:
        """All of it as plain data, for a file."""
        return {
            "names": self.names,
            "named": self.named,
            "forms": self.forms,
            "encodings": [{"kind": one.kind, **one.config()} for one in self.encodings],
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Preprocessing:
        """What `config` described."""
        encodings = [_encoding_from(one) for one in config["encodings"]]
        forms = {str(name): _FORMS[form] for name, form in config["forms"].items()}
        if set(forms) != {one.name for one in encodings}:
            raise ValueError(tr("the forms of its columns are of others than those that it encodes"))
        return cls([str(one) for one in config["names"]], bool(config["named"]), encodings, forms)

    @property
    def widths(self) -> dict[str, int]:
        """How many columns each matrix has."""
        numbers = sum(one.width for one in self.encodings)
        codes = len(self.cardinalities)
        return {"numbers": numbers if numbers or codes else 1, "codes": codes}


_FORMS = {
    one: one
    for one in (
        "number",
        "number: decimal comma",
        "number: decimal point",
        "boolean",
        "date",
        "date: day first",
        "date: month first",
        "text",
    )
}
_TYPES: dict[str, Callable[[Any], Any]] = {
    "name": str,
    "center": lambda value: real_number("center", value),
    "factor": lambda value: real_number("factor", value),
    "missing": bool,
    "boolean": bool,
    "categories": lambda values: [str(one) for one in values],
    "rare": lambda values: [str(one) for one in values],
    "parts": lambda values: [_PART_NAMES[one] for one in values],
}


def _encoding_from(config: Mapping[str, Any]) -> Encoding:
    """An encoding from a file, each of its values of the type that it has to be."""
    arguments = {key: _TYPES[key](value) for key, value in config.items() if key != "kind"}
    made: Encoding = _ENCODINGS[config["kind"]](**arguments)
    return made


def _kept_where_needed(columns: list[Column], table: Table) -> list[Column]:
    """The columns, with identifiers that are numbers as numbers where they are more than identifiers.

    A matrix has no identifiers: that its column counts is what there is to learn from, such as the time. And where
    nothing but identifiers is left, there is nothing else to learn from.
    """
    if table.named and any(one.kind not in ("identifier", "constant", "duplicate") for one in columns):
        return columns
    return [
        one._replace(kind="number", warning="")
        if one.kind == "identifier" and table.types[one.name] == "number"
        else one
        for one in columns
    ]


def _notes(encoding: Encoding, column: Array) -> list[str]:
    if isinstance(encoding, CategoryEncoding):
        unseen = encoding.unseen(column)
        if unseen:
            new = set(unseen)  # NumPy would compare each value with each of these
            count = sum(one in new for one in _as_categories(column).tolist())
            return [
                tr(
                    "`{name}` holds {categories} that training did not have, in {rows}: {unseen}.",
                    name=encoding.name,
                    categories=tr("1 category") if len(unseen) == 1 else tr("{count:,} categories", count=len(unseen)),
                    rows=tr("1 row") if count == 1 else tr("{count:,} rows", count=count),
                    unseen=listed(unseen),
                )
            ]
    return []


def _as_categories(column: Array) -> Array:
    """A column's values as text or None; truth values, with NaN for what is missing, are text, too."""
    if column.dtype.kind == "O":
        return column
    values = column.astype(np.float64).tolist()
    return np.array([None if one != one else _TRUTHS.get(one, str(one)) for one in values], object)


_TRUTHS = {0.0: "false", 1.0: "true"}


def _days(dates: Array) -> Array:
    days: Array = dates.astype("datetime64[s]").astype(np.int64) / _DAY
    return days


def _robust(values: Array) -> tuple[float, float]:
    """Where numbers are centred, and what they are multiplied with."""
    if not len(values):
        return 0.0, 0.0
    halves = values / 2  # the difference of the largest numbers is none that float64 can hold
    low, center, high = np.quantile(halves, [0.25, 0.5, 0.75])
    width = high - low or (halves.max() - halves.min()) / 2
    return float(2 * center), float(0.5 / width) if width and np.isfinite(0.5 / width) else 0.0


def _scaled(values: Array, center: Any, factor: Any) -> Array:
    with np.errstate(over="ignore", invalid="ignore"):
        scaled: Array = np.clip((values - center) * factor, -FARTHEST, FARTHEST)
    # What is missing, and what is infinitely far where all are taken for the same.
    scaled[np.isnan(scaled)] = 0.0
    return scaled
