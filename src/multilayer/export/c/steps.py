"""Each kind of step as C: loops over pointers x, or x0, x1 and so on, and y."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from multilayer.export.c.nests import braced, element, nest, strides_of
from multilayer.export.c.source import Source
from multilayer.export.c.text import real
from multilayer.export.names import comment
from multilayer.export.plan import Plan, Step

# Gives the lines of a step, of inputs and an output that these expressions point to.
Lines: TypeAlias = Callable[[Source, Step, Sequence[str], str], list[str]]

_OVER_ITS_INPUT = ("activation", "masking", "merge", "normalize", "prelu", "round", "scale", "standardize", "unit")


def goes_in_place(plan: Plan, step: Step) -> bool:
    """Whether a step may write over its first input: whatever it reads there, it reads before it writes it."""
    same = plan.values[step.inputs[0]].shape == plan.values[step.output].shape
    return step.kind in _OVER_ITS_INPUT and same


def written(source: Source, step: Step) -> list[str]:
    """The lines of one step in the function that predicts."""
    if step.kind == "reshape":
        return []
    plan = source.plan
    shapes = [plan.values[one].shape for one in step.inputs]
    sides = f"{_shown(shapes)} to {_shown([plan.values[step.output].shape])}"
    said = f"/* {comment(step.name)}: {step.kind}, {sides} */"
    pointers, target = [source.at(one) for one in step.inputs], source.at(step.output)
    if not step.parts and step.kind in _CALLS:
        return ["", "    " + said, *("    " + line for line in KINDS[step.kind](source, step, pointers, target))]
    names = ["x"] if len(pointers) == 1 else [f"x{i}" for i in range(len(pointers))]
    heads, moved = [], [""] * (len(pointers) + 1)
    if step.parts:
        heads = [f"for (size_t part = 0; part < {math.prod(step.parts)}u; part++) {{"]
        inputs, output = plan.shapes(step)
        moved = [f" + {math.prod(shape)}u * part" for shape in (*inputs, output)]
    else:
        heads = ["{"]
    body = [
        f"const {source.type_of(one)} *{name} = {pointer}{move};"
        for one, name, pointer, move in zip(step.inputs, names, pointers, moved, strict=False)
    ]
    body += [f"float *y = {target}{moved[-1]};", *KINDS[step.kind](source, step, names, "y")]
    return ["", "    " + said, *braced(heads, body, 1)]


def copied(source: Source, output: int, value: int) -> list[str]:
    """The lines that put a value that lies elsewhere into an output."""
    size = source.plan.values[value].size
    head = f"for (size_t i = 0; i < {size}u; i++) {{"
    return ["", *braced([head], [f"{source.outputs[output]}[i] = {element(source.at(value), 'i')};"], 1)]


def _shown(shapes: Sequence[tuple[int, ...]]) -> str:
    return ", ".join(f"({', '.join(map(str, shape))})" for shape in shapes)


def _real(source: Source, step: Step, text: str, which: int = 0) -> str:
    """A number of an input, as float."""
    return text if source.type_of(step.inputs[which]) == "float" else f"(float){text}"


def _shapes(source: Source, step: Step) -> tuple[list[tuple[int, ...]], tuple[int, ...]]:
    return source.plan.shapes(step)


# --- Products and activations -----------------------------------------------------------------------------------------


def _dense(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    inputs, units = step.arrays["kernel"].shape
    shape = _shapes(source, step)[1]
    # A unit's weights lie in one run, so that they are read in the order in which they lie.
    kernel = source.table(step, "kernel", np.ascontiguousarray(step.arrays["kernel"].T))
    bias = source.table(step, "bias", step.arrays["bias"]) if step.arrays.get("bias", np.zeros(1)).any() else "NULL"
    rows = math.prod(shape) // units
    call = f"{source.helper('dense')}({xs[0]}, {rows}u, {inputs}u, {units}u, {kernel}, {bias}, {y});"
    return [call, *source.activated(step.activation, shape, y, y)]


def _einsum(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    shapes, shape = _shapes(source, step)
    words, target = step.options["equation"].split("->")
    one, other = words.split(",")
    both = [*shapes, *([step.arrays["kernel"].shape] if "kernel" in step.arrays else [])]
    sides = {
        letter: side for word, of in zip((one, other), both, strict=True) for letter, side in zip(word, of, strict=True)
    }
    summed = [letter for letter in sides if letter not in target]

    def strides(word: str, of: Sequence[int], letters: Sequence[str]) -> list[int]:
        # A letter that stands twice is the diagonal: one step goes along both axes.
        each = list(zip(word, strides_of(of), strict=True))
        return [sum(stride for found, stride in each if found == letter) for letter in letters]

    bias = step.arrays.get("bias")
    of_bias = [0] * len(shape) if bias is None else strides_of(bias.shape, shape)
    outer = nest(
        shape,
        [strides_of(shape), *(strides(word, of, target) for word, of in zip((one, other), both, strict=True)), of_bias],
    )
    inner = nest(
        [sides[letter] for letter in summed],
        [strides(word, of, summed) for word, of in zip((one, other), both, strict=True)],
        skip=len(outer.heads),
    )
    first = _plus(outer.places[1], inner.places[0])
    second = _plus(outer.places[2], inner.places[1])
    factor = f"{xs[1]}[{second}]" if len(xs) > 1 else source.constant(step, "kernel", second)
    begin = "0.0f" if bias is None else source.constant(step, "bias", outer.places[3])
    body = [
        f"float sum = {begin};",
        *braced(inner.heads, [f"sum += {xs[0]}[{first}] * {factor};"], 0),
        f"{y}[{outer.places[0]}] = sum;",
    ]
    return [*braced(outer.heads or ["{"], body, 0), *source.activated(step.activation, shape, y, y)]


def _activation(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    return source.activated(step.activation, _shapes(source, step)[0][0], xs[0], y)


def _plus(one: str, other: str) -> str:
    """The sum of two places."""
    return " + ".join(part for part in (one, other) if part != "0") or "0"


# --- Number by number -------------------------------------------------------------------------------------------------


def _with_arrays(formula: str, *names: str) -> Lines:
    """A formula of v and of arrays that are broadcast to x."""

    def lines(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
        shape = _shapes(source, step)[1]
        found = nest(shape, [strides_of(shape), *(strides_of(step.arrays[name].shape, shape) for name in names)])
        place = found.places[0]
        given = {name: source.constant(step, name, where) for name, where in zip(names, found.places[1:], strict=True)}
        body = [
            f"const float v = {_real(source, step, f'{xs[0]}[{place}]')};",
            f"{y}[{place}] = {formula.format(**given)};",
        ]
        return braced(found.heads or ["{"], body, 0)

    return lines


_SIGNS = {"add": " + ", "average": " + ", "divide": " / ", "multiply": " * ", "subtract": " - "}
_CHOSEN = {"maximum": ">", "minimum": "<"}
# The larger or the smaller of v and another number; as in NumPy, NaN if one of them is.
_CHOICE = "v = {one} {sign} v || {one} != {one} ? {one} : v;"


def _merge(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    shapes, shape = _shapes(source, step)
    function = step.options["function"]
    found = nest(shape, [strides_of(shape), *(strides_of(one, shape) for one in shapes)])
    first, *others = terms = [f"{name}[{where}]" for name, where in zip(xs, found.places[1:], strict=True)]
    target = f"{y}[{found.places[0]}]"
    if function in _CHOSEN:
        chosen = [_CHOICE.format(one=one, sign=_CHOSEN[function]) for one in others]
        body = [f"float v = {first};", *chosen, f"{target} = v;"]
    else:
        joined = _SIGNS[function].join(terms)
        body = [f"{target} = {f'({joined}) * {real(1.0 / len(xs))}' if function == 'average' else joined};"]
    return braced(found.heads or ["{"], body, 0)


def _cast(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    head = f"for (size_t i = 0; i < {math.prod(_shapes(source, step)[1])}u; i++) {{"
    return braced([head], [f"{y}[i] = (float){xs[0]}[i];"], 0)


def _round(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    """The nearest of 256 numbers, halves to the even one.

    That is what is left of a number when 1.5 2^23, at which float32 has no fractions, is added and taken off again.
    """
    scale, zero = real(step.options["scale"]), step.options["zero"]
    body = [
        f"const float v = {source.helper('clip')}({xs[0]}[i] / {scale}, {real(-128 - zero)}, {real(127 - zero)});",
        f"{y}[i] = (v + 12582912.0f - 12582912.0f) * {scale};",
    ]
    return braced([f"for (size_t i = 0; i < {math.prod(_shapes(source, step)[1])}u; i++) {{"], body, 0)


def _masking(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    *_, features = shape = _shapes(source, step)[1]
    rows = math.prod(shape) // features
    x = xs[0]
    body = [
        "int counts = 0;",
        *braced(
            [f"for (size_t j = 0; j < {features}u; j++) {{"],
            [f"counts = counts || {x}[{features}u * i + j] != {real(step.options['value'])};"],
            0,
        ),
        *braced(
            [f"for (size_t j = 0; j < {features}u; j++) {{"],
            [f"{y}[{features}u * i + j] = counts ? {x}[{features}u * i + j] : 0.0f;"],
            0,
        ),
    ]
    return braced([f"for (size_t i = 0; i < {rows}u; i++) {{"], body, 0)


# --- Over axes --------------------------------------------------------------------------------------------------------


def _over_axes(
    shape: Sequence[int], axes: Sequence[int], others: Sequence[Sequence[int]]
) -> tuple[list[str], list[str], list[str]]:
    """Loops over the axes that stay, loops over the others, and the places of x and of other arrays within both."""
    strides = [strides_of(shape), *others]
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    outer, inner = (
        nest([shape[axis] for axis in part], [[one[axis] for axis in part] for one in strides], skip)
        for part, skip in ((kept, 0), (list(axes), len(kept)))
    )
    return outer.heads, inner.heads, [_plus(a, b) for a, b in zip(outer.places, inner.places, strict=True)]


def _normalize(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    shape = _shapes(source, step)[1]
    axes, names = step.options["axes"], list(step.arrays)
    others = [strides_of(step.arrays[name].shape, shape) for name in names]
    outer, inner, places = _over_axes(shape, axes, others)
    given = {name: source.constant(step, name, where) for name, where in zip(names, places[1:], strict=True)}
    x, size = f"{xs[0]}[{places[0]}]", real(math.prod(shape[axis] for axis in axes))
    result = (
        "v * factor"
        + (f" * {given['gamma']}" if "gamma" in given else "")
        + (f" + {given['beta']}" if "beta" in given else "")
    )
    value, mean = f"const float v = {x};", []
    if step.options["centered"]:
        value = f"const float v = {x} - mean;"
        mean = ["float mean = 0.0f;", *braced(inner, [f"mean += {x};"], 0), f"mean /= {size};"]
    body = [
        *mean,
        "float squares = 0.0f;",
        *braced(inner, [value, "squares += v * v;"], 0),
        f"const float factor = 1.0f / sqrtf(squares / {size} + {real(step.options['epsilon'])});",
        *braced(inner, [value, f"{y}[{places[0]}] = {result};"], 0),
    ]
    return braced(outer or ["{"], body, 0)


def _unit(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    shape, most = _shapes(source, step)[1], real(step.options["most"])
    outer, inner, (place, *_) = _over_axes(shape, step.options["axes"], [])
    x = f"{xs[0]}[{place}]"
    body = [
        "float squares = 0.0f;",
        *braced(inner, [f"squares += {x} * {x};"], 0),
        "const float length = sqrtf(squares);",
        f"const float factor = length * {most} > 1.0f ? 1.0f / length : {most};",
        *braced(inner, [f"{y}[{place}] = {x} * factor;"], 0),
    ]
    return braced(outer or ["{"], body, 0)


_REDUCED = {"max": _CHOICE.replace("{sign}", ">"), "min": _CHOICE.replace("{sign}", "<")}


def _reduce(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    ((shape,), _), axes = _shapes(source, step), step.options["axes"]
    function = step.options["function"]
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    strides, sides = strides_of(shape), [shape[axis] for axis in kept]
    outer = nest(sides, [[strides[axis] for axis in kept], strides_of(sides)])
    inner = nest([shape[axis] for axis in axes], [[strides[axis] for axis in axes]], len(outer.heads))
    x = f"{xs[0]}[{_plus(outer.places[0], inner.places[0])}]"
    begin = f"{xs[0]}[{outer.places[0]}]" if function in ("max", "min") else "0.0f"
    end = f"v / {real(math.prod(shape[axis] for axis in axes))}" if function == "mean" else "v"
    body = [
        f"float v = {begin};",
        *braced(inner.heads, [_REDUCED.get(function, "v += {one};").format(one=x)], 0),
        f"{y}[{outer.places[1]}] = {end};",
    ]
    return braced(outer.heads or ["{"], body, 0)


# --- Places and shapes ------------------------------------------------------------------------------------------------


def _moved(strides: Callable[[Step, tuple[int, ...]], Sequence[int]]) -> Lines:
    """A copy of x in another order, of which the strides along the axes of y are given."""

    def lines(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
        (given,), shape = _shapes(source, step)
        found = nest(shape, [strides_of(shape), strides(step, given)])
        return braced(found.heads or ["{"], [f"{y}[{found.places[0]}] = {xs[0]}[{found.places[1]}];"], 0)

    return lines


def _transposed(step: Step, shape: tuple[int, ...]) -> Sequence[int]:
    strides = strides_of(shape)
    return [strides[axis] for axis in step.options["order"]]


def _repeated(step: Step, shape: tuple[int, ...]) -> Sequence[int]:  # noqa: ARG001 - as `_transposed`
    return [0, *strides_of(shape)]


def _concatenate(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    shapes, shape = _shapes(source, step)
    axis, strides, lines = step.options["axis"], strides_of(shape), []
    begin = 0
    for x, one in zip(xs, shapes, strict=True):
        found = nest(one, [strides, strides_of(one)])
        place = _plus(f"{begin * strides[axis]}u" if begin else "0", found.places[0])
        lines += braced(found.heads or ["{"], [f"{y}[{place}] = {x}[{found.places[1]}];"], 0)
        begin += one[axis]
    return lines


# --- Whole numbers ----------------------------------------------------------------------------------------------------


def _whole(source: Source, step: Step, x: str, limit: int, otherwise: Sequence[str]) -> tuple[list[str], str]:
    """Lines that look whether x is a place below a limit and do something else where not, and the place."""
    kind = source.type_of(step.inputs[0])
    if kind == "float":
        value, outside = f"const float n = {x};", f"!(n > -1.0f && n < {real(limit)})"
    else:
        value, outside = f"const int64_t n = (int64_t){x};", f"n < 0 || n >= {limit}"
    return [value, *braced([f"if ({outside}) {{"], otherwise, 0)], "(size_t)n"


def _embedding(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    (given,), _ = _shapes(source, step)
    rows, features = step.arrays["table"].shape
    checked, row = _whole(source, step, f"{xs[0]}[i]", rows, ["return 1;"])
    entry = source.read(source.table(step, "table", step.arrays["table"]), f"{features}u * {row} + j")
    inner = braced([f"for (size_t j = 0; j < {features}u; j++) {{"], [f"{y}[{features}u * i + j] = {entry};"], 0)
    return braced([f"for (size_t i = 0; i < {math.prod(given)}u; i++) {{"], [*checked, *inner], 0)


def _encode(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    (given,), shape = _shapes(source, step)
    depth, mode = step.options["depth"], step.options["mode"]
    rows = math.prod(shape) // depth
    count = math.prod(given) // rows
    checked, place = _whole(
        source, step, f"{xs[0]}[{count}u * i + j]", depth, ["return 1;" if step.options["strict"] else "continue;"]
    )
    mark = f"{y}[{depth}u * i + {place}] {'+= ' if mode == 'count' else '= '}1.0f;"
    each = f"for (size_t j = 0; j < {depth}u; j++) {{"
    lines = [
        *braced([each], [f"{y}[{depth}u * i + j] = 0.0f;"], 0),
        *braced([f"for (size_t j = 0; j < {count}u; j++) {{"], [*checked, mark], 0),
    ]
    if "weights" in step.arrays:
        lines += braced([each], [f"{y}[{depth}u * i + j] *= {source.constant(step, 'weights', 'j')};"], 0)
    return braced([f"for (size_t i = 0; i < {rows}u; i++) {{"], lines, 0)


def _lookup(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    size, count = math.prod(_shapes(source, step)[1]), step.arrays["keys"].size
    unknown, spread = step.options["unknown"], step.options["spread"]
    lines = []
    if source.type_of(step.inputs[0]) == "float":
        # What is no whole number, or too large for one, was never a key: the model refuses it, too.
        outside = (
            "!(given > -9.2e18f && given < 9.2e18f) || (float)(int64_t)given < given || (float)(int64_t)given > given"
        )
        lines += [f"const float given = {xs[0]}[i];", *braced([f"if ({outside}) {{"], ["return 1;"], 0)]
        lines.append("const int64_t key = (int64_t)given;")
    else:
        lines.append(f"const int64_t key = (int64_t){xs[0]}[i];")
    if unknown is None:
        otherwise = ["return 1;"]
    elif spread == 1:
        otherwise = [f"{y}[i] = {real(unknown)};"]
    else:
        otherwise = [f"{y}[i] = (float)({unknown} + (key % {spread} + {spread}) % {spread});"]
    if count:
        keys, places = (source.table(step, name, step.arrays[name]) for name in ("keys", "places"))
        lines += [
            "size_t low = 0;",
            f"size_t high = {count}u;",
            *braced(
                ["while (low < high) {"],
                [
                    "const size_t middle = low + (high - low) / 2u;",
                    *braced([f"if ({source.read_whole(keys, 'middle')} < key) {{"], ["low = middle + 1u;"], 0),
                    *braced(["else {"], ["high = middle;"], 0),
                ],
                0,
            ),
            *braced(
                [f"if (low < {count}u && {source.read_whole(keys, 'low')} == key) {{"],
                [f"{y}[i] = (float){source.read_whole(places, 'low')};"],
                0,
            ),
            *braced(["else {"], otherwise, 0),
        ]
    else:
        lines += ["(void)key;", *otherwise]
    return braced([f"for (size_t i = 0; i < {size}u; i++) {{"], lines, 0)


def _discretize(source: Source, step: Step, xs: Sequence[str], y: str) -> list[str]:
    size, count = math.prod(_shapes(source, step)[1]), step.arrays["boundaries"].size
    boundary = source.constant(step, "boundaries", "j") if count else ""
    reached = braced([f"for (size_t j = 0; j < {count}u; j++) {{"], [f"bin += v < {boundary} ? 0.0f : 1.0f;"], 0)
    body = [
        f"const float v = {_real(source, step, f'{xs[0]}[i]')};",
        "float bin = 0.0f;",
        *(reached if count else ["(void)v;"]),
        f"{y}[i] = bin;",
    ]
    return braced([f"for (size_t i = 0; i < {size}u; i++) {{"], body, 0)


_CALLS = ("activation", "dense")  # calls of helpers, for which pointers need no names of their own
KINDS: dict[str, Lines] = {
    "activation": _activation,
    "cast": _cast,
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
    "prelu": _with_arrays("v > 0.0f ? v : {alpha} * v", "alpha"),
    "reduce": _reduce,
    "repeat": _moved(_repeated),
    "round": _round,
    "scale": _with_arrays("v * {factor} + {offset}", "factor", "offset"),
    "standardize": _with_arrays("(v - {mean}) / {deviation}", "mean", "deviation"),
    "transpose": _moved(_transposed),
    "unit": _unit,
}
