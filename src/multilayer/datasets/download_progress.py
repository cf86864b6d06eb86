"""Progress bars of downloads, by rich: one for each file."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


class FileProgress:
    """The progress of one file, drawn by rich, with the methods that pooch asks of a progress bar."""

    def __init__(self, progress: Progress, title: str) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=None)

    @property
    def total(self) -> float | None:
        """Bytes to come; pooch sets it when they begin to, and 0 means that the mirror did not say."""
        return self._progress.tasks[self._task].total

    @total.setter
    def total(self, size: int) -> None:
        self._progress.reset(self._task, total=size or None)

    def tell(self, message: str) -> None:
        """Prints a line above the bars."""
        self._progress.console.print(message, markup=False, highlight=False, soft_wrap=True)

    def update(self, size: int) -> None:
        self._progress.advance(self._task, size)

    def reset(self) -> None:
        self._progress.reset(self._task)

    def close(self) -> None:
        pass


def progress_bars() -> Progress:
    """Bars on stderr, so that what a program prints stays its own; no bars, but messages, where it is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
    )
