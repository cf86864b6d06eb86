"""Bodies of requests: read within bounds, and as JSON that is believed nothing."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request

from multilayer.serve.limits import Limits
from multilayer.serve.problems import ProblemError

# An eighth of the time of the standard library, which takes a third of all for a row of 784 numbers.
try:
    import orjson
except ImportError:  # it cannot be had for every Python
    orjson = None  # type: ignore[assignment, unused-ignore]

_MOST_BRACKETS = 200_000  # of which each becomes a list or a dict, of sixty bytes or more


class Bodies:
    """Reads bodies; knows how many bytes of all of them are held at the moment.

    Args:
        limits: The bounds.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.held = 0

    async def read(self, request: Request, most: int) -> bytes:
        """The body of a request; whoever calls gives its bytes back by `release`, once what it became is done with.

        Args:
            request: The request.
            most: How many bytes it may have.

        Raises:
            ProblemError: It declares or has more, it ends too soon, is compressed, or too much is held already.
        """
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            raise ProblemError(415, "The body is compressed. Expected it as it is, without Content-Encoding.")
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > most:  # not a byte of it is read
            raise _too_large(most)
        parts, size = [], 0
        try:
            async for part in request.stream():
                size += len(part)
                self.held += len(part)
                if size > most:
                    raise _too_large(most)
                if self.held > self._limits.waiting_bytes:
                    raise ProblemError(
                        503, "Too many large requests at once. Try again in a moment.", {"Retry-After": "1"}
                    )
                parts.append(part)
        except ClientDisconnect:
            self.held -= size
            raise ProblemError(400, "The connection ended before the body did.") from None
        except BaseException:
            self.held -= size
            raise
        return b"".join(parts)

    def release(self, size: int) -> None:
        """Takes note that a body of so many bytes is done with."""
        self.held -= size


def _too_large(most: int) -> ProblemError:
    return ProblemError(413, f"The body has more than {most:,} bytes, and is not read. Send less at once.")


def parse_json(body: bytes) -> Any:
    """What a body says.

    Raises:
        ProblemError: It is no JSON as RFC 8259 has it, or nested more deeply than any question is.
    """
    if body.count(b"[") + body.count(b"{") > _MOST_BRACKETS:
        raise ProblemError(
            413, f"The body has more than {_MOST_BRACKETS:,} lists and objects. Send fewer rows at once."
        )
    if orjson is not None:
        try:
            return orjson.loads(body)
        except orjson.JSONDecodeError:
            pass  # what is wrong with it, the standard library says better
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except UnicodeDecodeError as error:
        raise ProblemError(400, f"The body is no text in UTF-8: {error}.") from None
    except RecursionError:
        raise ProblemError(400, "The body is nested too deeply. Expected a list of rows.") from None
    except ValueError as error:
        raise ProblemError(400, f"The body is no JSON: {error}.") from None


def _refuse(constant: str) -> None:
    raise ValueError(f"it has {constant}, which JSON has not; of a table, null says that a value is missing")
