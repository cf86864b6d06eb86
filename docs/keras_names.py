"""Writes docs/keras.md: every public name of Keras, and what there is of it here.

Run it after something public was added or changed, where `multilayer` can be imported:

    python docs/keras_names.py

What Keras has is read from tests/golden/recorded/surface.json; what we have is looked at as it is. Whether arguments
agree is found by comparing the signatures; what a signature does not show stands below in `REMARKS`.
"""

from __future__ import annotations

import ast
import fnmatch
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "keras.md"
sys.path.insert(0, str(ROOT / "tests"))

import multilayer  # noqa: E402
from golden import recordings  # noqa: E402 - found by the line above
from golden.surface import members, of_these  # noqa: E402
from multilayer._names import scope  # noqa: E402

# What a signature does not show; it follows what it does show. A name with a remark counts as one that differs.
REMARKS = {
    "keras.Optimizer": "`update_step` works on one vector of all weights, in NumPy, or, in a class for Keras, weight "
    "by weight",
    "layers.Embedding": "Adam and its kin square a category's whole gradient; Keras on TensorFlow adds the squares of "
    "its parts where a category appears several times in a batch",
    "layers.Flatten": "`data_format='channels_first'` is refused",
    "layers.Masking": "`GlobalAveragePooling1D`, `BatchNormalization`, losses, metrics, and layers with `call(self, x, "
    "mask=None)` heed it; of functional models that Keras saved with masks, written as operations, none is read",
    "layers.TimeDistributed": "of a layer or a model of one input, no `BatchNormalization`",
    "losses.get": "gives a `Loss`, whose result is one number, where Keras gives the function of a name",
    "models.load_model": "`.keras`, `.h5` and `.npz` files; code in them is never run: `safe_mode=False` is refused",
    "wrappers.SKLearnClassifier": "of two classes `decision_function` gives one score a sample, as in scikit-learn; "
    "`predict_proba`, too",
    "models.save_model": "`.keras` and `.npz` files; `.h5` is read alone, and `zipped=False` is refused",
    "utils.get_file": "the cache is `~/.multilayer`; http takes a `file_hash`; an archive that leads out of its folder "
    "is refused as a whole",
    "utils.timeseries_dataset_from_array": "gives batches that `fit` takes, with `take(n)`; in the order of Keras on "
    "TensorFlow",
}
for _again, _first in {
    "optimizers.Optimizer": "keras.Optimizer",
    "saving.load_model": "models.load_model",
    "preprocessing.timeseries_dataset_from_array": "utils.timeseries_dataset_from_array",
    "saving.save_model": "models.save_model",
}.items():
    REMARKS[_again] = REMARKS[_first]

# Of members, what is said in place of what their signatures show.
MEMBER_REMARKS = {
    "call": "built-in layers and classes of your own have one, which `super().call` finds; the base classes, "
    "`Sequential` and `Model(inputs, outputs)` have none: `model(x)`",
}

# Members of models, layers, … that are left out on purpose.
NO_MEMBERS = {
    "TensorFlow and JAX": "*_function stateless_* distribute_* supports_jit jit_compile run_eagerly symbolic_call "
    "make_* unrolled_* autocast rematerialized_call get_state_tree set_state_tree call_signature_parameters",
    "Keras' own machinery": "input_spec compute_output_spec operations path metrics_variables steps_per_execution "
    "add_variable metrics",
    "masks, of sequences": "*_mask",
    "mixed precision and quantization": "*quantiz* *_dtype dtype_policy loss_scale_factor scale_loss",
    "Keras' own way of saving": "*_own_variables *_build_config build_from_config",
    "kept for old programs": "compiled_loss compiled_metrics add_metric export",
}

# Arguments that Keras takes though no signature shows them; and one that all layers have for mixed precision.
UNSHOWN = ("input_shape", "input_dim", "trainable")
NOT_MISSED = ("autocast",)

SAME, DIFFERS, OUT, NOT_YET = "same", "differs", "out of scope", "not yet"


