"""Files become tables: CSV and TSV, NumPy's .npz, Parquet and Feather."""

from __future__ import annotations

import csv
import gzip
import io
import math
import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np

from multilayer._language import later, tr
from multilayer._tables.dialects import NAMES, find_encoding, find_separator
from multilayer._tables.forms import listed, normal
from multilayer._tables.table import Table
from multilayer._tables.texts import MARKERS, Typed, typed
from multilayer.functional import Array

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".csv.gz", ".npz", ".parquet", ".pq", ".feather", ".arrow")
_SAMPLE = 1 << 20  # bytes of a file's beginning, from which separator and, for chunks, encoding are found out
_LONGEST_FIELD = 1 << 24  # letters; a quote that nobody closes would swallow the file
_LONGEST_LINE = 1 << 26  # letters; a file without line ends is no table
_MOST_RATIO, _SPARE = 100, 1 << 26  # bytes that a packed file may unpack to for each of its own, and beyond that


def read_table(
    path: str | os.PathLike[str],
    separator: str | None = None,
    encoding: str | None = None,
    types: Mapping[str, str] | None = None,
) -> Table:
    r"""Reads a table from a file: CSV, TSV, Parquet, Feather (Arrow), or .npz with named arrays.

    Of text files encoding and separator are found out, and each column's type over all of its values; what had to be
    found out is said in the table's `notes`.

    Args:
        path: The file. What does not end in .npz, .parquet, .pq, .feather or .arrow is read as text, and unpacked
            before where it ends in .gz.
        separator: What stands between two values; otherwise `,`, `;`, a tab or `|`, found out.
        encoding: The text's encoding; otherwise UTF-8, UTF-16, cp949 or cp1252, found out.
        types: The types of columns by name, "number", "boolean", "date" or "text"; those of others are found out.

    Raises:
        OSError: It cannot be read.
        ValueError: It holds no table; the message says what is wrong, and where.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "people.csv"
        ...     _ = path.write_text("name,born,size\nKim,1990-02-01,1.7\nLee,,1.8\n")
        ...     read_table(path)
        <Table of 2 rows: name (text), born (date), size (number)>
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        raise IsADirectoryError(
            tr("{path} is a folder. Expected a file with a table: {suffixes}.", path=path, suffixes=", ".join(SUFFIXES))
        )
    if suffix == ".npz":
        return as_wanted(_read_npz(path), types)
    if suffix in (".parquet", ".pq", ".feather", ".arrow"):
        return as_wanted(_read_arrow(path), types)
    with opened(path) as packed:
        data = packed.read()
    for mark, what in _BINARY.items():
        if data.startswith(mark):
            raise ValueError(tr("{path} is no text file, but {what}.", path=path, what=tr(what)))
    found = encoding or find_encoding(data)
    with io.TextIOWrapper(io.BytesIO(data), codec(found), newline="") as file:
        text = TextFile(file, path, separator, found)
        rows, lines = text.rows(None)
    if not rows:
        raise ValueError(
            tr(
                "{path} has a line with names ({header}), and no rows. Expected a row for each example.",
                path=path,
                header=listed(text.header, 8),
            )
        )
    table = text.table(rows, lines, types)
    if encoding is None and found not in ("utf-8", "utf-8-sig"):
        table.notes.insert(0, tr("{name} is no UTF-8; it was read as {found}.", name=path.name, found=found))
    return table


_BINARY = {
    b"PAR1": later("Parquet: let its name end in .parquet"),
    b"ARRO": later("Arrow: let its name end in .feather"),
    b"PK\x03\x04": later("a zip archive, as Excel's .xlsx are: save it as CSV (.npz if it is NumPy's)"),
    b"\x1f\x8b": later("packed by gzip: let its name end in .gz"),
    b"\xd0\xcf\x11\xe0": later("a document of older Office programs, as Excel's .xls are: save it as CSV"),
    b"\x89PNG": later("a picture"),
}


def opened(path: Path) -> IO[bytes]:
    """A file's bytes, unpacked where its name ends in .gz.

    Raises:
        OSError: It cannot be read.
    """
    return _Unpacked(path) if path.suffix.lower() == ".gz" else path.open("rb")  # type: ignore[return-value]


def opened_text(path: Path, encoding: str) -> io.TextIOWrapper:
    """A file's text, with its line ends as they are."""
    return io.TextIOWrapper(opened(path), encoding, newline="")


class _Unpacked(gzip.GzipFile):
    """A file that gzip packed, up to a hundred times its size, so that a few bytes cannot fill the memory."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, "rb")
        self._path, self._most = path, _MOST_RATIO * path.stat().st_size + _SPARE

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, or all that there are."""
        most = self._most - self.tell() + 1
        return self._checked(lambda: super(_Unpacked, self).read(most if size is None or size < 0 else size))

    def read1(self, size: int = -1) -> bytes:
        """Up to so many bytes, as text is read."""
        return self._checked(lambda: super(_Unpacked, self).read1(size))

    def _checked(self, read: Callable[[], bytes]) -> bytes:
        try:
            data = read()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise ValueError(tr("{path} cannot be unpacked: {error}.", path=self._path, error=error)) from error
        if self.tell() > self._most:
            raise ValueError(
                tr(
                    "{path} unpacks to more than {most_ratio} times its size: no table does, a decompression "
                    "bomb does. Unpack it yourself if it is a table.",
                    path=self._path,
                    most_ratio=_MOST_RATIO,
                )
            )
        return data


