"""The calls of layers in the config of a network, as Keras writes them, and made again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._core.arena import Variable
from multilayer._names import keras_forms, registry
from multilayer.layers import KerasTensor, Layer
from multilayer.layers.operation import FunctionOperation
from multilayer.layers.operations import OPERATIONS, Operation, called, function_of, is_of_ops, named_arguments
from multilayer.layers.recorded import Arguments, Place, filled
from multilayer.layers.symbolic import flatten, is_nested, pack_like
from multilayer.ops.operands import converted

_TENSOR = "__keras_tensor__"
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
        form: The arguments, with the inputs' places.
        training: What `training` is in this call, where the one who drew up the network said so.
    """

    inputs: list[tuple[str, int, int]]
    form: Arguments
    training: bool | None


def described(layer: Layer, inbound_nodes: list[Any]) -> dict[str, Any]:
    """A layer, or an operation, with its calls, as Keras writes it."""
    config = operation_config(layer) if isinstance(layer, FunctionOperation) else registry.serialize(layer)
    return {**config, "name": layer.name, "inbound_nodes": inbound_nodes}


def operation_config(layer: FunctionOperation) -> dict[str, Any]:
    """An operation as Keras writes it: what belongs to it, by Keras' names."""
    operation, given = _as_keras_names(layer, layer.nodes[0].form)
    options = {key: default for key, default in operation.options.items() if key in operation.defaults()}
    options.update((key, written(value)) for key, value in given.items() if key in operation.options)
    return {
        "module": operation.module,
        "class_name": operation.name,
        "config": {"name": layer.name, **options},
        "registered_name": operation.name,
    }


def _as_keras_names(layer: FunctionOperation, form: Arguments) -> tuple[Operation, dict[str, Any]]:
    found = layer.operation and named_arguments(layer.operation, layer.function, *form)
    if layer.operation is None or found is None:
        name = getattr(layer.function, "__name__", str(layer.function))
        arguments = f" with {sorted(form.kwargs)}" if layer.operation is not None else ""
        raise ValueError(
            f"The step '{layer.name}' calls `{name}`{arguments}, for which Keras has no operation: it cannot be "
            "written down. Call it in the `call` of a layer of your own."
        )
    return layer.operation, found


def described_call(tensors: Sequence[KerasTensor], histories: Sequence[Any], call: Any) -> dict[str, Any]:
    """A call, with the tensors that it reads, as Keras writes it."""
    given = [
        {
            "class_name": _TENSOR,
            "config": {"shape": list(tensor.shape), "dtype": tensor.dtype, "keras_history": history},
        }
        for tensor, history in zip(tensors, histories, strict=True)
    ]
    kwargs = {} if call.training is None else {"training": call.training}
    if isinstance(call.layer, FunctionOperation):
        operation, named = _as_keras_names(call.layer, call.form)
        args = [named[key] for key in operation.takes if key in named and not key.startswith("*")]
        args += [one for key in operation.takes if key.startswith("*") for one in named[key]]
        if is_of_ops(call.layer.function):  # which computes with these, where NumPy's functions would with the list
            args = [converted(one) if _is_list_of_numbers(one) else one for one in args]
        return {"args": written(filled(args, given)), "kwargs": {}}
    form = getattr(call.layer, "_input_form", None)  # a model may want a dict
    if call.form is not None:
        form = call.form if isinstance(call.form, Arguments) else Arguments((call.form,), {})
        named = written(filled(form.kwargs, given))
        node = {"args": written(filled(form.args, given)), "kwargs": {**named, **kwargs}}
    else:
        packed = pack_like(form, given) if isinstance(form, dict) or is_nested(form) else given
        node = {"args": [given[0] if call.single else packed], "kwargs": kwargs}
    # Keras writes `training` in any case and heeds it in none when it fits, evaluates or predicts.
    return {**node, "training_is_fixed": True} if kwargs else node