class Row(NamedTuple):
    """One name of a module, or several of which the same is to be said."""

    status: str
    names: tuple[str, ...]
    remark: str = ""


def main() -> None:
    """Writes the page."""
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page, as it has to be."""
    recorded = recordings.read("surface")
    names = {module: found for module, found in recorded["names"].items() if found}
    whole = {module: family for module in names if (family := _left_out_whole(module))}
    ours = of_these(multilayer, names)
    tables: dict[str, list[Row]] = {}
    for module in (module for module in names if module not in whole):
        title, prefix = ("datasets", module.removeprefix("datasets") + ".") if "datasets" in module else (module, "")
        rows = [_judged(module, name, theirs, ours[module], prefix) for name, theirs in names[module].items()]
        tables.setdefault(title, []).extend(rows)
    parts = [
        _HEAD.format(keras=recordings.read("versions")["keras"]),
        _counts(tables),
        "\n## What is out of scope, why, and what to use instead\n",
        _table(
            ("", "What it is", "What to use instead"), ((one.title, one.why, one.instead) for one in scope.FAMILIES)
        ),
        "\nWhole modules:\n",
        _table(("Module", "Names", ""), _wholes(names, whole)),
        _OTHERWISE.rstrip(),
    ]
    for module, rows in tables.items():
        parts += [f"\n## `{module}`\n", _table(("", "Names", ""), _cells(_together(rows)))]
    parts += ["\n## Methods and attributes\n", _MEMBERS]
    ours_of = members(multilayer)
    for thing, theirs in recorded["members"].items():
        rows = list(_members(thing, theirs, ours_of[thing], recorded["members"]))
        parts += [f"\n### `{thing}`\n", _table(("", "Names", ""), _cells(_together(rows)))]
    return "\n".join(parts) + "\n"


_HEAD = """\
# Keras compatibility

Every public name of Keras {keras}, and what there is of it here. **Same**: it is here, with the same arguments in the
same order and of the same defaults. **Differs**: it is here, and the table says how. **Out of scope**: no part of a
multilayer perceptron; asked for it, the library says so and what to use instead. **Not yet**: it would fit.

Written by `python docs/keras_names.py`, which compares the signatures of both libraries; a test holds the page to the
library. That results agree is another matter: see `tests/golden`.

A program that imports Keras runs as it is by `python -m multilayer.as_keras program.py`, and a notebook after
`import multilayer.as_keras`. Of TensorFlow there is `tf.keras` then, and what programs for dense networks use besides.
"""

_OTHERWISE = """
## What behaves otherwise, on purpose

- Errors have words of their own, and say what to do; most are of Keras' type. A file that is missing is a
  `FileNotFoundError`, an argument that a function does not have a `TypeError`.
- What cannot go well is refused before work starts: NaN and infinity in data (so that `TerminateOnNaN` acts on what
  training makes of finite data alone), keys and nested lists of `compile` that do not fit the outputs (Keras finds out
  at the first `fit`), an unknown `mode` of a callback (Keras warns, and takes 'auto'), saving a model that has no
  weights yet.
- `compile(steps_per_execution=...)` changes nothing: there is no graph whose start would cost anything, and callbacks
  hear of every step.
- A loss is of one output. Where one is to see several, as Keras has it with losses in a structure that ends above the
  outputs, a `Model` writes over `compute_loss`. `Input(optional=True)` and `fit(shuffle="batch")` are refused.
- Losses work along the last axis, in the type of the predictions; `losses.get(name)` gives a `Loss`, and a layer as
  `activation` is held as an `Activation`.
- Learning rates are float64: 0.1 reduced by a factor of 0.1 is 0.010000000000000002, where Keras has a float32.
- `model.metrics` are the mean of the loss and each metric that `compile` was given; Keras has one object that holds the
  latter, and calls it `compile_metrics` in `model.metrics_names`.
