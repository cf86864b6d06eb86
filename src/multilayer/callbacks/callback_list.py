"""All callbacks of a run, called in turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from multilayer._checks.arguments import listed
from multilayer._checks.states import is_own
from multilayer._language import tr
from multilayer._training.protocols import Resumable, TrainedModel
from multilayer.callbacks.backup import BackupAndRestore
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.history import History
from multilayer.callbacks.progbar_logger import ProgbarLogger

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override

_BATCH_HOOKS = {
    "on_train_batch_begin": "on_batch_begin",
    "on_train_batch_end": "on_batch_end",
    "on_test_batch_begin": None,
    "on_test_batch_end": None,
    "on_predict_batch_begin": None,
    "on_predict_batch_end": None,
}


_HOOKS = tuple(name for name in dir(Callback) if name.startswith("on_"))
_TRAIN_BATCH_HOOKS = ("on_train_batch_begin", "on_train_batch_end", "on_batch_begin", "on_batch_end")


def _is_ours(callback: Callback, hooks: Iterable[str]) -> bool:
    """Whether a callback's class and these of its hooks are this library's: a `LambdaCallback` has the user's."""
    whose = [type(callback), *(getattr(callback, hook) for hook in hooks)]
    return all(str(getattr(one, "__module__", "")).startswith("multilayer.") for one in whose)


def _overrides(callback: Callback, hook: str | None) -> bool:
    if hook is None:
        return False
    return hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)


class CallbackList(Callback):
    """All callbacks of a run, called in turn; hooks of single batches only where somebody listens.

    It is a callback itself: each of its hooks calls that of everyone. A training loop of one's own calls them where
    `fit` does.

    Args:
        callbacks: The user's callbacks, or a single one.
        add_history: Whether a `History` is added where there is none.
        add_progbar: Whether a `ProgbarLogger` is added where there is none.
        model: The model they watch.
        **params: What `Callback.params` holds: `verbose`, `epochs` and `steps`.

    Attributes:
        callbacks: Everyone, in the order in which they are called: as given, `BackupAndRestore` last.
        history: The `History` among them, or None.

    Raises:
        ValueError: One of them is no callback.

    Example:
        >>> from multilayer.callbacks import LambdaCallback
        >>> heard = []
        >>> everyone = CallbackList([LambdaCallback(on_epoch_end=lambda epoch, logs: heard.append(epoch))])
        >>> everyone.on_epoch_end(0, {"loss": 0.5})
        >>> heard
        [0]
    """

    def __init__(
        self,
        callbacks: Callback | Iterable[Callback] | None = None,
        add_history: bool = False,
        add_progbar: bool = False,
        model: TrainedModel | None = None,
        **params: Any,
    ) -> None:
        self.callbacks = _flat(callbacks)
        self.history = next((c for c in self.callbacks if isinstance(c, History)), None)
        if add_history and self.history is None:
            self.history = History()
            self.callbacks.append(self.history)
        if add_progbar and not any(isinstance(c, ProgbarLogger) for c in self.callbacks):
            self.callbacks.append(ProgbarLogger())
        self.callbacks.sort(key=lambda callback: callback.runs_last)
        if params:
            self.set_params(params)
        if model is not None:
            self.set_model(model)
        self._listeners: dict[str, list[Callable[..., None]]] = {
            hook: [getattr(c, hook) for c in self.callbacks if _overrides(c, hook) or _overrides(c, older)]
            for hook, older in _BATCH_HOOKS.items()
        }

    @override
    def set_params(self, params: dict[str, Any]) -> None:
        """Hands `params` to everyone."""
        self.params = params
        for callback in self.callbacks:
            callback.set_params(params)

    @override
    def set_model(self, model: TrainedModel) -> None:
        """Hands the model to everyone."""
        self.model = model
        for callback in self.callbacks:
            callback.set_model(model)

    def on(self, hook: str, *args: Any) -> None:
        """Calls a hook, such as 'on_epoch_end', on everyone."""
        for callback in self.callbacks:
            getattr(callback, hook)(*args)

    def listeners(self, hook: str) -> list[Callable[..., None]]:
        """Whoever listens to a hook of single batches, such as 'on_train_batch_end'."""
        return self._listeners[hook]

    def may_change_data(self, between_batches_alone: bool = True) -> bool:
        """Whether code that is not this library's is called between batches, or, otherwise, anywhere in a run."""
        hooks = _TRAIN_BATCH_HOOKS if between_batches_alone else _HOOKS
        heard = [callback for callback in self.callbacks if any(_overrides(callback, hook) for hook in hooks)]
        return not all(_is_ours(callback, hooks) for callback in heard)

    def stateful(self) -> list[Callback]:
        """Those that have a state, which a backup keeps."""
        return [callback for callback in self.callbacks if type(callback).get_state is not Callback.get_state]

    def check_states(self, states: Any) -> None:
        """Looks at what a backup says of those that have a state; what a user's own takes, nobody else knows.

        Raises:
            ValueError: It is nothing that they can have said.
        """
        stateful = self.stateful()
        if not isinstance(states, list) or len(states) != len(stateful):
            raise ValueError(tr("it does not hold the states of these callbacks"))
        for callback, kept in zip(stateful, states, strict=True):
            kind, who = type(callback), type(callback).__name__
            if not isinstance(kept, dict) or set(kept) != {who}:
                raise ValueError(tr("it does not hold the state of {who}", who=who))
            if is_own(kind.get_state) and is_own(kind.set_state):
                callback._check_state(kept[who])

    def take_part_in(self, run: Resumable) -> None:
        """Tells those who back a run up which one it is, until it ends."""
        for callback in self.callbacks:
            if isinstance(callback, BackupAndRestore):
                callback.run = run
                run.at_exit.callback(setattr, callback, "run", None)


def _flat(callbacks: Callback | Iterable[Callback] | None) -> list[Callback]:
    """The callbacks one by one, those of a `CallbackList` too."""
    flat: list[Callback] = []
    for callback in [callbacks] if isinstance(callbacks, Callback) else listed("callbacks", callbacks or ()):
        if not isinstance(callback, Callback):
            raise ValueError(
                tr(
                    "`callbacks` must hold instances of `callbacks.Callback`; got {callback!r}. Did you forget "
                    "to call the class?",
                    callback=callback,
                )
            )
        flat += callback.callbacks if isinstance(callback, CallbackList) else [callback]
    return flat


def _calling_everyone(hook: str) -> Callable[..., None]:
    """A hook that calls everyone's; where no metrics are given, with an empty dict, whose keys can be asked for."""

    def call_of_a_run(self: CallbackList, logs: Logs | None = None) -> None:
        self.on(hook, {} if logs is None else logs)

    def call_of_an_epoch_or_batch(self: CallbackList, number: int, logs: Logs | None = None) -> None:
        self.on(hook, number, {} if logs is None else logs)

    call = call_of_an_epoch_or_batch if "epoch" in hook or "batch" in hook else call_of_a_run
    call.__name__, call.__qualname__ = hook, f"CallbackList.{hook}"  # as an error about its arguments says
    call.__doc__ = getattr(Callback, hook).__doc__
    return call


for _hook in _HOOKS:
    setattr(CallbackList, _hook, _calling_everyone(_hook))
