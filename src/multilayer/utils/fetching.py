"""Files from the network, in a cache on the disk."""

from __future__ import annotations

import os
import warnings
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from multilayer._checks.arguments import file_name, text
from multilayer._tracebacks import filter_traceback

if TYPE_CHECKING:
    from pathlib import Path

# Much is imported where it is used: hashlib, pathlib and what reads archives are slow to import, and seldom needed.


@filter_traceback
def get_file(
    fname: str | os.PathLike[str] | None = None,
    origin: str | None = None,
    untar: bool = False,
    md5_hash: str | None = None,
    file_hash: str | None = None,
    cache_subdir: str = "datasets",
    hash_algorithm: str = "auto",
    extract: bool = False,
    archive_format: str | list[str] | tuple[str, ...] | None = "auto",
    cache_dir: str | os.PathLike[str] | None = None,
    force_download: bool = False,
) -> str:
    """Downloads a file into a cache, where it is not there yet, and extracts it where it is an archive.

    A file appears in the cache whole, and with the right digest where one is given, or not at all. It is fetched from
    https addresses; from http with a `file_hash` alone, since anyone on the way could have sent another.

    An archive is unpacked beside its place and moved there when all is well. Names that lead out of the folder, links
    that do, devices, and more than a hundred times the archive's size (and 64 MiB) are refused, and nothing is left of
    such an archive; Keras leaves out the members that it refuses, and extracts the others. Links within an archive
    become copies.

    **Do not download what you do not trust**, and give the `file_hash` of what you do.

    Args:
        fname: Name of the file in the cache, no path; by default that at the end of `origin`. Of an archive to be
            extracted the name without its ending, and `_extracted`, is the folder; without an ending the name itself.
        origin: The address.
        untar: Older than `extract`: extracts a tar archive.
        md5_hash: Older than `file_hash`: the MD5 of the file, in hexadecimal.
        file_hash: The digest of the file, in hexadecimal.
        cache_subdir: Folder within the cache; an absolute path is taken as it is.
        hash_algorithm: "sha256", "md5", or "auto" to tell them by the length of `file_hash`.
        extract: Whether the file is an archive to be extracted.
        archive_format: "tar" (also packed by gzip, bzip2 or xz), "zip", a list of them, or "auto" for either.
        cache_dir: The cache; by default `$MULTILAYER_HOME`, or `~/.multilayer`, where Keras has `$KERAS_HOME`.
        force_download: Whether the file is downloaded though it is there.

    Returns:
        Where the file is, or the folder that it was extracted to.

    Raises:
        ValueError: An argument is none of these, the file has another digest, or the archive is broken or would write
            elsewhere.
        OSError: The file cannot be downloaded, or the cache not be written.

    Example:
        >>> get_file(
        ...     origin="https://example.org/flowers.tgz", extract=True, file_hash="5891b5b522d5df08…"
        ... )  # doctest: +SKIP
        '/home/ada/.multilayer/datasets/flowers.tgz'
    """
    if origin is None:
        raise ValueError('Please specify the "origin" argument (URL of the file to download).')
    digest = _digest(file_hash, md5_hash, hash_algorithm)
    formats = _formats("tar" if untar else archive_format)
    name = _name(fname, text("origin", origin))
    folder = _folder(cache_dir, cache_subdir)
    unpacks = extract or untar
    stem = name.partition(".")[0] if fname else name
    archive = name if fname and stem != name else f"{name}_archive"
    target = folder / (archive if unpacks else name)
    if force_download or not target.exists() or not _fits(target, digest):
        _download(origin, target, digest)
    if not unpacks:
        return str(target)
    from multilayer.utils.extraction import extract_archive

    extracted = folder / (name if archive != name else f"{stem}_extracted")
    if not extract_archive(target, extracted, formats):
        expected = " or ".join(formats) or "none, by `archive_format`"
        warnings.warn(
            f"Could not extract archive. Expected {expected}; {target}, from {origin}, is no such archive. It stays "
            f"there, and {extracted} is as it was.",
            stacklevel=2,
        )
    return str(extracted)


class _Digest(NamedTuple):
    """The digest that a file is to have."""

    algorithm: str
    value: str