def as_wanted(table: Table, types: Mapping[str, str] | None) -> Table:
    """The table with columns in the forms that are wanted."""
    check_columns(types or {}, table.names)
    return table.as_types(types) if types else table


def check_columns(types: Mapping[str, str], names: Sequence[str]) -> None:
    """Raises ValueError where types are named of columns that are not there."""
    there = set(names)
    unknown = [name for name in types if name not in there]
    if unknown:
        raise ValueError(
            tr(
                "`types` names columns that are not there: {unknown}. There are {names}.",
                unknown=listed(unknown),
                names=listed(names),
            )
        )


def codec(encoding: str) -> str:
    """The encoding, where Python knows one of this name."""
    try:
        "".encode(encoding)
    except (LookupError, TypeError) as error:
        raise ValueError(
            tr("There is no encoding {encoding!r}. Expected one such as utf-8, cp949 or latin-1.", encoding=encoding)
        ) from error
    return encoding


class TextFile:
    """A text file with a table, read from the beginning to the end.

    Args:
        file: It, opened with `newline=""`.
        path: Its path, for messages.
        separator: What stands between two values, or None to find it out.
        encoding: Its encoding, for messages.

    Raises:
        ValueError: It is empty, or its first line does not name columns.
    """

    def __init__(self, file: io.TextIOWrapper, path: Path, separator: str | None, encoding: str) -> None:
        self.path, self.encoding = path, encoding
        if separator is not None and len(separator) != 1:
            raise ValueError(
                tr("The separator is {separator!r}. Expected one letter, such as ',' or ';'.", separator=separator)
            )
        with self._readable():
            start = file.read(_SAMPLE)
        first = start.splitlines(keepends=True)
        # The last line of a sample is cut off somewhere.
        self.separator = separator or find_separator(first[: min(200, max(1, len(first) - 1))])
        self.found = separator is None
        csv.field_size_limit(_LONGEST_FIELD)
        # Strict: a quote that is never closed would make one value of the rest of the file.
        self._reader = csv.reader(_lines(start, file), delimiter=self.separator, skipinitialspace=True, strict=True)
        self.header = self._header()

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """While entered, what goes wrong with bytes and quotes is said with its place."""
        try:
            yield
        except UnicodeError as error:
            raise ValueError(
                tr(
                    "{path} cannot be read as {encoding}: {error}. Name its encoding, such as utf-8, cp949 "
                    "(Korean) or latin-1 (western).",
                    path=self.path,
                    encoding=self.encoding,
                    error=error,
                )
            ) from error
        except csv.Error as error:
            raise ValueError(
                tr(
                    "{path}, near line {line_num}: {error}. See whether a quote is not closed there, or the "
                    "file is no text.",
                    path=self.path,
                    line_num=self._reader.line_num,
                    error=error,
                )
            ) from error

    def _header(self) -> list[str]:
        with self._readable():
            header = next((row for row in self._reader if row), None)
        if header is None:
            raise ValueError(
                tr("{path} is empty. Expected a line with the columns' names, and a line for each row.", path=self.path)
            )
        names = [normal(name.strip()) for name in header]
        repeated = [name for name, count in Counter(names).items() if count > 1 and name]
        if repeated:
            places = [i for i, name in enumerate(names, start=1) if name == repeated[0]]
            raise ValueError(
                tr(
                    "{path} has several columns called {repeated}: number {places}. Expected a name of its own "
                    "for each column: rename them in the first line.",
                    path=self.path,
                    repeated=listed(repeated[:1]),
                    places=listed(places),
                )
            )
        return [name or f"unnamed {i}" for i, name in enumerate(names, start=1)]

    def rows(self, most: int | None) -> tuple[list[list[str]], Array]:
        """The next rows, and the line in which each begins.

        Raises:
            ValueError: A row has more or fewer values than there are columns.
        """
        rows: list[list[str]] = []
        lines: list[int] = []
        width, reader = len(self.header), self._reader
        before = reader.line_num
        with self._readable():
            for row in reader:
                if row:
                    if len(row) != width:
                        raise self._ragged(row, before + 1)
                    rows.append(row)
                    lines.append(before + 1)
                before = reader.line_num
                if most is not None and len(rows) == most:
                    break
        return rows, np.array(lines, np.int64)

    def _ragged(self, row: list[str], line: int) -> ValueError:
        sign = NAMES.get(self.separator, repr(self.separator))
        return ValueError(
            tr(
                "{path}, line {line}: {count} values, where the first line names {names} columns, separated "
                "by {sign}. Expected as many values in each line: put values that hold the separator into "
                'quotes ("a, b"), and see whether a quote is not closed, or whether another separator is meant.',
                path=self.path,
                line=line,
                count=len(row),
                names=len(self.header),
                sign=sign,
            )
        )

    def table(self, rows: list[list[str]], lines: Array, types: Mapping[str, str] | None) -> Table:
        """Rows as a table.

        Raises:
            ValueError: A column mixes types, or is not what is wanted; the message names lines.
        """
        wanted = types or {}

        def place(index: int) -> str:
            return f"line {lines[index]}"

        found: dict[str, Typed] = {}
        check_columns(wanted, self.header)
        for name, texts in zip(self.header, zip(*rows, strict=True), strict=True):
            if name.startswith("unnamed ") and not set(map(str.strip, texts)) - {""}:
                continue  # a separator at the end of each line
            found[name] = typed(texts, name, place, form=wanted.get(name), decimal_comma=self.separator == ";")
        table = Table({name: one.column for name, one in found.items()})
        table.lines = lines
        table.words = {name: one.words for name, one in found.items() if one.words is not None}
        table.written = {name: one.written for name, one in found.items() if one.written}
        table.notes = self._notes() + [one.note for one in found.values() if one.note]
        return table

    def _notes(self) -> list[str]:
        notes = []
        name = self.path.name.lower().removesuffix(".gz")
        usual = "\t" if name.endswith((".tsv", ".tab")) else ","
        if self.found and self.separator != usual:
            notes.append(tr("{name} separates values by {names}.", name=self.path.name, names=NAMES[self.separator]))
        if all(name and _is_number(name) for name in self.header):
            notes.append(
                tr(
                    "The first line of {name} holds only numbers, which were taken for the columns' names: put "
                    "names above it if they are values.",
                    name=self.path.name,
                )
            )
        return notes


