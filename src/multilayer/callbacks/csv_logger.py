"""Figures in a file, a line an epoch."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import IO, Any

import numpy as np

from multilayer.callbacks.base import Callback, Logs


class CSVLogger(Callback):
    """Writes every epoch's figures to a CSV file: a line with their names, then a line an epoch.

    The columns are those of the first epoch. Where that brings no figure of validation, there are columns for them all
    the same, as a later epoch may; what an epoch does not bring is 'NA'.

    Args:
        filename: The file; its folder must exist.
        separator: What stands between two columns.
        append: Whether lines are added to a file that exists, rather than replacing it.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> log = CSVLogger("training.csv", append=True)
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        self.filename = os.fspath(filename)
        self.sep = separator
        self.append = append
        self.keys: list[str] | None = None
        self._with_header = True

    def on_train_begin(self, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Makes the file, or empties it where it is not to be added to."""
        self.keys = None
        self._with_header = not (self.append and _has_a_line(self.filename))
        with self._file("a" if self.append else "w"):
            pass

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Writes the epoch's line; the file is not left open, so that a run that breaks off leaves it whole."""
        import csv

        logs = logs or {}
        with self._file("a") as file:
            writer = csv.writer(file, delimiter=self.sep)
            if self.keys is None:
                self.keys = sorted(logs)
                if not any(key.startswith("val_") for key in self.keys):
                    self.keys += [f"val_{key}" for key in self.keys]
                if self._with_header:
                    writer.writerow(["epoch", *self.keys])
            writer.writerow([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])

    def _file(self, mode: str) -> IO[str]:
        return open(self.filename, mode, newline="")  # noqa: PTH123 - pathlib would slow down every import


def _has_a_line(path: str) -> bool:
    return os.path.exists(path) and os.path.getsize(path) > 0  # noqa: PTH110, PTH202 - pathlib slows down every import


def _cell(value: Any) -> Any:
    """What stands in a column: a number or text as it is, several numbers as a list in quotes."""
    if isinstance(value, str) or not isinstance(value, Iterable) or (isinstance(value, np.ndarray) and value.ndim == 0):
        return value
    return f'"[{", ".join(map(str, value))}]"'
