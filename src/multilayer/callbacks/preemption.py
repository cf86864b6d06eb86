"""Signals that end a program, held back until a step is finished."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Preemption:
    """While entered, the first SIGINT or SIGTERM waits until it is let come; a second one comes at once.

    What a signal does then is what it would have done without this: SIGINT raises KeyboardInterrupt and SIGTERM ends
    the program, unless the program has handlers of its own. A signal that is ignored stays so.

    Attributes:
        announced: The signal that waits, or None.

    Raises:
        ValueError: It is entered in a thread that no signals come to.
    """

    announced: int | None = None

    def __init__(self) -> None:
        self._previous: dict[int, Any] = {}

    def __enter__(self) -> Preemption:
        if threading.current_thread() is not threading.main_thread():
            raise ValueError(
                "`save_before_preemption=True` needs `fit` to be called in the main thread: signals come to no other."
            )
        self.announced = None
        self._previous = {
            number: signal.getsignal(number) or signal.SIG_DFL
            for number in _SIGNALS
            if signal.getsignal(number) is not signal.SIG_IGN
        }
        for number in self._previous:
            signal.signal(number, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        self._put_back()

    def let_it_come(self) -> None:
        """Lets the signal that waits do what it does, if there is one."""
        if self.announced is not None:
            number, self.announced = self.announced, None
            signal.raise_signal(number)

    def _note(self, number: int, _: FrameType | None) -> None:
        self.announced = number
        self._put_back()

    def _put_back(self) -> None:
        for number, handler in self._previous.items():
            signal.signal(number, handler)
        self._previous = {}
