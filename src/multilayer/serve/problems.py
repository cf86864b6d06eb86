"""Errors, in the one form that all have: RFC 9457's problem details.

{"type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": "Row 0 has 3 values. …"}
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"
# Older Pythons have the older names.
_TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}


class ProblemError(Exception):
    """A request that is refused.

    Args:
        status: HTTP's number for it.
        detail: What is wrong, what was expected, and what to do.
        headers: Further headers of the answer.
    """

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def body_of(status: int, detail: str) -> bytes:
    """A problem as JSON."""
    content = {"type": "about:blank", "title": title_of(status), "status": status, "detail": detail}
    return json.dumps(content).encode()


def title_of(status: int) -> str:
    """What a status is called."""
    return _TITLES.get(status) or HTTPStatus(status).phrase


def response(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """The answer to a request that is refused."""
    return Response(body_of(status, detail), status, headers, MEDIA_TYPE)


async def on_problem(request: Request, problem: Any) -> Response:  # noqa: ARG001
    """Starlette's handler of problems."""
    return response(problem.status, problem.detail, problem.headers)


async def on_http_exception(request: Request, error: Any) -> Response:
    """Starlette's handler of what it refuses itself: unknown paths and methods."""
    assert isinstance(error, HTTPException)
    detail = error.detail
    if error.status_code == 404:
        detail = "There is nothing at this path. See /openapi.json for what there is."
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        detail = f"{request.method} is not for this path. Expected {allowed}."
    return response(error.status_code, detail, error.headers)


async def on_error(request: Request, error: Exception) -> Response:  # noqa: ARG001
    """Starlette's handler of everything else, which is a fault of ours; what it was, the log says."""
    return response(500, "Something went wrong in the service; its log says what.")
