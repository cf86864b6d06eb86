"""Tables larger than memory: a part at a time, and shuffled by blocks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from multilayer._tables.dialects import find_encoding
from multilayer._tables.forms import missing, normal
from multilayer._tables.reading import TextFile, arrow, check_columns, codec, opened, opened_text, read_table
from multilayer._tables.table import Table

_SAMPLE = 1 << 20


def read_in_chunks(
    path: str | os.PathLike[str],
    rows: int = 50_000,
    separator: str | None = None,
    encoding: str | None = None,
    types: Mapping[str, str] | None = None,
) -> Iterator[Table]:
    """Reads a table a part at a time, in memory that does not grow with the file.

    A column's type has to hold for all parts: where `types` does not name it, a text file is read twice, the first time
    for the types alone. Parquet and Feather know them.

    Args:
        path: A text file, such as CSV, Parquet or Feather.
        rows: How many rows a part has; the last may have fewer.
        separator: What stands between two values; otherwise found out.
        encoding: The text's encoding; otherwise found out from the file's beginning.
        types: The types of columns by name, as `read_table` takes them.

    Yields:
        A table of the next rows.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no table; the message says what is wrong, and where.
    """
    if rows < 1:
        raise ValueError(f"rows is {rows}. Expected the number of rows in a part, at least 1.")
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        yield from _parquet_chunks(path, rows, types or {})
    elif suffix in (".feather", ".arrow", ".npz"):
        table = read_table(path, types=types)
        yield from (table.rows(slice(start, start + rows)) for start in range(0, len(table), rows))
    else:
        found = codec(encoding) if encoding else _encoding(path)
        yield from _text_chunks(path, rows, separator, found, _of_text(path, rows, separator, found, types or {}))


def column_types(
    path: str | os.PathLike[str],
    rows: int = 50_000,
    separator: str | None = None,
    encoding: str | None = None,
    types: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The form of every column that holds for the whole of a file, so that it can be read in parts without finding out.

    Args:
        path: A text file or Parquet; of others all is read.
        rows: How many rows to look at at once.
        separator: What stands between two values; otherwise found out.
        encoding: The text's encoding; otherwise found out.
        types: The types of columns that are known.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no table, or a column mixes types; the message says where.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return _of_parquet(arrow("parquet").ParquetFile(path)) | dict(types or {})
    if suffix in (".feather", ".arrow", ".npz"):
        return read_table(path, types=types).types
    found = codec(encoding) if encoding else _encoding(path)
    return _of_text(path, rows, separator, found, types or {})


def _of_text(path: Path, rows: int, separator: str | None, encoding: str, types: Mapping[str, str]) -> dict[str, str]:
    with opened_text(path, encoding) as file:
        names = TextFile(file, path, separator, encoding).header
    if not set(names) - types.keys():
        return dict(types)
    found = _merged(_text_chunks(path, rows, separator, encoding, types))
    # A column without any value is of whatever form: of one that is named, nobody has to look again.
    return dict.fromkeys(names, "number") | found | dict(types)


def _parquet_chunks(path: Path, rows: int, types: Mapping[str, str]) -> Iterator[Table]:
    file = arrow("parquet").ParquetFile(path)
    # A part may lack all values of a column, and would not know what they are.
    known = _of_parquet(file)
    check_columns(types, list(known))
    for part in file.iter_batches(batch_size=rows):
        yield Table.of(part.rename_columns(list(known))).as_types(known | dict(types))


def _of_parquet(file: Any) -> dict[str, str]:
    return {normal(field.name): _arrow_form(str(field.type)) for field in file.schema_arrow}


def _arrow_form(kind: str) -> str:
    if kind.startswith(("string", "large_string", "dictionary")):
        return "text"
    return "date" if kind.startswith(("date", "timestamp")) else "boolean" if kind == "bool" else "number"


def _encoding(path: Path) -> str:
    with opened(path) as file:
        data = file.read(_SAMPLE)
        return find_encoding(data, whole=not file.read(1))


def _text_chunks(
    path: Path, rows: int, separator: str | None, encoding: str, types: Mapping[str, str]
) -> Iterator[Table]:
    with opened_text(path, encoding) as file:
        text = TextFile(file, path, separator, encoding)
        part, lines = text.rows(rows)
        if not part:
            raise ValueError(f"{path} has a line with names, and no rows. Expected a row for each example.")
        while part:
            yield text.table(part, lines, types)
            part, lines = text.rows(rows)


def _merged(parts: Iterable[Table]) -> dict[str, str]:
    """The types that hold for all parts."""
    types: dict[str, str] = {}
    written: dict[str, str] = {}
    for part in parts:
        for name, form in part.types.items():
            if missing(part[name]).all():
                continue
            if name in part.words:
                form = "boolean"  # also where some are missing, which makes numbers of them
            types[name] = form if types.get(name, form) == form else "text"
        for name, how in part.written.items():
            # A part in which it had to be guessed goes by one that tells.
            if written.get(name, "?").endswith("?"):
                written[name] = how
    known = {name: f": {one.rstrip('?')}" for name, one in written.items()}
    return {name: form + (known.get(name, "") if form in ("number", "date") else "") for name, form in types.items()}


def shuffled(chunks: Iterable[Table], rows: int, seed: int | None = None) -> Iterator[Table]:
    """Parts of a table in another order: rows are shuffled within blocks, and drawn from several parts at a time.

    A true shuffle would need all rows at once. Here a store of parts is kept; whatever comes in takes the places of
    rows that go out, drawn anywhere from the store, so that memory is bounded by it.

    Args:
        chunks: The parts, as `read_in_chunks` yields them.
        rows: How many rows may be held back: the more, the better they are mixed.
        seed: What the order depends on.

    Yields:
        Tables of as many rows as the parts have, in sum the same rows.
    """
    draw = np.random.default_rng(seed)
    store: Table | None = None
    for part in chunks:
        store = part if store is None else joined([store, part])
        while len(store) > rows:
            order = draw.permutation(len(store))
            out = min(len(part), len(store))
            yield store.rows(order[:out])
            store = store.rows(order[out:])
    if store is not None and len(store):
        yield store.rows(draw.permutation(len(store)))


def joined(tables: list[Table]) -> Table:
    """Tables of the same columns, one below the other."""
    first = tables[0]
    table = Table({name: np.concatenate([one[name] for one in tables]) for name in first.names}, first.named)
    table.words, table.written, table.notes = first.words, first.written, first.notes
    if all(one.lines is not None for one in tables):
        table.lines = np.concatenate([one.lines for one in tables if one.lines is not None])
    return table


def read_names(path: str | os.PathLike[str], separator: str | None = None, encoding: str | None = None) -> list[str]:
    """The names of a table's columns, without reading its rows where the file allows that.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no table.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix in (".parquet", ".pq"):
        return [normal(name) for name in arrow("parquet").ParquetFile(path).schema_arrow.names]
    if suffix in (".feather", ".arrow", ".npz"):
        return read_table(path).names
    found = codec(encoding) if encoding else _encoding(path)
    with opened_text(path, found) as file:
        return TextFile(file, path, separator, found).header
