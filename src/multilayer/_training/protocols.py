"""What training, callbacks and the glass box need of a model, and a run of those who watch it: all below both sides.

A model imports its trainer and the callbacks; they know it, and a run its listeners, by what is written here alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Protocol, TypeAlias

from multilayer._core.arena import Variable
from multilayer._training.graph import Graph
from multilayer.functional import Array
from multilayer.layers import Layer
from multilayer.metrics import Metric
from multilayer.optimizers import Optimizer

Logs: TypeAlias = dict[str, float]


class Network(Protocol):
    """A model that is built and compiled, as whoever trains or watches it sees it. `models.Model` says what each is."""

    name: str
    optimizer: Optimizer | None
    stop_training: bool
    stop_evaluating: bool
    stop_predicting: bool

    @property
    def layers(self) -> list[Layer]:
        """The layers."""

    @property
    def weights(self) -> list[Variable]:
        """All weights, layer by layer."""

    def own_metrics(self) -> list[Metric]:
        """The metrics that the model holds, and the layers in it."""

    def own_optimizers(self) -> list[Optimizer]:
        """All optimizers: the one that it was compiled with first, and those that it holds."""

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs."""

    def get_weights(self) -> list[Array]:
        """Copies of all weights' values."""

    def set_weights(self, weights: Sequence[Array]) -> None:
        """Sets all weights' values."""

    def flat_graph(self) -> Graph:
        """Which layer is called with what, without models in it."""

    def require_built(self, method: str) -> None:
        """Raises ValueError where it has no weights yet."""

    def checked_inputs(self, x: Any) -> list[Array]:
        """One array for each input."""


class TrainedModel(Network, Protocol):
    """The model that callbacks watch, with what they may ask of it. `models.Model` says what each is."""

    history: Any

    @property
    def metrics(self) -> list[Metric]:
        """The loss's running mean and all metrics."""

    def save(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes the model to a file."""

    def require_describable(self, wanted_by: str) -> None:
        """Raises ValueError where a file could not say what the model is."""

    def save_weights(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Writes its weights to a file."""

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False) -> None:
        """Sets its weights to those in a file."""

    def evaluate(self, x: Any, y: Any = None, *, verbose: str | int = "auto", return_dict: bool = False) -> Any:
        """Loss and metrics on data."""

    def predict(self, x: Any, batch_size: int | None = None, verbose: str | int = "auto") -> Any:
        """The outputs for many inputs."""

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """The layer of this name, or at this place."""


class Stateful(Protocol):
    """What gathers something in the course of a run, and goes on from it in another process."""

    def get_state(self) -> dict[str, Any]:
        """What it has gathered."""

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from what `get_state` gave."""


class Resumable(Protocol):
    """A run, as a callback that backs it up sees it. `run.Run` says what each is."""

    at_exit: ExitStack

    @property
    def position(self) -> tuple[int, int] | None:
        """The epoch and the number of its steps behind which it is to go on, or None where it begins anew."""

    def get_state(self, epoch: int, step: int) -> dict[str, Any]:
        """All that it has come to."""

    def doubts(self) -> list[str]:
        """What draws random numbers, as it seems, and cannot be brought back to where it stood."""

    def go_on_from(self, state: dict[str, Any]) -> None:
        """Has it go on from where another one was."""


class Listeners(Protocol):
    """All callbacks of a run. `callbacks.CallbackList` says what each is."""

    def on(self, hook: str, *args: Any) -> None:
        """Calls a hook on everyone."""

    def listeners(self, hook: str) -> list[Callable[..., None]]:
        """Whoever listens to a hook of single batches."""

    def stateful(self) -> Sequence[Stateful]:
        """Those that have a state."""

    def check_states(self, states: Any) -> None:
        """Raises ValueError where a backup says of these what cannot be."""

    def take_part_in(self, run: Resumable) -> None:
        """Tells those who back a run up which one it is, until it ends."""
