"""Weights from and for PyTorch's modules: the same arrays under PyTorch's names, and matrices the other way round."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from multilayer import activations, layers
from multilayer._containers import safetensors
from multilayer._containers.names import by_suffix, check_free
from multilayer._containers.stored import Stored
from multilayer._core.arena import Variable
from multilayer._names.naming import in_order
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.layers import Layer
from multilayer.models.base import Model
from multilayer.saving.formats.contents import values

_COUNT = "num_batches_tracked"  # BatchNorm's, which only a mean without momentum heeds


@filter_traceback
def to_pytorch(model: Model, names: Sequence[str] | None = None) -> dict[str, Array]:
    """The weights as the state dict of the PyTorch modules that compute the same.

    A `Dense` is a `Linear`, whose weight is the kernel transposed; `BatchNormalization` is `BatchNorm1d`,
    `LayerNormalization` `LayerNorm`, `RMSNormalization` `RMSNorm`; `Embedding` and `PReLU` have the same names there.
    What a state dict does not hold has to be set there: the activations, and `eps`, whose default is another there.

    Args:
        model: The model, which is built.
        names: The names of the modules with weights, in the order of the model's layers, such as ["hidden", "output"].
            By default the numbers that they have in a `torch.nn.Sequential`: a module for each layer, and one more for
            a Dense layer's activation.

    Returns:
        Arrays by name, for `module.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()})`.

    Raises:
        ValueError: A layer has no counterpart, the model has branches and no names are given, or their number differs.

    Example:
        >>> from multilayer import Input, Sequential
        >>> model = Sequential([Input((784,)), layers.Dense(50, "relu"), layers.Dense(10)])
        >>> {name: array.shape for name, array in to_pytorch(model).items()}
        {'0.weight': (50, 784), '0.bias': (50,), '2.weight': (10, 50), '2.bias': (10,)}
    """
    modules = _modules(model)
    names = _sequential_names(model) if names is None else _checked(names, modules)
    state: dict[str, Array] = {}
    for name, module in zip(names, modules, strict=True):
        for part in module.parts:
            state[f"{name}.{part.name}"] = np.array(part.turned(part.variable.value), order="C")
        if isinstance(module.layer, layers.BatchNormalization):
            state[f"{name}.{_COUNT}"] = np.array(0, np.int64)
    return state


@filter_traceback
def save_pytorch(
    model: Model, filepath: str | os.PathLike[str], names: Sequence[str] | None = None, overwrite: bool = True
) -> None:
    """Writes what `to_pytorch` gives to a safetensors file, for `module.load_state_dict(load_file(filepath))`.

    `load_file` is that of `safetensors.torch`.

    Args:
        model: The model, which is built.
        filepath: The file, whose name ends in '.safetensors'.
        names: The names of the modules, as in `to_pytorch`.
        overwrite: Whether a file that exists is replaced.

    Raises:
        ImportError: The safetensors library is not installed.
        ValueError: The name does not end so, or the model has no counterpart, as `to_pytorch` says.
        FileExistsError: The file exists and `overwrite` is False.
        OSError: The folder is missing or not writable.
    """
    _check_name(filepath)
    check_free(filepath, overwrite)
    safetensors.write(filepath, to_pytorch(model, names), {"format": "pt"})  # as PyTorch's own files say


@filter_traceback
def load_pytorch(
    model: Model,
    source: str | os.PathLike[str] | Mapping[str, ArrayLike],
    names: Sequence[str] | None = None,
    *,
    allow_nonfinite: bool = False,
) -> None:
    """Sets the weights to those of PyTorch modules that compute the same: `to_pytorch` says which do.

    The modules are taken in the order in which they appear, and each must have the arrays that the layer at its place
    has, and of their shapes. A file does not keep that order: its modules are taken by the numbers in their names, as
    in a `torch.nn.Sequential`, and where they have other names, pass `names`. Pickles ('.pt') are not read.

    Args:
        model: The model, which is built.
        source: A safetensors file, which `safetensors.torch.save_file(module.state_dict(), filepath)` writes; or the
            state dict itself, its values arrays or tensors in the computer's own memory.
        names: The names of the modules with weights, in the order of the model's layers.
        allow_nonfinite: Whether weights may be NaN or infinite.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: The file is damaged, or does not fit; no weight is changed then.
        ValueError: The state dict does not fit, or the file is none of safetensors; no weight is changed.

    Example:
        >>> from multilayer import Input, Sequential
        >>> model = Sequential([Input((3,)), layers.Dense(2)])
        >>> load_pytorch(model, {"0.weight": [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], "0.bias": [0.0, 0.0]})
        >>> model.layers[0].kernel.numpy()
        array([[1., 4.],
               [2., 5.],
               [3., 6.]], dtype=float32)
    """
    modules = _modules(model)
    if isinstance(source, Mapping):
        stored = {str(name): _of(name, value) for name, value in source.items()}
        _set(modules, stored, list(stored), names, allow_nonfinite)
        return
    _check_name(source)
    with safetensors.opened(source) as (_, stored):
        if names is None:
            _require_numbers(stored)
        _set(modules, stored, sorted(stored, key=in_order), names, allow_nonfinite)


# --- Which module has what --------------------------------------------------------------------------------------------


class _Part(NamedTuple):
    """An array of a state dict, with the weight that it is."""

    name: str
    variable: Variable

    def turned(self, array: Array) -> Array:
        """The weight's values as PyTorch has them."""
        return array.T if self._transposed else array.reshape(-1) if self._flat else array

    def back(self, array: Array) -> Array:
        """PyTorch's values as the weight has them."""
        return array.T if self._transposed else array.reshape(self.variable.shape)

    @property
    def _transposed(self) -> bool:
        return self.variable.name == "kernel"

    @property
    def _flat(self) -> bool:
        return self.variable.name == "alpha"


