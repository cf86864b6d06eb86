"""Metrics in a file, a line an epoch."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from multilayer._checks.arguments import file_name, text
from multilayer._checks.scalars import shown
from multilayer._checks.states import FLAG, NAMES, SIZE, require_entries
from multilayer._system.atomic import is_stream, replaced, require_replaceable
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.faults import check_on_error, writing

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class CSVLogger(Callback):
    """Writes every epoch's metrics to a CSV file: a line with their names, then a line an epoch.

    A file of an earlier training is replaced when the first line is written, and stays until then. In a run that goes
    on (`BackupAndRestore`) the lines go on, too: none is there twice, and none is missing.

    The columns are those of the first epoch. Where that brings no metric of validation, there are columns for them all
    the same, as a later epoch may; what an epoch does not bring is 'NA'.

    A terminal or a pipe (`/dev/stdout`, say) is written into as it is, and a pipe is held open until training ends.

    Args:
        filename: The file; its folder must exist.
        separator: What stands between two columns.
        append: Whether lines are added to a file that exists, rather than replacing it.
        on_error: 'raise': a line that cannot be written ends the training; 'warn': it goes on with a warning. The lines
            before stay whole in either case.

    Raises:
        OSError: The file cannot be written, or is a disk's device: when training begins, or, with a full disk, later.
        ValueError: A run is to go on whose file has been cut.

    Example:
        >>> log = CSVLogger("training.csv", append=True)
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        separator: str = ",",
        append: bool = False,
        on_error: str = "raise",
    ) -> None:
        check_on_error(on_error)
        self.filename = file_name("filename", filename)
        self.sep = text("separator", separator)
        if len(self.sep) != 1 or self.sep in '\r\n"':
            raise ValueError(f"`separator` must be a single letter or sign. Received: separator={shown(separator)}")
        self.append = append
        self.on_error = on_error
        self.keys: list[str] | None = None
        self._with_header = True
        self._stream: BinaryIO | None = None  # what is no file, while training runs

    @override
    def get_state(self) -> dict[str, Any]:
        if self._stream is not None:
            return {"keys": self.keys, "with_header": self._with_header, "size": None}
        with open(self.filename, "r+b") as file:  # noqa: PTH123 - errors name it as it was given
            os.fsync(file.fileno())  # a backup must not know of lines that get lost
            size = file.seek(0, os.SEEK_END)
        return {"keys": self.keys, "with_header": self._with_header, "size": size}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on behind the lines that were there; drops those that were written afterwards."""
        self._check_state(state)
        self.keys, self._with_header = state["keys"], bool(state["with_header"])
        if self._goes_on_behind(state):
            os.truncate(self.filename, state["size"])

    def _goes_on_behind(self, state: dict[str, Any]) -> bool:
        """Whether lines are kept: not where the first one replaces the file, and not of what is no file."""
        return self._stream is None and state["size"] is not None and (state["keys"] is not None or self.append)

    @override
    def _check_state(self, state: Any) -> None:
        from pathlib import Path

        require_entries(state, "CSVLogger", {"keys": NAMES, "with_header": FLAG, "size": SIZE})
        if not self._goes_on_behind(state):
            return
        size = Path(self.filename).stat().st_size
        if size < state["size"]:
            raise ValueError(
                f"{self.filename!r} has {size} bytes, and had {state['size']} when the backup was written: it has been "
                "cut or replaced. Put it back, or delete the backup to begin anew."
            )

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Finds out whether the file can be written."""
        self.keys = None
        self._close()
        with writing("CSVLogger cannot write its file"):
            if is_stream(self.filename):  # whoever reads would take it for the end when it is closed
                self._stream = open(self.filename, "wb", buffering=0)  # noqa: PTH123, SIM115
            else:
                require_replaceable(self.filename)
                with open(self.filename, "ab"):  # noqa: PTH123
                    pass
        self._with_header = not (self.append and self._stream is None and _has_a_line(self.filename))

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """Closes what is no file."""
        self._close()

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __getstate__(self) -> dict[str, Any]:
        """A copy opens its file itself."""
        return {**self.__dict__, "_stream": None}

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the epoch's line; the file is not left open, so that a run that breaks off leaves it whole."""
        logs = logs or {}
        rows: list[list[Any]] = []
        keys = self.keys
        if keys is None:
            keys = sorted(logs)
            if not any(key.startswith("val_") for key in keys):
                keys += [f"val_{key}" for key in keys]
            if self._with_header:
                rows.append(["epoch", *keys])
        rows.append([epoch, *(_cell(logs.get(key, "NA")) for key in keys)])
        with writing("CSVLogger cannot write its line", self.on_error):
            if self._stream is not None:
                self._stream.write(self._lines(rows))
            elif self.keys is None and not self.append:
                with replaced(self.filename) as file:
                    file.write(self._lines(rows))
            else:
                self._add(self._lines(rows))
            self.keys = keys

    def _lines(self, rows: list[list[Any]]) -> bytes:
        import csv
        import io

        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self.sep).writerows(rows)
        return text.getvalue().encode()

    def _add(self, lines: bytes) -> None:
        """Adds lines, all or, where the disk is full, none."""
        with open(self.filename, "ab", buffering=0) as file:  # noqa: PTH123
            size = file.seek(0, os.SEEK_END)
            try:
                written = file.write(lines)
                if written < len(lines):
                    file.write(lines[written:])  # which says why there was no room for it
            except OSError as error:
                file.truncate(size)
                raise OSError(error.errno, error.strerror, self.filename) from error


def _has_a_line(path: str) -> bool:
    from pathlib import Path

    with suppress(OSError, ValueError):  # what cannot be looked at is told of where it is opened
        return Path(path).stat().st_size > 0
    return False


def _cell(value: Any) -> Any:
    """What stands in a column: a number or text as it is, several numbers as a list in quotes."""
    if isinstance(value, str) or not isinstance(value, Iterable) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value
    return f'"[{", ".join(map(str, value))}]"'
