"""Where in Keras' files the weights of a model stand, and the state of its optimizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard

import numpy as np

from multilayer._containers import hdf5
from multilayer._containers.errors import warn_of_file
from multilayer._containers.stored import Stored
from multilayer._containers.vocabularies import MOST_BYTES, content_of, lines_of
from multilayer._containers.zips import Member
from multilayer._core.arena import Variable
from multilayer._names.naming import snake_case
from multilayer.functional import Array
from multilayer.layers import Discretization, Layer, Normalization, Wrapper
from multilayer.layers.holding import attributes_of
from multilayer.layers.index_lookup import IndexLookup
from multilayer.models.base import Model
from multilayer.models.subclassed import Subclassed
from multilayer.optimizers import SGD, Optimizer
from multilayer.saving.formats import vocabularies
from multilayer.saving.formats.contents import EXACT, Fit, Pairs, number_array, of_layer, require_once
from multilayer.saving.formats.keras import optimizer_state
from multilayer.saving.formats.vocabularies import Vocabulary

_CONTAINERS = (list, tuple, dict)
_VOCABULARY, _IDF_WEIGHTS = "vocabulary.txt", "idf_weights"
_OLDER = "_layer_checkpoint_dependencies"  # what Keras 2.12 calls 'layers'


def _is_network(layer: Layer) -> TypeGuard[Model]:
    """Whether it is a model whose layers Keras counts, rather than one that holds them as attributes."""
    return hasattr(layer, "graph") and not isinstance(layer, Subclassed)


def _held(layer: Layer) -> Iterator[tuple[str, Layer | Optimizer]]:
    """Layers and optimizers among a layer's attributes, with their places: the attributes' names, in their order."""
    attributes = {**attributes_of(layer), "optimizer": vars(layer).get("optimizer")}
    for attribute, value in sorted(attributes.items(), key=_place):
        yield from _within(attribute, value)


def _within(place: str, value: Any, around: tuple[int, ...] = ()) -> Iterator[tuple[str, Layer | Optimizer]]:
    """What has a place of its own in a structure of lists and dicts; one that stands within itself is met once."""
    if isinstance(value, (Layer, Optimizer)):
        yield place, value
    elif isinstance(value, _CONTAINERS) and id(value) not in around:
        inner = value.values() if isinstance(value, dict) else value
        for name, one in _numbered([one for one in inner if isinstance(one, (Layer, Optimizer, *_CONTAINERS))]):
            yield from _within(f"{place}/{name}", one, (*around, id(value)))


def _place(attribute: tuple[str, Any]) -> tuple[bool, str]:
    return attribute[0].startswith("_"), attribute[0]  # Keras comes to private ones last


def _own_weights(layer: Layer) -> list[Variable]:
    """The weights that are no inner layer's."""
    if isinstance(layer, Wrapper):
        return layer.own_weights
    if _is_network(layer):
        return layer.own_variables()
    inner = {v for one in layer.sublayers() for v in one.weights}
    return [v for v in layer.weights if v not in inner]


def _numbered(things: Sequence[Any], older: bool = False) -> Iterator[tuple[str, Any]]:
    """Layers and their like with the names that Keras gives them in files: of their classes, counted.

    Keras 2.12 comes by every layer that has weights twice, and counts it twice.
    """
    used: Counter[str] = Counter()
    for one in things:
        name = "container" if isinstance(one, _CONTAINERS) else snake_case(type(one).__name__)
        yield (f"{name}_{used[name]}" if used[name] else name), one
        used[name] += 2 if older and one.weights else 1


def _places(layer: Layer, path: str, seen: set[Any]) -> Iterator[tuple[str, Layer | Optimizer]]:
    """A layer, the layers and optimizers in it, and in these, each with its place in a file, and once."""
    seen.add(layer)
    yield path, layer
    layers = [(f"layers/{name}", one) for name, one in _numbered(layer.layers)] if _is_network(layer) else []
    for name, one in (*layers, *_held(layer)):
        place = f"{path}/{name}".lstrip("/")
        if one in seen:
            continue
        if isinstance(one, Optimizer):
            seen.add(one)
            yield place, one
        else:
            yield from _places(one, place, seen)


