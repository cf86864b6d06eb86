"""All callbacks of a run, called in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from multilayer.callbacks.base import Callback
from multilayer.callbacks.history import History
from multilayer.callbacks.progbar_logger import ProgbarLogger

if TYPE_CHECKING:
    from multilayer.models import Model

_BATCH_HOOKS = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
    "on_test_batch_begin": None,
    "on_test_batch_end": None,
    "on_predict_batch_begin": None,
    "on_predict_batch_end": None,
}


def _overrides(callback: Callback, hook: str | None) -> bool:
    if hook is None:
        return False
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class CallbackList:
    """All callbacks of a run, called in turn; hooks of single batches only where somebody listens.

    Args:
        callbacks: The user's callbacks, or a single one.
        model: The model they watch.
        params: What `Callback.params` holds.
        history: Whether a `History` is added where there is none.
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None,
        model: Model,
        params: dict[str, Any],
        history: bool = False,
    ) -> None:
        given = [callbacks] if isinstance(callbacks, Callback) else list(callbacks or ())
        for callback in given:
            if not isinstance(callback, Callback):
                raise ValueError(
                    f"`callbacks` must hold instances of `callbacks.Callback`; got {callback!r}. Did you forget to "
                    "call the class?"
                )
        if params["verbose"] and not any(isinstance(c, ProgbarLogger) for c in given):
            given.append(ProgbarLogger())
        self.history = next((c for c in given if isinstance(c, History)), None)
        if history and self.history is None:
            self.history = History()
            given.append(self.history)
        self.callbacks = given
        for callback in given:
            callback.set_params(params)
            callback.set_model(model)
        self._listeners: dict[str, list[Callable[..., None]]] = {
            hook: [getattr(c, hook) for c in given if _overrides(c, hook) or _overrides(c, older)]
            for hook, older in _BATCH_HOOKS.items()
        }

    def on(self, hook: str, *args: Any) -> None:
        """Calls a hook of a run or an epoch, such as 'on_epoch_end', on everyone."""
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def listeners(self, hook: str) -> list[Callable[..., None]]:
        """Whoever listens to a hook of single batches, such as 'on_train_batch_end'."""
        return self._listeners[hook]