def _digest(file_hash: str | None, md5_hash: str | None, algorithm: str) -> _Digest | None:
    if algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(f"`hash_algorithm` must be 'auto', 'sha256' or 'md5'. Received: hash_algorithm={algorithm!r}")
    if file_hash is None:
        file_hash, algorithm = md5_hash, "md5"
    if file_hash is None:
        return None
    value = text("file_hash", file_hash).lower()
    lengths = {64: "sha256", 32: "md5"}
    found = lengths.get(len(value)) if set(value) <= set("0123456789abcdef") else None
    if found is None or algorithm not in ("auto", found):
        kind = {"auto": "SHA-256 or MD5", "sha256": "SHA-256", "md5": "MD5"}[algorithm]
        raise ValueError(f"`file_hash` must be a {kind} in hexadecimal. Received: file_hash={file_hash!r}")
    return _Digest(found, value)


def _formats(archive_format: Any) -> list[str]:
    known = ["tar", "zip"]
    if archive_format == "auto":
        return known
    formats = [archive_format] if isinstance(archive_format, str) else list(archive_format or ())
    if not set(formats) <= set(known):
        raise ValueError(
            "`archive_format` must be 'auto', 'tar', 'zip', a list of these, or None. Received: "
            f"archive_format={archive_format!r}"
        )
    return formats


def _name(fname: Any, origin: str) -> str:
    """The name of the file: no path, and none that leads elsewhere."""
    from urllib.parse import urlsplit

    if not fname:
        name = urlsplit(origin).path.rpartition("/")[2]
        if name in ("", ".", "..") or "\\" in name:
            raise ValueError(
                f"Can't parse the file name from the origin provided: '{origin}'. Please specify the `fname` argument."
            )
        return name
    name = file_name("fname", fname)
    if name in (".", "..") or any(one in name for one in "/\\\0"):
        raise ValueError(
            "Paths are no longer accepted as the `fname` argument. To specify the file's parent directory, use the "
            f"`cache_dir` argument. Received: fname={name}"
        )
    return name


def _folder(cache_dir: Any, cache_subdir: str) -> Path:
    """Where the file goes: a folder that can be written."""
    from pathlib import Path

    from multilayer._system.atomic import try_folder
    from multilayer.datasets.places import home

    cache = home() if cache_dir is None else Path(file_name("cache_dir", cache_dir)).expanduser()
    folder = cache / file_name("cache_subdir", cache_subdir)
    try:
        try_folder(folder)
    except OSError as error:
        # Keras goes on in /tmp/.keras, where another user of the machine may have put what he likes.
        raise OSError(
            f"the cache {folder} cannot be written ({error.strerror}); pass `cache_dir`, or set MULTILAYER_HOME to a "
            "folder that can"
        ) from error
    return folder


def _fits(path: Path, digest: _Digest | None) -> bool:
    """Whether a file in the cache has the digest that is asked for; says so where it does not."""
    if digest is None:
        return True
    from multilayer._system.progress import say

    hashed = _hashed(digest)
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            hashed.update(chunk)
    if hashed.hexdigest() == digest.value:
        return True
    say(
        f"A local file was found, but it seems to be incomplete or outdated because the {digest.algorithm} file hash "
        f"does not match the original value of {digest.value} so we will re-download the data.\n"
    )
    return False


def _hashed(digest: _Digest) -> Any:
    import hashlib

    return hashlib.new(digest.algorithm, usedforsecurity=digest.algorithm != "md5")


def _download(origin: str, target: Path, digest: _Digest | None) -> None:
    from multilayer._system.atomic import replaced
    from multilayer.datasets.download_progress import FileProgress, progress_bars
    from multilayer.datasets.transfer import check_address, require_packages, stream

    plain = digest is not None  # then the way need not be trusted
    try:
        check_address(origin, plain)
        require_packages()
        with replaced(target) as file, progress_bars() as progress:
            body = _Body(file, None if digest is None else _hashed(digest))
            stream(origin, body, FileProgress(progress, target.name), plain)
            if digest is not None and body.hashed.hexdigest() != digest.value:
                raise ValueError(
                    f"Incomplete or corrupted file detected. The {digest.algorithm} file hash of what came from "
                    f"{origin} is {body.hashed.hexdigest()}, and does not match the provided value of {digest.value}. "
                    "Nothing of it was kept."
                )
    except OSError as error:
        advice = "" if plain or not origin.startswith("http:") else "; from there, give its `file_hash`"
        raise OSError(f"URL fetch failure on {origin}: {error}{advice}") from error


class _Body:
    """A file that is hashed while pooch writes to it."""

    def __init__(self, file: IO[bytes], hashed: Any) -> None:
        self._file = file
        self.hashed = hashed

    def write(self, chunk: bytes) -> None:
        self._file.write(chunk)
        if self.hashed is not None:
            self.hashed.update(chunk)

    def flush(self) -> None:
        self._file.flush()
