"""Functions of a model's tensors: what they become, what they give, their derivatives, and what is refused."""

import copy
import pickle

import numpy as np
import pytest

from multilayer import GradientTape, Model, Variable, activations, layers, losses, metrics
from multilayer.layers import Input
from multilayer.models import clone_model, load_model
from multilayer.utils import check_gradients

X = np.random.default_rng(0).normal(size=(7, 4)).astype("float32")


def model_of(between, shape=(4,), **given):
    x = Input(shape, **given)
    return Model(x, between(x))


# --- What they become ---


def test_they_are_operations_with_keras_names_and_no_layers():
    model = model_of(lambda x: np.exp(layers.Dense(3, name="three")(x)[:, 1:] * 2 + 1))
    assert [one.kind for one in model.operations] == ["InputLayer", "Dense", "GetItem", "Multiply", "Add", "Exp"]
    assert [one.name for one in model.layers][1:] == ["three"]
    with pytest.raises(ValueError, match="No such layer: exp"):
        model.get_layer("exp")


def test_the_summary_shows_them_as_keras_does(capsys):
    model_of(lambda x: activations.relu(x)[..., None]).summary()
    printed = capsys.readouterr().out
    assert "re_lu" in printed
    assert "(ReLU)" in printed
    assert "(GetItem)" in printed


# --- What they give ---

RESULTS = {
    "a comparison": (lambda x: x > 0, (None, 4), "bool"),
    "of truth values": (lambda x: ~((x > 0) & (x < 1)) | (x != 0), (None, 4), "bool"),
    "places": (lambda x: np.argmax(x, axis=1), (None,), "int32"),
    "another type": (lambda x: (x * 3).astype("int32") / 2, (None, 4), "float32"),
    "a constant in float64": (lambda x: x * np.array([1.0, 2.0, 3.0, 4.0]), (None, 4), "float32"),
    "a constant on the left": (lambda x: np.ones(4) - x, (None, 4), "float32"),
    "a reshape of the batch": (lambda x: np.reshape(x, (-1, 2)), (None, 2), "float32"),
    "with the batch's size": (lambda x: np.reshape(x, (x.shape[0], 2, 2)), (None, 2, 2), "float32"),
    "over the batch": (lambda x: np.mean(x, axis=0), (4,), "float32"),
    "over everything": (lambda x: np.sum(x), (), "float32"),
    "each sample against each": (lambda x: x @ x.T, (None, None), "float32"),
    "what zeros have none of": (lambda x: np.linalg.inv(np.reshape(x, (-1, 2, 2))), (None, 2, 2), "float32"),
    "by a method": (lambda x: x.clip(0, 1).max(axis=-1, keepdims=True), (None, 1), "float32"),
}


@pytest.mark.parametrize("case", RESULTS)
def test_shape_and_type_are_known_before_and_are_those_of_the_numbers(case):
    between, shape, dtype = RESULTS[case]
    model = model_of(between)
    assert (model.output.shape, model.output.dtype) == (shape, dtype)
    y = model(X)
    assert y.dtype == dtype
    assert all(side in (None, given) for side, given in zip(shape, y.shape, strict=True))
    np.testing.assert_allclose(y, between(X), rtol=1e-4, atol=1e-5)


def test_whole_numbers_become_real_as_in_keras():
    model = model_of(lambda x: np.mean(x, axis=1) + x[:, 0] / 2, dtype="int32")
    y = model(np.array([[1, 2, 3, 4]]))
    assert y.dtype == model.output.dtype == "float32"
    assert y[0] == 3.0


def test_several_results():
    model = model_of(lambda x: np.split(x, [1, 3], axis=1))
    assert [y.shape for y in model(X)] == [(7, 1), (7, 2), (7, 1)]


# --- Their derivatives ---

DIFFERENTIATED = {
    "arithmetic": lambda h: (1 - h) * h / (2 + h**2) - h,
    "one rule": lambda h: np.tanh(h),
    "broadcast": lambda h: h - np.mean(h, axis=-1, keepdims=True) * np.arange(1.0, 5.0),
    "indices": lambda h: h[:, ::-1] * h[:, [0, 0, 1, 2]],
    "joined": lambda h: np.concatenate([np.exp(-h), h], axis=-1),
    "chosen": lambda h: np.where(h > 0, h, 0.1 * h),
    "several": lambda h: np.multiply(*np.split(h, 2, axis=1)),
    "an activation": lambda h: activations.leaky_relu(h, 0.3) + activations.softmax(h),
    "products": lambda h: np.einsum("bi,bj->bij", h, h).reshape((-1, 16)),
    "twice the same": lambda h: np.add(h, h),
    "some of it unused": lambda h: np.split(h, 2, axis=1)[0],
}


@pytest.mark.parametrize("case", DIFFERENTIATED)
def test_their_gradients_are_the_derivatives(case):
    between = DIFFERENTIATED[case]
    model = model_of(lambda x: layers.Dense(1)(between(layers.Dense(4)(x))))
    model.compile("sgd", "mse")
    check_gradients(model, X[:3], X[:3, :1])


