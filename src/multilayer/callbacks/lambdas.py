"""Callbacks from functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from multilayer._checks.arguments import function
from multilayer._names.registry import unknown
from multilayer.callbacks.base import Callback


class LambdaCallback(Callback):
    """A callback from functions.

    Args:
        on_epoch_begin: `f(epoch, logs)`.
        on_epoch_end: `f(epoch, logs)`.
        on_train_begin: `f(logs)`.
        on_train_end: `f(logs)`.
        on_train_batch_begin: `f(batch, logs)`.
        on_train_batch_end: `f(batch, logs)`.
        **hooks: Functions for any other hook, by its name; what has another name becomes an attribute.

    Raises:
        ValueError: A name begins as a hook's does, and is none.

    Example:
        >>> log = LambdaCallback(on_epoch_end=lambda epoch, logs: print(epoch, logs["loss"]))
    """

    def __init__(
        self,
        on_epoch_begin: Callable[..., Any] | None = None,
        on_epoch_end: Callable[..., Any] | None = None,
        on_train_begin: Callable[..., Any] | None = None,
        on_train_end: Callable[..., Any] | None = None,
        on_train_batch_begin: Callable[..., Any] | None = None,
        on_train_batch_end: Callable[..., Any] | None = None,
        **hooks: Callable[..., Any],
    ) -> None:
        known = [name for name in dir(Callback) if name.startswith("on_")]
        given = {
            "on_epoch_begin": on_epoch_begin,
            "on_epoch_end": on_epoch_end,
            "on_train_begin": on_train_begin,
            "on_train_end": on_train_end,
            "on_train_batch_begin": on_train_batch_begin,
            "on_train_batch_end": on_train_batch_end,
            **hooks,
        }
        for name, hook in given.items():
            if not name.startswith("on_"):
                setattr(self, name, hook)
            elif name not in known:
                raise unknown("callback hook", name, known)
            elif hook is not None:
                self._listen(name, function(name, hook))
