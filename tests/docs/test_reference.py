"""The reference has every public name of the library, once."""

import importlib
import inspect
import re
from collections import Counter

import pytest

from helpers.paths import DOCS

API = DOCS / "api"
MODULES = """
    activations autodiff callbacks config constraints datasets datasets.boston_housing datasets.california_housing
    datasets.fashion_mnist datasets.imdb datasets.mnist datasets.reuters datasets.synthetic_digits
    export export.page functional functional.of_input functional.quantization glass initializers layers losses metrics
    models ops optimizers optimizers.schedules plotting preprocessing preprocessing.sequence random regularizers saving
    serve sklearn tabular tree
    tutorial utils wrappers
""".split()  # noqa: SIM905

# What one module of the library has for another.
NOT_FOR_USERS = {
    "config": "checked_float_type",
    "random": "Stream checked_seed given_back_on_error move_root new_generator new_stream root_position "
    "seeded standard_truncated_normal",
    "saving": "Stored by_suffix check_free check_model_name check_suffix check_weights_name finite opened parse_json "
    "read refusing replaced write",
}


def listed():
    """Of each module, the names that stand in the blocks {api} of all pages."""
    names = {}
    for page in sorted(API.glob("*.md")):
        for module, block in re.findall(r"```{api} multilayer\.([\w.]+)\n(.*?)```", page.read_text("utf-8"), re.S):
            found = re.findall(r"^(\w+)", block, re.M)
            names.setdefault(module, Counter()).update(found)
    return names


def public(name):
    """The names of a module's __all__ but for modules, or the functions and classes that it defines."""
    module = importlib.import_module(f"multilayer.{name}")
    if hasattr(module, "__all__"):
        return {key for key in module.__all__ if not inspect.ismodule(getattr(module, key))}
    members = {key: value for key, value in vars(module).items() if not key.startswith("_")}
    return {key for key, value in members.items() if getattr(value, "__module__", None) == module.__name__}


LISTED = listed()


def test_every_module_that_the_reference_speaks_of_is_looked_at():
    assert sorted(LISTED) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_the_reference_has_every_public_name(module):
    missing = public(module) - set(NOT_FOR_USERS.get(module, "").split()) - set(LISTED[module])
    assert not missing, f"Enter them in a block `{{api}} multilayer.{module}` of a page in docs/api: {sorted(missing)}"


@pytest.mark.parametrize("module", MODULES)
def test_the_reference_has_no_name_twice(module):
    assert [name for name, times in LISTED[module].items() if times > 1] == []
