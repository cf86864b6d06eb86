"""An error about arguments names the class that the user knows, and no mixin."""

from __future__ import annotations

import inspect
import pickle

import pytest

from multilayer import Input, Model, Sequential, callbacks, layers, metrics
from multilayer._names import registry
from multilayer.models import Functional


def _sequential() -> Sequential:
    return Sequential([Input((3,)), layers.Dense(2)])


def _functional() -> Model:
    x = Input((3,))
    return Model(x, layers.Dense(2)(x))


def _methods(cls: type) -> dict[str, object]:
    found = {name: inspect.getattr_static(cls, name) for name in dir(cls) if not name.startswith("_")}
    return {name: getattr(one, "__func__", one) for name, one in found.items()}


@pytest.mark.parametrize("cls", [Model, Sequential, Functional])
def test_every_public_method_of_a_model_is_called_after_a_class_that_users_know(cls):
    known = {one.__name__ for one in (Model, Sequential, Functional, layers.Layer)}
    functions = {name: one for name, one in _methods(cls).items() if inspect.isfunction(one)}
    assert {"fit", "evaluate", "predict", "compile", "save", "export", "checked_inputs"} <= set(functions)
    assert {
        one.__qualname__
        for name, one in functions.items()
        # `record` connects symbolic tensors: of what is below the layers
        if one.__qualname__ not in {f"{owner}.{name}" for owner in known} and name != "record"
    } == set()


@pytest.mark.parametrize("model", [_sequential(), _functional()], ids=["Sequential", "Functional"])
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict", "compile", "save_weights", "load_weights"])
def test_an_unknown_argument_is_refused_in_the_name_of_the_model(model, method):
    with pytest.raises(TypeError, match=rf"^Model\.{method}\(\) got an unexpected keyword argument 'foo'$"):
        getattr(model, method)(foo=1)


def test_hooks_of_a_list_of_callbacks_are_called_after_it():
    with pytest.raises(TypeError, match=r"^CallbackList\.on_epoch_end\(\) got an unexpected keyword argument 'foo'$"):
        callbacks.CallbackList().on_epoch_end(0, foo=1)


def test_methods_that_were_renamed_are_found_by_pickle():
    assert pickle.loads(pickle.dumps(Model.fit)) is Model.fit


@pytest.mark.parametrize(
    "cls", sorted({c for kind in registry.kinds() for c in registry.registered(kind) if isinstance(c, type)}, key=repr)
)
def test_what_a_class_takes_from_private_bases_is_called_after_itself(cls):
    assert cls.__init__.__qualname__ in (f"{cls.__qualname__}.__init__", "object.__init__")  # which names the class
    functions = [one for one in _methods(cls).values() if inspect.isfunction(one)]
    assert [one.__qualname__ for one in functions if one.__qualname__.startswith("_")] == []


def test_an_unknown_argument_is_refused_in_the_name_of_the_class():
    with pytest.raises(TypeError, match=r"^Precision\.__init__\(\) got an unexpected keyword argument 'foo'$"):
        metrics.Precision(foo=1)
