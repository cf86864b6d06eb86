"""The calls of layers in the config of a network, as Keras writes them, and made again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from multilayer._names import registry
from multilayer.layers import KerasTensor, Layer
from multilayer.layers.symbolic import flatten, pack_like
from multilayer.models.structures import is_nested

_TENSOR = "__keras_tensor__"
# Keras' operations between tensors, or a tensor and a number, that are layers here: as the scale and offset of a
# `Rescaling` with the number on the right, and on the left.
_OPERATIONS: dict[str, tuple[Any, Any]] = {
    "Add": (lambda n: (1.0, n), lambda n: (1.0, n)),
    "Subtract": (lambda n: (1.0, -n), lambda n: (-1.0, n)),
    "Multiply": (lambda n: (n, 0.0), lambda n: (n, 0.0)),
    "Divide": (lambda n: (1.0 / n, 0.0), None),
    "TrueDivide": (lambda n: (1.0 / n, 0.0), None),
}
# What Keras 2 calls them, as functions of TensorFlow.
_FUNCTIONS = {
    "__operators__.add": "Add",
    "math.add": "Add",
    "math.subtract": "Subtract",
    "math.multiply": "Multiply",
    "math.truediv": "Divide",
    "math.divide": "Divide",
    "math.negative": "Negative",
}
_CONSTANT = "_CONSTANT_VALUE"


class CallConfig(NamedTuple):
    """A call of a layer as a config has it.

    Attributes:
        inputs: Where what it is called with comes from: a layer's name, the number of its call, of the output.
        single: Whether it takes one tensor rather than a list of them.
        training: What `training` is in this call, where the one who drew up the network said so.
    """

    inputs: list[tuple[str, int, int]]
    single: bool
    training: bool | None


def described(tensors: Sequence[KerasTensor], histories: Sequence[Any], call: Any) -> dict[str, Any]:
    """A call, with the tensors that it reads, as Keras writes it."""
    given = [
        {
            "class_name": _TENSOR,
            "config": {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": history},
        }
        for tensor, history in zip(tensors, histories, strict=True)
    ]
    kwargs = {} if call.training is None else {"training": call.training}
    form = getattr(call.layer, "_input_form", None)  # a model may want a dict
    packed = pack_like(form, given) if isinstance(form, dict) or is_nested(form) else given
    node: dict[str, Any] = {"args": [given[0] if call.single else packed], "kwargs": kwargs}
    # Keras writes `training` in any case and heeds it in none when it fits, evaluates or predicts.
    return {**node, "training_is_fixed": True} if kwargs else node


def connected(
    layer_configs: Sequence[dict[str, Any]], ends: Sequence[Any]
) -> tuple[dict[str, Layer], dict[tuple[str, int], int]]:
    """The layers of a config by name, once they have been called as it says, and calls that it numbers otherwise.

    Args:
        layer_configs: The layers' configs.
        ends: Where the network's outputs come from.

    Raises:
        ValueError: The description is not that of a network.
    """
    configs = [_as_layer(one) for one in layer_configs]
    layers: dict[str, Layer] = {}
    for config in configs:
        if config["name"] in layers:
            raise ValueError(f"The name {config['name']!r} is used twice in the description of a network.")
        layers[config["name"]] = registry.deserialize("layer", config)
    todo = [
        ((config["name"], number), _read(node, config["name"]))
        for config in configs
        for number, node in enumerate(config["inbound_nodes"])
    ]
    made = {config["name"]: len(config["inbound_nodes"]) for config in configs}
    named = [source for _, call in todo for source in call.inputs] + [_history(end, "output") for end in ends]
    numbers = _skipping(made, named)
    todo = [(key, call._replace(inputs=[_renumbered(numbers, one) for one in call.inputs])) for key, call in todo]
    waiting = defaultdict(list)  # by the call that is waited for
    left = len(todo)
    for entry in todo:  # it grows on the way
        (name, number), call = entry
        blocker = _blocker(layers, name, number, call)
        if blocker is not None:
            waiting[blocker].append(entry)
            continue
        tensors = [layers[source].nodes[call_number].outputs[index] for source, call_number, index in call.inputs]
        layers[name](tensors[0] if call.single else tensors, training=call.training)
        left -= 1
        todo.extend(waiting.pop((name, number), ()))
    if left:
        names = sorted({name for entries in waiting.values() for (name, _), _ in entries})
        raise ValueError(f"The calls of {str(names)[:200]} wait for each other in a loop, or for what there is not.")
    return layers, numbers


def _skipping(made: Mapping[str, int], named: Sequence[tuple[str, int, int]]) -> dict[tuple[str, int], int]:
    """Keras counts a call of a model with a dict twice: which call it is that a number stands for."""
    by_layer: dict[str, set[int]] = defaultdict(set)
    for name, number, _ in named:
        by_layer[name].add(number)
    return {
        (name, number): place
        for name, numbers in by_layer.items()
        if max(numbers) >= made.get(name, 0) > 0 and len(numbers) == made[name]
        for place, number in enumerate(sorted(numbers))
    }


def _renumbered(numbers: Mapping[tuple[str, int], int], source: tuple[str, int, int]) -> tuple[str, int, int]:
    name, number, index = source
    return name, numbers.get((name, number), number), index


def _blocker(layers: Mapping[str, Layer], name: str, number: int, call: CallConfig) -> tuple[str, int] | None:
    """A call that has to be made before this one: a layer's calls are numbered, none may overtake another."""
    if len(layers[name].nodes) < number:
        return name, number - 1
    for source, source_number, _ in call.inputs:
        if source not in layers:
            raise ValueError(f"Layer {name!r} is connected to {source[:100]!r}, which is not in the network.")
        if len(layers[source].nodes) <= source_number:
            return source, source_number
    return None


