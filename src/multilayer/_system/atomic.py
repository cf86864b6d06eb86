"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

_ENDING = ".part"


@contextmanager
def replaced(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write into, which takes the name `path` once everything in it has reached the disk.

    It is written under another name in the same folder, flushed, synchronized, and then renamed, and the folder is
    synchronized, too: after a crash or a power cut at any moment, the old file or the new one has the name, and is
    whole. Two that write to one path do not mix: the last to finish wins. Where an error ends the block, the old file
    is as it was, and nothing is left beside it.

    Args:
        path: Where to. A link is followed: what it points to is replaced.

    Yields:
        The file, open for writing and reading bytes.

    Raises:
        OSError: The folder is missing or not writable, or the disk is full; the message names `path` and says that
            what it held is intact.

    Source: Pillai et al., "All file systems are not created equal", 2014, on why both synchronizations are needed.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "note.txt"
        ...     with replaced(path) as file:
        ...         _ = file.write(b"whole")
        ...     path.read_bytes(), [p.name for p in pathlib.Path(folder).iterdir()]
        (b'whole', ['note.txt'])
    """
    target = Path(os.path.realpath(path))  # `Path.resolve` fails at links that lead in a circle
    partial = target.parent / f"{_beginning(target.name)}{os.urandom(8).hex()}{_ENDING}"
    try:
        with partial.open("x+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except BaseException as error:
        with suppress(OSError):  # what went wrong is told, not that there is nothing to clear away
            partial.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            reason = f"{error.strerror}: nothing was written, and what was there is as it was"
            raise OSError(error.errno, reason, os.fspath(path)) from error
        raise
    _sync(target.parent)


def try_folder(folder: str | os.PathLike[str]) -> None:
    """Makes a folder where it is missing, and tries whether files can be written to it.

    Raises:
        OSError: They cannot.
    """
    import tempfile

    folder = os.fspath(folder) or os.curdir
    make_folder(folder)
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")


def make_folder(folder: str | os.PathLike[str]) -> None:
    """Makes a folder, and those that it lies in, where they are missing.

    Raises:
        OSError: It cannot be made; the error names the one of them that is in the way, as `Path.mkdir` would not.
    """
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103 - as said above


def clear_away(path: str | os.PathLike[str]) -> None:
    """Removes what processes that were killed while they wrote to `path` have left beside it.

    Raises:
        OSError: The folder is missing or not writable.
    """
    target = Path(os.path.realpath(path))
    for found in target.parent.iterdir():
        if found.name.startswith(_beginning(target.name)) and found.name.endswith(_ENDING):
            found.unlink()


def _beginning(name: str) -> str:
    return f".{name[:100]}."


def _sync(folder: Path) -> None:
    """Brings a rename in a folder to the disk, where the system has that for folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
