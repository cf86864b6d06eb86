"""Downloads a data set: which mirrors answer, the bytes, the check that they are the published ones.

The cache only ever holds whole, verified files: the bytes are received, unpacked and checked in memory, then written
beside their place and renamed, so that nobody sees half a file, whoever else downloads the same at the same time.
"""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from multilayer._language import tr
from multilayer._system.atomic import replaced, try_folder
from multilayer.datasets.description import Dataset, PublishedFile
from multilayer.datasets.download_progress import FileProgress, progress_bars
from multilayer.datasets.transfer import (
    AddressError,
    SilenceError,
    check_address,
    require_packages,
    stream,
    watched_answers,
)

_PROBE_SECONDS = 5.0  # for all mirrors together: looking up a name has no time limit of its own
_GRACE_SECONDS, _SLOWEST = 30.0, 10_000  # a file may take so long, and a second more for so many of its bytes
_ROUNDS = 2  # how often any other mirror is tried: a connection that broke may hold the second time


def fetch(dataset: Dataset[PublishedFile], folder: Path) -> None:
    """Downloads those files of a data set that a folder lacks.

    Args:
        dataset: What to download.
        folder: Where to put the files, unpacked; made where it does not exist.

    Raises:
        OSError: The folder cannot be written, no mirror answers, or none gives the published bytes.
    """
    require_packages()
    missing = [file for file in dataset.files if not (folder / file.name).is_file()]
    if not missing:  # another process has just brought them
        return
    mirrors = _answering(dataset.mirrors, missing[0])
    _require_writable(folder)
    with progress_bars() as progress:
        for file in missing:
            data = _download(file, mirrors, FileProgress(progress, file.name))
            with replaced(folder / file.name) as cached:
                cached.write(data)


def _require_writable(folder: Path) -> None:
    try:
        try_folder(folder)
    except OSError as error:
        raise OSError(
            tr(
                "the cache {folder} cannot be written ({strerror}); set MULTILAYER_HOME to a folder that can",
                folder=folder,
                strerror=error.strerror,
            )
        ) from error


def _url(mirror: str, file: PublishedFile) -> str:
    return f"{mirror}{file.address}"


def _answering(mirrors: Sequence[str], file: PublishedFile) -> list[str]:
    """Those mirrors that say they have a file, in the order given.

    All are asked at once, in daemon threads that are left behind when the time is up: nothing else ends a look-up of a
    name that hangs.

    Raises:
        OSError: None does; the message says why, for each.
    """
    import requests

    findings = dict.fromkeys(mirrors, tr("no answer within {probe_seconds:g} seconds", probe_seconds=_PROBE_SECONDS))

    def ask(mirror: str) -> None:
        url = _url(mirror, file)
        try:
            check_address(url)
            with watched_answers() as how:
                answer = requests.head(url, allow_redirects=True, **how)
            findings[mirror] = (
                "" if answer.ok else tr("answers with status {status_code}", status_code=answer.status_code)
            )
        except AddressError as error:
            findings[mirror] = str(error)
        except OSError as error:  # every error of requests is one
            findings[mirror] = type(error).__name__

    threads = [threading.Thread(target=ask, args=(mirror,), daemon=True) for mirror in mirrors]
    deadline = time.monotonic() + _PROBE_SECONDS
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    answering = [mirror for mirror in mirrors if not findings[mirror]]
    if not answering:
        reasons = "; ".join(f"{mirror}: {finding}" for mirror, finding in findings.items())
        raise OSError(tr("no mirror offers {address} ({reasons})", address=file.address, reasons=reasons))
    return answering


def _download(file: PublishedFile, mirrors: list[str], bar: FileProgress) -> bytes:
    """The unpacked, verified bytes of a file, from the first mirror that gives them.

    Every further try is told, and why. A mirror that falls silent is taken out of `mirrors`: another try at it, or at
    the next file, would cost as much waiting.

    Raises:
        OSError: None does; the message says why, for each.
    """
    failures: dict[str, str] = {}
    failure = ""
    for mirror in (*mirrors,) * _ROUNDS:
        if mirror not in mirrors:
            continue
        url = _url(mirror, file)
        if failure:
            bar.tell(tr("{failure}; trying {url}", failure=failure, url=url))
        try:
            return _receive(file, url, bar)
        except (OSError, ValueError) as error:
            failures[mirror] = failure = f"{url}: {error}"
            if isinstance(error, SilenceError):
                mirrors.remove(mirror)
    raise OSError("; ".join(failures.values()) or tr("every mirror has fallen silent"))


def _receive(file: PublishedFile, url: str, bar: FileProgress) -> bytes:
    """The unpacked, verified bytes of a file from one address.

    They are received in a thread that is left behind when the time is up: a mirror that sends a byte a second is never
    silent, and nothing else ends a read that waits for a whole piece.
    """
    body = _Body(file.limit)
    failures: list[BaseException] = []

    def receive() -> None:
        try:
            stream(url, body, bar)
        except Exception as error:  # raised again below, by the thread that is waited for
            failures.append(error)

    seconds = _GRACE_SECONDS + file.size / _SLOWEST
    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        received = body.close()
        raise SilenceError(tr("{received:,} bytes in {seconds:g} seconds", received=received, seconds=seconds))
    if failures:
        raise failures[0]
    body.file.seek(0)
    return file.verified(body.file)


class _Body:
    """Memory that pooch writes to as to a file, but not without end."""

    def __init__(self, limit: int) -> None:
        self.file = io.BytesIO()
        self.limit = limit

    def close(self) -> int:
        """Takes no more, and says how many bytes have come."""
        self.limit = -1
        return self.file.tell()

    def write(self, chunk: bytes) -> None:
        if self.file.tell() + len(chunk) > self.limit:
            raise ValueError(tr("expected at most {limit:,} bytes, found more", limit=self.limit))
        self.file.write(chunk)

    def flush(self) -> None:
        pass
