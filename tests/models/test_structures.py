"""Models whose inputs and outputs are structures within structures."""

from collections import namedtuple

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

Pair = namedtuple("Pair", ["left", "right"])
A, B, C = (np.random.default_rng(i).normal(size=(6, 2)).astype("float32") for i in range(3))

STRUCTURES = {
    "a dict in a dict": lambda a, b, c: {"first": a, "rest": {"b": b, "c": c}},
    "lists in a list": lambda a, b, c: [a, [b, c]],
    "a list in a dict": lambda a, b, c: {"z": a, "y": [b, c]},
    "a named tuple": lambda a, b, c: Pair(a, (b, c)),
    "a list of a list": lambda a, b, c: [[a, b, c]],
}


def of_structure(structure):
    inputs = [keras.Input((2,), name=name) for name in ("in_a", "in_b", "in_c")]
    outputs = [layers.Dense(1, name=f"out_{x.name[-1]}")(x) for x in inputs]
    return keras.Model(structure(*inputs), structure(*outputs))


def leaves(found, structure):
    """The arrays that stand where a, b and c do; fails where the structure is another."""
    paths = structure("a", "b", "c")
    collected = {}

    def walk(path, value):
        if isinstance(path, str):
            collected[path] = value
            return
        assert type(value) is type(path)
        items = path.items() if isinstance(path, dict) else enumerate(path)
        for key, inner in items:
            walk(inner, value[key])

    walk(paths, found)
    return [collected[name] for name in "abc"]


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_what_comes_out_has_the_structure_that_was_drawn(structure):
    model = of_structure(structure)
    x = structure(A, B, C)
    expected = [
        array @ model.get_layer(f"out_{name}").kernel.numpy() for name, array in zip("abc", (A, B, C), strict=True)
    ]
    for found in (model.predict(x, verbose=0), model(x), model.predict_on_batch(x)):
        for one, wanted in zip(leaves(found, structure), expected, strict=True):
            np.testing.assert_allclose(one, wanted, rtol=1e-5, atol=1e-6)
    assert leaves(model.output_shape, structure) == [(None, 1)] * 3


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_losses_metrics_and_targets_in_that_structure(structure):
    model = of_structure(structure)
    targets = [np.full((6, 1), i, "float32") for i in range(3)]
    model.compile(
        "sgd",
        structure("mse", "mae", "mse"),
        loss_weights=structure(1.0, 0.5, 2.0),
        metrics=structure(["mae"], [], ["mae"]),
    )
    x, y = structure(A, B, C), structure(*targets)
    predicted = leaves(model.predict(x, verbose=0), structure)
    results = model.evaluate(x, y, verbose=0, return_dict=True)
    errors = [p - t for p, t in zip(predicted, targets, strict=True)]
    expected = np.mean(errors[0] ** 2) + 0.5 * np.mean(np.abs(errors[1])) + 2 * np.mean(errors[2] ** 2)
    assert results["loss"] == pytest.approx(expected, rel=1e-5)
    assert results["out_a_mae"] == pytest.approx(np.mean(np.abs(errors[0])), rel=1e-5)
    assert {name for name in results if name.endswith("mae")} == {"out_a_mae", "out_c_mae"}
    assert model.fit(x, y, epochs=2, verbose=0).history["loss"][1] < results["loss"]
    model.compile("sgd", "mse")
    model.fit(x, y, verbose=0)


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
def test_such_a_model_in_another(structure):
    inner = of_structure(structure)
    x = keras.Input((2,))
    outputs = leaves(inner(structure(x, x, x)), structure)
    model = keras.Model(x, layers.Add()(outputs))
    expected = sum(leaves(inner.predict(structure(A, A, A), verbose=0), structure))
    np.testing.assert_allclose(model.predict(A, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert keras.models.clone_model(inner).output_shape == inner.output_shape


@pytest.mark.parametrize("name", [name for name in STRUCTURES if name != "a named tuple"])
@pytest.mark.parametrize("file", ["model.keras", "model.npz"])
def test_structures_come_back_from_files(name, file, tmp_path):
    structure = STRUCTURES[name]
    model = of_structure(structure)
    model.compile("sgd", structure("mse", "mae", "mse"))
    model.save(tmp_path / file)
    loaded = keras.models.load_model(tmp_path / file)
    x = structure(A, B, C)
    found, expected = (leaves(one.predict(x, verbose=0), structure) for one in (loaded, model))
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
