"""Where in Keras' files the weights of a model stand, and the state of its optimizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TypeGuard

import numpy as np

from multilayer._containers import hdf5
from multilayer._containers.errors import warn_of_file
from multilayer._containers.stored import Stored
from multilayer._core.arena import Variable
from multilayer._names.naming import snake_case
from multilayer.functional import Array
from multilayer.layers import Layer, Normalization
from multilayer.models.base import Model
from multilayer.optimizers import Optimizer
from multilayer.saving.formats.contents import Pairs, check_shapes, number_array
from multilayer.saving.formats.keras import optimizer_state

_OLDER = "_layer_checkpoint_dependencies"  # what Keras 2.12 calls 'layers'


def _holds_layers(layer: Layer) -> TypeGuard[Model]:
    return hasattr(layer, "graph")


def _numbered(layers: list[Layer]) -> Iterator[tuple[str, Layer]]:
    """Layers with the names that Keras gives them in files: of their classes, counted."""
    used: Counter[str] = Counter()
    for layer in layers:
        name = snake_case(type(layer).__name__)
        yield (f"{name}_{used[name]}" if used[name] else name), layer
        used[name] += 1


def weights_of(model: Model) -> list[tuple[str, str, list[Array]]]:
    """A model's weights as groups: where each stands, the name of whose it is, and the arrays."""
    return [("", model.name, []), *_weights_within(model, "")]


def _weights_within(model: Model, above: str) -> Iterator[tuple[str, str, list[Array]]]:
    for name, layer in _numbered(model.layers):
        path = f"{above}layers/{name}"
        own = [] if _holds_layers(layer) else [_as_keras_counts(layer, v) for v in layer.weights]
        yield path, layer.name, own
        if _holds_layers(layer):
            yield from _weights_within(layer, f"{path}/")


def _as_keras_counts(layer: Layer, variable: Variable) -> Array:
    counts = isinstance(layer, Normalization) and variable.name == "count"
    return variable.value.astype(np.int64) if counts else variable.value


def optimizer_of(model: Model) -> list[tuple[str, str, list[Array]]]:
    """The state of a compiled model's optimizer as a group, as Keras has it once it has made its slots."""
    optimizer = model.optimizer
    if optimizer is None:
        return []
    arrays = optimizer_state.describe(optimizer, _saved_variables(model, optimizer))
    return [("optimizer", optimizer.name, arrays)]


def find(model: Model, root: hdf5.Group, *, by_name: bool = False, skip_mismatch: bool = False) -> Pairs:
    """Each weight of a model with the array that stands where Keras puts it.

    Args:
        model: The model, which is built.
        root: What is in the file.
        by_name: Whether the layers have the names that they had when the file was written.
        skip_mismatch: Whether layers that the file has not, or in other shapes, are left out, with a warning.

    Raises:
        ValueError: There is none for a layer, or not as many arrays as it has weights.
    """
    return list(_find_within(model, root, by_name, skip_mismatch))


def _find_within(
    model: Model, group: hdf5.Group, by_name: bool, skip_mismatch: bool
) -> Iterator[tuple[Variable, Stored]]:
    groups = (group.group("layers") or group.group(_OLDER) or group).groups
    names = {_name_of(one): one for one in groups.values()}
    use_names = by_name and all(layer.name in names for layer in model.layers)
    for name, layer in _numbered(model.layers):
        found = names[layer.name] if use_names else groups.get(name)
        if _holds_layers(layer):
            if found is not None or layer.weights:
                inner = found if found is not None else hdf5.empty(group)
                yield from _find_within(layer, inner, by_name, skip_mismatch)
            continue
        try:
            pairs = _of_layer(layer, found)
            if skip_mismatch:
                check_shapes(pairs)
        except ValueError as error:
            if not skip_mismatch:
                raise
            warn_of_file(f"Layer '{layer.name}' is left as it is: {error}", stacklevel=2)
        else:
            yield from pairs


def _name_of(group: hdf5.Group) -> str | None:
    """The name of the layer that a group belongs to."""
    own = group.group("vars")
    return None if own is None else own.text("name")


def _of_layer(layer: Layer, group: hdf5.Group | None) -> list[tuple[Variable, Stored]]:
    own = group.group("vars") if group is not None else None
    arrays = {} if own is None else own.arrays
    numbers = [str(number) for number in range(len(layer.weights))]
    if set(arrays) != set(numbers):
        raise ValueError(
            f"it holds {len(arrays)} arrays for layer '{layer.name}', a {type(layer).__name__}, which has "
            f"{len(numbers)} weights."
        )
    return [(variable, arrays[number]) for variable, number in zip(layer.weights, numbers, strict=True)]


# --- The optimizer ----------------------------------------------------------------------------------------------------


def _in_vector(model: Model) -> list[Variable]:
    """The weights that are trained, in the order in which the trainer has them."""
    layers = [call.layer for call in model.flat_graph().calls]
    return [v for v in dict.fromkeys(v for layer in layers for v in layer.weights) if v.trainable]


def _saved_variables(model: Model, optimizer: Optimizer) -> list[optimizer_state.SavedVariable]:
    trained = optimizer.trained or _in_vector(model)
    return optimizer_state.saved_variables(optimizer, trained, [v for v in model.weights if v in set(trained)])


def resume(model: Model, arrays: list[Stored], allow_nonfinite: bool = False) -> None:
    """Gives a model's optimizer the state that Keras' list of arrays says; where it does not fit, a warning says so."""
    optimizer = model.optimizer
    if optimizer is None or not arrays:
        return
    wanted = _saved_variables(model, optimizer)
    numbers = [saved for saved in wanted if saved.segment is None and saved.name != "product"]
    shapes = [stored.shape for stored in arrays]
    try:
        if len(arrays) <= len(numbers):  # it had taken no step yet, and has a number or two
            wanted = wanted[: len(arrays)]
        if shapes != [saved.shape for saved in wanted]:
            raise ValueError(
                f"the file has {len(arrays)} arrays for it, of shapes {str(shapes)[:200]}; it takes {len(wanted)}, of "
                f"{str([saved.shape for saved in wanted])[:200]}."
            )
        dtype = model.weights[0].dtype if model.weights else "float32"
        read = [
            stored.read()
            if saved.segment is None
            else number_array(stored, dtype, f"the optimizer's {saved.name}", allow_nonfinite)
            for saved, stored in zip(wanted, arrays, strict=True)
        ]
        optimizer_state.restore(optimizer, wanted, read, _in_vector(model))
    except ValueError as error:
        warn_of_file(
            f"The optimizer '{optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=4,
        )


def optimizer_arrays(root: hdf5.Group) -> list[Stored]:
    """What Keras 3 keeps of an optimizer, in its order."""
    group = root.group("optimizer/vars")
    arrays = {} if group is None else group.arrays
    if set(arrays) != {str(number) for number in range(len(arrays))}:
        raise ValueError("its arrays of the optimizer are not numbered one by one.")
    return [arrays[str(number)] for number in range(len(arrays))]
