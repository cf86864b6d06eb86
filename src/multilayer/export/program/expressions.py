"""Each kind of step as an expression of NumPy, for a batch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from multilayer.export.plan import Step


class Call(NamedTuple):
    """A step, and how what it takes is written.

    Attributes:
        step: The step.
        xs: The expressions of its inputs.
        shapes: Their shapes, of one sample.
        shape: The shape of its output.
        weight: Gives the expression of one of its arrays.
        helper: Gives the name of a helper, which the file then has.
        activated: Gives the expression of its activation of another one.
    """

    step: Step
    xs: Sequence[str]
    shapes: Sequence[tuple[int, ...]]
    shape: tuple[int, ...]
    weight: Callable[[str], str]
    helper: Callable[[str], str]
    activated: Callable[[str], str]


Expression: TypeAlias = Callable[[Call], str]


def sides(shape: Sequence[int]) -> str:
    """Lengths as arguments of `reshape`."""
    return ", ".join(map(str, shape))


def _axes(axes: Sequence[int]) -> str:
    moved = [axis + 1 for axis in axes]
    return str(moved[0]) if len(moved) == 1 else str(tuple(moved))


def _reshaped(x: str, shape: Sequence[int]) -> str:
    return f"{x}.reshape(-1, {sides(shape)})" if shape else f"{x}.reshape(-1)"


def _dense(of: Call) -> str:
    (x,), (inputs, units) = of.xs, of.step.arrays["kernel"].shape
    lies_apart = of.shapes[0][-1:] != (inputs,)
    if lies_apart:
        x = f"{x}.reshape(-1, {math.prod(of.shape) // units}, {inputs})"
    a = f"{x} @ {of.weight('kernel')}"
    if "bias" in of.step.arrays:
        a += f" + {of.weight('bias')}"
    if lies_apart or (*of.shapes[0][:-1], units) != of.shape:
        a = _reshaped(f"({a})", of.shape)
    return of.activated(a)


def _einsum(of: Call) -> str:
    equation = of.step.options["equation"]
    n = next(one for one in "nNmMzZyYxX" if one not in equation)  # the batch's letter
    words, target = equation.split("->")
    one, other = words.split(",")
    second = f"{n}{other}" if len(of.xs) > 1 else other
    factor = of.xs[1] if len(of.xs) > 1 else of.weight("kernel")
    a = f'np.einsum("{n}{one},{second}->{n}{target}", {of.xs[0]}, {factor})'
    if "bias" in of.step.arrays:
        a += f" + {of.weight('bias')}"
    return of.activated(a)


def _activation(of: Call) -> str:
    return of.activated(of.xs[0])


def _formula(text: str, *names: str) -> Expression:
    """A formula of x and of arrays."""

    def expression(of: Call) -> str:
        return text.format(x=of.xs[0], **{name: of.weight(name) for name in names})

    return expression


def _normalize(of: Call) -> str:
    options = of.step.options
    centered = "" if options["centered"] else ", centered=False"
    y = f"{of.helper('normalize')}({of.xs[0]}, {_axes(options['axes'])}, {options['epsilon']}{centered})"
    for name, sign in (("gamma", "*"), ("beta", "+")):
        if name in of.step.arrays:
            y += f" {sign} {of.weight(name)}"
    return y


def _unit(of: Call) -> str:
    return f"{of.helper('unit')}({of.xs[0]}, {_axes(of.step.options['axes'])}, {of.step.options['most']})"


_SIGNS = {"add": " + ", "average": " + ", "divide": " / ", "multiply": " * ", "subtract": " - "}


def _merge(of: Call) -> str:
    function = of.step.options["function"]
    if function in _SIGNS:
        joined = _SIGNS[function].join(of.xs)
        return f"({joined}) / {len(of.xs)}" if function == "average" else joined
    y = of.xs[0]
    for x in of.xs[1:]:
        y = f"np.{function}({y}, {x})"
    return y


def _concatenate(of: Call) -> str:
    return f"np.concatenate([{', '.join(of.xs)}], axis={of.step.options['axis'] + 1})"


def _reduce(of: Call) -> str:
    axes = of.step.options["axes"]
    y = f"{of.xs[0]}.{of.step.options['function']}(axis={_axes(axes)})"
    kept = tuple(side for axis, side in enumerate(of.shapes[0]) if axis not in axes)
    return y if kept == of.shape else _reshaped(y, of.shape)


def _embedding(of: Call) -> str:
    table = of.weight("table")
    return f"{table}[{of.helper('places')}({of.xs[0]}, {len(of.step.arrays['table'])})]"


def _lookup(of: Call) -> str:
    keys, places = of.weight("keys"), of.weight("places")
    options = f"{of.step.options['unknown']}, {of.step.options['spread']}"
    return f"{of.helper('lookup')}({of.xs[0]}, {keys}, {places}, {options})"


def _encode(of: Call) -> str:
    depth, mode, strict = (of.step.options[name] for name in ("depth", "mode", "strict"))
    rows = math.prod(of.shape) // depth
    count = math.prod(of.shapes[0]) // rows
    x = f"{of.helper('places')}({of.xs[0]}, {depth})" if strict else of.xs[0]
    y = f"{of.helper('encode')}({x}.reshape(-1, {count}), {depth}, {mode == 'count'})"
    y = _reshaped(y, of.shape)
    return f"{y} * {of.weight('weights')}" if "weights" in of.step.arrays else y


def _discretize(of: Call) -> str:
    boundaries = of.step.arrays["boundaries"].tolist()
    shown = f"np.float32({boundaries})" if len(boundaries) == 1 else of.weight("boundaries")
    return f'np.searchsorted({shown}, {of.xs[0]}, side="right").astype(np.float32)'


def _masking(of: Call) -> str:
    x = of.xs[0]
    return f"np.where(({x} != {of.step.options['value']}).any(axis=-1, keepdims=True), {x}, np.float32(0))"


def _round(of: Call) -> str:
    scale, zero = of.step.options["scale"], of.step.options["zero"]
    return f"np.clip(np.rint({of.xs[0]} / np.float32({scale})), {-128 - zero}, {127 - zero}) * np.float32({scale})"


def _transpose(of: Call) -> str:
    return f"{of.xs[0]}.transpose(0, {', '.join(str(axis + 1) for axis in of.step.options['order'])})"


def _repeat(of: Call) -> str:
    return f"np.repeat({of.xs[0]}[:, None], {of.step.options['times']}, axis=1)"


def _reshape(of: Call) -> str:
    return _reshaped(of.xs[0], of.shape)


EXPRESSIONS: Mapping[str, Expression] = {
    "activation": _activation,
    "cast": _formula("{x}.astype(np.float32)"),
    "concatenate": _concatenate,
    "dense": _dense,
    "discretize": _discretize,
    "einsum": _einsum,
    "embedding": _embedding,
    "encode": _encode,
    "lookup": _lookup,
    "masking": _masking,
    "merge": _merge,
    "normalize": _normalize,
    "prelu": _formula("np.where({x} > 0, {x}, {alpha} * {x})", "alpha"),
    "reduce": _reduce,
    "repeat": _repeat,
    "reshape": _reshape,
    "round": _round,
    "scale": _formula("{x} * {factor} + {offset}", "factor", "offset"),
    "standardize": _formula("({x} - {mean}) / {deviation}", "mean", "deviation"),
    "transpose": _transpose,
    "unit": _unit,
}
