"""What callbacks share that watch a metric for improvement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.arguments import text
from multilayer._checks.scalars import real_number
from multilayer._checks.states import BEST, Kind, require_entries
from multilayer._language import tr
from multilayer._names.registry import unknown
from multilayer.callbacks.base import Callback

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override


class MonitorCallback(Callback):
    """Base class of callbacks that watch a metric: which one, which way is better, and what the best was.

    Args:
        monitor: The metric to watch, as it is called in the logs.
        mode: 'min', 'max', or 'auto': as the metric of that name has it; down for the loss.
        baseline: The value that counts as the best before there is any, or None.
        min_delta: The least change that counts as an improvement; its sign does not matter.

    Raises:
        ValueError: `mode` is unknown.
    """

    # The attributes that change in the course of a run, and what each can be.
    _gathered: Mapping[str, Kind] = {"best": BEST}

    def __init__(
        self, monitor: str = "val_loss", mode: str = "auto", baseline: float | None = None, min_delta: float = 0.0
    ) -> None:
        if text("mode", mode) not in ("auto", "min", "max"):
            raise unknown("mode", mode, ("auto", "min", "max"))
        self.monitor = text("monitor", monitor)
        self.mode = mode
        self.best = baseline
        self.min_delta = abs(real_number("min_delta", min_delta, infinite=True))

    @override
    def get_state(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self._gathered}

    @override
    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on with the best metric so far, and what else was counted."""
        self._check_state(state)
        for name in self._gathered:
            setattr(self, name, state[name])

    @override
    def _check_state(self, state: Any) -> None:
        require_entries(state, type(self).__name__, self._gathered)

    def _improves(self, value: float, reference: float | None) -> bool:
        """Whether the value is better than the reference, by more than `min_delta`; any number is better than None."""
        if reference is None:
            return bool(np.all(np.equal(value, value)))  # NaN is none, and nothing would ever be better than it
        upwards = self._direction() == "max"
        return value - self.min_delta > reference if upwards else value + self.min_delta < reference

    def _direction(self) -> str:
        """'max' or 'min'; raises ValueError where it is not given and the metric does not say."""
        if self.mode != "auto":
            return self.mode
        name = self.monitor.removeprefix("val_")
        if name == "loss":
            return "min"
        for metric in self.model.metrics:
            if metric.name == name and metric.direction is not None:
                return "max" if metric.direction == "up" else "min"
        raise ValueError(
            tr(
                "{kind} received monitor={monitor}, and cannot tell whether that metric should be maximized or "
                "minimized. Pass `mode='max'` in order to monitor based on the highest metric value, or pass "
                "`mode='min'` in order to use the lowest value.",
                kind=type(self).__name__,
                monitor=self.monitor,
            )
        )