def weights_of(model: Model, skipped: Iterable[Any] = ()) -> list[tuple[str, str, list[Array] | dict[str, Array]]]:
    """A model's weights, and the states of optimizers that it holds, as groups: a place, a name, the arrays.

    Left out is what is to be skipped, with all that is in it.
    """
    return [(place, one.name, _arrays_in(one)) for place, one in _places(model, "", {model.optimizer, *skipped})]


def _arrays_in(one: Layer | Optimizer) -> list[Array] | dict[str, Array]:
    holder = getattr(one, "vocabulary_holder", None)
    if holder is not None:
        weights = holder().idf_weights
        return {} if weights is None else {_IDF_WEIGHTS: weights}
    if isinstance(one, Optimizer):
        return optimizer_state.describe(one, optimizer_state.saved_variables(one, one.trained, one.trained))
    return [_as_keras_counts(one, v) for v in _own_weights(one)]


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


def find(model: Model, root: hdf5.Group, *, same_names: bool = False, fit: Fit = EXACT) -> Pairs:
    """Each weight of a model with the array that stands where Keras puts it.

    Args:
        model: The model, which is built.
        root: What is in the file.
        same_names: Whether the layers have the names that they had when the file was written.
        fit: How layers find theirs in files of other models.

    Raises:
        ValueError: There is none for a layer, or not as many arrays as it has weights.
    """
    return list(_find_within(model, root, same_names, fit, set(fit.skipped)))


def _find_within(
    layer: Layer, group: hdf5.Group, same_names: bool, fit: Fit, seen: set[Layer]
) -> Iterator[tuple[Variable, Stored]]:
    seen.add(layer)
    if _is_network(layer):
        yield from _find_in_network(layer, group, same_names, fit, seen)
        return
    yield from of_layer(layer.name, _own_weights(layer), _arrays_of(layer, group), fit)
    yield from _find_held(layer, group, same_names, fit, seen)


def _find_held(
    layer: Layer, group: hdf5.Group, same_names: bool, fit: Fit, seen: set[Layer]
) -> Iterator[tuple[Variable, Stored]]:
    for place, inner in _held(layer):
        if isinstance(inner, Layer) and inner not in seen:
            yield from _find_within(inner, group.group(place) or hdf5.empty(group), same_names, fit, seen)


def _find_in_network(
    model: Model, group: hdf5.Group, same_names: bool, fit: Fit, seen: set[Layer]
) -> Iterator[tuple[Variable, Stored]]:
    older = group.group("layers") is None and group.group(_OLDER) is not None
    groups = (group.group("layers") or group.group(_OLDER) or group).groups
    names = {_name_of(one): one for one in groups.values()}
    if fit.by_name and groups and set(names) == {None}:
        raise ValueError("it does not say what its layers are called: leave `by_name` out.")
    use_names = fit.by_name or (same_names and all(layer.name in names for layer in model.layers))
    if use_names:
        require_once([name for one in groups.values() if (name := _name_of(one)) is not None], "layers")
    for name, layer in _numbered(model.layers, older):
        found = names.get(layer.name) if use_names else groups.get(name)
        if found is None and (fit.by_name or not layer.weights):
            continue
        if layer not in seen:
            yield from _find_within(layer, hdf5.empty(group) if found is None else found, same_names, fit, seen)
    if own := _own_weights(model):
        yield from of_layer(model.name, own, _arrays_of(model, group), fit)
    yield from _find_held(model, group, same_names, fit, seen)


def _name_of(group: hdf5.Group) -> str | None:
    """The name of the layer that a group belongs to."""
    own = group.group("vars")
    return None if own is None else own.text("name")


