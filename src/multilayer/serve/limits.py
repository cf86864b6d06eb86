"""What a service takes on: how much, and for how long."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """The bounds of a service; what lies beyond is refused, or cut off, before it costs anything.

    Attributes:
        text_bytes: Of a body of JSON or CSV. Python takes up to fifty times as much for what it says.
        picture_bytes: Of a body that is a picture: a telephone's have up to ten million.
        pixels: That a picture may declare.
        rows: That one request may ask about.
        header_bytes: Of a request's line and headers.
        header_seconds: Until all headers are there.
        body_seconds: Until all of the body is there.
        fetch_seconds: Until what was sent of an answer is fetched, where it is too much for the connection to hold.
        idle_seconds: That a connection may stay open between two requests.
        connections: That may be open at once.
        waiting_requests: That may wait for the network at once.
        waiting_pictures: That may wait to be unpacked.
        waiting_bytes: Of all bodies that are held at once, until they are answered.
        listeners: That may follow a training at once: each takes a network's weights in memory, five times a second.
        stopping_seconds: That requests under way are given when the service stops.
    """

    text_bytes: int = 4 * 2**20
    picture_bytes: int = 16 * 2**20
    pixels: int = 16_000_000
    rows: int = 10_000
    header_bytes: int = 16 * 2**10
    header_seconds: float = 10
    body_seconds: float = 30
    fetch_seconds: float = 30
    idle_seconds: int = 15
    connections: int = 4_000
    waiting_requests: int = 4_000
    waiting_pictures: int = 64
    waiting_bytes: int = 64 * 2**20
    listeners: int = 200
    stopping_seconds: int = 5
