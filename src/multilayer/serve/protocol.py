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

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections:
            self._refuse(503, "Too many connections. Try again in a moment.")
            return
        self._begin()

    def data_received(self, data: bytes) -> None:
        before = self.conn.their_state
        super().data_received(data)
        now = self.conn.their_state
        if (now is before and self._clock is not None) or self.transport.is_closing():
            return
        self._stop()
        if now is h11.IDLE:
            self._begin()
        elif now is h11.SEND_BODY:  # the application's own limit comes first, and says so
            self._clock = self.loop.call_later(self.limits.body_seconds + _LINGERING, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            # Answered before all was read. To close now would reset the connection, and take the answer along.
            self.flow.pause_reading()
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(_LINGERING, self.transport.abort)
            return
        super().on_response_complete()

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
        self._clock = self.loop.call_later(self.limits.header_seconds, self._too_late)

    def _stop(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None

    def _too_late(self) -> None:
        self._refuse(408, f"The request's headers were not there after {self.limits.header_seconds:g} s.")

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
        self.transport.close()
        self.loop.call_later(_LINGERING, self.transport.abort)
