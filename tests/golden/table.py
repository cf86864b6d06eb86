"""What golden programs share: the table they stand in, their data, and the walk that most of them take.

A golden program is a function of one module: it is run with Keras once, to record what it returns, and with
`multilayer` in every test, to compare. What it returns is a dict of words, figures, lists of figures and arrays.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Callable
from typing import Any

import numpy as np

Program = Callable[[Any], dict[str, Any]]

PROGRAMS: dict[str, Program] = {}


def program(function: Program) -> Program:
    """Enters a program into the table, under its own name."""
    return _enter(function.__name__, function)


def variants(**changes: Callable[[Any], Any]) -> Callable[[Callable[[Any, Any], dict[str, Any]]], None]:
    """Enters one program for each change: `function(keras, change(keras))`, named `<function>_<change>`."""

    def enter(function: Callable[[Any, Any], dict[str, Any]]) -> None:
        for name, change in changes.items():
            _enter(f"{function.__name__}_{name}", _changed(function, change))

    return enter


def _changed(function: Callable[[Any, Any], dict[str, Any]], change: Callable[[Any], Any]) -> Program:
    return lambda keras: function(keras, change(keras))


def _enter(name: str, entry: Program) -> Program:
    assert name not in PROGRAMS, f"two golden programs are called {name}"
    PROGRAMS[name] = entry
    return entry


# --- Data: the stream of RandomState is frozen, so that every NumPy draws the same numbers ----------------------------

_STREAM = np.random.RandomState(0)
N = 45  # batches of 10, the last of 5

X = _STREAM.normal(size=(N, 6)).astype("float32")
LABELS = (X[:, :3] + 0.5 * _STREAM.normal(size=(N, 3))).argmax(axis=1)
ONE_HOT = np.eye(3, dtype="float32")[LABELS]
YES_NO = (X[:, 0] > X[:, 1]).astype(int)
SEVERAL = (X[:, :3] > 0.3).astype("float32")  # three yes-or-no answers a sample
AMOUNTS = (X[:, :2] @ [[1.0], [-0.5]] + 0.1 * _STREAM.normal(size=(N, 1))).astype("float32")  # (n, 1)
IMAGES = _STREAM.randint(0, 256, size=(N, 4, 4)).astype("uint8")
WEIGHTS = _STREAM.uniform(0.0, 3.0, size=N)
X_VAL = _STREAM.normal(size=(17, 6)).astype("float32")
LABELS_VAL = X_VAL[:, :3].argmax(axis=1)
WEIGHTS_VAL = _STREAM.uniform(0.0, 3.0, size=17)


# --- The walk ---------------------------------------------------------------------------------------------------------


def classifier(keras: Any, units: int = 3, activation: str | None = "softmax") -> Any:
    """The network that programs use which are about something else."""
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(units, activation=activation)]
    )


def start(model: Any, scale: float = 0.5) -> None:
    """Gives a model its first weights, which must not come from anybody's initializer."""
    stream = np.random.RandomState(1)
    model.set_weights([stream.normal(0.0, scale, size=weight.shape) for weight in model.get_weights()])


def walk(model: Any, x: Any, y: Any, **arguments: Any) -> dict[str, Any]:
    """Trains a compiled model over epochs, without shuffling, and returns all there is to see."""
    start(model)
    return go_on(model, x, y, **arguments)


def go_on(model: Any, x: Any, y: Any, **arguments: Any) -> dict[str, Any]:
    """The walk from the weights that the model has."""
    arguments = {"epochs": 6, "batch_size": 10, **arguments}
    history = model.fit(x, y, shuffle=False, verbose=0, **arguments)
    return {
        "history": history.history,
        "epoch": history.epoch,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(x, y, verbose=0),
        "evaluate by name": model.evaluate(x, y, verbose=0, return_dict=True),
        "predict": model.predict(x[:6], verbose=0),
    }


# --- Words ------------------------------------------------------------------------------------------------------------


def printed(action: Callable[[], Any]) -> list[str]:
    """The lines that a reader of the screen sees in the end, with every time replaced by #."""
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen):
        action()
    lines = [_last_drawn(line) for line in screen.getvalue().rstrip("\n").split("\n")]
    return [re.sub(r"\b\d+(s|ms|us)\b", "#", line) for line in lines]


def _last_drawn(line: str) -> str:
    """The last state of a line that was drawn over several times, without its colours."""
    return re.sub(r"\x1b\[[\d;]*m|\x08", "", line).split("\r")[-1].rstrip()