def _arrays_of(layer: Layer, group: hdf5.Group) -> list[Stored]:
    own = group.group("vars")
    arrays = {} if own is None else own.arrays
    if hasattr(layer, "vocabulary_holder") or isinstance(layer, Discretization):
        return []  # theirs have names, and are no weights: see `restore_vocabularies`; older Keras keeps a summary
    numbers = [str(number) for number in range(len(arrays))]
    if set(arrays) != set(numbers):
        raise ValueError(f"the arrays of layer '{layer.name}' in it are not numbered one by one.")
    return [arrays[number] for number in numbers]


# --- Vocabularies -----------------------------------------------------------------------------------------------------


def _holders(model: Any) -> list[tuple[str, IndexLookup]]:
    layers = [(place, one) for place, one in _places(model, "", set()) if isinstance(one, Layer)]
    return vocabularies.places_of(layers)


def vocabularies_of(model: Any) -> dict[str, bytes]:
    """The files of words that an archive has for a model, by their names.

    Raises:
        ValueError: A word holds the end of a line.
    """
    return {
        f"{place}/{_VOCABULARY}": content_of(layer.get_vocabulary(), f"The vocabulary of layer '{layer.name}'")
        for place, layer in _holders(model)
        if layer.keeps_vocabulary
    }


def restore_vocabularies(model: Any, root: hdf5.Group, assets: Mapping[str, Member], allow_nonfinite: bool) -> None:
    """Gives the layers of a model the vocabularies in an archive.

    Raises:
        ValueError: One is missing, or is none for its layer.
    """
    found: dict[IndexLookup, Vocabulary] = {}
    for place, layer in _holders(model):
        if layer in found:  # Keras keeps that of a `TextVectorization` twice
            continue
        file = assets.get(f"{place}/{_VOCABULARY}")
        if file is None and assets and layer.keeps_vocabulary:
            raise ValueError(f"it holds no {_VOCABULARY!r} for layer '{layer.name}'.")
        words = None if file is None or not layer.keeps_vocabulary else _words_in(file, layer)
        found[layer] = Vocabulary(words, root.array(f"{place}/vars/{_IDF_WEIGHTS}"))
    vocabularies.restore(found.items(), allow_nonfinite)


def _words_in(file: Member, layer: IndexLookup) -> Callable[[], list[str]]:
    def read() -> list[str]:
        lines = lines_of(file.read(MOST_BYTES), f"{file.info.filename[:100]!r} in it")
        size = layer.frozen_size
        # An empty line at the end is a word, or what a text editor has left there.
        while lines and not lines[-1] and size is not None and len(lines) > size:
            lines.pop()
        return lines

    return read


# --- The optimizer ----------------------------------------------------------------------------------------------------


def _in_vector(model: Model) -> list[Variable]:
    """The weights that are trained, in the order in which the trainer has them."""
    layers = [call.layer for call in model.flat_graph().calls]
    return [v for v in dict.fromkeys(v for layer in layers for v in layer.weights) if v.trainable]


def _saved_variables(model: Model, optimizer: Optimizer) -> list[optimizer_state.SavedVariable]:
    trained = optimizer.trained or _in_vector(model)
    return optimizer_state.saved_variables(optimizer, trained, [v for v in model.weights if v in set(trained)])


def resume(model: Model, arrays: list[Stored], allow_nonfinite: bool = False, legacy: bool = False) -> None:
    """Gives a model's optimizer the state that Keras' list of arrays says; where it does not fit, a warning says so.

    Args:
        model: The model; nothing happens where it has no optimizer.
        arrays: The list; nothing happens where it is empty.
        allow_nonfinite: Whether there may be NaN and infinity among them.
        legacy: Whether the list is that of one of Keras 2's legacy optimizers. Those of Keras 2's others and of Keras 3
            are told apart by their lengths.
    """
    optimizer = model.optimizer
    if optimizer is None or not arrays or not model.built:  # one that has no weights yet has taken no step
        return
    with _left_as_it_is(optimizer):
        wanted = _fitting(model, optimizer, [stored.shape for stored in arrays], legacy)
        _go_on(optimizer, wanted, arrays, _in_vector(model), allow_nonfinite)


