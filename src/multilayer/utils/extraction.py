"""Archives of files, unpacked whole or not at all, and never to anywhere but their folder.

What an archive says is believed of nothing. A name that leads out of the folder, a device, a link that leads elsewhere
or more bytes than any data packs into its size end the extraction, and nothing of it is left. No link ever reaches the
disk, so no later member can be written through one: where one file of an archive links to another, it becomes a copy.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import lzma
import os
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

FORMATS = ("tar", "zip")

_MOST_PACKED = 100  # times its own size that an archive may unpack to
_MOST_UNPACKED = 1 << 26  # bytes that any may
_HEADER = 512  # bytes that a member counts beside its own: a million empty files take room, too
_UNPACKERS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}
# What the readers are known to raise over bytes that are not theirs.
_BROKEN = (
    *(tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, RuntimeError),
    *(NotImplementedError, UnicodeError, MemoryError, OverflowError),
)


class _Member(NamedTuple):
    """One thing in an archive.

    Attributes:
        name: Its name, as the archive has it.
        kind: "file", "folder", "link", or what it is besides.
        size: Bytes that it says it has.
        content: Of a file, where to read them; of a link the name of what it leads to, as seen from the root.
    """

    name: str
    kind: str
    size: int = 0
    content: Any = None


def extract_archive(path: Path, folder: Path, formats: Sequence[str] = FORMATS) -> bool:
    """Unpacks an archive into a folder, where files of the same names are replaced.

    Files get the rights that new files have; an archive's own rights, owners and dates are left out.

    Args:
        path: The archive.
        folder: Where to; made where it does not exist.
        formats: What it may be, of "tar" (also packed by gzip, bzip2 or xz) and "zip".

    Returns:
        Whether it is such an archive.

    Raises:
        ValueError: It is broken, wants to write elsewhere, or unpacks to more than a hundred times its size and 64 MiB.
            The folder is as it was.
        OSError: It cannot be read, or the folder not be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{path} was not extracted: {folder} is a file. Move it away, or extract to another folder.")
    try:
        return any(_extract_as(kind, path, folder) for kind in formats)
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the system, not of a reader
            raise
        reason = str(error) or type(error).__name__
        raise ValueError(f"{path} was not extracted, and nothing of it was kept: {reason}.") from error


def _extract_as(kind: str, path: Path, folder: Path) -> bool:
    with contextlib.ExitStack() as opened:
        members = {"tar": _of_tar, "zip": _of_zip}[kind](path, opened)
        if members is None:
            return False
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = opened.enter_context(tempfile.TemporaryDirectory(prefix=".extracting-", dir=folder.parent))
        staged = Path(beside) / "content"
        staged.mkdir()
        _write(members, staged, _limit(path))
        _move(staged, folder)
        return True


def _limit(path: Path) -> int:
    return _MOST_PACKED * path.stat().st_size + _MOST_UNPACKED


def _write(members: Iterable[_Member], folder: Path, limit: int) -> None:
    """Writes the members into an empty folder; raises ValueError at the first that must not be written."""
    spent = 0
    links = []
    for member in members:
        spent += _HEADER + member.size
        if spent > limit:
            raise ValueError(f"it unpacks to more than {limit:,} bytes, which is no archive of data of its size")
        place = folder.joinpath(*_parts(member.name))
        if member.kind == "folder":
            place.mkdir(parents=True, exist_ok=True)
        elif member.kind == "file":
            _copy(member.content, place)
        elif member.kind == "link":
            links.append((member, place))
        else:
            raise ValueError(f"its member {member.name!r} is {member.kind}, and neither a file nor a folder")
    for member, place in links:
        source = folder.joinpath(*_parts(member.content, f"the link {member.name!r} to "))
        if not source.is_file():
            raise ValueError(f"its member {member.name!r} is a link to {member.content!r}, which is no file in it")
        spent += source.stat().st_size
        if spent > limit:
            raise ValueError(f"its links, as copies, take more than {limit:,} bytes")
        with source.open("rb") as content:
            _copy(content, place)


