"""Models in Keras' own files: `.keras`, `.weights.h5`, and the `.h5` of earlier days, which is read alone."""

from __future__ import annotations

import os
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from multilayer._containers import hdf5
from multilayer._containers.stored import Stored, parse_json
from multilayer._names import keras2, registry
from multilayer.models.base import Model
from multilayer.models.compiling import described_for_keras
from multilayer.saving.formats.contents import (
    EXACT,
    Content,
    Fit,
    Pairs,
    fitted,
    own_compile_config,
    require_once,
    size_of,
)
from multilayer.saving.formats.keras import archive, layout


def save(path: str | os.PathLike[str], model: Model) -> None:
    """Writes a built model to a '.keras' file."""
    config = registry.serialize(model)
    if model.compiled:
        config["compile_config"] = own_compile_config(model) or described_for_keras(model._compile_arguments)
    weights = [*layout.weights_of(model), *layout.optimizer_of(model)]
    archive.write(path, config, weights, layout.vocabularies_of(model))


def save_weights(path: str | os.PathLike[str], model: Model, skipped: Collection[Any] = ()) -> None:
    """Writes a built model's weights, and its optimizer's state, to a '.weights.h5' file, but for what is skipped."""
    of_optimizer = [] if model.optimizer in skipped else layout.optimizer_of(model)
    archive.write_weights(path, [*layout.weights_of(model, skipped), *of_optimizer])


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[Content]:
    """A model in a '.keras' file; before Keras 2.12, these were what '.h5' files are."""
    if archive.is_hdf5(path):
        with opened_legacy(path) as content:
            yield content
        return
    with archive.opened(path) as (config, root, assets):
        yield Content(
            {**config, "compile": config.get("compile_config") or None},
            _size(root),
            lambda model: layout.find(model, root, same_names=True),
            partial(_resume_from_archive, config, root),
            lambda model, allow: layout.restore_vocabularies(model, root, assets, allow),
        )


def _resume_from_archive(config: dict[str, Any], root: hdf5.Group, model: Model, allow_nonfinite: bool) -> None:
    arrays = layout.optimizer_arrays(root)
    compiled = config.get("compile_config") or {}
    if not arrays and keras2.wrote(config) and keras2.is_legacy(compiled.get("optimizer")):
        warnings.warn(
            "The file holds no state of the optimizer: Keras 2 keeps none of its legacy optimizers in a '.keras' file. "
            "Training starts with a fresh one.",
            stacklevel=3,
        )
    _resume(root, EXACT, model, allow_nonfinite)


@contextmanager
def opened_legacy(path: str | os.PathLike[str]) -> Iterator[Content]:
    """A model in a '.h5' file of Keras 2 or 3."""
    with archive.opened_hdf5(path) as root:
        text = root.text("model_config")
        weights = root.groups.get("model_weights")
        if text is None or weights is None:
            raise ValueError(
                "it holds no description of a model: it is a file of weights. Make the model, and call "
                "`model.load_weights` with it."
            )
        config = parse_json(text.encode(), "its 'model_config'")
        if not isinstance(config, dict):
            raise ValueError("its 'model_config' describes no model.")
        training = root.text("training_config")
        compiled = None if training is None else parse_json(training.encode(), "its 'training_config'")
        yield Content(
            {**config, "compile": compiled, "keras_version": root.text("keras_version")},
            _size(root),
            lambda model: legacy_weights(model, weights),
            partial(_resume_legacy, root),
        )


@contextmanager
def opened_weights(path: str | os.PathLike[str], fit: Fit = EXACT) -> Iterator[Content]:
    """The weights in a '.keras' or '.h5' file, whoever wrote it: no description comes with them."""
    if os.fspath(path).endswith(".keras") and not archive.is_hdf5(path):
        with archive.opened(path) as (_, root, _):
            yield _weights_in(root, fit)
    else:
        with archive.opened_hdf5(path) as root:
            yield _weights_in(root, fit)


def _weights_in(root: hdf5.Group, fit: Fit) -> Content:
    legacy = root if root.texts("layer_names") is not None else root.groups.get("model_weights")
    if legacy is not None:
        return Content(
            {},
            _size(root),
            lambda model: legacy_weights(model, legacy, fit),
            partial(_resume_legacy, root),
        )
    return Content(
        {},
        _size(root),
        lambda model: layout.find(model, root, fit=fit),
        partial(_resume, root, fit),
        lambda model, allow: layout.restore_vocabularies(model, root, {}, allow),
    )


def _resume(root: hdf5.Group, fit: Fit, model: Model, allow_nonfinite: bool) -> None:
    if model.optimizer not in fit.skipped:
        layout.resume(model, layout.optimizer_arrays(root), allow_nonfinite)
    layout.resume_held(model, root, allow_nonfinite, fit.skipped)


def _size(root: hdf5.Group) -> int:
    return size_of(stored for group in root.walk() for stored in group.arrays.values())


# --- The form of Keras 2 ----------------------------------------------------------------------------------------------


def legacy_weights(model: Model, group: hdf5.Group, fit: Fit = EXACT) -> Pairs:
    """Each weight of a model with its array: the n-th layer that has weights is the n-th in the file."""
    names = group.texts("layer_names") or []
    require_once(names, "layers")
    in_file = [(name, arrays) for name in names if (arrays := _listed(group.group(name), name))]
    layers = [layer for layer in model.layers if layer.weights]
    return fitted([(x.name, [*x.trainable_weights, *x.non_trainable_weights]) for x in layers], in_file, fit)


def _listed(group: hdf5.Group | None, what: str) -> list[Stored]:
    """The arrays that a group names, in that order."""
    if group is None:
        raise ValueError(f"it names {what[:100]!r}, and holds nothing under that name.")
    found = []
    names = group.texts("weight_names") or []
    require_once(names, f"weights of {what[:100]!r}")
    for name in names:
        array = group.array(name)
        if array is None:
            raise ValueError(f"it names {name[:100]!r}, and holds no array under that name.")
        found.append(array)
    return found


def _resume_legacy(root: hdf5.Group, model: Model, allow_nonfinite: bool) -> None:
    """Gives a model's optimizer its state in this form; Keras 2's legacy ones call their first number 'Adam/iter:0'."""
    group = root.groups.get("optimizer_weights")
    if group is not None:
        first, *_ = group.texts("weight_names") or [""]
        layout.resume(model, _listed(group, "optimizer_weights"), allow_nonfinite, first.endswith("/iter:0"))