def test_a_model_with_them_is_trained_judged_and_asked():
    inner = model_of(lambda x: np.tanh(x) * layers.Dense(4)(x))
    x = Input((4,))
    shared = layers.Dense(4)
    h = inner(x) + inner(shared(x)) - shared(x * 0.5)
    dropped = layers.Dropout(0.5)(h, training=True)
    model = Model(
        x, {"a": layers.Dense(1)(np.concatenate([h, dropped], axis=-1)), "b": np.mean(h, axis=1, keepdims=True)}
    )
    model.compile("adam", loss={"a": "mse", "b": "mse"})
    y = {"a": X[:, :1], "b": X[:, 1:2]}
    losses = model.fit(X, y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert set(model.predict(X, verbose=0)) == {"a", "b"}
    assert len(model.evaluate(X, y, verbose=0)) == 3


def test_results_are_nobodys_working_memory():
    model = model_of(lambda x: np.reshape(layers.Dense(4)(x), (-1, 2)))
    first = model(X)
    kept = first.copy()
    model(X + 1)
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m)), clone_model])
def test_copies(copied):
    model = model_of(lambda x: np.clip(layers.Dense(3)(x), -1, 1)[:, None] * np.eye(3))
    twin = copied(model)
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin(X), model(X))
    assert [one.kind for one in twin.operations] == [one.kind for one in model.operations]


# --- Variables ---


def test_a_variable_counts_as_it_is_when_the_model_is_run(tmp_path):
    """It is no weight, as in Keras; and to whoever reads the model from a file a constant."""
    rate = Variable(np.full(4, 0.5, "float32"), trainable=False)
    model = model_of(lambda x: layers.Dense(4)(x) * rate)
    assert len(model.weights) == 2
    before = model(X)
    rate.assign(rate * 2)
    np.testing.assert_array_equal(model(X), before * 2)
    model.save(tmp_path / "model.npz")
    np.testing.assert_allclose(load_model(tmp_path / "model.npz")(X), before * 2, rtol=1e-6)


def test_a_variable_that_no_layer_holds_is_not_trained_and_that_is_said():
    scale = Variable(np.ones(4, "float32"), name="scale")
    with pytest.warns(UserWarning, match=r"'scale' is no weight of the model .* A layer with `call`.*In .*test_oper"):
        model = model_of(lambda x: layers.Dense(4)(x) * scale)
    with GradientTape() as tape:
        loss = np.sum(model(X))
    np.testing.assert_allclose(tape.gradient(loss, scale), np.sum(model(X), 0), rtol=1e-5)


@pytest.mark.parametrize(
    "use", [lambda h, w: h @ w, lambda h, w: np.dot(h, w), lambda h, w: h @ np.transpose(w), lambda h, w: h @ w.numpy()]
)
def test_weights_of_layers_are_not_used_beside_them(use):
    dense = layers.Dense(4)
    with pytest.raises(ValueError, match="kernel' is a layer's weight.* lacks this part. Write a layer with `call`"):
        model_of(lambda x: use(dense(x), dense.kernel))


def test_nor_beside_a_layer_that_is_called_elsewhere():
    dense = layers.Dense(4)
    dense.build((None, 4))
    with (
        pytest.warns(UserWarning, match="is no weight of the model"),
        pytest.raises(ValueError, match="kernel' is a layer's weight.* lacks this part"),
    ):
        model_of(lambda x: x @ dense.kernel + dense(x))


def test_a_constant_that_a_weight_began_as_is_none_of_its_layer():
    model = model_of(lambda x: layers.Dense(4, kernel_initializer="identity")(x) @ np.eye(4))
    np.testing.assert_array_equal(model(X), X)


# --- What is refused ---

MISTAKES = {
    "if": (lambda x: 1 if x > 0 else 2, TypeError, "neither true nor false.*`np.where.*In .*test_operation"),
    "float": (lambda x: float(x), TypeError, "no number of Python's"),
    "index": (lambda x: [1, 2][x], TypeError, "no number of Python's"),
    "len": (lambda x: len(x), TypeError, "as many entries as there will be samples"),
    "for": (lambda x: list(x), TypeError, "cannot be iterated over.*In .*test_operation"),
    "array": (lambda x: np.asarray(x), ValueError, "a shape but no numbers"),
    "shapes": (
        lambda x: x + np.ones(3),
        ValueError,
        r"`Add` of tensors of shapes \(None, 4\), \(3,\): they.*In .*test_operation",
    ),
    "axis": (lambda x: np.sum(x, axis=5), ValueError, r"`Sum` of tensors of shapes \(None, 4\)"),
    "out": (lambda x: np.add(x, 1, out=np.ones(4)), TypeError, "into an array that is there"),
    "loss": (lambda x: losses.MeanSquaredError()(x, x), ValueError, r"no numbers, which a loss or a metric needs"),
    "loss's function": (lambda x: losses.mean_squared_error(x, x), ValueError, r"a layer adds: `self.add_loss\(...\)`"),
    "metric": (lambda x: metrics.MeanSquaredError()(x, x), ValueError, "no numbers, which a loss or a metric needs"),
    "layer's loss": (lambda x: layers.Dense(1).add_loss(np.mean(x)), ValueError, "only be called from .*Write a layer"),
    "model's loss": (lambda x: Model(x, x * 2).add_loss(np.mean(x)), NotImplementedError, "drawn up.* Write a layer"),
    "unknown shape": (lambda x: np.unique(x), TypeError, "only known when it is run"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_what_cannot_be_drawn_up_says_so(case):
    mistaken, error, message = MISTAKES[case]
    with pytest.raises(error, match=message):
        mistaken(Input((4,)))


def test_a_loss_that_computes_with_tensors_of_the_model_says_so():
    x = Input((4,))
    hidden = layers.Dense(4)(x)
    model = Model(x, layers.Dense(1)(hidden))
    model.compile("sgd", lambda y, y_pred: np.mean((y - y_pred) ** 2, axis=-1) + np.mean(hidden))
    with pytest.raises(ValueError, match=r"no numbers, which a loss .* a layer adds: `self.add_loss\(...\)`"):
        model.fit(X, X[:, :1], verbose=0)