class _Module(NamedTuple):
    layer: Layer
    parts: list[_Part]


def _dense(layer: layers.Dense) -> dict[str, Variable | None]:
    return {"weight": layer.kernel, "bias": layer.bias}


def _batch_normalization(layer: layers.BatchNormalization) -> dict[str, Variable | None]:
    if layer.axes != [1]:
        raise ValueError("`BatchNorm1d` has its features along axis 1")
    if layer.center != layer.scale:
        raise ValueError("`BatchNorm1d` has both a weight and a bias, or none")
    statistics = {"running_mean": layer.moving_mean, "running_var": layer.moving_variance}
    return {"weight": layer.gamma, "bias": layer.beta, **statistics}


def _layer_normalization(layer: layers.LayerNormalization) -> dict[str, Variable | None]:
    ndim = len(layer.input.shape)
    if layer.axes != list(range(layer.axes[0], ndim)):
        raise ValueError("PyTorch normalizes along the last axes")
    if layer.center and not layer.scale:
        raise ValueError("`LayerNorm` has no bias without a weight")
    return {"weight": layer.gamma, "bias": layer.beta}


def _embedding(layer: layers.Embedding) -> dict[str, Variable | None]:
    return {"weight": layer.embeddings}


def _prelu(layer: layers.PReLU) -> dict[str, Variable | None]:
    if any(side != 1 for side in layer.alpha.shape[1:]):
        raise ValueError("PyTorch's `PReLU` has one slope for each entry of axis 1")
    return {"weight": layer.alpha}


_WITH_WEIGHTS: dict[type[Layer], Callable[..., dict[str, Variable | None]]] = {
    layers.BatchNormalization: _batch_normalization,
    layers.Dense: _dense,
    layers.Embedding: _embedding,
    layers.LayerNormalization: _layer_normalization,
    layers.PReLU: _prelu,
    layers.RMSNormalization: _layer_normalization,
}
_WITHOUT = {
    layers.Activation,
    layers.AlphaDropout,
    layers.Dropout,
    layers.ELU,
    layers.Flatten,
    layers.Identity,
    layers.LeakyReLU,
    layers.ReLU,
    layers.Reshape,
    layers.Softmax,
}


def _modules(model: Model) -> list[_Module]:
    """The modules that have weights, in the order of the layers."""
    model.require_built("weights for PyTorch")
    found = []
    for layer in dict.fromkeys(call.layer for call in model.flat_graph().calls):
        if not layer.weights:
            continue
        try:
            if type(layer) not in _WITH_WEIGHTS:
                raise ValueError(f"PyTorch has no module for a {type(layer).__name__}")
            parts = _WITH_WEIGHTS[type(layer)](layer)
        except ValueError as error:
            raise ValueError(f"Layer '{layer.name}' has no counterpart in PyTorch: {error}.") from error
        found.append(_Module(layer, [_Part(name, v) for name, v in parts.items() if v is not None]))
    return found