def _is_list_of_numbers(value: Any) -> bool:
    inner = value if type(value) in (list, tuple) else ()
    return bool(inner) and all(type(one) in (int, float) or _is_list_of_numbers(one) for one in inner)


def written(value: Any) -> Any:
    """An argument of a call as Keras writes it."""
    if isinstance(value, dict):
        return {key: written(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [written(one) for one in value]
    if isinstance(value, slice):
        sides = {"start": written(value.start), "stop": written(value.stop), "step": written(value.step)}
        return {"class_name": "__slice__", "config": sides}
    if value is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(value, (np.dtype, type)):
        return np.dtype(value).name
    if isinstance(value, Variable):  # a constant to whoever reads it
        value = value.value
    if isinstance(value, np.ndarray) and value.ndim:
        return keras_forms.described_array(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return value.item()
    return value


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
    configs = [_as_operation(one) for one in layer_configs]
    layers: dict[str, Layer] = {}
    for config in configs:
        if config["name"] in layers:
            raise ValueError(f"The name {config['name']!r} is used twice in the description of a network.")
        layers[config["name"]] = _made(config)
    todo = [
        ((config["name"], number), _read(node, config, layers[config["name"]]))
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
        args, kwargs = filled(call.form, tensors)
        layers[name](*args, training=call.training, **kwargs)
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


def _made(config: dict[str, Any]) -> Layer:
    """The layer, or the operation, of a config."""
    if _is_operation(config):
        name = str(config.get("class_name"))
        return FunctionOperation(function_of(name), name=config["name"])
    layer: Layer = registry.deserialize("layer", config)
    return layer


def _is_operation(config: dict[str, Any]) -> bool:
    """Whether a config is that of one of Keras' operations, and of no layer of the same name."""
    module, kind = config.get("module"), config.get("class_name")
    if isinstance(module, str):
        return ".ops." in module or module.startswith("keras.src.activations")
    # In '.h5' files there is no module: a layer has one argument, and what is between two things has two.
    nodes = config.get("inbound_nodes")
    given = nodes[0].get("args") if isinstance(nodes, list) and len(nodes) == 1 and isinstance(nodes[0], dict) else None
    return kind in OPERATIONS and (len(given or ()) == 2 or registry.known("layer", str(kind)) is None)


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
    called_with = {"args": args, "kwargs": {}}
    return {
        "module": "keras.src.ops.numpy",
        "class_name": kind,
        "config": {},
        "name": config["name"],
        "inbound_nodes": [called_with],
    }


def _tensor(history: Any) -> dict[str, Any]:
    return {"class_name": _TENSOR, "config": {"keras_history": history}}


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


def _read(node: Any, config: dict[str, Any], layer: Layer) -> CallConfig:
    name = config["name"]
    if isinstance(node, list) or "args" not in node:
        node = _as_keras_3(node)
    given = list(node["args"])
    kwargs = dict(node["kwargs"])
    if isinstance(layer, FunctionOperation):
        return _read_operation(layer, {**config["config"]}, given, kwargs)
    training = kwargs.pop("training", None)
    training = training if node.get("training_is_fixed") else None
    if training is not None and not isinstance(training, bool):
        raise ValueError(f"Layer {name!r} is called with training={str(training)[:100]}.")
    if layer.by_call:
        if _is_nothing(kwargs.get("mask")):  # as Keras writes it, whatever `call` takes
            kwargs.pop("mask", None)
        inputs: list[Any] = []
        return CallConfig(
            inputs, Arguments(_read_value(given, inputs, name), _read_value(kwargs, inputs, name)), training
        )
    given += [kwargs.pop(key) for key in ("inputs", "x") if key in kwargs and not given]
    unused = {key: value for key, value in kwargs.items() if not _is_nothing(value)}
    if len(given) != 1 or unused:
        raise ValueError(
            f"Layer {name!r} is called with {str(unused or given)[:200]}: a layer here takes one tensor, or one list "
            "of tensors, and neither masks nor other arguments."
        )
    single = _is_tensor(given[0])
    tensors = _leaves(given[0])
    if not all(_is_tensor(tensor) for tensor in tensors):
        raise ValueError(
            f"Layer {name!r} is called with {str(given[0])[:200]}, which is no tensor, nor a list of them."
        )
    places = [Place(i) for i in range(len(tensors))]
    histories = [_history(tensor["config"]["keras_history"], name) for tensor in tensors]
    return CallConfig(histories, Arguments((places[0] if single else places,), {}), training)


def _read_operation(layer: FunctionOperation, config: dict[str, Any], given: list[Any], kwargs: Any) -> CallConfig:
    """The call of an operation: what it is called with, and what belongs to it, as its function takes them."""
    operation = layer.operation
    inputs: list[tuple[str, int, int]] = []
    assert operation is not None  # it was found by its name
    several = next((key for key in operation.takes if key.startswith("*")), None)
    named = {**kwargs, several: given} if several else {**dict(zip(operation.takes, given, strict=False)), **kwargs}
    if (not several and len(given) > len(operation.takes)) or not set(named) <= set(operation.takes):
        raise ValueError(f"Operation {layer.name!r} is called with {str(given)[:200]} and {str(kwargs)[:100]}.")
    unknown = [key for key, value in config.items() if key not in (*operation.options, *_COMMON) and value]
    if unknown:
        raise ValueError(f"Operation {layer.name!r} has the argument {unknown[0][:100]!r}, which is not built here.")
    named.update((key, _as_tuples(value)) for key, value in config.items() if key in operation.options)
    read = {key: _read_value(value, inputs, layer.name) for key, value in named.items()}
    if operation.name == "GetItem" and isinstance(read.get("key"), list):
        read["key"] = tuple(read["key"])
    if read.get("dtype") is not None and read["dtype"] not in _DTYPES:
        raise ValueError(f"Operation {layer.name!r} gives numbers of the type {str(read['dtype'])[:100]!r}.")
    if not inputs:
        raise ValueError(f"Operation {layer.name!r} is called without a tensor.")
    return CallConfig(inputs, Arguments(*called(operation, read)), None)


def _as_tuples(value: Any) -> Any:
    """The tuples that were lists in JSON: axes and shapes."""
    return tuple(map(_as_tuples, value)) if isinstance(value, list) else value


_COMMON = ("name", "trainable", "dtype")  # a layer's; an operation may be described with them, too
_DTYPES = frozenset(
    f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64) if (kind, bits) != ("float", 8)
) | {"bool"}


def _read_value(value: Any, inputs: list[tuple[str, int, int]], name: str) -> Any:
    """An argument of a call: tensors become places, and where they come from is noted in `inputs`."""
    if isinstance(value, (list, tuple)):
        return type(value)(_read_value(one, inputs, name) for one in value)
    if not isinstance(value, dict):
        return value
    kind: Any = value.get("class_name")
    config: Any = value.get("config")
    if kind == _TENSOR:
        inputs.append(_history(config["keras_history"], name))
        return Place(len(inputs) - 1)
    if kind in ("__numpy__", "__tensor__"):
        found = keras_forms.array(config)
        if np.iscomplexobj(found):
            raise ValueError(f"{name!r} is called with complex numbers, and nothing here computes with them.")
        return found
    if kind == "__slice__":
        start, stop, step = (_side(config[key], name) for key in ("start", "stop", "step"))
        return slice(start, stop, step)
    if kind == "__ellipsis__":
        return Ellipsis
    if kind is None:
        return {key: _read_value(one, inputs, name) for key, one in value.items()}
    raise ValueError(f"{name!r} is called with a {str(kind)[:100]!r}, which is neither a tensor nor a number.")


def _side(value: Any, name: str) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise ValueError(f"{name!r} is called with a slice from or to {str(value)[:100]}, which is no whole number.")


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
