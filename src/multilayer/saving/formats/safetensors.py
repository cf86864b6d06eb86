"""A model's weights in files that know them by name: 'dense/kernel'."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TypeVar

from multilayer._containers import safetensors
from multilayer._containers.stored import Stored
from multilayer._core.arena import Variable
from multilayer._names import registry
from multilayer._names.naming import in_order
from multilayer._version import __version__
from multilayer.models.base import Model
from multilayer.saving.formats.contents import EXACT, Content, Fit, Pairs, nothing_to_resume, of_layer, size_of

T = TypeVar("T")


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Writes the weights of a built model to a safetensors file.

    Raises:
        ImportError: The safetensors library is not installed.
    """
    arrays = dict(zip(names(model.weights), (v.value for v in model.weights), strict=True))
    metadata = {"format": "multilayer", "version": __version__, "model": model.name, "names": json.dumps(list(arrays))}
    safetensors.write(path, arrays, metadata)


@contextmanager
def opened(path: str | os.PathLike[str], fit: Fit = EXACT) -> Iterator[Content]:
    """The weights in a safetensors file.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or not such a file.
    """
    with safetensors.opened(path) as (_, stored):
        yield content(stored, fit)


def content(stored: Mapping[str, Stored], fit: Fit) -> Content:
    """Arrays as the weights of a model by their names."""
    return Content({}, size_of(stored.values()), lambda model: _pairs(model, stored, fit), nothing_to_resume)


def _pairs(model: Model, stored: Mapping[str, Stored], fit: Fit) -> Pairs:
    """Each weight with the array of its name; in order where they have none but the numbers that NumPy gives."""
    wanted = names(model.weights)
    if stored and set(stored) == {f"arr_{i}" for i in range(len(stored))}:
        if fit != EXACT:
            raise ValueError("its arrays have no names: neither `by_name` nor `skip_mismatch` can tell whose they are.")
        found = [f"arr_{i}" for i in range(len(wanted))]
        if len(stored) != len(wanted):
            raise ValueError(f"it holds {len(stored)} arrays, and the model has {len(wanted)} weights.")
    elif fit == EXACT:
        found = matched(wanted, stored)
    else:
        return _of_layers(model, stored, fit)
    return [(v, stored[name]) for v, name in zip(model.weights, found, strict=True)]


def _of_layers(model: Model, stored: Mapping[str, Stored], fit: Fit) -> Pairs:
    """The same layer by layer, for a model that is another than the file's."""
    pairs: list[tuple[Variable, Stored]] = []
    for layer, own in by_layer(zip(names(model.weights), model.weights, strict=True)).items():
        arrays = [stored[name] for name in own if name in stored]
        if arrays or not fit.by_name:
            pairs += of_layer(layer, list(own.values()), arrays, fit)
    return pairs


def by_layer(named: Iterable[tuple[str, T]]) -> dict[str, dict[str, T]]:
    """What goes by the names of weights, layer by layer: 'dense/kernel' is of the layer 'dense'."""
    found: dict[str, dict[str, T]] = {}
    for name, one in named:
        found.setdefault(name.rpartition("/")[0], {})[name] = one
    return found


def names(weights: Sequence[Variable]) -> list[str]:
    """A name for each weight: its path, with a number where models in the model have layers of one name."""
    seen: Counter[str] = Counter()
    found = []
    for v in weights:
        seen[v.path] += 1
        found.append(v.path if seen[v.path] == 1 else f"{v.path}_{seen[v.path]}")
    return found


def matched(wanted: Sequence[str], there: Iterable[str]) -> list[str]:
    """Of the names that are there, the one for each that is wanted.

    They are the same names, or the same but for the numbers of layers that have no name of their own: the first and the
    second `Dense` of a program may be called 'dense' and 'dense_1', those of a later model 'dense_2' and 'dense_3'.

    Raises:
        ValueError: They are not.

    Example:
        >>> matched(["dense_2/kernel", "dense_3/kernel"], ["dense_1/kernel", "dense/kernel"])
        ['dense/kernel', 'dense_1/kernel']
    """
    there, ordered = sorted(there, key=in_order), sorted(wanted, key=in_order)
    if ordered == there:
        return list(wanted)
    found = dict(zip(_renumbered(there), there, strict=True))
    again = dict(zip(_renumbered(ordered), ordered, strict=True))
    if set(found) == set(again):
        by_name = {again[key]: found[key] for key in found}
        return [by_name[name] for name in wanted]
    missing = [again[key] for key in again if key not in found]
    unknown = [found[key] for key in found if key not in again]
    of_pytorch = any(name.endswith((".weight", ".bias")) for name in unknown)
    hint = " PyTorch's names are read by `saving.load_pytorch(model, filepath)`." if of_pytorch else ""
    raise ValueError(
        f"its names are not those of the model's weights. Missing: {_listed(missing)}. Unknown: "
        f"{_listed(unknown)}.{hint}"
    )


def _renumbered(names: Iterable[str]) -> list[str]:
    """The names with the numbers of layers that are called after their class counted anew."""
    counts: dict[str, dict[str, int]] = {}
    found = []
    for name in names:
        layer, slash, weight = name.rpartition("/")
        stem = re.sub(r"_\d+$", "", layer, flags=re.ASCII)
        if registry.known("layer", stem) is not None:
            numbers = counts.setdefault(stem, {})
            layer = f"{stem}_{numbers.setdefault(layer, len(numbers))}"
        found.append(f"{layer}{slash}{weight}")
    return found


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name[:100]) for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown or "none"
