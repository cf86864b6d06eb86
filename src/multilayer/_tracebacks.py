"""Errors as a user reads them: with the frames of his own program, and hardly any of the library's.

What is wrong with a call is said by the message, and where the call is by the user's own frames. The library's frames
between the two, seven from `fit` to the layer that refuses a shape, say nothing that he could change. So whatever users
call catches an error, leaves the library's frames out of its traceback, and raises it again. Frames of others stay, in
their order: those of callbacks and layers of the user's own, and NumPy's. Of the library's, two may be left: the one
that lets the error out, and the innermost where something broke in it that no `raise` had foreseen, which a report of
the fault needs. Where no error passes, nothing is done.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from opcode import opmap
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_FILTERS = "_filters_traceback"  # the mark of what is decorated
_PACKAGE = __name__.partition(".")[0]
_state = {"filtering": os.environ.get("MULTILAYER_TRACEBACK_FILTERING") != "0"}


def enable_traceback_filtering() -> None:
    """Leaves the library's own frames out of the tracebacks of errors, as it does from the start."""
    _state["filtering"] = True


def disable_traceback_filtering() -> None:
    """Keeps tracebacks whole, as the environment variable MULTILAYER_TRACEBACK_FILTERING=0 does from the start."""
    _state["filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the library's own frames are left out of tracebacks.

    Example:
        >>> is_traceback_filtering_enabled()
        True
    """
    return _state["filtering"]


def filter_traceback(function: F) -> F:
    """A function that lets errors out with filtered tracebacks: a decorator for what users call.

    One that does so already, as what a class takes over from another by name, stays itself.
    """
    if hasattr(function, _FILTERS):
        return function

    @functools.wraps(function)
    def entered(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            shorten(error)
            raise error  # the frames left out: `config.disable_traceback_filtering()`

    setattr(entered, _FILTERS, True)
    return entered  # type: ignore[return-value]


def shorten(error: BaseException) -> None:
    """Filters the traceback of an error, and those of its causes, for the function that caught it to raise it again."""
    if not _state["filtering"]:
        error.__traceback__ = error.__traceback__ and error.__traceback__.tb_next  # raising adds the first again
        return
    waiting: list[BaseException | None] = [error]
    met: set[int] = set()  # a chain may be a ring
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in met:
            met.add(id(one))
            one.__traceback__ = _shortened(one.__traceback__)
            waiting += [one.__cause__, one.__context__]


def _shortened(traceback: TracebackType | None) -> TracebackType | None:
    """A traceback without the library's frames, but for the innermost where that did not `raise`."""
    others, ours = [], False
    while traceback is not None:
        frame, place = traceback.tb_frame, traceback.tb_lasti
        module = frame.f_globals.get("__name__", "")
        ours = module.partition(".")[0] == _PACKAGE or (ours and module == "contextlib")  # which runs our `with`
        broke = traceback.tb_next is None and frame.f_code.co_code[place] != opmap["RAISE_VARARGS"]
        if broke or not ours:
            others.append(traceback)
        traceback = traceback.tb_next
    kept = None
    for entry in reversed(others):
        kept = TracebackType(kept, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return kept
