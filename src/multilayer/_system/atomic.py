"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

# Paths are text here and not of pathlib, which would slow down every import.
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
    target = os.path.realpath(path)
    folder, name = os.path.split(target)
    partial = os.path.join(folder, f"{_beginning(name)}{os.urandom(8).hex()}{_ENDING}")  # noqa: PTH118
    try:
        with open(partial, "x+b") as file:  # noqa: PTH123
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, target)  # noqa: PTH105
    except BaseException as error:
        with suppress(OSError):  # what went wrong is told, not that there is nothing to clear away
            os.unlink(partial)  # noqa: PTH108
        if isinstance(error, OSError) and error.errno is not None:
            reason = f"{error.strerror}: nothing was written, and what was there is as it was"
            raise OSError(error.errno, reason, os.fspath(path)) from error
        raise
    _sync(folder)


def try_folder(folder: str | os.PathLike[str]) -> None:
    """Makes a folder where it is missing, and tries whether files can be written to it.

    Raises:
        OSError: They cannot.
    """
    import tempfile

    folder = os.fspath(folder) or os.curdir
    os.makedirs(folder, exist_ok=True)  # noqa: PTH103
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"\0")


def clear_away(path: str | os.PathLike[str]) -> None:
    """Removes what processes that were killed while they wrote to `path` have left beside it.

    Raises:
        OSError: The folder is missing or not writable.
    """
    folder, name = os.path.split(os.path.realpath(path))
    for found in os.listdir(folder):  # noqa: PTH208
        if found.startswith(_beginning(name)) and found.endswith(_ENDING):
            os.unlink(os.path.join(folder, found))  # noqa: PTH108, PTH118


def _beginning(name: str) -> str:
    return f".{name[:100]}."


def _sync(folder: str) -> None:
    """Brings a rename in a folder to the disk, where the system has that for folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
