"""Taking turns, medians and ratios: the arithmetic of every comparison."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple


class Comparison(NamedTuple):
    """How one engine stands beside the reference.

    Attributes:
        seconds: Median of its times.
        ratio: Its median over the reference's median: 2.0 means that it takes twice as long.
        paired_ratio: Median of the ratios round by round, which a slow moment of the machine leaves alone.
    """

    seconds: float
    ratio: float
    paired_ratio: float


def in_turn(measures: Mapping[str, Callable[[], float]], rounds: int, pause: float = 0.0) -> dict[str, list[float]]:
    """Takes every measure once a round: A B C A B C, never A A B B C C.

    Args:
        measures: Each does its work once and returns seconds.
        rounds: How many rounds.
        pause: Seconds of rest before each, in which threads of the one before fall asleep.

    Returns:
        The seconds of each measure, a number a round.

    Example:
        >>> in_turn({"a": lambda: 1.0, "b": lambda: 2.0}, rounds=2)
        {'a': [1.0, 1.0], 'b': [2.0, 2.0]}
    """
    seconds: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            time.sleep(pause)
            seconds[name].append(measure())
    return seconds


def compare(seconds: Mapping[str, Sequence[float]], reference: str) -> dict[str, Comparison]:
    """Medians and ratios of what `in_turn` returned.

    Args:
        seconds: The times of each engine, one a round.
        reference: The engine that all are divided by.

    Example:
        >>> compare({"ours": [1.0, 2.0, 9.0], "theirs": [3.0, 4.0, 9.0]}, "ours")["theirs"]
        Comparison(seconds=4.0, ratio=2.0, paired_ratio=2.0)
    """
    own = statistics.median(seconds[reference])
    return {
        name: Comparison(
            median := statistics.median(times),
            median / own,
            statistics.median(a / b for a, b in zip(times, seconds[reference], strict=True)),
        )
        for name, times in seconds.items()
    }


def median_call(call: Callable[[], object], duration: float) -> float:
    """Median seconds of one call, over as many calls as fit into `duration` seconds, at least three."""
    times: list[float] = []
    end = time.perf_counter() + duration
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
