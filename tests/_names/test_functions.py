"""Plain functions where Keras takes them: in files by their names, and called only where a program names them."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import multilayer as keras
from multilayer import activations, constraints, initializers, layers, losses, metrics, models, regularizers
from multilayer._names.custom_objects import get_custom_objects, register_keras_serializable
from multilayer._names.functions import functions_kept

FILES = Path(__file__).parent.parent / "files"
RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 4)).astype("float32"), RNG.normal(size=(12, 2)).astype("float32")


def bent(x):
    return x / (1.0 + np.abs(x))


def sizes(w):
    return 0.01 * np.sum(np.abs(w))


def kept_small(w):
    return np.clip(w, -0.4, 0.4)


def halves(shape, dtype=None):
    return np.full(shape, 0.5, dtype)


def fourth_power(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 4, axis=-1)


def largest_error(y_true, y_pred):
    return np.max(np.abs(y_true - y_pred), axis=-1)


def a_tenth():
    return 0.1


ALL = {f.__name__: f for f in (bent, sizes, kept_small, halves, fourth_power, largest_error, a_tenth)}
GET = {
    "activation": (activations, bent),
    "regularizer": (regularizers, sizes),
    "constraint": (constraints, kept_small),
    "initializer": (initializers, halves),
    "loss": (losses, fourth_power),
    "metric": (metrics, largest_error),
}


def model_of_functions(activation=bent):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(
                3, activation, kernel_regularizer=sizes, kernel_constraint=kept_small, bias_initializer=halves,
                activity_regularizer=sizes,
            ),
            layers.Dense(2),
        ]
    )  # fmt: skip
    model.compile(keras.optimizers.SGD(a_tenth), fourth_power, metrics=[largest_error])
    model.fit(X, Y, epochs=2, verbose=0)
    return model


def described(name):
    return {"module": "builtins", "class_name": "function", "config": name, "registered_name": "function"}


@pytest.mark.parametrize("kind", [kind for kind in GET if kind != "metric"])
def test_a_function_is_described_as_keras_describes_it_and_found_where_it_is_named(kind):
    module, function = GET[kind]
    config = json.loads(json.dumps(module.serialize(module.get(function))))
    assert config == described(function.__name__)
    assert module.deserialize(config, custom_objects=ALL).function is function
    with pytest.raises(ValueError, match=f"Could not locate function '{function.__name__}', a {kind} of the program"):
        module.deserialize(config)


@pytest.mark.parametrize("kind", GET)
def test_a_registered_function_is_found_by_its_registered_name(kind):
    module, function = GET[kind]
    register_keras_serializable("mine")(function)
    try:
        name = f"mine>{function.__name__}"
        assert module.get(name) is not None
        assert module.get(described(name)) is not None
        if kind != "metric":
            assert module.serialize(module.get(function)) == described(name)
    finally:
        del get_custom_objects()[f"mine>{function.__name__}"]


@pytest.mark.parametrize("suffix", [".keras", ".npz"])
def test_a_model_of_functions_comes_back_from_a_file_and_trains_on(tmp_path, suffix):
    model = model_of_functions()
    model.save(tmp_path / f"m{suffix}")
    with pytest.raises(ValueError, match="Could not locate function '(sizes|bent)'"):
        models.load_model(tmp_path / f"m{suffix}")
    models.load_model(tmp_path / f"m{suffix}", custom_objects=ALL).save(tmp_path / f"again{suffix}")
    again = models.load_model(tmp_path / f"again{suffix}", custom_objects=ALL)
    assert model.evaluate(X, Y, verbose=0) == again.evaluate(X, Y, verbose=0)
    for one in (model, again):
        one.fit(X, Y, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_file_of_keras_with_functions_trains_on_as_there():
    """`tests/files/functions.keras` was made by `make_functions.py`, which also says what Keras does next."""
    model = models.load_model(FILES / "functions.keras", custom_objects=ALL)
    x, y = np.linspace(-1, 1, 24).reshape(6, 4), np.linspace(0, 1, 12).reshape(6, 2)
    assert model.evaluate(x, y, verbose=0) == pytest.approx([0.14493793, 0.5732947], rel=1e-5)
    model.fit(x, y, shuffle=False, verbose=0)
    assert model.evaluate(x, y, verbose=0) == pytest.approx([0.11610281, 0.52298695], rel=1e-5)


def test_without_the_loss_a_model_is_loaded_uncompiled(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("sgd", fourth_power, metrics=[largest_error])
    model.save(tmp_path / "m.keras")
    with pytest.raises(ValueError, match=r"Could not locate function .* Pass `compile=False`"):
        models.load_model(tmp_path / "m.keras")
    assert not models.load_model(tmp_path / "m.keras", compile=False).compiled


def test_a_loss_made_of_a_function_keeps_its_arguments():
    def power(y_true, y_pred, exponent):
        return np.mean(np.abs(y_true - y_pred) ** exponent, axis=-1)

    loss = losses.LossFunctionWrapper(power, reduction="sum", name="cubed", exponent=3)
    config = json.loads(json.dumps(losses.serialize(loss)))
    with keras.saving.custom_object_scope({"power": power}):
        again = losses.get(config)
    assert again(Y, 2 * Y) == loss(Y, 2 * Y) == pytest.approx(np.sum(np.mean(np.abs(Y) ** 3, axis=-1)))
    assert (again.name, again.reduction) == ("cubed", "sum")


@pytest.mark.parametrize("copied", [models.clone_model, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_within_a_program_need_no_name(copied):
    model = model_of_functions(activation=bent)
    again = copied(model)
    assert [layer.get_config() for layer in again.layers] == [layer.get_config() for layer in model.layers]
    again.fit(X, Y, verbose=0)


def test_lambdas_are_cloned_and_described_with_a_warning():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, lambda x: x * 2, kernel_regularizer=lambda w: 0.0)])
    again = models.clone_model(model)
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again(X), model(X))
    with pytest.warns(UserWarning, match="A `lambda` is described by a name that nothing can find it by") as warned:
        config = model.layers[0].get_config()
    assert len(warned) == 2
    assert config["activation"] == described("<lambda>")
    with functions_kept():
        assert model.layers[0].get_config()["activation"] is model.layers[0].activation.function


def test_a_function_with_a_name_that_is_taken_is_not_mistaken_for_the_librarys():
    def relu(x):
        return -x

    with pytest.raises(ValueError, match="A function of your own has the name 'relu', which is taken"):
        layers.Dense(2, activation=relu).get_config()


def test_a_callable_object_is_as_good_as_a_function():
    class Weighted:
        def __call__(self, y_true, y_pred):
            return np.mean(2.0 * (y_true - y_pred) ** 2, axis=-1)

    loss = losses.get(Weighted())
    assert loss.name == "Weighted"
    assert loss(Y, np.zeros_like(Y)) == pytest.approx(2 * np.mean(Y**2))
