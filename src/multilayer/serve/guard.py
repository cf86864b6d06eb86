"""Who may ask: the checks and headers that all requests have in common.

A page in the same browser can send requests to localhost, too. Two things keep it from that. Its own name in `Host`,
once it has that name resolve to this machine (DNS rebinding), is none that is served; and what a browser sends on
behalf of another origin is no POST that is taken.
"""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections.abc import Collection, MutableMapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from multilayer.serve import problems
from multilayer.serve.metrics import Metrics

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_SAFE = {"GET", "HEAD", "OPTIONS"}
_STREAMS = {"/training"}
_DEFAULT_PORTS = {80, 443}
_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
]


class Guard:
    """Lets requests through to an application, or refuses them; counts all.

    Args:
        app: The application.
        hosts: Names that it is reached by, besides localhost and addresses; "*" for any.
        paths: The paths that are told apart in what is counted.
        metrics: Where it is counted.
        stopping: Set when the service is about to end: streams of events, which have no end of their own, end then.
    """

    def __init__(
        self, app: ASGIApp, hosts: Collection[str], paths: Collection[str], metrics: Metrics, stopping: asyncio.Event
    ) -> None:
        self._app, self._metrics, self._stopping = app, metrics, stopping
        self._hosts = {host.lower().rstrip(".") for host in hosts} | {"localhost"}
        self._paths = set(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers a request, as ASGI has it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status, whole = time.perf_counter(), 500, False

        async def sending(message: MutableMapping[str, Any]) -> None:
            nonlocal status, whole
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *_HEADERS]
            whole = message["type"] == "http.response.body" and not message.get("more_body", False)
            await send(message)

        try:
            refused = self._refused(scope["method"], Headers(scope=scope))
            streams = scope["path"] in _STREAMS and scope["method"] == "GET"
            await (refused or self._app)(scope, self._until_stopping(receive) if streams else receive, sending)
            if streams and self._stopping.is_set() and not whole:
                await sending({"type": "http.response.body", "body": b""})
        finally:
            method = scope["method"] if scope["method"] in _METHODS else "other"
            path = scope["path"] if scope["path"] in self._paths else "other"
            self._metrics.answered(method, path, status, time.perf_counter() - begun)

    def _until_stopping(self, receive: Receive) -> Receive:
        """Receives that nobody listens any more, once the service is about to end."""

        async def receiving() -> MutableMapping[str, Any]:
            message, stopping = asyncio.ensure_future(receive()), asyncio.ensure_future(self._stopping.wait())
            try:
                await asyncio.wait({message, stopping}, return_when=asyncio.FIRST_COMPLETED)
                return message.result() if message.done() else {"type": "http.disconnect"}
            finally:
                message.cancel()
                stopping.cancel()

        return receiving

    def _refused(self, method: str, headers: Headers) -> ASGIApp | None:
        host = _split(headers.get("host", ""))
        if host is None or not self._is_served(host[0]):
            return problems.response(
                421,
                "This service does not go by the name in the Host header. Expected localhost, an address, or a name "
                "that it was started with: multilayer serve --allow-host NAME.",
            )
        if method in _SAFE:
            return None
        origin = headers.get("origin")
        foreign = origin is not None and not _is_same(origin, host)
        if foreign or headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
            return problems.response(
                403, "A page of another origin asks. Expected the page of this service, or a program."
            )
        return None

    def _is_served(self, host: str) -> bool:
        return "*" in self._hosts or host in self._hosts or _is_address(host)


@lru_cache(256)
def _split(host: str) -> tuple[str, int | None] | None:
    """Name and port in a Host header; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        port = parts.port
    except ValueError:
        return None
    name = (parts.hostname or "").rstrip(".")
    if not name or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return name, None if port in _DEFAULT_PORTS else port


def _is_same(origin: str, host: tuple[str, int | None]) -> bool:
    """Whether an origin is this service; a proxy in between may have ended TLS, so that the scheme says nothing."""
    scheme, _, rest = origin.partition("://")
    return scheme in ("http", "https") and _split(rest) == host


def _is_address(host: str) -> bool:
    # Rebinding takes a name: a page that was fetched from an address cannot have it point elsewhere.
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