def _sequential_names(model: Model) -> list[str]:
    """The numbers that the modules with weights have in a `torch.nn.Sequential`."""
    names: dict[Layer, str] = {}
    number, tensor = 0, model.flat_graph().inputs[0]
    for call in model.flat_graph().calls:
        if call.inputs != (tensor,):
            raise ValueError(
                f"Model '{model.name}' is no chain of layers, so that its layers have no numbers: pass `names`, one "
                "for each layer with weights, as your module calls them."
            )
        (tensor,) = call.outputs
        layer = call.layer
        if type(layer) not in _WITHOUT and type(layer) not in _WITH_WEIGHTS:
            raise ValueError(
                f"PyTorch has no module for '{layer.name}', a {type(layer).__name__}, so that the numbers of those "
                "after it are not known: pass `names`, one for each layer with weights."
            )
        if layer.weights:
            names.setdefault(layer, str(number))
        number += 2 if isinstance(layer, layers.Dense) and layer.activation is not activations.linear else 1
    return list(names.values())


def _checked(names: Sequence[str], modules: Sequence[_Module]) -> Sequence[str]:
    if isinstance(names, str) or len(names) != len(modules) or len(set(names)) != len(names):
        raise ValueError(
            f"`names` are the modules' names, one for each layer with weights: {[m.layer.name for m in modules]}. "
            f"Received: {names!r}"
        )
    return names


# --- Reading ----------------------------------------------------------------------------------------------------------


def _check_name(path: str | os.PathLike[str]) -> None:
    by_suffix({".safetensors": None}, path, "weights for PyTorch")


def _require_numbers(names: Iterable[str]) -> None:
    """Raises ValueError where modules are not told apart by numbers alone, so that their order is not known."""
    modules = dict.fromkeys(name.rpartition(".")[0] for name in names)
    if len({re.sub(r"\d+", "", module).strip(".") for module in modules}) > 1:
        raise ValueError(
            f"its modules are called {sorted(modules)[:20]}, which does not say in what order they come. Pass `names`, "
            "in the order of the model's layers."
        )


def _of(name: object, value: Any) -> Stored:
    try:
        array = np.asarray(value)
    except (RuntimeError, TypeError, ValueError) as error:
        raise ValueError(
            f"{name!r} cannot be read as an array: {error}. Of a tensor, pass `tensor.detach().cpu().float().numpy()`."
        ) from error
    return Stored(array.shape, array.dtype, lambda: array)


def _set(
    modules: Sequence[_Module],
    stored: Mapping[str, Stored],
    order: Sequence[str],
    names: Sequence[str] | None,
    allow_nonfinite: bool,
) -> None:
    groups: dict[str, dict[str, Stored]] = {}
    for full in order:
        name, _, kind = full.rpartition(".")
        if kind != _COUNT:
            groups.setdefault(name, {})[kind] = stored[full]
    if names is not None:
        missing = [name for name in _checked(names, modules) if name not in groups]
        if missing or len(groups) != len(names):
            raise ValueError(f"the modules in it are {list(groups)[:20]}, and `names` are {list(names)}.")
        groups = {name: groups[name] for name in names}
    if len(groups) != len(modules):
        raise ValueError(
            f"it has {len(groups)} modules with weights, {list(groups)[:20]}, and the model {len(modules)} such "
            f"layers, {[module.layer.name for module in modules][:20]}."
        )
    pairs: list[tuple[Variable, Stored]] = []
    for (name, parts), (layer, wanted) in zip(groups.items(), modules, strict=True):
        if set(parts) != {part.name for part in wanted}:
            raise ValueError(
                f"'{name}' in it has {', '.join(parts)}, and '{layer.name}', the {type(layer).__name__} at its place, "
                f"takes {', '.join(part.name for part in wanted)}."
            )
        pairs += [(part.variable, _turned(f"'{name}.{part.name}'", part, parts[part.name])) for part in wanted]
    for (variable, _), value in zip(pairs, values(pairs, allow_nonfinite), strict=True):
        variable.assign(value)


def _turned(what: str, part: _Part, one: Stored) -> Stored:
    expected = part.turned(part.variable.value).shape
    if one.shape != expected:
        raise ValueError(f"{what} in it has the shape {one.shape}; for '{part.variable.path}' it has to be {expected}.")
    return Stored(part.variable.shape, one.dtype, lambda: part.back(one.read()))
