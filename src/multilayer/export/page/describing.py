"""A model as plain data: what the page's JavaScript computes with, and what everything in it is called."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from multilayer import layers
from multilayer._training.graph import Call, Graph
from multilayer._training.masks import MaskOf
from multilayer.export.page.rounded import without_quantization
from multilayer.export.page.steps import encoded, step_of
from multilayer.functional import Array
from multilayer.glass.formulas import Formulas
from multilayer.glass.names import Names
from multilayer.models.pixels import takes_bytes

if TYPE_CHECKING:
    from multilayer.models import Model

FORMAT = 1
_SMALLEST_PICTURE, _LARGEST_PICTURE = 8, 64  # pixels a side; 4 numbers are a table's row rather than 2 x 2 pixels
_MOST_NUMBERS = 64  # that one can set by hand
_BOX = 20 / 28  # MNIST's digits lie in 20 x 20 of 28 x 28 pixels


class _Ending(NamedTuple):
    """What a network's numbers mean, and the loss that goes with them."""

    task: str  # "classes", "yes_no", "several" (a probability for each label) or "numbers"
    loss: str
    fused: bool = False  # whether activation and loss are one formula
    logits: bool = False  # whether outputs are scores, of which the page takes the softmax


def describe(
    model: Model, labels: Sequence[str] | None = None, columns: Sequence[str] | None = None, title: str | None = None
) -> dict[str, Any]:
    """What the page has to know of a model: plain data, which JSON can hold.

    Args:
        model: A built model with one input and one output. Its layers may form any graph.
        labels: What its outputs are called, two for a single probability; by default they are numbered from 0.
        columns: What its inputs are called, where they are no picture.
        title: The page's heading; by default it says what the page is.

    Raises:
        ValueError: The page has no form for the model's input, output or one of its layers, which the message names.

    Example:
        >>> from multilayer import Sequential, layers
        >>> model = Sequential([layers.Input((784,)), layers.Dense(50, "relu"), layers.Dense(10, "softmax")])
        >>> network = describe(model)
        >>> network["task"], network["picture"]["side"], [step["names"]["output"] for step in network["steps"]]
        ('classes', 28, ['z1', 'y_hat'])
    """
    model.require_built("export")
    shape = _input_shape(model)
    picture = _picture(shape, model, columns)
    _check_input_type(model.input_dtypes[0], picture)
    _check_output(model)
    graph = model.flat_graph()
    _check_calls(graph)
    graph, rounding = without_quantization(graph)
    ending = _ending(model, graph)
    names = Names(graph, model.input_names, model.output_names)
    formulas = Formulas(graph, names, {graph.outputs[0]} if ending.fused else (), ())
    shapes = _shapes(graph, shape)
    steps = [_step(call, names, formulas, shapes, ending.fused) for call in graph.calls]
    for call, step in zip(graph.calls, steps, strict=True):
        if call.outputs[0] in rounding:
            step["rounding"] = rounding[call.outputs[0]]
        if call.outputs[0] == graph.outputs[0]:
            step["formulas"]["dy"] = _loss_gradient(ending, shapes[graph.outputs[0]])
    return {
        "format": FORMAT,
        "name": model.name,
        "title": title,
        "task": ending.task,
        "fused": ending.fused,
        "logits": ending.logits,
        "labels": _labels(labels, shapes[graph.outputs[0]][0], ending.task),
        "picture": picture,
        "input": {"tensor": graph.inputs[0], "shape": list(shape), **_columns(columns, shape, graph, picture)},
        "output": graph.outputs[0],
        "names": {"x": names.tensors[graph.inputs[0]], "loss": _loss_formula(ending)},
        "steps": steps,
    }


# --- What is refused --------------------------------------------------------------------------------------------------


def _input_shape(model: Model) -> tuple[int, ...]:
    if len(model.inputs) != 1:
        raise ValueError(
            f"A page shows networks of one input; the model has {len(model.inputs)}: {_listed(model.input_names)}."
        )
    sides = tuple(model.inputs[0].shape[1:])
    if None in sides or not sides:
        raise ValueError(
            f"A page shows networks whose input has a known shape; the model's is {tuple(model.inputs[0].shape)}."
        )
    return tuple(int(side) for side in sides if side is not None)