- `model(x)`, `ops` and `random` give arrays of NumPy's that have `numpy()` besides and can be watched, as eager tensors
  can. Under a `GradientTape`, and within `call` and `train_step` where a gradient is wanted, what is computed of
  weights and of what is watched is a `Tensor`. A plain array cannot be watched itself: `tape.watch(x)` returns a tensor
  that is, and `ops.convert_to_tensor(x)` an array that can be.
- A layer's weight in the arithmetic of a model that is drawn up, such as `h @ ops.transpose(dense.kernel)`, is refused:
  Keras goes on with what the matrix was at that moment, and its decoder is never trained. Tied weights belong into the
  `call` of a layer.
- Of a layer there are no `load_own_variables` and `save_own_variables` (a file's arrays go to variables by their
  names), and no `metrics`: a `Model` that holds metrics has them. A `call` has one `mask`, that of its first
  argument, and no `x1_mask` beside others. A `build` takes the shape of the first argument, and not one for each by
  name. What a layer with `call` will give is found by trying it with small batches, also where it has a
  `compute_output_spec`.
- A `Sequential` starts from one array, no list or dict, and a model's `layers` cannot be set. Objects in a config are
  described where they have a `get_config` of their own.
- What is measured has numbers: `Mean` and its kind take no tensors of a model. `Rescaling` scales along the last
  axis.
- What callbacks say with `verbose=1` is printed, and goes to no logger.
- A `Progbar` draws no unfinished line where there is no terminal. A `lambda` goes into no file: code is never read.
- Weights go to one file, whole: there are no shards (`max_shard_size`).
- `axis` of a layer stays as it was given; Keras makes a list of it when the layer is built.
- Refused by their words: `LayerNormalization(rms_scaling=True)`, of which Keras warns,
  `BatchNormalization(renorm=True)`, `Flatten("channels_first")`, `count_weights` of `CategoryEncoding` for tensors of a
  model, `embeddings_freq` and `write_images` of `TensorBoard`.
