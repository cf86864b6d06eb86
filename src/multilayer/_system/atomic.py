"""Files that appear whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from pathlib import Path

# pathlib is imported where a file is written: with all that it imports, it would take a tenth of `import multilayer`.
_ENDING = ".part"
_ANY_WRITES = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


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
        OSError: The folder is missing or not writable, or the disk is full; `path` is a device, a pipe or a socket, or
            a file that may only be read. The message names `path` and says that what it held is intact.

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
    from pathlib import Path

    target = Path(os.path.realpath(path))  # `Path.resolve` fails at links that lead in a circle
    partial = target.parent / f"{_beginning(target.name)}{os.urandom(8).hex()}{_ENDING}"
    before = require_replaceable(path)
    try:
        # Nobody reads what is not finished; what may be read afterwards is decided before the first byte is written.
        with open(partial, "x+b", opener=_closed_to_others if before else None) as file:
            if before is not None:
                _keep_access(partial, before)
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


def require_replaceable(path: str | os.PathLike[str]) -> os.stat_result | None:
    """What the system says of the file that is to be replaced; None where there is none.

    A file under another name cannot take a device's or a pipe's place: whoever else uses that would lose it, and for
    `/dev/null` these are all programs of a machine. Nor is a file replaced that was protected from being written,
    though the folder would allow it, and to the system's own user everything is allowed.

    Raises:
        OSError: It is a device, a pipe, a socket, or a file that may only be read.
    """
    try:
        # Not of `realpath`: '/dev/stdout' leads to a pipe that has no path.
        found = os.stat(path)  # noqa: PTH116 - `Path.stat` is the same, and rewrites the name in errors
    except (OSError, ValueError):  # none there, or a name that no file can have: opening it says so
        return None
    name = os.fspath(path)
    if stat.S_ISDIR(found.st_mode):
        return None  # opening says so, too
    if not stat.S_ISREG(found.st_mode):
        reason = f"It is {_kind(found.st_mode)}, and no file is put in its place: write to another name"
        raise OSError(errno.EINVAL, reason, name)
    if not found.st_mode & _ANY_WRITES or not os.access(path, os.W_OK):
        reason = (
            "It may only be read, and no other file is put in its place: make it writable, or write to another name"
        )
        raise PermissionError(errno.EACCES, reason, name)
    return found


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether bytes that are written to a path go on to somebody, rather than into a file: a terminal, a pipe, nowhere.

    Raises:
        OSError: The path cannot be looked at.
    """
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116 - as above
    except FileNotFoundError:
        return False
    return stat.S_ISCHR(mode) or stat.S_ISFIFO(mode)


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
    from pathlib import Path

    target = Path(os.path.realpath(path))
    for found in target.parent.iterdir():
        if found.name.startswith(_beginning(target.name)) and found.name.endswith(_ENDING):
            found.unlink()


def _beginning(name: str) -> str:
    return f".{name[:100]}."


def _kind(mode: int) -> str:
    if stat.S_ISFIFO(mode):
        return "a pipe"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device"


def _closed_to_others(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _keep_access(partial: Path, before: os.stat_result) -> None:
    """Gives a new file the owner and the mode of the one that it replaces, as far as the system lets us."""
    if hasattr(os, "chown"):
        for user, group in ((before.st_uid, -1), (-1, before.st_gid)):
            with suppress(OSError):  # files are given away by the system's own user alone
                os.chown(partial, user, group)
    partial.chmod(stat.S_IMODE(before.st_mode))  # last: a new owner takes some bits away


def _sync(folder: Path) -> None:
    """Brings a rename in a folder to the disk, where the system has that for folders."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
