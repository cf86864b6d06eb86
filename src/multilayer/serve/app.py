"""The service: what is at which path."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from multilayer.export import page
from multilayer.models import Model
from multilayer.serve import live, metrics, problems
from multilayer.serve.batching import Batcher
from multilayer.serve.bodies import Bodies, parse_json
from multilayer.serve.guard import Guard
from multilayer.serve.limits import Limits
from multilayer.serve.openapi import describe
from multilayer.serve.predictors import Asked, OfNumbers, OfTable, Predictor
from multilayer.serve.problems import ProblemError
from multilayer.serve.training import LiveTraining

JSON, CSV, PICTURES = "application/json", "text/csv", ("image/png", "image/jpeg")
_SMALL = 1 << 16  # bytes of a body that is taken apart at once; a larger one would keep everybody waiting


def make_app(
    model: Any = None,
    *,
    labels: Sequence[Any] | None = None,
    target: str = "prediction",
    as_digits: bool = True,
    hosts: Collection[str] = (),
    limits: Limits | None = None,
) -> Starlette:
    """The service around a network, as an ASGI application.

    `POST /predict` answers rows as JSON or CSV, and of a network that reads digits, pictures; `GET /openapi.json` says
    in what form. `GET /` is the page, and asks for what it needs besides: `/network`, `/columns`, `/training`.
    `GET /healthz` says that the service is there, `GET /metrics` what it has done.

    Args:
        model: A model, built, or a classifier or regressor of `multilayer.tabular`, trained. None for the tutorial's
            network, which is trained on the page.
        labels: The names of a model's classes; by default they are numbered.
        target: What a table's target is called.
        as_digits: Whether pictures are prepared as MNIST's digits were; otherwise they are resized alone.
        hosts: Names that it is reached by, besides localhost and addresses.
        limits: What it takes on.

    Raises:
        ValueError: The model is not built, or there are other classes than labels.

    Example:
        >>> from multilayer import Input, Sequential, layers
        >>> model = Sequential([Input((2,)), layers.Dense(1)])
        >>> app = make_app(model)
        >>> [route.path for route in app.routes][:2]
        ['/', '/predict']
    """
    limits = limits or Limits()
    predictor, more, training = _of(model, labels, target, as_digits, limits)
    service = Service(predictor, limits, training)
    routes = [
        Route("/", service.page),
        Route("/predict", service.predict, methods=["POST"]),
        Route("/healthz", service.health),
        Route("/metrics", service.metrics),
        Route("/openapi.json", service.openapi),
        *more,
    ]
    service.paths = {route.path for route in routes}
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Guard, hosts, service.paths, service.counts, service.stopping)],
        exception_handlers={
            ProblemError: problems.on_problem,
            HTTPException: problems.on_http_exception,
            Exception: problems.on_error,
        },
        lifespan=service.lifespan,
    )
    app.state.service = service
    return app


def _of(
    model: Any, labels: Sequence[Any] | None, target: str, as_digits: bool, limits: Limits
) -> tuple[Predictor, list[Route], LiveTraining | None]:
    """What answers for a model, what the page asks of it besides, and its training where it has one."""
    if model is None:
        training = LiveTraining()
        described = live.routes_of_network(lambda: page.describe(training.model), "training")
        own = [*described, *live.routes_of_training(training, limits.listeners)]
        return OfNumbers(lambda: training.model, labels, limits), own, training
    if not isinstance(model, Model):
        return OfTable(model, limits), live.routes_of_table(model, target), None
    model.require_built("serve")
    named = None if labels is None else list(map(str, labels))
    own = live.routes_of_network(lambda: page.describe(model, named))
    return OfNumbers(lambda: model, labels, limits, as_digits), own, None


class Service:
    """What the paths of a service lead to.

    Args:
        predictor: What answers.
        limits: What it takes on.
        training: What trains the network while it is served, or None.

    Attributes:
        counts: What it has done.
        batcher: Where questions wait.
        paths: Where it answers.
        stopping: Set when it is about to end.
    """

    def __init__(self, predictor: Predictor, limits: Limits, training: LiveTraining | None) -> None:
        self.limits, self._training = limits, training
        self.paths: set[str] = set()
        self.stopping = asyncio.Event()
        self.counts = metrics.Metrics(lambda: self.batcher.waiting)
        self.batcher = Batcher(predictor, limits, self.counts.predicted)
        self._bodies = Bodies(limits)
        self._thread = ThreadPoolExecutor(1, "unpack")  # one: each of them may take what memory a picture takes
        self._unpacking = 0
        self._page = page.assemble(None, live=True)

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:  # noqa: ARG002
        """Ends its threads with the service."""
        yield
        if self._training is not None:
            self._training.close()
        self.batcher.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def page(self, request: Request) -> Response:  # noqa: ARG002
        """The page."""
        return HTMLResponse(self._page)

    async def health(self, request: Request) -> Response:  # noqa: ARG002
        """That it is there."""
        return _json({"status": "ok"})

    async def metrics(self, request: Request) -> Response:  # noqa: ARG002
        """What it has done."""
        return Response(self.counts.text(), media_type=metrics.MEDIA_TYPE)

    async def openapi(self, request: Request) -> Response:  # noqa: ARG002
        """What it takes and gives."""
        return _json(describe(self.batcher.predictor, self.limits, self.paths))

    async def predict(self, request: Request) -> Response:
        """What the network says of the rows, or of the picture, in a request."""
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        predictor = self.batcher.predictor
        accepted = (JSON, CSV, *(PICTURES if predictor.takes_pictures else ()))
        if kind not in accepted:
            raise ProblemError(
                415,
                f"The body is {kind[:60] or 'of no said type'}. Expected {', '.join(accepted)}, named in Content-Type.",
                {"Accept-Post": ", ".join(accepted)},
            )
        picture = kind in PICTURES
        body = await self._bodies.read(request, self.limits.picture_bytes if picture else self.limits.text_bytes)
        size = len(body)
        try:
            if not body:
                raise ProblemError(400, "The body is empty. Expected rows or a picture.")
            asked = await self._asked(predictor, kind, body)
            del body
            # Its rows take memory as the body did, for as long as they wait for the network.
            return _json(await self.batcher.ask(asked))
        finally:
            self._bodies.release(size)

    async def _asked(self, predictor: Predictor, kind: str, body: bytes) -> Asked:
        if kind in PICTURES:
            return await self._elsewhere(partial(predictor.of_picture, body))
        question = partial(predictor.of_csv, body) if kind == CSV else partial(_of_json, predictor, body)
        return question() if len(body) <= _SMALL else await self._elsewhere(question)

    async def _elsewhere(self, question: Callable[[], Asked]) -> Asked:
        """A question that takes its time to be understood; the thread for it takes one after the other."""
        if self._unpacking >= self.limits.waiting_pictures:
            raise ProblemError(
                503, "Too many pictures wait to be unpacked. Try again in a moment.", {"Retry-After": "1"}
            )
        self._unpacking += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, question)
        finally:
            self._unpacking -= 1


def _of_json(predictor: Predictor, body: bytes) -> Asked:
    content = parse_json(body)
    if not isinstance(content, dict) or list(content) != ["rows"] or not isinstance(content["rows"], list):
        raise ProblemError(
            422, 'The body is another JSON than expected: {"rows": [[…], …]}, or {"rows": [{"column": …}, …]}.'
        )
    return predictor.of_json(content["rows"])


def _json(content: Any) -> Response:
    return Response(json.dumps(content, allow_nan=False).encode(), media_type=JSON)
