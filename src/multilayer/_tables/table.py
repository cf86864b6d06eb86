"""A table: named columns of one length, each of one of four forms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from multilayer._language import later, tr
from multilayer._tables import frames
from multilayer._tables.forms import check_finite, form_of, listed, normal, plain, row
from multilayer._tables.texts import typed
from multilayer._tables.values import as_column
from multilayer.functional import Array


class Table:
    """Named columns of one length.

    A column is float64 with NaN where a value is missing, bool, an object array of str or None, or datetime64[s] with
    NaT. Truth values of which some are missing are numbers, 0, 1 and NaN.

    Args:
        columns: The columns, in order; they are brought into one of the four forms.
        named: Whether the names are the user's own, and not made up for the columns of an array.

    Attributes:
        names: The columns' names, in order.
        columns: The columns by name.
        notes: What was found out when it was read, in sentences, such as the encoding of a file.
        words: How false and true were written in columns of truth values that were read from text.
        written: How numbers and dates were written that were read from text, where there is more than one way.
        lines: In which line of its file each row begins, counted from 1, where it was read from one that has lines.

    Raises:
        ValueError: A column holds no such values, infinities, or another number of rows; the message names it.

    Example:
        >>> table = Table.of({"age": [31, None], "city": ["Seoul", "Busan"]})
        >>> len(table), table.names, table["age"].tolist()
        (2, ['age', 'city'], [31.0, nan])
        >>> table.types
        {'age': 'number', 'city': 'text'}
    """

    def __init__(self, columns: Mapping[str, Any], named: bool = True) -> None:
        self.columns: dict[str, Array] = {name: as_column(values, name) for name, values in columns.items()}
        self.names = list(self.columns)
        self.named = named
        self.notes: list[str] = []
        self.words: dict[str, tuple[str, str]] = {}
        self.written: dict[str, str] = {}
        self.lines: Array | None = None
        lengths = {name: len(column) for name, column in self.columns.items()}
        self._length = next(iter(lengths.values()), 0)
        for name, length in lengths.items():
            if length != self._length:
                raise ValueError(
                    tr(
                        "The column `{name}` has {length} rows, and `{first}` has {other}. Expected columns "
                        "of one length.",
                        name=name,
                        length=length,
                        first=self.names[0],
                        other=self._length,
                    )
                )

    @classmethod
    def of(cls, x: Any) -> Table:
        """The table that something is: a table, a frame of pandas, polars or pyarrow, a dict, dicts, or a matrix.

        Args:
            x: A `Table`, a frame, a dict of columns, a list of dicts (a row each), a 2-D array or a sparse matrix of
                scipy's. The columns of the last two are named x0, x1 and so on.

        Raises:
            ValueError: It is nothing like that, or a column cannot be used; the message names the column.
        """
        if isinstance(x, Table):
            return x
        columns, named = frames.columns_of(x)
        return cls(columns, named)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, name: str) -> Array:
        self._check_names([name])
        return self.columns[name]

    def __contains__(self, name: object) -> bool:
        return name in self.columns

    def __repr__(self) -> str:
        return f"<Table of {len(self)} rows: {', '.join(f'{name} ({form})' for name, form in self.types.items())}>"

    @property
    def types(self) -> dict[str, str]:
        """Each column's form: "number", "boolean", "date" or "text"."""
        return {name: form_of(column) for name, column in self.columns.items()}

    @property
    def forms(self) -> dict[str, str]:
        """Each column's form with how it was written, as `as_types` and the readers take it: "date: day first"."""
        how = {name: f": {written.rstrip('?')}" for name, written in self.written.items()}
        return {name: form + how.get(name, "") for name, form in self.types.items()}

    def rows(self, index: Any) -> Table:
        """Some of the rows, by whatever indexes a NumPy array: numbers, a slice, truth values."""
        lines = None if self.lines is None else self.lines[index]
        return self._of({name: column[index] for name, column in self.columns.items()}, lines)

    def without(self, names: str | Iterable[str]) -> Table:
        """The table without some columns.

        Raises:
            KeyError: There is no such column.
        """
        dropped = [names] if isinstance(names, str) else list(names)
        self._check_names(dropped)
        return self._of({name: column for name, column in self.columns.items() if name not in dropped}, self.lines)

    def select(self, names: Sequence[str]) -> Table:
        """The table of some columns, in the order in which they are named.

        Raises:
            KeyError: There is no such column.
        """
        self._check_names(names)
        return self._of({name: self.columns[name] for name in names}, self.lines)

    def named_as(self, names: Sequence[str]) -> Table:
        """The table with names as they are written elsewhere, where only the signs differ that letters are made of."""
        wanted = {normal(name): name for name in names}
        found = {name: name if name in names else wanted.get(normal(name), name) for name in self.names}
        if len(set(found.values())) < len(found) or all(name == new for name, new in found.items()):
            return self
        table = self._of({found[name]: column for name, column in self.columns.items()}, self.lines)
        table.words = {found[name]: words for name, words in self.words.items()}
        table.written = {found[name]: how for name, how in self.written.items()}
        return table

    def as_types(self, types: Mapping[str, str]) -> Table:
        """The table with columns of the forms that they had elsewhere, such as where a model was trained.

        Text is read as numbers, truth values or dates, and anything becomes text. A column without any value takes any
        form. What `types` does not name stays as it is.

        Args:
            types: The form of columns by name: "number", "boolean", "date" or "text".

        Raises:
            ValueError: A column's values cannot be of that form; the message names the column, and rows.

        Example:
            >>> Table.of({"age": ["31", ""]}).as_types({"age": "number"})["age"].tolist()
            [31.0, nan]
        """
        return self._of(
            {n: column if n not in types else self._in_form(n, types[n]) for n, column in self.columns.items()},
            self.lines,
        )

    def place(self, index: int) -> str:
        """What a row is called in messages: its line in the file, or its number counted from 0."""
        return row(index) if self.lines is None else tr("line {lines}", lines=self.lines[index])

    def _of(self, columns: dict[str, Array], lines: Array | None) -> Table:
        table = Table.__new__(Table)  # the columns are in their forms
        table.columns, table.names, table.named = columns, list(columns), self.named
        table.notes, table.lines = self.notes, lines
        table.words = {name: words for name, words in self.words.items() if name in columns}
        table.written = {name: how for name, how in self.written.items() if name in columns}
        table._length = len(next(iter(columns.values()))) if columns else 0
        return table

    def _in_form(self, name: str, form: str) -> Array:
        column, has = self.columns[name], form_of(self.columns[name])
        full, form = form, form.partition(": ")[0]
        if has == form:
            return column
        if form == "text":
            return _as_text(column, self.words.get(name))
        if has == "text":
            texts = ["" if one is None else one for one in column]
            return typed(texts, name, self.place, form=full).column
        if has == "number" and np.isnan(column).all():
            return np.full(len(column), "NaT", "datetime64[s]") if form == "date" else column
        if {has, form} == {"number", "boolean"}:
            # Truth values of which some are missing are numbers, so that a number is as good where they are wanted.
            floats = column.astype(np.float64)
            if form == "number" or np.isin(floats[~np.isnan(floats)], (0, 1)).all():
                return check_finite(floats, name)
        raise ValueError(
            tr(
                "The column `{name}` holds {got}. Expected {expected}, as it held before. Give the column "
                "in that form.",
                name=name,
                got=tr(_PLURALS[has]),
                expected=tr(_PLURALS[form]),
            )
        )

    def _check_names(self, names: Iterable[str]) -> None:
        for name in names:
            if name not in self.columns:
                raise NoSuchColumnError(
                    tr("There is no column {name!r}. Expected one of: {first}.", name=name, first=listed(self.names))
                )


class NoSuchColumnError(KeyError, ValueError):
    """There is no column of that name; it reads as a plain sentence, which KeyError's own text does not."""

    def __str__(self) -> str:
        return str(self.args[0])


_PLURALS = {"number": later("numbers"), "boolean": later("truth values"), "date": later("dates"), "text": later("text")}


def _as_text(column: Array, words: tuple[str, str] | None) -> Array:
    texts = np.empty(len(column), object)
    if column.dtype.kind == "M":
        texts[:] = [None if one == "NaT" else one for one in np.datetime_as_string(column)]
    elif column.dtype.kind == "b" or (words is not None):
        false, true = words or ("False", "True")
        texts[:] = [None if one != one else true if one else false for one in column.tolist()]
    else:
        texts[:] = [None if one != one else plain(one) for one in column.tolist()]
    return texts