def _check_input_type(dtype: str, picture: dict[str, Any] | None) -> None:
    """A picture's pixels may be bytes; sliders set fractions, which whole numbers would not be."""
    if not dtype.startswith("float") and not (dtype == "uint8" and picture is not None):
        raise ValueError(
            "A page shows networks whose input is numbers with fractions, or a picture in floats or uint8; the "
            f"model's is of dtype {dtype!r}."
        )


def _check_output(model: Model) -> None:
    if len(model.outputs) != 1:
        raise ValueError(
            f"A page shows networks of one output; the model has {len(model.outputs)}: {_listed(model.output_names)}."
        )
    shape = tuple(model.outputs[0].shape)
    if len(shape) != 2:
        raise ValueError(f"A page shows networks whose output is a row of numbers, (n, k); the model's is {shape}.")


def _check_calls(graph: Graph) -> None:
    seen: set[int] = set()
    for call in graph.calls:
        layer = call.layer
        if isinstance(layer, MaskOf):
            raise ValueError(
                f"The model's '{layer.name}' has padding left out of a mean, which a page has no form for. Leave the "
                "mask out (`mask_zero`, `Masking`) for a model to export."
            )
        if call.training and layer.acts_in_training:
            raise ValueError(
                f"Layer '{layer.name}' was called with `training=True`, and acts at random or by its batch in every "
                "prediction, which a page does not. Call it without `training` for a model to export."
            )
        if id(layer) in seen and layer.weights:
            raise ValueError(
                f"Layer '{layer.name}' is called more than once, and a page shows each layer's weights in one place. "
                "Give each call a layer of its own."
            )
        seen.add(id(layer))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


# --- Steps ------------------------------------------------------------------------------------------------------------


def _shapes(graph: Graph, shape: tuple[int, ...]) -> dict[int, tuple[int, ...]]:
    """The shape of a sample in each tensor."""
    whole: dict[int, Any] = {graph.inputs[0]: (None, *shape)}
    for call in graph.calls:
        whole[call.outputs[0]] = call.layer.compute_output_shape(call.taking(whole))  # type: ignore[arg-type]
    for call in graph.calls:
        if None in whole[call.outputs[0]][1:]:
            raise ValueError(
                f"Layer '{call.layer.name}' gives {whole[call.outputs[0]]}; a page needs to know each side."
            )
    return {tensor: tuple(sides[1:]) for tensor, sides in whole.items()}


def _step(
    call: Call, names: Names, formulas: Formulas, shapes: dict[int, tuple[int, ...]], fused: bool
) -> dict[str, Any]:
    """A call in the page's form, with what the glass box calls it."""
    layer, target = call.layer, call.outputs[0]
    step = step_of(layer, [shapes[tensor] for tensor in call.inputs])
    titles = {"output": names.tensors[target], "dy": names.gradient(names.tensors[target])}
    written = {"output": formulas.output(call), "dy": formulas.gradient(target)}
    if isinstance(layer, layers.Dense):
        ends = fused and target in formulas.fused
        titles |= {"affine": names.affine[target], "da": names.affine_gradient(call, ends)}
        written |= {"affine": formulas.affine(call), "dW": f"{names.tensors[call.inputs[0]]}.T @ {titles['da']}"}
        written["db"] = f"{titles['da']}.sum(axis=0)"
        if titles["da"] != titles["dy"]:
            written["da"] = formulas.affine_gradient(call)
        step["affine"] = [*shapes[target][:-1], layer.units]
        weights = dict(zip(("W", "b"), layer.weights, strict=False))
        step["weights"] = [{"name": name, "title": names.weights[v], "path": v.path} for name, v in weights.items()]
        step["trained"] = {name: names.weights[v] for name, v in weights.items() if v.trainable}
    return {
        **step,
        "layer": layer.name,
        "class": type(layer).__name__,
        "inputs": list(call.inputs),
        "output": target,
        "shape": list(shapes[target]),
        "names": titles,
        "formulas": written,
    }


# --- Input and output -------------------------------------------------------------------------------------------------