def _as_layer(config: dict[str, Any]) -> dict[str, Any]:
    """A layer's config; that of one of Keras' operations as the layer that does the same."""
    config = _as_operation(config)
    module, kind = config.get("module"), config.get("class_name")
    nodes = config.get("inbound_nodes")
    given = nodes[0].get("args") if isinstance(nodes, list) and len(nodes) == 1 and isinstance(nodes[0], dict) else None
    # In '.h5' files there is no module: a layer has one argument, and what is between two things has two.
    told_apart = ".ops." in module if isinstance(module, str) else kind in _OPERATIONS and len(given or ()) == 2
    if not told_apart:
        return config
    if kind == "Negative" and given and len(given) == 1:
        return _layer(config, "Rescaling", given[0], scale=-1.0, offset=0.0)
    if kind in _OPERATIONS and isinstance(given, list) and len(given) == 2:
        left, right = given
        if _is_tensor(left) and _is_tensor(right) and kind in ("Add", "Subtract", "Multiply"):
            return _layer(config, kind, [left, right])
        turned = _is_tensor(right)
        number, rescaling = (left, _OPERATIONS[kind][1]) if turned else (right, _OPERATIONS[kind][0])
        if isinstance(number, (int, float)) and rescaling is not None:
            scale, offset = rescaling(number)
            return _layer(config, "Rescaling", right if turned else left, scale=scale, offset=offset)
    raise ValueError(
        f"The operation {str(kind)[:100]!r} of Keras, in {str(config.get('name'))[:100]!r}, is not built here. "
        "In Keras, draw the network up with layers alone: `Activation`, `Add`, `Rescaling` and their like."
    )


def _as_operation(config: dict[str, Any]) -> dict[str, Any]:
    """A function of TensorFlow in a network of Keras 2 as the operation of Keras 3 that is the same."""
    if config.get("class_name") != "TFOpLambda":
        return config
    inner, nodes = config.get("config"), config.get("inbound_nodes")
    function = inner.get("function") if isinstance(inner, dict) else None
    node = nodes[0] if isinstance(nodes, list) and len(nodes) == 1 else None
    if function not in _FUNCTIONS or not (isinstance(node, list) and len(node) == 4 and isinstance(node[3], dict)):
        raise ValueError(
            f"The function {str(function)[:100]!r} of TensorFlow, in {str(config.get('name'))[:100]!r}, is not built "
            "here. In Keras, draw the network up with layers alone: `Activation`, `Add`, `Rescaling` and their like."
        )
    first, second = node[2] if node[0] == _CONSTANT else _tensor(node[:3]), node[3].get("y")
    args = [first] if second is None else [first, _tensor(second) if isinstance(second, list) else second]
    kind = _FUNCTIONS[function]
    return {**config, "module": "keras.src.ops.numpy", "class_name": kind, "inbound_nodes": [{"args": args}]}