def _is_number(text: str) -> bool:
    """Whether a text is a number."""
    try:
        float(text)
    except ValueError:
        return False
    return text not in MARKERS


def _lines(start: str, file: io.TextIOWrapper) -> Iterator[str]:
    """The lines of a file whose beginning has been read."""
    last = ""
    for line in io.StringIO(start, newline=""):
        if last:
            yield last
        last = line
    if last.endswith("\n"):
        yield last
        last = ""
    while line := file.readline(_LONGEST_LINE):
        if len(line) == _LONGEST_LINE:
            raise csv.Error(tr("the line has more than {longest_line:,} letters", longest_line=_LONGEST_LINE))
        yield last + line
        last = ""
    if last:
        yield last


def _read_npz(path: Path) -> Table:
    try:
        _check_sizes(path)
        with np.load(path, allow_pickle=False) as arrays:
            columns = {name: arrays[name] for name in arrays.files}
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, zlib.error) as error:
        raise ValueError(
            tr("{path} holds no named arrays of numbers or text ({error}).", path=path, error=error)
        ) from error
    flat: dict[str, Any] = {}
    for name, array in columns.items():
        if array.ndim == 2:
            flat |= {f"{normal(name)}{i}": array[:, i] for i in range(array.shape[1])}
        else:
            flat[normal(name)] = array
    if not flat:
        raise ValueError(tr("{path} holds no arrays. Expected a named array for each column.", path=path))
    return Table(flat)


def _check_sizes(path: Path) -> None:
    """Raises ValueError where arrays would be larger than what the file holds of them.

    NumPy makes an array of the shape that its header says, and looks then whether there is so much.
    """
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        if sum(one.file_size for one in members) > _MOST_RATIO * path.stat().st_size + _SPARE:
            raise ValueError(tr("it unpacks to more than a hundred times its size, as a decompression bomb does"))
        for one in members:
            with archive.open(one) as file:
                version = np.lib.format.read_magic(file)
                read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                shape, _, dtype = read(file)
            if math.prod(shape) * dtype.itemsize > one.file_size:
                raise ValueError(
                    tr(
                        "{filename!r} is said to have the shape {shape}, and is smaller",
                        filename=one.filename[:100],
                        shape=str(shape)[:100],
                    )
                )


def arrow(part: str) -> Any:
    """A module of pyarrow.

    Raises:
        ModuleNotFoundError: It is not installed.
    """
    import importlib

    try:
        return importlib.import_module(f"pyarrow.{part}")
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            tr(
                "Reading Parquet and Feather needs pyarrow: install it with `pip install "
                '"multilayer[tables]"`, or save the table as CSV.'
            )
        ) from error


def _read_arrow(path: Path) -> Table:
    with path.open("rb"):  # that there is none, or none to be read, is said as of any file
        pass
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            found = arrow("parquet").read_table(path)
        else:
            found = arrow("feather").read_table(path)
    except (ValueError, OSError) as error:
        raise ValueError(
            tr("{path} cannot be read as {suffix}: {error}", path=path, suffix=path.suffix[1:], error=error)
        ) from error
    if not found.num_rows:
        raise ValueError(
            tr(
                "{path} has no rows ({column_names}). Expected a row for each example.",
                path=path,
                column_names=listed(found.column_names, 8),
            )
        )
    return Table.of(found.rename_columns([normal(name) for name in found.column_names]))
