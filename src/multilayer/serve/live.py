"""What the page asks of its server: the network, how a training stands, and the columns of a table."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from multilayer.serve.columns import describe_table
from multilayer.serve.limits import Limits
from multilayer.serve.problems import response
from multilayer.serve.training import Listener, LiveTraining, NotNowError

_TICK = 0.2  # seconds between two looks at what is new
_HEARTBEAT = 10.0  # seconds without news after which a sign of life is sent: proxies cut what is silent for a minute
_MOST_BYTES = 1_000  # of an order
_ARGUMENTS = {"action", "learning_rate"}


def routes_of_network(describe: Callable[[], dict[str, Any]], live: str = "network") -> list[Route]:
    """`GET /network`: what the page computes with, as plain data, and under `live`, what else there is to show.

    Args:
        describe: Gives it; called for each request, as weights change while a network is trained. A ValueError of it
            says why the page cannot show the network: then `live` is 'nothing', and `reason` is what it said.
        live: 'network', 'training' where it is trained on the page, or 'table', whose columns are the page's form.
    """

    def described() -> dict[str, Any]:
        try:
            return {"live": live, **describe()}
        except ValueError as error:
            return {"live": "nothing", "reason": str(error)}

    one_at_a_time, newest = asyncio.Lock(), b""

    async def network(_: Request) -> Response:
        nonlocal newest
        async with one_at_a_time:  # a network of millions of weights takes a hundred megabytes meanwhile
            body = await run_in_threadpool(lambda: JSONResponse(described()).body)
            if body != newest:  # else all who fetch it share it
                newest = bytes(body)
            body = newest
        headers = {**_NEVER_KEPT, "Content-Length": str(len(body))}
        return StreamingResponse(_in_pieces(body), media_type="application/json", headers=headers)

    return [Route("/network", network)]


def routes_of_training(training: LiveTraining, most: int = Limits().listeners) -> list[Route]:
    """`GET /training`, server-sent events of it, and `POST /training`, which directs it.

    Args:
        training: The training.
        most: How many may listen at once.
    """
    listeners: set[Listener] = set()

    async def events(request: Request) -> Response:
        if len(listeners) >= most:
            return response(503, f"{most} listen already. Try again in a while.", {"Retry-After": "10"})
        if request.method == "HEAD":  # which would wait for the end of what has none
            return Response(media_type=_EVENTS, headers=_NEVER_KEPT)
        return _Events(training.listen(), listeners)

    async def direct(request: Request) -> Response:
        # A page of somebody else's can send a form or text to localhost, but JSON only where it is allowed to.
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return response(415, "Expected JSON: `Content-Type: application/json`.")
        try:
            order = _order(await _body(request))
            await run_in_threadpool(training.direct, **order)  # it may wait for a step
        except NotNowError as error:
            return response(409, str(error))
        except _TooLargeError as error:
            return response(413, str(error))
        except (TypeError, ValueError) as error:
            return response(400, str(error))
        return JSONResponse(training.described(), headers=_NEVER_KEPT)

    return [Route("/training", events, methods=["GET"]), Route("/training", direct, methods=["POST"])]


def routes_of_table(estimator: Any, target: str) -> list[Route]:
    """`GET /columns`: what a row of a table is made of; and `GET /network`, which says that it is a table's.

    Args:
        estimator: A trained `TabularClassifier` or `TabularRegressor`.
        target: What its target is called.
    """
    described = describe_table(estimator, target)

    async def columns(_: Request) -> Response:
        return JSONResponse(described, headers=_NEVER_KEPT)

    return [*routes_of_network(dict, "table"), Route("/columns", columns)]


_NEVER_KEPT = {"Cache-Control": "no-store"}
_EVENTS = "text/event-stream"
_PIECE = 1 << 16  # bytes


async def _in_pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body, no more of it than a connection takes at a time: what waits to be fetched is kept once for each."""
    for start in range(0, len(body), _PIECE):
        yield body[start : start + _PIECE]


class _TooLargeError(ValueError):
    pass


async def _body(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise _TooLargeError(f"The body is too large. Expected at most {_MOST_BYTES:,} bytes.")
    return body


def _order(body: bytes) -> dict[str, Any]:
    """The arguments of `direct` in a body."""
    try:
        order = json.loads(body)
    except (ValueError, RecursionError):
        raise ValueError('The body is no JSON. Expected an object such as {"action": "pause"}.') from None
    if not isinstance(order, dict):
        raise ValueError('Expected an object such as {"action": "pause"}.')
    strange = sorted(set(order) - _ARGUMENTS)
    if strange:
        raise ValueError(f"Unknown: {', '.join(strange)[:100]}. Expected `action` or `learning_rate`.")
    return order


class _Events(StreamingResponse):
    """What a listener hears, who is among the listeners as long as he is there."""

    def __init__(self, listener: Listener, listeners: set[Listener]) -> None:
        super().__init__(_told(listener), media_type=_EVENTS, headers=_NEVER_KEPT)
        self._listener, self._listeners = listener, listeners
        listeners.add(listener)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._listeners.discard(self._listener)


async def _told(listener: Listener) -> AsyncIterator[str]:
    """What a listener hears, as server-sent events.

    A client that reads slowly holds up this loop alone: what happens meanwhile comes with the next look.
    """
    silent = 0.0
    while True:
        news = listener.news()
        for event in news:
            yield event.text
        silent = 0.0 if news else silent + _TICK
        if silent > _HEARTBEAT:
            silent = 0.0
            yield ": still here\n\n"
        await asyncio.sleep(0 if listener.behind else _TICK)