def _ending(model: Model, graph: Graph) -> _Ending:
    """What comes out, by the activation that it comes from; scores are told by the loss that the model trains with."""
    last = graph.calls[-1] if graph.calls else None
    name, plain = "linear", True
    if last is not None and last.outputs[0] == graph.outputs[0]:
        activation = getattr(last.layer, "activation", None)
        name, plain = getattr(activation, "name", "linear"), not getattr(activation, "options", {})
    several = int(model.outputs[0].shape[-1]) > 1  # type: ignore[arg-type]
    if name == "softmax" and plain and several:
        return _Ending("classes", "sparse_categorical_crossentropy", fused=True)
    if name == "sigmoid":
        return _Ending("several" if several else "yes_no", "binary_crossentropy", fused=True)
    loss = getattr(getattr(model, "loss", None), "from_logits", False)
    if several and (name == "log_softmax" or (name == "linear" and loss)):
        return _Ending("classes", "sparse_categorical_crossentropy", logits=True)
    return _Ending("numbers", "mean_squared_error")


def _loss_formula(ending: _Ending) -> str:
    return f"{ending.loss}({'Y' if ending.task == 'classes' else 't'}, y_hat)"


def _loss_gradient(ending: _Ending, shape: tuple[int, ...]) -> str:
    """The formula of the gradient at the output, as the glass box writes it."""
    if ending.task == "classes":
        return "(y_hat - t) / n" if ending.fused else "(softmax(y_hat) - t) / n"
    per = "n" if shape[0] == 1 else "(n k)"
    return f"(y_hat - t) / {per}" if ending.fused else f"2 (y_hat - t) / {per}"


def _labels(labels: Sequence[str] | None, size: int, task: str) -> list[str]:
    wanted = 2 if task == "yes_no" else size
    if labels is None:
        return [str(i) for i in range(wanted)]
    if isinstance(labels, str) or len(labels) != wanted:
        raise ValueError(f"`labels` has a name for each of {wanted} answers. Received: {labels!r}")
    return [str(label) for label in labels]


def _picture(shape: tuple[int, ...], model: Model, columns: Sequence[str] | None) -> dict[str, Any] | None:
    """How a drawing becomes the network's input; None where it takes no square pictures in grey."""
    if len(shape) == 1:
        side = math.isqrt(shape[0])
        square = side * side == shape[0] and side >= _SMALLEST_PICTURE
    else:
        side = shape[0]
        square = shape[:2] == (side, side) and shape[2:] in ((), (1,))
    if not square or columns is not None or not side <= _LARGEST_PICTURE:
        return None
    return {"side": side, "box": round(side * _BOX), "scale": 255 if takes_bytes(model) else 1}


def _columns(
    columns: Sequence[str] | None, shape: tuple[int, ...], graph: Graph, picture: dict[str, Any] | None
) -> dict[str, Any]:
    """Name and range of each number of the input, where it is no picture."""
    if picture is not None:
        return {}
    size = math.prod(shape)
    if len(shape) != 1 or size > _MOST_NUMBERS:
        raise ValueError(
            f"A page shows networks whose input is a square picture in grey, of {_SMALLEST_PICTURE} to "
            f"{_LARGEST_PICTURE} pixels a side, or a row of at most {_MOST_NUMBERS} numbers; the model's has shape "
            f"{shape}."
        )
    if columns is not None and (isinstance(columns, str) or len(columns) != size):
        raise ValueError(f"`columns` has a name for each of the model's {size} inputs. Received: {columns!r}")
    middle, spread = _middle_and_spread(graph, size)
    return {
        "columns": [f"x{i + 1}" for i in range(size)] if columns is None else [str(column) for column in columns],
        "middle": encoded(middle),
        "spread": encoded(spread),
    }


def _middle_and_spread(graph: Graph, size: int) -> tuple[Array, Array]:
    """Where the inputs lie: as a `Normalization` has measured it, or as data is where there is none."""
    first = graph.calls[0].layer if graph.calls else None
    if isinstance(first, layers.Normalization) and not first.invert:
        mean, deviation = first.mean_and_deviation(np.dtype("float32"))
        return np.broadcast_to(mean, (1, size))[0], np.broadcast_to(deviation, (1, size))[0]
    return np.zeros(size, np.float32), np.ones(size, np.float32)
