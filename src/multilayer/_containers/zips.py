"""Zip archives from strangers: what is in one is known, and bounded, before anything of it is unpacked."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import zipfile

_STORED, _DEFLATED, _LONGEST_NAME = 0, 8, 2000
# A network of a thousand layers has some thousand members, each of which takes about 100 bytes in the list of them.
_MOST_MEMBERS, _LONGEST_LIST = 20_000, 2 * 2**20
# A config shrinks to a twentieth. Weights are random numbers, which hardly shrink; but some are zeros, in a small file.
_MOST_RATIO, _MOST_RATIO_OF_ALL, _SPARE = 100, 10, 8 * 2**20


class Member(NamedTuple):
    """A file in an archive.

    Attributes:
        size: The number of its bytes, unpacked: it never gives more.
    """

    archive: zipfile.ZipFile
    info: zipfile.ZipInfo

    @property
    def size(self) -> int:
        return self.info.file_size

    def open(self) -> IO[bytes]:
        """Its bytes, as a file to read from."""
        return self.archive.open(self.info)

    def read(self, most: int) -> bytes:
        """All its bytes.

        Raises:
            ValueError: There are more than `most`.
        """
        if self.size > most:
            raise ValueError(
                f"{self.info.filename[:100]!r} in it has {self.size:,} bytes, and at most {most:,} are read."
            )
        return self.archive.read(self.info)


@contextmanager
def members(path: str | os.PathLike[str]) -> Iterator[Mapping[str, Member]]:
    """What is in an archive, by name, while it is open. Nothing is unpacked to the disk.

    Raises:
        ValueError: It is no complete zip archive; or one that no library writes for a model: with a name twice or one
            that leads out of it, encrypted, packed by a method other than deflate, or to less than a hundredth, or in
            all to less than a tenth, with members that lie over one another, or with more of them than any model has.
    """
    import zipfile

    with _Bounded(path) as file:
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no complete zip archive.")
        with zipfile.ZipFile(file) as archive:
            file.most = math.inf
            yield _checked(archive, os.fstat(file.fileno()).st_size)


def _checked(archive: zipfile.ZipFile, size: int) -> dict[str, Member]:
    found: dict[str, Member] = {}
    infos = archive.infolist()
    if len(infos) > _MOST_MEMBERS:
        raise ValueError(f"it has {len(infos):,} members, and no model has more than {_MOST_MEMBERS:,}.")
    for info in infos:
        _check(info)
        if info.filename in found:
            raise ValueError(f"it has {info.filename[:100]!r} twice.")
        found[info.filename] = Member(archive, info)
    _check_places(infos, size)
    unpacked = sum(info.file_size for info in infos)
    if unpacked > _MOST_RATIO_OF_ALL * size + _SPARE:
        raise ValueError(f"it unpacks from {size:,} bytes to {unpacked:,}: no model's does, a decompression bomb does.")
    return found


class _Bounded(io.BufferedReader):
    """A file that is read in pieces of up to `most` bytes: `zipfile` takes the list of members as one."""

    most: float = _LONGEST_LIST

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(io.FileIO(path))

    def read(self, size: int | None = -1) -> bytes:
        """So many bytes, or all that there are."""
        wanted = -1 if size is None else size
        length = wanted if wanted >= 0 else os.fstat(self.fileno()).st_size - self.tell()
        if length > self.most:
            raise ValueError(f"its list of members has {length:,} bytes, and at most {self.most:,} are read.")
        return super().read(wanted)


def _check(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if len(name) > _LONGEST_NAME:
        raise ValueError(f"the name {name[:100]!r}… in it has {len(name):,} letters, and no member's has.")
    if info.orig_filename != name or "\\" in name or name.startswith("/") or ".." in name.split("/") or ":" in name[:2]:
        raise ValueError(f"the name {info.orig_filename[:100]!r} in it leads out of it.")
    if info.flag_bits & 0x1:
        raise ValueError(f"{name[:100]!r} in it is encrypted.")
    if info.compress_type not in (_STORED, _DEFLATED):
        raise ValueError(f"{name[:100]!r} in it is packed by method {info.compress_type}; only deflate is read.")
    if info.file_size > _MOST_RATIO * (info.compress_size + 100):
        raise ValueError(
            f"{name[:100]!r} in it unpacks from {info.compress_size:,} bytes to {info.file_size:,}: no model's does, a "
            "decompression bomb does."
        )


def _check_places(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Members that share their bytes would unpack to more than the file could hold."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end or info.header_offset + info.compress_size > size:
            raise ValueError(f"{info.filename[:100]!r} in it lies where other bytes of the archive are.")
        end = info.header_offset + info.compress_size
