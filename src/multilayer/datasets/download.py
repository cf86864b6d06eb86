"""Downloads a data set: which mirrors answer, the bytes, the check that they are the published ones.

The cache only ever holds whole, verified files: the bytes are received, unpacked and checked in memory, then written
beside their place and renamed, so that nobody sees half a file, whoever else downloads the same at the same time.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from multilayer._system.atomic import replaced, try_folder
from multilayer.datasets import idx
from multilayer.datasets.description import Dataset, IdxFile
from multilayer.datasets.download_progress import FileProgress, progress_bars

if TYPE_CHECKING:
    import requests

_PROBE_SECONDS = 5.0  # for all mirrors together: looking up a name has no time limit of its own
_SILENCE_SECONDS = 10.0  # the longest wait for a mirror's next bytes; then it is left out
_GRACE_SECONDS, _SLOWEST = 30.0, 10_000  # a file may take so long, and a second more for so many of its bytes
_ROUNDS = 2  # how often any other mirror is tried: a connection that broke may hold the second time
_CHUNK = 1 << 16
_GZIP_OVERHEAD = 1 << 16  # more than gzip adds to data of our sizes that it cannot shrink


def fetch(dataset: Dataset, folder: Path) -> None:
    """Downloads those files of a data set that a folder lacks.

    Args:
        dataset: What to download.
        folder: Where to put the files, unpacked; made where it does not exist.

    Raises:
        OSError: The folder cannot be written, no mirror answers, or none gives the published bytes.
    """
    _require_packages()
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


def _require_packages() -> None:
    try:
        for package in ("pooch", "rich"):
            importlib.import_module(package)
    except ImportError as error:
        raise OSError(f"downloading needs {error.name}, which is not installed (`pip install pooch rich`)") from error


def _require_writable(folder: Path) -> None:
    try:
        try_folder(folder)
    except OSError as error:
        raise OSError(
            f"the cache {folder} cannot be written ({error.strerror}); set MULTILAYER_HOME to a folder that can"
        ) from error


def _url(mirror: str, file: IdxFile) -> str:
    return f"{mirror}{file.name}.gz"


def _answering(mirrors: Sequence[str], file: IdxFile) -> list[str]:
    """Those mirrors that say they have a file, in the order given.

    All are asked at once, in daemon threads that are left behind when the time is up: nothing else ends a look-up of a
    name that hangs.

    Raises:
        OSError: None does; the message says why, for each.
    """
    import requests

    findings = dict.fromkeys(mirrors, f"no answer within {_PROBE_SECONDS:g} seconds")

    def ask(mirror: str) -> None:
        url = _url(mirror, file)
        try:
            _check_address(url)
            with _watched_answers() as how:
                answer = requests.head(url, allow_redirects=True, **how)
            findings[mirror] = "" if answer.ok else f"answers with status {answer.status_code}"
        except _AddressError as error:
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
        raise OSError(f"no mirror offers {file.name}.gz ({reasons})")
    return answering


def _download(file: IdxFile, mirrors: list[str], bar: FileProgress) -> bytes:
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
            bar.tell(f"{failure}; trying {url}")
        try:
            return _receive(file, url, bar)
        except (OSError, ValueError) as error:
            failures[mirror] = failure = f"{url}: {error}"
            if isinstance(error, _SilenceError):
                mirrors.remove(mirror)
    raise OSError("; ".join(failures.values()) or "every mirror has fallen silent")


def _receive(file: IdxFile, url: str, bar: FileProgress) -> bytes:
    """The unpacked, verified bytes of a file from one address.

    They are received in a thread that is left behind when the time is up: a mirror that sends a byte a second is never
    silent, and nothing else ends a read that waits for a whole piece.
    """
    body = _Body(limit=file.size + _GZIP_OVERHEAD)
    failures: list[BaseException] = []

    def receive() -> None:
        try:
            _stream(url, body, bar)
        except Exception as error:  # raised again below, by the thread that is waited for
            failures.append(error)

    seconds = _GRACE_SECONDS + file.size / _SLOWEST
    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        received = body.close()
        raise _SilenceError(f"{received:,} bytes in {seconds:g} seconds")
    if failures:
        raise failures[0]
    data = idx.unpack(body.file, file.size)
    found = hashlib.sha256(data).hexdigest()
    if found != file.sha256:
        raise ValueError(f"expected bytes of SHA-256 {file.sha256}, found {found}")
    return data


def _stream(url: str, body: _Body, bar: FileProgress) -> None:
    import pooch
    import requests

    try:
        with _watched_answers() as how:
            pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK, **how)(url, body, None)
    except requests.RequestException as error:
        if _timed_out(error):
            raise _SilenceError(f"no bytes for {_SILENCE_SECONDS:g} seconds") from error
        raise
    body.file.seek(0)


class _AddressError(OSError):
    """An address that nothing is fetched from."""


def _check_address(url: str) -> None:
    """Raises an error where an address is neither https nor on this machine."""
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise _AddressError(f"{url} is no https address")


@contextmanager
def _watched_answers() -> Iterator[dict[str, Any]]:
    """What requests is told: bytes as they are, and a look at every answer before its body is read or it is followed.

    A body that the connection packs a second time could unpack to any size within one piece. In the end the answers are
    closed, whatever came of them.
    """
    answers: list[requests.Response] = []

    def look(answer: requests.Response, **_: object) -> None:
        answers.append(answer)
        packed = answer.headers.get("content-encoding", "identity")
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["location"])
            if urlsplit(target).scheme != urlsplit(answer.url).scheme:
                raise _AddressError(f"redirects to {target}, which is another scheme")
            _check_address(target)
        elif packed != "identity":
            raise _AddressError(f"sends its bytes packed as {packed!r}, which was not asked for")

    try:
        yield {"headers": {"Accept-Encoding": "identity"}, "hooks": {"response": look}, "timeout": _SILENCE_SECONDS}
    finally:
        for answer in answers:
            answer.close()


class _SilenceError(OSError):
    """A mirror has sent nothing, or too little, for too long."""


def _timed_out(error: requests.RequestException) -> bool:
    """Whether the time was up: requests has a class for this, but not once the body has begun."""
    import requests
    from urllib3.exceptions import ReadTimeoutError

    return isinstance(error, requests.Timeout) or any(isinstance(cause, ReadTimeoutError) for cause in error.args)


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
            raise ValueError(f"expected at most {self.limit:,} bytes, found more")
        self.file.write(chunk)

    def flush(self) -> None:
        pass
