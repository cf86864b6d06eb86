"""The tape: derivatives of whatever is written with NumPy's functions.

`tensor.py` is the tape itself; `elementwise`, `reductions`, `shapes` and `linear_algebra` are the table of what each of
NumPy's functions does to a gradient, `composed` has more of them in terms of these; `backpropagation.py` goes back.
"""

from __future__ import annotations

from multilayer._core.tape import composed, elementwise, linear_algebra, reductions, shapes
from multilayer._core.tape.backpropagation import as_results, backpropagate, seed_like
from multilayer._core.tape.operands import Operand, users_line, what_numpy_says
from multilayer._core.tape.tensor import (
    EVERY_POSITION,
    Node,
    Recording,
    Rule,
    Tensor,
    as_tensor,
    call,
    not_recording,
    plain,
    record,
    recording,
    table,
    tracked,
)
from multilayer._core.tape.watched import StoodFor, WatchedArray, watched

__all__ = [
    "EVERY_POSITION",
    "Node",
    "Operand",
    "Recording",
    "Rule",
    "StoodFor",
    "Tensor",
    "WatchedArray",
    "as_results",
    "as_tensor",
    "backpropagate",
    "call",
    "composed",
    "elementwise",
    "linear_algebra",
    "not_recording",
    "plain",
    "record",
    "recording",
    "reductions",
    "seed_like",
    "shapes",
    "table",
    "tracked",
    "users_line",
    "watched",
    "what_numpy_says",
]