def _copy(content: IO[bytes], place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.open("wb") as file:
        shutil.copyfileobj(content, file)


def _parts(name: str, what: str = "its member ") -> list[str]:
    """The folders and the name of the file that a member's name has, where it leads nowhere else.

    On whichever system: a backslash divides, and a drive's letter leads away, as they do on Windows.
    """
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    if name.startswith(("/", "\\")) or re.match("[A-Za-z]:", name) or ".." in parts or "\0" in name:
        raise ValueError(f"{what}{name!r} leads out of the folder")
    return parts


def _move(staged: Path, folder: Path) -> None:
    """Moves what was unpacked to its place, at once where there is nothing yet."""
    with contextlib.suppress(OSError):  # the folder is there, and not empty
        staged.rename(folder)
        return
    for parent, _, names in os.walk(staged):
        place = folder / os.path.relpath(parent, staged)
        place.mkdir(parents=True, exist_ok=True)
        for name in names:
            Path(parent, name).replace(place / name)


# --- Formats ---


def _of_zip(path: Path, opened: contextlib.ExitStack) -> Iterator[_Member] | None:
    if not zipfile.is_zipfile(path):
        return None
    return _zip_members(opened.enter_context(zipfile.ZipFile(path)))


def _zip_members(archive: zipfile.ZipFile) -> Iterator[_Member]:
    for info in archive.infolist():
        if info.is_dir():
            yield _Member(info.filename, "folder")
        elif stat.S_ISLNK(info.external_attr >> 16):
            yield _Member(info.filename, "a link, which zip archives are not trusted with")
        else:
            with archive.open(info) as content:  # of which zipfile reads as much as `file_size` says, and no more
                yield _Member(info.filename, "file", info.file_size, content)


def _of_tar(path: Path, opened: contextlib.ExitStack) -> Iterator[_Member] | None:
    try:
        stream = _Bounded(opened.enter_context(_unpacker(path)), _limit(path))
        # As a stream: the header of a member, which may say that it is gigabytes long, is read through the bound.
        archive = opened.enter_context(tarfile.open(fileobj=stream, mode="r|"))  # noqa: SIM115 - it is closed with the others
    except tarfile.TarError:
        return None
    return _tar_members(archive)


def _tar_members(archive: tarfile.TarFile) -> Iterator[_Member]:
    for info in archive:
        if info.isdir():
            yield _Member(info.name, "folder")
        elif info.isreg():
            yield _Member(info.name, "file", info.size, archive.extractfile(info))
        elif info.islnk():
            yield _Member(info.name, "link", content=info.linkname)
        elif info.issym():  # it leads on from its own folder
            yield _Member(info.name, "link", content=_from_root(info.name, info.linkname))
        else:
            yield _Member(info.name, "a device or a pipe")


def _from_root(name: str, target: str) -> str:
    """What a symbolic link leads to, as seen from the root: `..` takes away a folder, since no folder is a link."""
    if target.startswith("/"):
        return target
    return os.path.normpath(f"{name.rpartition('/')[0] or '.'}/{target}").replace(os.sep, "/")


def _unpacker(path: Path) -> IO[bytes]:
    """The bytes of a file, unpacked where it begins as what gzip, bzip2 or xz have packed."""
    with path.open("rb") as file:
        beginning = file.read(6)
    module = next((name for start, name in _UNPACKERS.items() if beginning.startswith(start)), "io")
    opened: IO[bytes] = importlib.import_module(module).open(path, "rb")
    return opened


class _Bounded(io.RawIOBase):
    """A stream that raises ValueError once more has been read from it than is allowed."""

    def __init__(self, stream: IO[bytes], limit: int) -> None:
        self._stream = stream
        self._left = self._limit = limit

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than {self._limit:,} bytes, which is no archive of data of its size")
        return content