"""

_MEMBERS = """\
Of the classes that people call methods of or derive from. Methods that Keras has for its own use are counted, too.
"""


# --- What is to be said of a name -------------------------------------------------------------------------------------


def _judged(module: str, name: str, theirs: str, ours: dict[str, str], prefix: str) -> Row:
    remark = REMARKS.get(f"{module}.{name}")
    shown = (f"{prefix}{name}".lstrip("."),)
    if name in ours:
        said = [*differences(theirs, ours[name]), *([remark] if remark else [])]
        return Row(DIFFERS, shown, "; ".join(said)) if said else Row(SAME, shown)
    family = scope.family(module, name)
    return Row(OUT, shown, family.title) if family else Row(NOT_YET, shown)


def _left_out_whole(module: str) -> scope.Family | None:
    """The family that a module is left out with, itself or in a module above it."""
    parent, _, name = module.rpartition(".")
    return scope.family(parent or "keras", name) or (_left_out_whole(parent) if parent else None)


def _members(
    thing: str, theirs: dict[str, str], ours: dict[str, str], all_members: dict[str, dict[str, str]]
) -> Iterable[Row]:
    for name, their in theirs.items():
        if thing == "Sequential" and name in all_members["Model"]:
            continue  # said of Model
        if name in ours:
            said = list(differences(their, ours[name]))
            said = [MEMBER_REMARKS[name]] if said and name in MEMBER_REMARKS else said
            yield Row(DIFFERS, (name,), "; ".join(said)) if said else Row(SAME, (name,))
        else:
            why = [why for why, names in NO_MEMBERS.items() if any(fnmatch.fnmatch(name, one) for one in names.split())]
            yield Row(OUT if why else NOT_YET, (name,), "".join(why[:1]))


# --- Signatures -------------------------------------------------------------------------------------------------------


def differences(theirs: str, ours: str) -> Iterable[str]:
    """Yields what differs between two descriptions as `golden.surface.described` gives them."""
    kind, our_kind = theirs.partition("(")[0], ours.partition("(")[0]
    if kind != our_kind:
        yield f"{our_kind} here, {kind} in Keras"
    if "(" not in theirs or "(" not in ours:
        return
    expected, found = _Arguments(theirs), _Arguments(ours)
    given = [name for name in expected.defaults if name in found.defaults]
    missing = [name for name in expected.defaults if name not in found.defaults and name not in NOT_MISSED]
    if missing and not found.takes_anything:
        yield f"no {_listed(missing)}"
    more = [name for name in found.defaults if name not in expected.defaults and name not in UNSHOWN]
    if more and not expected.takes_any_by_place:
        yield f"also {_listed(more)}"
    for name in given:
        if not _equal(expected.defaults[name], found.defaults[name]):
            yield f"`{_with_default(name, found)}` (Keras: `{_with_default(name, expected)}`)"
    by_place, our_by_place = ([name for name in one.by_place if name in given] for one in (expected, found))
    if only := [name for name in by_place if name not in our_by_place]:
        yield f"{_listed(only)} by name only"
    order = [name for name in by_place if name in our_by_place]
    if (ours_in_order := [name for name in our_by_place if name in order]) != order:
        yield f"in the order {_listed(ours_in_order)}"


class _Arguments:
    """The arguments of a described signature: name -> default, None for those that must be given."""

    def __init__(self, described: str) -> None:
        inside = described.partition("(")[2].removesuffix(")")
        function = ast.parse(f"def f({inside}): pass").body[0]
        assert isinstance(function, ast.FunctionDef)
        found = function.args
        places = [*found.posonlyargs, *found.args]
        defaults = [None] * (len(places) - len(found.defaults)) + list(found.defaults) + list(found.kw_defaults)
        names = [argument.arg for argument in (*places, *found.kwonlyargs)]
        self.defaults = dict(zip(names, defaults, strict=True))
        self.by_place = names[: len(places)]
        self.takes_any_by_place = found.vararg is not None
        self.takes_anything = found.vararg is not None and found.kwarg is not None


def _equal(one: ast.expr | None, other: ast.expr | None) -> bool:
    if one is None or other is None:
        return one is other
    try:
        value, other_value = ast.literal_eval(one), ast.literal_eval(other)
    except ValueError:
        return ast.unparse(one) == ast.unparse(other)
    return bool(value == other_value) and isinstance(value, bool) == isinstance(other_value, bool)


def _with_default(name: str, arguments: _Arguments) -> str:
    default = arguments.defaults[name]
    return name if default is None else f"{name}={ast.unparse(default)}"


# --- Tables -----------------------------------------------------------------------------------------------------------


def _together(rows: Iterable[Row]) -> list[Row]:
    """Rows of which the same is to be said as one row, in the order of the four statuses."""
    order = (SAME, DIFFERS, OUT, NOT_YET)
    first: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        first.setdefault((row.status, row.remark), []).extend(row.names)
    joined = [Row(status, tuple(names), remark) for (status, remark), names in first.items()]
    return sorted(joined, key=lambda row: order.index(row.status))


def _cells(rows: list[Row]) -> Iterable[tuple[str, ...]]:
    for status, group in groupby(rows, key=lambda row: row.status):
        for index, row in enumerate(group):
            yield status if index == 0 else "", _listed(row.names), row.remark


def _counts(tables: dict[str, list[Row]]) -> str:
    counts = {f"`{module}`": [row.status for row in rows] for module, rows in tables.items()}
    counts["together"] = [status for statuses in counts.values() for status in statuses]
    return _table(
        ("Module", "Names", SAME.capitalize(), DIFFERS.capitalize(), OUT.capitalize(), NOT_YET.capitalize()),
        (
            (module, str(len(found)), *(str(found.count(one) or "") for one in (SAME, DIFFERS, OUT, NOT_YET)))
            for module, found in counts.items()
        ),
    )


def _wholes(names: dict[str, dict[str, str]], whole: dict[str, scope.Family]) -> Iterable[tuple[str, ...]]:
    for module in (module for module in whole if module.rpartition(".")[0] not in whole):
        inside = [len(names[one]) for one in whole if one == module or one.startswith(module + ".")]
        yield f"`{module}`", str(sum(inside)), whole[module].title


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    main()
