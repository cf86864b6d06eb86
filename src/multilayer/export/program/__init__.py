"""Models as one Python file that needs NumPy alone: a page of code that can be read, and the weights below it."""

from __future__ import annotations

import base64
import builtins
import keyword
import os
import textwrap
from collections.abc import Sequence
from typing import Any

from multilayer._system.atomic import replaced
from multilayer._version import __version__
from multilayer.export.names import Names, comment, identifier
from multilayer.export.plan import Plan, Step, plan_of
from multilayer.export.program.expressions import EXPRESSIONS, Call, sides
from multilayer.export.program.helpers import HELPERS
from multilayer.functional import Array


def export(model: Any, path: str | os.PathLike[str]) -> None:
    """Writes a built model to a Python file with a function `predict`, for batches of any size, in float32.

    Raises:
        ValueError: The model has no form in it.
        OSError: The folder is missing or not writable, or the disk is full.
    """
    text = _Program(plan_of(model)).text()
    with replaced(path) as file:
        file.write(text.encode("ascii"))


_WIDTH = 118
_TEXT = '''\
"""{name}: a network as Python with NumPy alone, written by multilayer {version}.

    from this_file import predict
    y = predict(x)

{shapes} n is the number of samples. All is float32.
"""

import base64

import numpy as np


def predict({arguments}):
    """What the network predicts."""
{body}{helpers}


def unpacked(text, shapes, whole=()):
    """The arrays that a text holds one after the other: float32, or of whole numbers int64."""
    data, arrays, start = base64.b85decode("".join(text.split())), {{}}, 0
    for name, shape in shapes.items():
        kind, count = "<i8" if name in whole else "<f4", int(np.prod(shape))
        arrays[name] = np.frombuffer(data, kind, count, start).reshape(shape)
        start += arrays[name].nbytes
    return arrays


SHAPES = {{
{sizes}}}
W = unpacked(
    """
{weights}
""",
    SHAPES,
{whole})
'''


class _Program:
    """A plan as Python."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names = Names()
        for taken in (*keyword.kwlist, *dir(builtins), *HELPERS, "np", "base64", "predict", "W", "unpacked"):
            self.names.unique(taken)
        self.keys = Names()
        self.weights: dict[str, Array] = {}
        self.helpers: dict[str, str] = {}
        self.lines: list[str] = []
        self._keys_by_content: dict[Any, str] = {}
        self.of: dict[int, str] = {}  # what each value is called

    def text(self) -> str:
        plan = self.plan
        inputs = [self.names.unique(identifier(name, "x")) for name in plan.input_names]
        self.of = dict(zip(plan.inputs, inputs, strict=True))
        self.is_chain = len(inputs) == 1 and all(
            step.inputs == ((plan.steps[i - 1].output,) if i else plan.inputs) for i, step in enumerate(plan.steps)
        )
        if self.is_chain:
            self.of[plan.inputs[0]] = inputs[0] = self.names.unique("x")
        for name, value in zip(inputs, plan.inputs, strict=True):
            self.lines.append(f"{name} = np.asarray({name}, np.{plan.values[value].dtype.replace('bool', 'bool_')})")
        for step in plan.steps:
            self._add(step)
        self.lines.append(f"return {', '.join(self.of[one] for one in plan.outputs)}")
        shapes = "".join(f'    "{name}": {one.shape},\n' for name, one in self.weights.items())
        blob = b"".join(
            one.astype("<f4" if one.dtype.kind == "f" else "<i8").tobytes() for one in self.weights.values()
        )
        text = base64.b85encode(blob).decode()
        whole = ", ".join(f'"{name}"' for name, one in self.weights.items() if one.dtype.kind != "f")
        return _TEXT.format(
            name=comment(plan.name),
            version=comment(__version__),
            shapes=self._described(inputs),
            arguments=", ".join(inputs),
            body=textwrap.indent("\n".join(self.lines), "    "),
            helpers="".join(f"\n\n\n{one}" for one in self.helpers.values()),
            sizes=shapes,
            whole=f"    [{whole}],\n" if whole else "",
            weights="\n".join(text[i : i + _WIDTH] for i in range(0, len(text), _WIDTH)),
        )

    def _described(self, inputs: Sequence[str]) -> str:
        plan = self.plan
        taken = [f"{name}: {_batch(plan.values[one].shape)}" for name, one in zip(inputs, plan.inputs, strict=True)]
        given = [_batch(plan.values[one].shape) for one in plan.outputs]
        return f"Takes {', '.join(taken)}; gives {', '.join(given)}."

    def _add(self, step: Step) -> None:
        """A line for a step."""
        shapes, shape = self.plan.shapes(step)
        xs = [self.of[one] for one in step.inputs]
        if step.parts:
            xs = [f"{x}.reshape(-1, {sides(one)})" for x, one in zip(xs, shapes, strict=True)]
        call = Call(
            step,
            xs,
            shapes,
            shape,
            lambda name: self._weight(step, name),
            self._helper,
            lambda x: self._activated(step, x),
        )
        found = EXPRESSIONS[step.kind](call)
        if step.parts:
            found = f"({found}).reshape(-1, {sides(self.plan.values[step.output].shape)})"
        name = self.of[step.inputs[0]] if self.is_chain else self.names.unique(identifier(step.name, "x"))
        self.of[step.output] = name
        self.lines.append(f"{name} = {found}  # {comment(step.name)}" if self.is_chain else f"{name} = {found}")

    def _weight(self, step: Step, name: str) -> str:
        """An array of a step as an expression: its number, where it has one alone and is in no product of matrices."""
        array = step.arrays[name]
        if array.size == 1 and array.dtype.kind == "f" and name not in ("kernel", "table"):
            return f"np.float32({array.flat[0]})"
        wanted = f"{identifier(step.name, 'layer')}_{name}"
        content = (wanted, array.dtype.str, array.shape, array.tobytes())
        if content not in self._keys_by_content:
            key = self._keys_by_content[content] = self.keys.unique(wanted)
            self.weights[key] = array
        return f'W["{self._keys_by_content[content]}"]'

    def _helper(self, name: str) -> str:
        if name not in self.helpers:
            text = HELPERS[name]
            for other in HELPERS:
                if other != name and f" {other}(" in text:
                    self._helper(other)
            self.helpers[name] = text
        return name

    def _activated(self, step: Step, x: str) -> str:
        function = step.activation
        if function.name == "linear":
            return x
        options = dict(function.options)
        given = "".join(f", {name}={value!r}" for name, value in options.items())
        if function.axes:
            axes = tuple(axis + 1 for axis in function.axes)
            given = f", axis={axes[0] if len(axes) == 1 else axes}"
        return f"{self._helper(function.name)}({x}{given})"


def _batch(shape: Sequence[int]) -> str:
    return f"(n{''.join(f', {side}' for side in shape)}{',' if not shape else ''})"
