"""Files to real Keras and back: `pytest -m interop`, where Keras and a backend are installed."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pytest

import multilayer as ml
from helpers import keras_programs as programs

pytestmark = [pytest.mark.interop, pytest.mark.filterwarnings("default")]


@pytest.fixture(scope="module")
def keras():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras", minversion="3.15")


@pytest.fixture(params=programs.PROGRAMS)
def program(request, keras):
    # On JAX, Keras itself cannot train for a second time with a running mean of the weights.
    if keras.backend.backend() == "jax" and request.param in ("average of weights", "accumulation"):
        pytest.skip("Keras on JAX cannot go on with this")
    # On JAX, Keras' training forgets that a kernel was divided by its norm; on TensorFlow it goes on with that.
    if keras.backend.backend() == "jax" and request.param == "held to a norm":
        pytest.skip("Keras on JAX walks another path with this")
    # On TensorFlow, Adam counts a word that comes twice in a batch otherwise (docs/design.md).
    if keras.backend.backend() == "tensorflow" and request.param == "tokens":
        pytest.skip("Keras on TensorFlow walks another path with this")
    keras.utils.set_random_seed(1)
    keras.backend.clear_session()
    return programs.PROGRAMS[request.param]


def quietly(load, *arguments):
    """Loading says nothing: that a part was left out would be a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        return load(*arguments)


def same(got, wanted, tolerance):
    assert len(got) == len(wanted)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def go_on_alike(ours, theirs, x, y):
    """Checks that two models say the same, are trained alike, and are then judged alike."""
    same(programs.predictions(ours, x), programs.predictions(theirs, x), 1e-6)
    same(programs.train(ours, x, y, 3), programs.train(theirs, x, y, 3), 2e-4)
    mine, other = (model.evaluate(x, y, verbose=0, return_dict=True) for model in (ours, theirs))
    assert mine.keys() == other.keys()
    same([mine[key] for key in mine], [float(other[key]) for key in mine], 2e-4)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_files_of_keras_are_read_and_trained_on_here(tmp_path, keras, program, suffix):
    theirs, x, y = program(keras)
    if suffix == ".h5" and theirs.optimizer.name == "adafactor":
        pytest.skip("Keras gives two of Adafactor's means one name, and cannot write them")
    programs.train(theirs, x, y, 2)
    theirs.save(tmp_path / f"model{suffix}")
    go_on_alike(quietly(ml.models.load_model, tmp_path / f"model{suffix}"), theirs, x, y)


def test_files_of_ours_are_read_and_trained_on_by_keras(tmp_path, keras, program):
    ours, x, y = program(ml)
    programs.train(ours, x, y, 2)
    ours.save(tmp_path / "model.keras")
    go_on_alike(ours, quietly(keras.models.load_model, tmp_path / "model.keras"), x, y)


def test_weights_go_both_ways(tmp_path, keras, program):
    theirs, x, y = program(keras)
    ours, *_ = program(ml)
    programs.train(ours, x, y, 2)
    ours.save_weights(tmp_path / "ours.weights.h5")
    theirs.optimizer.build(theirs.trainable_variables)  # Keras gives an optimizer its state only where it has room
    quietly(theirs.load_weights, tmp_path / "ours.weights.h5")
    same(programs.predictions(theirs, x), programs.predictions(ours, x), 1e-6)
    programs.train(theirs, x, y, 1)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    again, *_ = program(ml)
    quietly(again.load_weights, tmp_path / "theirs.weights.h5")
    go_on_alike(again, theirs, x, y)


# In Keras they need TensorFlow, whatever the backend; tests/golden has programs with them, recorded there.
OF_WORDS = ("Discretization", "Hashing", "HashedCrossing", "IntegerLookup", "StringLookup", "TextVectorization")


def test_every_layer_of_keras_that_is_built_here_is_read_with_its_defaults(keras):
    arguments = {"Dense": (2,), "Rescaling": (0.5,), "Embedding": (3, 2), "Activation": ("relu",), "Reshape": ((2, 2),)}
    arguments |= {"EinsumDense": ("ab,bc->ac", 2)}
    arguments |= dict.fromkeys(("AlphaDropout", "Dropout", "GaussianDropout", "GaussianNoise"), (0.5,))
    arguments |= {"CategoryEncoding": (3,), "InputLayer": ((4,),), "Dot": (1,), "Permute": ((1, 2),)}
    arguments |= {"GroupNormalization": (1,), "RepeatVector": (2,)}
    arguments |= dict.fromkeys(("TimeDistributed", "SpectralNormalization"), (keras.layers.Dense(2),))
    read = 0
    for name in ml.layers.__all__:
        cls, theirs = getattr(ml.layers, name), getattr(keras.layers, name, None)
        if isinstance(cls, type) and theirs is not None and name not in ("Layer", "Wrapper", "Lambda", *OF_WORDS):
            described = keras.saving.serialize_keras_object(theirs(*arguments.get(name, ())))
            ours = ml.layers.deserialize(json.loads(json.dumps(described)))
            assert type(ours) is cls  # whichever of its names it has been asked for by
            back = keras.saving.deserialize_keras_object(json.loads(json.dumps(ml.layers.serialize(ours))))
            assert back.get_config() == theirs(*arguments.get(name, ()), name=ours.name).get_config()
            read += 1
    assert read > 25
