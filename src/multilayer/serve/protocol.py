"""uvicorn's HTTP, with a clock for those who take their time, and errors in the one form."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from multilayer.serve import problems
from multilayer.serve.limits import Limits

_LINGERING = 1.0  # seconds in which an answer can be fetched whose question was not read
_MOST_JOINED = 2**14  # bytes of what is written; larger ones cost a call of the system's that is small beside them
_MOST_AHEAD = 16  # requests that may be sent before the first is answered


def protocol_with(limits: Limits) -> type[asyncio.Protocol]:
    """The protocol, held to some limits: uvicorn makes one for each connection."""
    return type("Protocol", (_Protocol,), {"limits": limits})


class _Protocol(HttpToolsProtocol):
    """A connection.

    uvicorn bounds the pause between two requests; what it leaves open is how large headers are, and a client that sends
    its headers, or its body, a byte now and then, for ever ("slow loris"), or does not fetch its answer.
    """

    limits: Limits
    _clock: asyncio.TimerHandle | None = None
    _fetching: asyncio.TimerHandle | None = None
    _in_headers = True  # what comes next belongs to headers, of this request or of the next
    _in_body = False
    _header_bytes = 0  # since anything else has come: of headers, of a chunk's head, of trailers
    _leaving = False

    def connection_made(self, transport: Any) -> None:
        joining: Any = _Joining(transport, self)
        super().connection_made(joining)
        if len(self.connections) > self.limits.connections:
            self._refuse(503, "Too many connections. Try again in a moment.")
            return
        self._begin()

    def data_received(self, data: bytes) -> None:
        if self._leaving:
            return
        before = self._in_headers, self._in_body
        self._header_bytes += len(data)
        super().data_received(data)
        if self._leaving or self.transport.is_closing():
            return
        if self._header_bytes > self.limits.header_bytes:
            self._refuse(431, f"The request's headers have more than {self.limits.header_bytes:,} bytes.")
        elif self._clock is None or before != (self._in_headers, self._in_body):
            self._stop()
            if self._in_headers and self._header_bytes:
                self._begin()
            elif self._in_body:
                seconds = self.limits.body_seconds
                self._clock = self.loop.call_later(seconds, self._too_late, "body was", seconds)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._fetching = self.loop.call_later(self.limits.fetch_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._fetched()

    def _fetched(self) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            self._fetching = None

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        self._fetched()
        super().connection_lost(exc)

    # What the parser tells

    def on_headers_complete(self) -> None:
        self._in_headers, self._in_body, self._header_bytes = False, True, 0
        self._stop()
        if self._leaving:
            return
        super().on_headers_complete()
        if len(self.pipeline) > _MOST_AHEAD:
            self._refuse(503, "Too many requests before the first is answered.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self._in_body:  # trailers would be added to the headers of a request that was checked already
            super().on_header(name, value)

    def on_body(self, body: bytes) -> None:
        self._header_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_headers, self._in_body, self._header_bytes = True, False, 0
        self._stop()
        super().on_message_complete()

    # What uvicorn tells

    def on_response_complete(self) -> None:
        if self._in_body and self.cycle.response_complete:  # answered before all was read
            self._leave()
        else:
            super().on_response_complete()

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(_LINGERING, self.transport.abort)  # who does not fetch an answer does not get it

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's text
        self._refuse(400, "The request is no HTTP/1.1.")

    def shutdown(self) -> None:
        if self._leaving:
            self.transport.abort()
        else:
            super().shutdown()

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
        """Answers without the application, unless an answer has begun, and closes."""
        answering = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not (answering or self._leaving or self.transport.is_closing()):
            body = problems.body_of(status, detail)
            head = (
                f"HTTP/1.1 {status} {problems.title_of(status)}\r\nContent-Type: {problems.MEDIA_TYPE}\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self._leave()

    def _leave(self) -> None:
        """Says that nothing more will come, and lets the answer be fetched.

        To close while bytes are unread would reset the connection, and take the answer along.
        """
        self._stop()
        self._unset_keepalive_if_required()
        if self._leaving or self.transport.is_closing():
            return
        self._leaving = True
        if self.cycle is not None:  # whoever works on an answer still is told that nobody waits for it
            self.cycle.disconnected = not self.cycle.response_complete
            self.cycle.message_event.set()
        self.flow.pause_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(_LINGERING, self.transport.abort)

    def unread(self) -> bool:
        """Whether a request that was answered is still being sent."""
        return self._in_body and not self._leaving


class _Joining:
    """A transport that sends at once what is written in one turn of the loop, such as the head and body of an answer.

    Each part would be a call of the system's otherwise, which takes a tenth of all time that an answer takes.
    """

    def __init__(self, transport: asyncio.Transport, protocol: _Protocol) -> None:
        self._transport, self._protocol = transport, protocol
        self._parts: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._parts:
            self._protocol.loop.call_soon(self._send)
        self._parts.append(data)
        if len(data) > _MOST_JOINED:  # or who writes much would not hear that the connection takes no more
            self._send()

    def write_eof(self) -> None:
        self._send()
        self._transport.write_eof()

    def close(self) -> None:
        self._send()
        if self._protocol.unread():
            self._protocol._leave()
        else:
            self._transport.close()

    def _send(self) -> None:
        parts, self._parts = self._parts, []
        if parts and not self._transport.is_closing():
            self._transport.write(b"".join(parts))
