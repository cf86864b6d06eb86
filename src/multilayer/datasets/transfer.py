"""Bytes over the network: by pooch, from https alone, within bounds of time, and never unpacked on the way."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urljoin, urlsplit

from multilayer.datasets.download_progress import FileProgress

if TYPE_CHECKING:
    import requests

_SILENCE_SECONDS = 10.0  # the longest wait for a server's next bytes; then it is left out
_CHUNK = 1 << 16


class AddressError(OSError):
    """An address that nothing is fetched from."""


class SilenceError(OSError):
    """A server has sent nothing, or too little, for too long."""


class Body(Protocol):
    """What pooch writes to as to a file."""

    def write(self, chunk: bytes) -> object: ...

    def flush(self) -> object: ...


def require_packages() -> None:
    """Raises OSError where a package is missing that downloading needs."""
    try:
        for package in ("pooch", "rich"):
            importlib.import_module(package)
    except ImportError as error:
        raise OSError(f"downloading needs {error.name}, which is not installed (`pip install pooch rich`)") from error


def check_address(url: str, plain: bool = False) -> None:
    """Raises AddressError where an address is neither https nor on this machine.

    Args:
        url: The address.
        plain: Whether http will do, too: whoever checks the bytes by their digest need not trust the way.
    """
    parts = urlsplit(url)
    if plain and parts.scheme == "http":
        return
    if parts.scheme != "https" and parts.hostname not in ("127.0.0.1", "::1", "localhost"):
        raise AddressError(f"{url} is no https address")


def stream(url: str, body: Body, bar: FileProgress, plain: bool = False) -> None:
    """Writes the bytes of an address into a body, as they come.

    Raises:
        AddressError: The address, or one that it leads to, is none that bytes are fetched from.
        SilenceError: No bytes came for too long.
        OSError: They cannot be had; or what the body raises.
    """
    import pooch
    import requests

    try:
        with watched_answers(plain) as how:
            pooch.HTTPDownloader(progressbar=bar, chunk_size=_CHUNK, **how)(url, body, None)
    except requests.RequestException as error:
        if _timed_out(error):
            raise SilenceError(f"no bytes for {_SILENCE_SECONDS:g} seconds") from error
        raise


@contextmanager
def watched_answers(plain: bool = False) -> Iterator[dict[str, Any]]:
    """What requests is told: bytes as they are, and a look at every answer before its body is read or it is followed.

    A body that the connection packs a second time could unpack to any size within one piece. In the end the answers are
    closed, whatever came of them.

    Args:
        plain: Whether it may be led to http, and from http to https.
    """
    answers: list[requests.Response] = []

    def look(answer: requests.Response, **_: object) -> None:
        answers.append(answer)
        packed = answer.headers.get("content-encoding", "identity")
        if answer.is_redirect:
            target = urljoin(answer.url, answer.headers["location"])
            schemes = {urlsplit(target).scheme, urlsplit(answer.url).scheme}
            if len(schemes) > 1 and not (plain and schemes == {"http", "https"}):
                raise AddressError(f"redirects to {target}, which is another scheme")
            check_address(target, plain)
        elif packed != "identity":
            raise AddressError(f"sends its bytes packed as {packed!r}, which was not asked for")

    try:
        yield {"headers": {"Accept-Encoding": "identity"}, "hooks": {"response": look}, "timeout": _SILENCE_SECONDS}
    finally:
        for answer in answers:
            answer.close()


def _timed_out(error: requests.RequestException) -> bool:
    """Whether the time was up: requests has a class for this, but not once the body has begun."""
    import requests
    from urllib3.exceptions import ReadTimeoutError

    return isinstance(error, requests.Timeout) or any(isinstance(cause, ReadTimeoutError) for cause in error.args)
