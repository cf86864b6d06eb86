"""Operations that a file describes are refused before they take memory or time."""

import json
import time

import numpy as np
import pytest

from multilayer import Input, Model, layers, ops
from multilayer._core.arena import at_most
from multilayer.layers.effort import effort
from multilayer.models import load_model, model_from_json

X = {"class_name": "__keras_tensor__", "config": {"keras_history": ["x", 0, 0]}}


def described(kind, *args, module="numpy", shape=(None, 4), times=1, kwargs=None, **options):
    """A network of an input and this operation, so many times one after the other."""
    source = {
        "class_name": "InputLayer",
        "config": {"batch_shape": shape, "name": "x"},
        "name": "x",
        "inbound_nodes": [],
    }
    steps = []
    for i in range(times):
        before = json.loads(json.dumps(args).replace('"x", 0, 0', f'"{"x" if i == 0 else f"step{i - 1}"}", 0, 0'))
        steps.append(
            {
                "module": f"keras.src.ops.{module}",
                "class_name": kind,
                "config": {"name": f"step{i}", **options},
                "name": f"step{i}",
                "inbound_nodes": [{"args": before, "kwargs": kwargs or {}}],
            }
        )
    config = {"name": "m", "layers": [source, *steps], "input_layers": [["x", 0, 0]]}
    config["output_layers"] = [[f"step{times - 1}", 0, 0]]
    return json.dumps({"class_name": "Functional", "config": config})


def of(value):
    return {"class_name": "__numpy__", "config": value}


MANY = 10**9
HUGE = {
    "tile": described("Tile", X, repeats=[1, MANY]),
    "tile again and again": described("Tile", X, repeats=[1, 100], times=30),
    "repeat": described("Repeat", X, repeats=MANY, axis=1),
    "pad": described("Pad", X, pad_width=[[0, 0], [MANY, MANY]]),
    "pad to and fro": described("Pad", X, pad_width=[[0, 0], [10**6, 10**6]], mode="reflect"),
    "broadcast": described("BroadcastTo", X, shape=[MANY, 2, 4]),
    "one hot": described("OneHot", X, module="nn", num_classes=MANY),
    "differences": described("Diff", X, n=MANY),
    "differences of a few": described("Diff", X, n=10**6),
    "decimals": described("Round", X, decimals=-MANY),
    "axes": described("Tensordot", X, X, axes=MANY),
    "each with each": described("Einsum", X, X, subscripts="ab,cd->abcd", times=9),
    "a power of all sides": described("Add", X, X, shape=(None, 3 * 10**9)),
    "an input beyond memory": described("Exp", X, shape=(None, 2**40)),
    "an inverse": described("Inv", X, module="linalg", shape=(None, 3000, 3000)),
    "a square": described("Diag", X, k=MANY, shape=()),
}


@pytest.mark.parametrize("case", HUGE)
def test_what_would_be_huge_is_refused_at_once(case):
    begun = time.perf_counter()
    with pytest.raises(ValueError, match=r"would compute [\d,]+ numbers|of shapes|no model"):
        model_from_json(HUGE[case])
    assert time.perf_counter() - begun < 2.0


REFUSED = {
    "a function of NumPy's that is no operation": (described("fromfile", X), "Unknown operation: 'fromfile'"),
    "a function of ours": (described("load_model", X), "Unknown operation"),
    "a module of its own": (described("system", X, module="os"), "Unknown operation"),
    "an argument of NumPy's": (described("Mean", X, out=[1]), "'out', which is not built here"),
    "no tensor": (described("Exp", 1.0), "without a tensor"),
    "too many": (described("Exp", X, 1, 2), "is called with"),
    "an unknown argument": (described("Exp", X, kwargs={"out": X}), "is called with"),
    "texts": (described("Add", X, of({"value": ["a"], "dtype": "S1000000000"})), "arrays hold numbers"),
    "objects": (described("Cast", X, module="core", dtype="O"), "numbers of the type 'O'"),
    "records": (described("Cast", X, module="core", dtype="V1000000000"), "numbers of the type"),
    "code": (described("Add", X, {"class_name": "__lambda__", "config": {}}), "neither a tensor nor a number"),
    "a class": (described("GetItem", X, {"class_name": "Dense", "config": {"units": 1}}), "neither a tensor nor"),
    "a slice of texts": (
        described("GetItem", X, {"class_name": "__slice__", "config": {"start": "a", "stop": None, "step": None}}),
        "no whole number",
    ),
    "a place that there is not": (described("GetItem", X, [None] * 200), "of shapes"),
    "an axis that there is not": (described("Sum", X, axis=10**400), "."),
    "letters": (described("Einsum", X, subscripts="os.system"), "of shapes"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_operation_is_refused(case):
    description, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        model_from_json(description)


def test_a_list_of_numbers_is_an_operand_after_loading_as_before(tmp_path):
    x = Input((4,))
    for k, f in enumerate((ops.matmul, ops.dot, np.matmul, np.dot)):
        model = Model(x, f(x, [[0.1, 0.3]] * 4))
        model.save(tmp_path / f"{k}.keras")
        again = load_model(tmp_path / f"{k}.keras")
        rows = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
        np.testing.assert_array_equal(again.predict(rows, verbose=0), model.predict(rows, verbose=0))


def test_an_ordinary_network_is_far_from_the_limit():
    x = Input((64,))
    h = x
    for _ in range(5):
        h = np.tanh(np.matmul(h, np.ones((64, 64), "float32") / 64) + x)
    text = Model(x, layers.Dense(1)(h)).to_json()
    with at_most(10**6):
        model_from_json(text)


@pytest.mark.parametrize(
    ("kind", "args", "kwargs", "numbers"),
    [
        ("Add", (np.zeros((3, 1)), np.zeros((1, 5))), {}, 15),
        ("Matmul", (np.zeros((3, 4)), np.zeros((4, 5))), {}, 60),
        ("Einsum", (np.zeros((3, 4)), np.zeros((4, 5))), {"subscripts": "ij,jk->ik"}, 60),
        ("Tile", (np.zeros((3, 4)), (2, 5)), {}, 120),
        ("GetItem", (np.zeros((3, 4)), ([0] * 7,)), {}, 28),
        ("Tensordot", (np.zeros((3, 4)), np.zeros((4, 5))), {"axes": 1}, 60),
    ],
)
def test_how_many_numbers_an_operation_computes(kind, args, kwargs, numbers):
    assert effort(kind, args, kwargs).computed == numbers