def _tensor(history: Any) -> dict[str, Any]:
    return {"class_name": _TENSOR, "config": {"keras_history": history}}


def _layer(config: dict[str, Any], kind: str, given: Any, **arguments: float) -> dict[str, Any]:
    node = {"args": [given], "kwargs": {}}
    own = {"name": config["name"], **arguments}
    return {"class_name": kind, "config": own, "name": config["name"], "inbound_nodes": [node]}


def _is_nothing(value: Any) -> bool:
    """Whether it is no argument at all: as a mask, there may be none for each of several tensors."""
    if isinstance(value, (list, dict)):
        return all(map(_is_nothing, flatten(value)))
    return value is None or value is False


def _is_tensor(value: Any) -> bool:
    return isinstance(value, dict) and value.get("class_name") == _TENSOR


def _leaves(structure: Any) -> list[Any]:
    """The same as `flatten`, for tensors that are described by dicts themselves."""
    if isinstance(structure, dict) and not _is_tensor(structure):
        return [inner for key in sorted(structure) for inner in _leaves(structure[key])]
    if isinstance(structure, list):
        return [inner for one in structure for inner in _leaves(one)]
    return [structure]


def _read(node: Any, name: str) -> CallConfig:
    if isinstance(node, list) or "args" not in node:
        node = _as_keras_3(node)
    given = list(node["args"])
    kwargs = dict(node["kwargs"])
    given += [kwargs.pop(key) for key in ("inputs", "x") if key in kwargs and not given]
    training = kwargs.pop("training", None)
    training = training if node.get("training_is_fixed") else None
    unused = {key: value for key, value in kwargs.items() if not _is_nothing(value)}
    if len(given) != 1 or unused:
        raise ValueError(
            f"Layer {name!r} is called with {str(unused or given)[:200]}: a layer here takes one tensor, or one list "
            "of tensors, and neither masks nor other arguments."
        )
    if training is not None and not isinstance(training, bool):
        raise ValueError(f"Layer {name!r} is called with training={str(training)[:100]}.")
    single = _is_tensor(given[0])
    tensors = _leaves(given[0])
    if not all(_is_tensor(tensor) for tensor in tensors):
        raise ValueError(
            f"Layer {name!r} is called with {str(given[0])[:200]}, which is no tensor, nor a list of them."
        )
    return CallConfig([_history(tensor["config"]["keras_history"], name) for tensor in tensors], single, training)


def _as_keras_3(node: Any) -> dict[str, Any]:
    """A call as Keras 2 writes it, in the words of Keras 3.

    It is a list, or a dict, of `[layer, call, output, arguments]`, or, rarely, one of those alone; what it says of
    `training` holds whatever is done with the model.
    """
    if isinstance(node, dict):
        histories = [node[key] for key in sorted(node)]
    else:
        histories = [node] if node and isinstance(node[0], str) else list(node)
    kwargs: dict[str, Any] = {}
    for history in histories:
        if len(history) > 3:
            kwargs.update(history[3])
    tensors = [_tensor(history[:3]) for history in histories]
    args = [tensors[0] if len(tensors) == 1 else tensors]
    return {"args": args, "kwargs": kwargs, "training_is_fixed": kwargs.get("training") is not None}


def _history(given: Any, name: str) -> tuple[str, int, int]:
    parts = list(given)[:3]
    if len(parts) == 3 and isinstance(parts[0], str) and all(type(n) is int and n >= 0 for n in parts[1:]):
        return parts[0], parts[1], parts[2]
    raise ValueError(f"Layer {name!r} is called with something from {str(given)[:200]}, which is no place.")
