"""The progress bar of fit, evaluate and predict, in Keras' words."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Sequence

import numpy as np


def _count(current: int, target: int | None) -> str:
    if target is None:
        return f"{current:7d}/Unknown"
    return f"{current:{len(str(target))}d}/{target}"


def _duration(seconds: float) -> str:
    """Time left: 12s, 3:05, 1:02:03."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}:{minutes:02d}:{seconds:02d}"
    return f"{minutes}:{seconds:02d}" if minutes else f"{seconds}s"


def _rate(seconds: float, unit: str) -> str:
    """Time a step: 1s/step, 2ms/step, 120us/step."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def _formatted(value: float) -> str:
    return f"{value:.4f}" if abs(value) > 1e-3 else f"{value:.4e}"


def say(text: str) -> None:
    """Writes to the standard output, whatever it is; what it cannot encode becomes a question mark.

    There may be none (a program without a console), a logger in its place that can do no more than write, or one that
    is closed: a line about the progress of a training is never worth the training. It goes out in one piece, so that
    what another thread prints stands before or behind it.
    """
    output = sys.stdout
    if output is None or getattr(output, "closed", False) is True:
        return
    try:
        output.write(text)
    except UnicodeEncodeError:
        encoding = getattr(output, "encoding", None) or "ascii"
        output.write(text.encode(encoding, "replace").decode(encoding))
    if hasattr(output, "flush"):
        output.flush()


def is_terminal() -> bool:
    """Whether lines can be redrawn: on a terminal, and in a notebook."""
    output = sys.stdout
    if output is None or getattr(output, "closed", False) is True:
        return False
    isatty = getattr(output, "isatty", None)
    return "ipykernel" in sys.modules or (callable(isatty) and bool(isatty()))


class Progbar:
    """A progress bar with metrics behind it.

    On a terminal the bar is redrawn in place; anywhere else (a pipe, a file) only the finished line is written.

    Args:
        target: Number of steps, or None where it is not known.
        width: Width of the bar in characters.
        verbose: 1 for the bar, 2 for one plain line at the end, 0 for nothing.
        interval: Shortest time between two drawings, in seconds.
        stateful_metrics: Names of the metrics that are shown as they come; all others are averaged over the steps,
            until the last call, whose metrics are shown as they come, too.
        stateless_metrics: Instead, the names of those that are averaged, and of no others.
        unit_name: What a step is called.

    Raises:
        ValueError: Both lists of names are given.

    Example:
        >>> Progbar(2, verbose=1).update(2, [("loss", 0.5)])  # doctest: +ELLIPSIS
        2/2 ━━━━━━━━━━━━━━━━━━━━ 0s ...s/step - loss: 0.5000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        if stateful_metrics is not None and stateless_metrics is not None:
            raise ValueError(
                "Only one of `stateful_metrics` and `stateless_metrics` can be provided: each says the rest."
            )
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = None if stateful_metrics is None else set(stateful_metrics)
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        if self.stateful_metrics is None and self.stateless_metrics is None:
            self.stateful_metrics = set()
        self._values: dict[str, tuple[float, int]] = {}  # each metric's sum and number, in the order of their coming
        self._seen = 0
        self._start = time.perf_counter()
        self._after_first: float | None = None
        self._last_drawn = 0.0
        self._last_length = 0

    def update(self, current: int, values: Sequence[tuple[str, float]] = (), finalize: bool | None = None) -> None:
        """Shows that `current` steps are done.

        Args:
            current: Number of steps done.
            values: Names and metrics to show.
            finalize: Whether this is the last call; by default when `current` has reached the target.
        """
        if self.verbose == 0:
            return
        now = time.perf_counter()
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        step_time = self._step_time(current, now)
        self._note(current, values, finalize)
        if not finalize and (self.verbose == 2 or now - self._last_drawn < self.interval):
            return
        self._last_drawn = now
        terminal = is_terminal()
        if finalize or terminal:
            self._draw(current, now - self._start, step_time, finalize, terminal)

    def add(self, n: int, values: Sequence[tuple[str, float]] = ()) -> None:
        """Shows that `n` more steps are done."""
        self.update(self._seen + n, values)

    def _note(self, current: int, values: Sequence[tuple[str, float]], finalize: bool) -> None:
        weight = max(current - self._seen, 1)
        self._seen = current
        for name, value in values:
            if finalize or not self._averages(name):
                self._values[name] = (value, 1)
            else:
                total, count = self._values.get(name, (0.0, 0))
                self._values[name] = (total + value * weight, count + weight)

    def _averages(self, name: str) -> bool:
        if self.stateful_metrics is not None:
            return name not in self.stateful_metrics
        return self.stateless_metrics is not None and name in self.stateless_metrics

    def _step_time(self, current: int, now: float) -> float:
        """Time a step so far; the first, which builds and allocates, is not counted when there are others."""
        if current <= 0:
            return 0.0
        if self._after_first is None:
            self._after_first = now
        if current == 1:
            return now - self._start
        if self._after_first == now:  # the first call came after several steps
            return (now - self._start) / current
        return (now - self._after_first) / (current - 1)

    def _draw(
        self,
        current: int,
        elapsed: float,
        step_time: float,
        finalize: bool,
        terminal: bool,
    ) -> None:
        values = "".join(f" - {name}: {_formatted(value)}" for name, value in self._means())
        rate = _rate(step_time, self.unit_name)
        count = _count(current, self.target)
        if self.verbose == 2:
            say(f"{count} - {elapsed:.0f}s - {rate}{values}\n")
            return
        left = None if finalize or self.target is None else _duration(step_time * (self.target - current))
        line = f"{count} {self._bar()}{left or f'{elapsed:.0f}s'} {rate}{values}"
        if not terminal:
            say(f"{line}\n")
            return
        padding = " " * (self._last_length - len(line))
        self._last_length = len(line)
        say(f"\r{self._coloured(line, count, current)}{padding}" + ("\n" if finalize else ""))

    def _means(self) -> Iterator[tuple[str, float]]:
        for name, (total, count) in self._values.items():
            yield name, float(np.mean(total)) / count  # of a metric of several numbers (one a class), their mean

    def _bar(self) -> str:
        return "" if not self.target else _stroke() * self.width + " "

    def _coloured(self, line: str, count: str, current: int) -> str:
        """The line for a terminal: the count bold, the part of the bar that is done green and the rest grey."""
        if not self.target:
            return line
        done = int(self.width * current / self.target)
        bar = _stroke()
        drawn = f"\x1b[1m{count}\x1b[0m \x1b[32m{bar * done}\x1b[37m{bar * (self.width - done)}\x1b[0m"
        return drawn + line[len(count) + 1 + self.width :]


def _stroke() -> str:
    """What the bar is drawn with: a line, or, where the output cannot encode it, an equals sign."""
    encoding = getattr(sys.stdout, "encoding", None)
    try:
        "━".encode(encoding if isinstance(encoding, str) else "utf-8")
    except (UnicodeEncodeError, LookupError):  # it cannot, or nobody knows what it is
        return "="
    return "━"
