"""Zip archives from strangers: what is in one is known, and bounded, before anything of it is unpacked."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import zipfile

_STORED, _DEFLATED = 0, 8
_MOST_MEMBERS = 100_000
_MOST_RATIO = 100  # weights are random numbers, which do not shrink, and a config shrinks to a twentieth


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
            that leads out of it, encrypted, packed by a method other than deflate or to less than a hundredth, with
            members that lie over one another, or with more of them than any model has.
    """
    import zipfile

    if not zipfile.is_zipfile(path):
        raise ValueError("it is no complete zip archive.")
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Member] = {}
        infos = archive.infolist()
        if len(infos) > _MOST_MEMBERS:
            raise ValueError(f"it has {len(infos):,} members, and no model has more than {_MOST_MEMBERS:,}.")
        for info in infos:
            _check(info)
            if info.filename in found:
                raise ValueError(f"it has {info.filename[:100]!r} twice.")
            found[info.filename] = Member(archive, info)
        _check_places(infos, os.path.getsize(path))  # noqa: PTH202 - pathlib would slow down every import
        yield found


def _check(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if info.orig_filename != name or "\\" in name or name.startswith("/") or ".." in name.split("/") or ":" in name[:2]:
        raise ValueError(f"the name {info.orig_filename[:100]!r} in it leads out of it.")
    if info.flag_bits & 0x1:
        raise ValueError(f"{name[:100]!r} in it is encrypted.")
    if info.compress_type not in (_STORED, _DEFLATED):
        raise ValueError(f"{name[:100]!r} in it is packed by method {info.compress_type}; only deflate is read.")
    if info.file_size > _MOST_RATIO * (info.compress_size + 100):
        raise ValueError(
            f"{name[:100]!r} in it unpacks from {info.compress_size:,} bytes to {info.file_size:,}: no model's does."
        )


def _check_places(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Members that share their bytes would unpack to more than the file could hold."""
    end = 0
    for info in sorted(infos, key=lambda one: one.header_offset):
        if info.header_offset < end or info.header_offset + info.compress_size > size:
            raise ValueError(f"{info.filename[:100]!r} in it lies where other bytes of the archive are.")
        end = info.header_offset + info.compress_size
