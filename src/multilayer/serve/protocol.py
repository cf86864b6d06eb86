"""uvicorn's HTTP, with a clock for those who take their time, and errors in the one form."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from multilayer.serve import problems
from multilayer.serve.limits import Limits

_LINGERING = 1.0  # seconds in which an answer can be fetched whose question was not read


def protocol_with(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol, held to some limits: uvicorn makes one for each connection."""
    return type("Protocol", (_Protocol,), {"limits": limits})


class _Protocol(H11Protocol):
    """A connection.

    uvicorn bounds a request's headers in bytes, and the pause between two requests; what it leaves open is a client
    that sends its headers, or its body, a byte now and then, for ever ("slow loris").
    """

    limits: Limits
    _clock: asyncio.TimerHandle | None = None
    _leaving = False

    def connection_made(self, transport: Any) -> None:
        super().connection_made(_Joining(transport, self.loop))
        if len(self.connections) > self.limits.connections:
            self._refuse(503, "Too many connections. Try again in a moment.")
            return
        self._begin()

    def data_received(self, data: bytes) -> None:
        before = self.conn.their_state
        super().data_received(data)
        now = self.conn.their_state
        if (now is before and self._clock is not None) or self._leaving or self.transport.is_closing():
            return
        self._stop()
        if now is h11.IDLE:
            self._begin()
        elif now is h11.SEND_BODY:
            self._clock = self.loop.call_later(
                self.limits.body_seconds, self._too_late, "body was", self.limits.body_seconds
            )

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        if self.conn.their_state is h11.SEND_BODY:  # answered before all was read
            self._leave()
        else:
            super().on_response_complete()

    def shutdown(self) -> None:
        if self._leaving:
            self.transport.abort()
        else:
            super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(_LINGERING, self.transport.abort)  # who does not fetch an answer does not get it

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text
        """Refuses what is no HTTP; called while h11's error is handled, which knows what kind it is."""
        status = getattr(sys.exc_info()[1], "error_status_hint", 400)
        detail = {
            431: f"The request's headers have more than {self.limits.header_bytes:,} bytes.",
            501: "The body comes in a Transfer-Encoding that is not known. Expected `chunked`, or a Content-Length.",
        }.get(status, "The request is no HTTP/1.1.")
        self._refuse(status, detail)

    def _begin(self) -> None:
        seconds = self.limits.header_seconds
        self._clock = self.loop.call_later(seconds, self._too_late, "headers were", seconds)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_late(self, what: str, seconds: float) -> None:
        self._refuse(408, f"The request's {what} not all there after {seconds:g} s. Send it faster, or less at once.")

    def _refuse(self, status: int, detail: str) -> None:
        """Answers without the application, and closes."""
        self._stop()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE) and not self.transport.is_closing():
            body = problems.body_of(status, detail)
            title = problems.title_of(status)
            head = (
                f"HTTP/1.1 {status} {title}\r\nContent-Type: {problems.MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
                "Connection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self._leave()

    def _leave(self) -> None:
        """Says that nothing more will come, and lets the answer be fetched.

        To close while bytes are unread would reset the connection, and take the answer along.
        """
        self._stop()
        if self.transport.is_closing():
            return
        self._leaving = True
        self.flow.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGERING, self.transport.abort)


class _Joining:
    """A transport that sends at once what is written in one turn of the loop, such as the head and body of an answer.

    Each part would be a call of the system's otherwise, which takes a tenth of all time that an answer takes.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._loop.call_soon(self._send)
        self._parts.append(data)

    def write_eof(self) -> None:
        self._send()
        self._transport.write_eof()

    def close(self) -> None:
        self._send()
        self._transport.close()

    def _send(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))
