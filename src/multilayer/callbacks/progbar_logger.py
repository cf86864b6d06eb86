"""The progress bar as a callback."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multilayer._system.progress import Progbar, say
from multilayer.callbacks.base import Callback, Logs

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class ProgbarLogger(Callback):
    """Prints progress; `fit`, `evaluate` and `predict` add one unless `verbose=0`."""

    def __init__(self) -> None:
        self._in_fit = False
        self._bar: Progbar | None = None
        self._seen = 0

    def _start(self) -> None:
        self._bar = Progbar(self.params["steps"], verbose=self.params["verbose"], stateless_metrics=())

    def _show(self, batch: int, logs: Logs | None) -> None:
        self._seen = batch + 1
        if self._bar is not None:
            self._bar.update(self._seen, list((logs or {}).items()), finalize=False)

    def _finish(self, logs: Logs | None) -> None:
        if self._bar is not None:
            self._bar.update(self._seen, list((logs or {}).items()), finalize=True)
            self._bar = None

    @override
    def on_train_begin(self, logs: Logs | None = None) -> None:
        """Within fit, validation prints nothing of its own."""
        self._in_fit = True

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        """After it, evaluation prints again."""
        self._in_fit = False

    @override
    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Starts the epoch's bar."""
        if self.params["verbose"] and self.params["epochs"] > 1:
            say(f"Epoch {epoch + 1}/{self.params['epochs']}\n")
        self._start()

    @override
    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar on."""
        self._show(batch, logs)

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        """Finishes the epoch's bar."""
        self._finish(logs)

    @override
    def on_test_begin(self, logs: Logs | None = None) -> None:
        """Starts the bar of an evaluation."""
        if not self._in_fit:
            self._start()

    @override
    def on_test_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar of an evaluation on."""
        if not self._in_fit:
            self._show(batch, logs)

    @override
    def on_test_end(self, logs: Logs | None = None) -> None:
        """Finishes the bar of an evaluation."""
        if not self._in_fit:
            self._finish(logs)

    @override
    def on_predict_begin(self, logs: Logs | None = None) -> None:
        """Starts the bar of a prediction."""
        self._start()

    @override
    def on_predict_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Moves the bar of a prediction on."""
        self._show(batch, None)

    @override
    def on_predict_end(self, logs: Logs | None = None) -> None:
        """Finishes the bar of a prediction."""
        self._finish(None)