def resume_held(model: Model, root: hdf5.Group, allow_nonfinite: bool, skipped: Iterable[Any] = ()) -> None:
    """Gives the optimizers that a model's class holds the states in a file; where one does not fit, a warning says so.

    As in Keras, they must know their weights: those whose steps are to come have been told by `build`.
    """
    for place, optimizer in _places(model, "", {model.optimizer, *skipped}):
        arrays = _optimizer_arrays(root, place) if isinstance(optimizer, Optimizer) else []
        if not isinstance(optimizer, Optimizer) or not arrays:
            continue
        with _left_as_it_is(optimizer):
            wanted = optimizer_state.saved_variables(optimizer, optimizer.trained, optimizer.trained)
            if [saved.shape for saved in wanted] != [stored.shape for stored in arrays]:
                built = "" if optimizer.built else " Call its `build(variables)` before."
                raise ValueError(f"the file has {len(arrays)} arrays for it, and it takes {len(wanted)}.{built}")
            if optimizer.built:
                _go_on(optimizer, wanted, arrays, optimizer.trained, allow_nonfinite)


def _go_on(
    optimizer: Optimizer,
    wanted: Sequence[optimizer_state.SavedVariable],
    arrays: Sequence[Stored],
    trained: list[Variable],
    allow_nonfinite: bool,
) -> None:
    dtype = trained[0].dtype if trained else "float32"
    read = [
        stored.read()
        if saved.is_number
        else number_array(stored, dtype, f"the optimizer's {saved.name}", allow_nonfinite)
        for saved, stored in zip(wanted, arrays, strict=False)
    ]
    optimizer_state.restore(optimizer, wanted, read, trained)


@contextmanager
def _left_as_it_is(optimizer: Optimizer) -> Iterator[None]:
    """Within it, a state that does not fit is told by a warning."""
    try:
        yield
    except ValueError as error:
        warn_of_file(
            f"The optimizer '{optimizer.name}' is left as it is, and the weights alone are loaded: {error}",
            stacklevel=6,
        )


def _fitting(
    model: Model, optimizer: Optimizer, shapes: list[tuple[int, ...]], legacy: bool
) -> list[optimizer_state.SavedVariable]:
    """What arrays of these shapes are to an optimizer, in the order of the Keras that wrote them.

    Raises:
        ValueError: They are not its own.
    """
    of_keras_3 = _saved_variables(model, optimizer)
    if legacy:
        forms = [optimizer_state.of_keras_2_legacy(optimizer, of_keras_3)]
    else:
        forms = [of_keras_3, optimizer_state.of_keras_2(of_keras_3)]
    for wanted in forms:
        numbers = [saved for saved in wanted if saved.is_number and saved.name != "product"]
        # It may have taken no step yet, and has a number or two.
        found = wanted[: len(shapes)] if len(shapes) <= len(numbers) else wanted
        if shapes == [saved.shape for saved in found]:
            return found
    # Keras 2 keeps momentums for an SGD that has no momentum: zeros, which are not missed.
    if isinstance(optimizer, SGD) and not optimizer.slots and not legacy:
        trained = set(optimizer.trained or _in_vector(model))
        momentums = [v.shape for v in model.weights if v in trained]
        if shapes == [*(saved.shape for saved in forms[-1]), *momentums]:
            return forms[-1]
    raise ValueError(
        f"the file has {len(shapes)} arrays for it, of shapes {str(shapes)[:200]}; it takes {len(forms[0])}, of "
        f"{str([saved.shape for saved in forms[0]])[:200]}."
    )


def optimizer_arrays(root: hdf5.Group) -> list[Stored]:
    """What Keras 3 keeps of the optimizer that a model is compiled with, in its order."""
    return _optimizer_arrays(root, "optimizer")


def _optimizer_arrays(root: hdf5.Group, place: str) -> list[Stored]:
    group = root.group(f"{place}/vars")
    arrays = {} if group is None else group.arrays
    if set(arrays) != {str(number) for number in range(len(arrays))}:
        raise ValueError("its arrays of the optimizer are not numbered one by one.")
    return [arrays[str(number)] for number in range(len(arrays))]
