"""One training step laid open: what a trace shows is what training computes, and the model stays as it is."""

import base64
import copy
import io
import re

import numpy as np
import pytest
from PIL import Image

from multilayer import Input, Model, Sequential, layers, optimizers, tutorial
from multilayer._core import kernels
from multilayer.datasets import synthetic_digits
from multilayer.functional import affine_layer_backward, affine_layer_forward, one_hot, sigmoid, sigmoid_grad, softmax
from multilayer.glass import layer_outputs
from multilayer.glass.page import picture
from multilayer.regularizers import L2
from multilayer.utils import set_random_seed
from multilayer.utils.gradients import numerical_gradient

RNG = np.random.default_rng(5)
EIGHT = RNG.normal(size=(8, 6))
LABELS = np.array([0, 1, 2, 0, 1, 2, 1, 1])


def dense(units, activation=None, **options):
    return layers.Dense(units, activation, dtype="float64", **options)


def stack(*parts, optimizer="sgd", loss="sparse_categorical_crossentropy", size=6):
    """A compiled model in float64, the same every time."""
    set_random_seed(0)
    model = Sequential([Input((size,), dtype="float64"), *parts])
    model.compile(optimizer, loss)
    for variable in model.weights:  # biases, too, are no zeros
        variable.value[...] += 0.1 * np.random.default_rng(variable.value.size).normal(size=variable.shape)
    return model


# --- The tutorial's network ---


def five_digits():
    """The tutorial's step: five digits, two layers, gradient descent."""
    (images, labels), _ = synthetic_digits.load_data(5, 1)
    X = images.reshape(5, 784) / 255.0
    params = tutorial.init_params(784, 50, 10, rng=np.random.default_rng(0))
    model = Sequential([Input((784,), dtype="float64"), dense(50, "sigmoid"), dense(10, "softmax")])
    model.compile(optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    model.set_weights(params)
    return X, labels, params, model


def test_the_tutorials_step_shows_every_matrix_of_it():
    X, Y, (W1, b1, W2, b2), model = five_digits()
    step = model.trace(X, Y)
    a1, cache1 = affine_layer_forward(X, W1, b1)
    z1 = sigmoid(a1)
    a2, cache2 = affine_layer_forward(z1, W2, b2)
    y_hat = softmax(a2)
    t = one_hot(Y, 10)
    dy = (y_hat - t) / len(X)
    dz1, dW2, db2 = affine_layer_backward(dy, cache2)
    da1 = sigmoid_grad(a1) * dz1
    _, dW1, db1 = affine_layer_backward(da1, cache1)
    *new, loss = tutorial.train_step(X, Y, W1, b1, W2, b2, learning_rate=0.1)
    expected = {
        "X": X, "W1": W1, "b1": b1, "a1": a1, "z1": z1, "W2": W2, "b2": b2, "a2": a2, "y_hat": y_hat,
        "Y": Y, "t": t, "loss": loss,
        "dy": dy, "dW2": dW2, "db2": db2, "dz1": dz1, "da1": da1, "dW1": dW1, "db1": db1,
        "W1_new": new[0], "b1_new": new[1], "W2_new": new[2], "b2_new": new[3],
    }  # fmt: skip
    assert list(step) == list(expected)
    for name, value in expected.items():
        assert step[name].shape == np.shape(value), name
        np.testing.assert_allclose(step[name], value, rtol=1e-10, atol=1e-14, err_msg=name)
    assert step.loss == pytest.approx(loss, rel=1e-12)


def test_the_tutorials_step_is_written_in_its_formulas():
    X, Y, _, model = five_digits()
    formulas = {entry.name: entry.formula for entry in model.trace(X, Y).entries}
    assert formulas["a1"] == "X @ W1 + b1"
    assert formulas["z1"] == "sigmoid(a1)"
    assert formulas["y_hat"] == "softmax(a2)"
    assert formulas["dy"] == "(y_hat - t) / n"
    assert formulas["dW2"] == "z1.T @ dy"
    assert formulas["db2"] == "dy.sum(axis=0)"
    assert formulas["dz1"] == "dy @ W2.T"
    assert formulas["da1"] == "sigmoid'(a1) * dz1"
    assert formulas["W1_new"] == "W1 - 0.1 dW1"


def test_printed_it_is_a_table_with_a_line_for_each_array():
    X, Y, _, model = five_digits()
    step = model.trace(X, Y)
    lines = str(step).splitlines()
    assert lines[0] == f"One step of Sequential '{model.name}' on 5 samples"
    assert lines[1].split() == ["name", "formula", "shape", "smallest", "mean", "largest"]
    assert len(lines) == 2 + 4 + len(step)  # title, header, four parts
    (line,) = [line for line in lines if line.startswith("dW1 ")]
    assert re.split(r"\s{2,}", line)[:3] == ["dW1", "X.T @ da1", "(784, 50)"]
    assert [line.split()[1] for line in lines if line.startswith("--")] == ["forward", "loss", "backward", "update"]
    assert max(map(len, lines)) <= 100


# --- Any network: every gradient is the derivative of the loss, and every formula gives its array ---

NETWORKS = {
    "deep": lambda: stack(dense(5, "tanh"), dense(4, "sigmoid"), dense(4, "softplus"), dense(3, "softmax")),
    "batch normalization": lambda: stack(
        dense(5), layers.BatchNormalization(dtype="float64"), layers.Activation("tanh", dtype="float64"),
        dense(3, "softmax"),
    ),
    "dropout": lambda: stack(dense(9, "tanh"), layers.Dropout(0.4, seed=1, dtype="float64"), dense(3, "softmax")),
    "noise": lambda: stack(dense(5, "tanh"), layers.GaussianNoise(0.2, seed=1, dtype="float64"), dense(3, "softmax")),
    "regularizers": lambda: stack(
        dense(5, "tanh", kernel_regularizer="l2", activity_regularizer=L2(0.1)),
        dense(3, "softmax", bias_regularizer="l1"),
    ),
    "softmax inside": lambda: stack(dense(5, "softmax"), dense(3, "softmax")),
    "glu": lambda: stack(dense(6, "glu"), dense(3, "softmax")),
    "no bias": lambda: stack(dense(5, "tanh", use_bias=False), dense(3, "softmax")),
    "logits": lambda: stack(dense(5, "tanh"), dense(3), layers.Activation("softmax", dtype="float64")),
    "layer normalization": lambda: stack(
        dense(5, "tanh"), layers.LayerNormalization(dtype="float64"), dense(3, "softmax")
    ),
    "prelu": lambda: stack(dense(5), layers.PReLU("ones", dtype="float64"), dense(3, "softmax")),
    "flattened": lambda: stack(
        layers.Reshape((2, 3), dtype="float64"), dense(4, "tanh"), layers.Flatten(dtype="float64"), dense(3, "softmax")
    ),
    "nested": lambda: stack(Sequential([Input((6,), dtype="float64"), dense(4, "tanh")]), dense(3, "softmax")),
    "frozen": lambda: stack(dense(5, "tanh"), dense(4, "tanh", trainable=False), dense(3, "softmax")),
    "mean squared error": lambda: stack(dense(5, "tanh"), dense(1), loss="mse"),
    "sigmoid and mean squared error": lambda: stack(dense(5, "sigmoid"), dense(1, "sigmoid"), loss="mse"),
    "binary cross-entropy": lambda: stack(dense(5, "tanh"), dense(1, "sigmoid"), loss="binary_crossentropy"),
    "huber": lambda: stack(dense(5, "tanh"), dense(1), loss="huber"),
    "hinge": lambda: stack(dense(5, "tanh"), dense(1, "tanh"), loss="squared_hinge"),
}  # fmt: skip


def targets(model):
    return LABELS if model.output_shape[-1] == 3 else (LABELS > 1).astype(float)


def networks():
    return pytest.mark.parametrize("name", NETWORKS)


@networks()
def test_gradients_are_those_of_the_loss_by_finite_differences(name):
    model = NETWORKS[name]()
    y = targets(model)
    step = model.trace(EIGHT, y)
    by_path = {entry.formula: entry.name for entry in step.entries if entry.part == "forward"}
    assert model.trainable_weights
    for variable in model.trainable_weights:
        expected = numerical_gradient(lambda: model.trace(EIGHT, y).loss, variable.value)
        gradient = step[f"d{by_path[variable.path]}"]
        np.testing.assert_allclose(gradient, expected, rtol=1e-5, atol=1e-8, err_msg=variable.path)


@networks()
def test_gradients_within_are_those_of_the_loss_too(name):
    """A number added to an affine output, as a bias is, changes the loss by the sum of that output's gradient."""
    model = NETWORKS[name]()
    step = model.trace(EIGHT, targets(model))
    for number in range(1, 5):
        bias, gradient = f"db{number}", f"da{number}" if f"da{number}" in step else "dy"
        if bias not in step or any(entry.name == bias and "'" in entry.formula for entry in step.entries):
            continue  # frozen, without a bias, or penalized
        over = tuple(range(step[gradient].ndim - 1))
        np.testing.assert_allclose(step[gradient].sum(axis=over), step[bias], rtol=1e-10, atol=1e-14)


@networks()
def test_formulas_that_are_python_give_their_arrays(name):
    model = NETWORKS[name]()
    step = model.trace(EIGHT, targets(model))
    names = {**step, "n": len(EIGHT), "softmax": softmax, "sigmoid": sigmoid, "tanh": np.tanh}
    checked = set()
    for entry in step.entries:
        readable = re.fullmatch(r"[\w .@+*/()-]+|[\w.]+\.sum\(axis=0\)", entry.formula)
        known = set(re.findall(r"\b[A-Za-z]\w*", entry.formula)) <= {*names, "T", "sum", "axis"}
        if entry.part in ("forward", "backward") and readable and known and "k)" not in entry.formula:
            formula = re.sub(r"^2 \(", "2 * (", entry.formula)
            if step["X"].ndim == 2 and all(value.ndim <= 2 for value in step.values()):
                np.testing.assert_allclose(
                    eval(formula, {}, names), entry.value, rtol=1e-9, atol=1e-12, err_msg=formula
                )
                checked.add(entry.name)
    assert name == "flattened" or "a1" in checked


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "rmsprop", "muon"])
@networks()
def test_a_step_of_training_then_computes_the_same_bit_for_bit(name, optimizer):
    model = NETWORKS[name]()
    y = targets(model)
    model.compile(optimizer, model.loss)
    for _ in range(3):  # running means, random numbers and Adam's moments are under way
        model.train_on_batch(EIGHT, y)
    step = model.trace(EIGHT, y)
    by_path = {entry.formula: entry.name for entry in step.entries if entry.part == "forward"}
    loss = model.train_on_batch(EIGHT, y)
    assert step.loss == pytest.approx(loss, rel=1e-12)
    for variable in model.trainable_weights:
        np.testing.assert_array_equal(step[f"{by_path[variable.path]}_new"], variable.value, err_msg=variable.path)
    for variable in model.non_trainable_weights:
        name_after = f"{by_path[variable.path]}_new"
        np.testing.assert_array_equal(step.get(name_after, step[by_path[variable.path]]), variable.value)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "gelu", "softmax"])
def test_in_float32_what_is_shown_is_what_the_kernels_computed(activation):
    (images, labels), _ = synthetic_digits.load_data(32, 1)
    x = images.reshape(32, 784).astype(np.float32) / 255
    hidden = [layers.Dense(50, activation), layers.Dropout(0.2), layers.Dense(40, activation)]
    model = Sequential([Input((784,)), *hidden, layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x, labels, epochs=2, verbose=0)
    step = model.trace(x, labels)
    model.train_on_batch(x, labels)
    for number, layer in enumerate([model.layers[0], model.layers[2], model.layers[3]], start=1):
        np.testing.assert_array_equal(step[f"W{number}_new"], layer.kernel.value)
        np.testing.assert_array_equal(step[f"b{number}_new"], layer.bias.value)
        np.testing.assert_array_equal(step[f"dW{number}"], layer.kernel.gradient)
    np.testing.assert_array_equal(step["dW1"], kernels.matmul(step["X"].T, step["da1"]))
    np.testing.assert_array_equal(step["dW2"], kernels.matmul(step["h1"].T, step["da2"]))
    np.testing.assert_allclose(step["z2"], model.layers[2].activation(step["a2"]), rtol=1e-6, atol=1e-7)


# --- Laid open, not taken ---


def test_the_model_stays_as_it_is():
    model = NETWORKS["dropout"]()
    model.compile("adam", model.loss, metrics=["accuracy"])
    model.fit(EIGHT, LABELS, epochs=2, verbose=0)
    twin = copy.deepcopy(model)
    figures, state = model.get_metrics_result(), {name: slot.copy() for name, slot in model.optimizer.state.items()}
    gradient = model.layers[0].kernel.gradient.copy()
    model.trace(EIGHT, LABELS)
    assert model.get_metrics_result() == figures
    assert model.optimizer.iterations == twin.optimizer.iterations == 2
    np.testing.assert_array_equal(model.layers[0].kernel.gradient, gradient)
    for name, slot in model.optimizer.state.items():
        np.testing.assert_array_equal(slot, state[name])
    for before, after in zip(twin.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    histories = [m.fit(EIGHT, LABELS, epochs=3, shuffle=False, verbose=0).history for m in (twin, model)]
    assert histories[0] == histories[1]  # the same masks, too


def test_the_same_step_is_shown_again():
    model = NETWORKS["dropout"]()
    first, second = model.trace(EIGHT, LABELS), model.trace(EIGHT, LABELS)
    np.testing.assert_array_equal(first["mask1"], second["mask1"])


def test_a_callback_may_look_while_the_model_is_trained():
    from multilayer.callbacks import LambdaCallback

    losses = []
    look = LambdaCallback(on_train_batch_end=lambda batch, logs: losses.append(model.trace(EIGHT, LABELS).loss))
    model, twin = NETWORKS["deep"](), None
    twin = copy.deepcopy(model)
    model.fit(EIGHT, LABELS, epochs=2, batch_size=4, shuffle=False, verbose=0, callbacks=[look])
    twin.fit(EIGHT, LABELS, epochs=2, batch_size=4, shuffle=False, verbose=0)
    assert len(losses) == 4
    np.testing.assert_array_equal(model.get_weights()[0], twin.get_weights()[0])


def test_arrays_are_copies_to_be_read_only():
    model = NETWORKS["deep"]()
    step = model.trace(EIGHT, LABELS)
    with pytest.raises(ValueError, match="read-only"):
        step["W1"][0, 0] = 7.0


# --- Names ---


def test_a_dropout_layer_shows_its_mask():
    step = NETWORKS["dropout"]().trace(EIGHT, LABELS)
    assert set(np.unique(step["mask1"]).round(6)) == {0.0, round(1 / 0.6, 6)}
    np.testing.assert_allclose(step["h1"], step["mask1"] * step["z1"])
    np.testing.assert_allclose(step["dz1"], step["mask1"] * step["dh1"])


def test_a_mask_is_spoken_of_only_where_one_was_drawn():
    noisy = layers.GaussianDropout(0.3, seed=1, dtype="float64")
    step = stack(dense(5, "tanh"), noisy, dense(3, "softmax")).trace(EIGHT, LABELS)
    np.testing.assert_allclose(step["h1"], step["mask1"] * step["z1"])
    x = Input((6,), dtype="float64")
    still = layers.Dropout(0.5, dtype="float64")(dense(5, "tanh", trainable=False)(x), training=False)
    for model in (
        stack(dense(5, "tanh"), layers.Dropout(0.0, dtype="float64"), dense(3, "softmax")),
        Model(x, dense(3, "softmax")(still)),
    ):
        model.compile("sgd", "sparse_categorical_crossentropy")
        step = model.trace(EIGHT, LABELS)
        assert "mask1" not in step
        assert all("mask" not in entry.formula for entry in step.entries)
        np.testing.assert_array_equal(step["h1"], step["z1"])


def test_batch_normalization_shows_its_weights_and_its_running_means():
    step = NETWORKS["batch normalization"]().trace(EIGHT, LABELS)
    assert {"gamma1", "beta1", "moving_mean1", "dgamma1", "gamma1_new", "moving_mean1_new"} <= set(step)
    assert "dmoving_mean1" not in step
    np.testing.assert_allclose(step["z1"], np.tanh(step["h1"]))
    expected = 0.99 * step["moving_mean1"] + 0.01 * step["a1"].mean(axis=0)
    np.testing.assert_allclose(step["moving_mean1_new"], expected)


def test_penalties_are_part_of_the_loss():
    step = NETWORKS["regularizers"]().trace(EIGHT, LABELS)
    penalties = step["penalty_W1"] + step["penalty_b2"] + step["penalty"]
    crossentropy = -np.mean(np.log(step["y_hat"][np.arange(8), LABELS]))
    assert step.loss == pytest.approx(crossentropy + float(penalties))
    np.testing.assert_allclose(step["dW1"], step["X"].T @ step["da1"] + 2 * 0.01 * step["W1"])


def test_a_frozen_layer_has_no_gradient_and_lets_one_through():
    step = NETWORKS["frozen"]().trace(EIGHT, LABELS)
    assert "W2" in step
    assert not {"dW2", "W2_new"} & set(step)
    np.testing.assert_allclose(step["dz1"], step["da2"] @ step["W2"].T)


def test_sample_weights_are_shown_and_heeded():
    model = NETWORKS["mean squared error"]()
    weight = np.arange(8.0)
    step = model.trace(EIGHT, targets(model), sample_weight=weight)
    np.testing.assert_array_equal(step["sample_weight"], weight)
    np.testing.assert_allclose(step["dy"][:, 0], weight * 2 * (step["y_hat"] - step["t"])[:, 0] / 8)
    formulas = {entry.name: entry.formula for entry in step.entries}
    assert formulas["dy"] == "mean_squared_error.gradient(t, y_hat, sample_weight)"


def test_a_formula_is_written_out_only_where_it_is_true():
    model = stack(dense(5, "tanh"), dense(1), loss="mse", optimizer=optimizers.SGD(0.1, momentum=0.9))
    y = targets(model)
    assert {e.name: e.formula for e in model.trace(EIGHT, y).entries}["dy"] == "2 (y_hat - t) / n"
    assert {e.name: e.formula for e in model.trace(EIGHT, y).entries}["W1_new"] == "W1 - 0.1 dW1"  # the first step
    model.train_on_batch(EIGHT, y)
    assert {e.name: e.formula for e in model.trace(EIGHT, y).entries}["W1_new"] == "sgd(W1, dW1)"


def branched():
    x = Input((6,), name="x", dtype="float64")
    shared = dense(6, "tanh", name="shared")
    h = layers.Add(dtype="float64")([shared(x), shared(shared(x))])
    outputs = {"class": dense(3, "softmax", name="class")(h), "size": dense(1, name="size")(h)}
    model = Model(x, outputs)
    losses = {"class": "sparse_categorical_crossentropy", "size": "mse"}
    model.compile("sgd", losses, loss_weights={"size": 0.1})
    return model, {"class": LABELS, "size": np.arange(8.0)}


def test_branches_and_several_outputs_are_shown_in_order():
    model, y = branched()
    step = model.trace(EIGHT, y)
    np.testing.assert_allclose(step["h1"], step["z1"] + step["z3"])
    assert step.loss == pytest.approx(float(step["loss_class"] + 0.1 * step["loss_size"]))
    formulas = {entry.name: entry.formula for entry in step.entries}
    assert formulas["dy_class"] == "(y_hat_class - t_class) / n"
    assert formulas["dy_size"] == "0.1 2 (y_hat_size - t_size) / n"
    assert formulas["dW1"] == "X.T @ da1 + X.T @ da2 + z2.T @ da3"
    assert formulas["dh1"] == "dy_size @ W4.T + dy_class @ W5.T"  # numbered in the order in which Keras runs them
    np.testing.assert_allclose(step["dh1"], step["dy_size"] @ step["W4"].T + step["dy_class"] @ step["W5"].T)
    by_path = {entry.formula: entry.name for entry in step.entries if entry.part == "forward"}
    for variable in model.trainable_weights:
        expected = numerical_gradient(lambda: model.trace(EIGHT, y).loss, variable.value)
        np.testing.assert_allclose(step[f"d{by_path[variable.path]}"], expected, rtol=1e-5, atol=1e-8)


def test_weights_of_one_name_are_told_apart():
    class Twice(layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight((6,), "ones", name="W")

        def forward(self, x, training=False):
            self.x = x
            return x * self.w.value

        def backward(self, dy):
            np.sum(dy * self.x, axis=0, out=self.w.gradient)
            return dy * self.w.value

    model = stack(dense(6, "tanh"), Twice(name="twice", dtype="float64"), dense(3, "softmax"))
    step = model.trace(EIGHT, LABELS)
    assert step["W1"].shape == (6, 6)
    assert step["twice/W"].shape == (6,)
    assert "dtwice/W" in step


def test_an_unknown_name_names_the_nearest_one():
    step = NETWORKS["deep"]().trace(EIGHT, LABELS)
    with pytest.raises(KeyError, match="Did you mean 'y_hat'"):
        step["yhat"]


# --- What cannot be shown ---


def test_a_model_that_is_not_compiled_or_not_built_is_refused():
    with pytest.raises(ValueError, match=r"must call `compile\(\)` before calling `trace\(\)`"):
        Sequential([Input((6,)), layers.Dense(3)]).trace(EIGHT, LABELS)
    model = Sequential([layers.Dense(3, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="has no weights yet"):
        model.trace(EIGHT, LABELS)


def test_data_that_does_not_fit_is_refused():
    model = NETWORKS["deep"]()
    with pytest.raises(ValueError, match="incompatible"):
        model.trace(EIGHT[:, :5], LABELS)
    with pytest.raises(ValueError, match="No targets"):
        model.trace(EIGHT, None)


def test_an_optimizer_without_steps_is_refused():
    model = NETWORKS["deep"]()
    model.compile(optimizers.LBFGS(), "sparse_categorical_crossentropy")
    with pytest.raises(ValueError, match="LBFGS searches along the whole data set"):
        model.trace(EIGHT, LABELS)


def test_numbers_that_are_not_finite_are_shown_as_they_are():
    model = NETWORKS["mean squared error"]()
    model.layers[-1].kernel.value[0] = np.nan
    step = model.trace(EIGHT, targets(model))
    assert np.isnan(step.loss)
    assert "nan" in str(step)
    assert "<img" in step._repr_html_()


# --- What layers give ---


def test_layer_outputs_are_those_of_prediction():
    model = NETWORKS["batch normalization"]()
    model.fit(EIGHT, LABELS, epochs=2, verbose=0)
    outputs = layer_outputs(model, EIGHT)
    assert [output.name for output in outputs] == ["a1", "h1", "z1", "y_hat"]
    np.testing.assert_array_equal(outputs[-1].value, model.predict(EIGHT, verbose=0))


# --- Notebooks ---


def test_a_notebook_shows_every_array_with_a_picture():
    step = NETWORKS["dropout"]().trace(EIGHT, LABELS)
    html = step._repr_html_()
    assert html.count("<img") == sum(value.ndim > 0 for value in step.values())
    assert "http" not in html  # nothing is fetched
    for name in step:
        assert f">{name}</td>" in html


def test_pictures_have_a_colour_for_each_sign():
    (source,) = re.findall(r'src="data:image/png;base64,([^"]+)"', picture(np.array([[-2.0, 0.0, 2.0, np.nan]])))
    image = Image.open(io.BytesIO(base64.b64decode(source))).convert("RGB")
    assert image.size == (4, 1)
    assert [image.getpixel((i, 0)) for i in range(4)] == [(0, 114, 178), (245, 245, 245), (213, 94, 0), (0, 0, 0)]


def test_pictures_of_large_matrices_stay_small():
    matrix = np.ones((5000, 3000), np.float32)
    matrix[:2500] = -1.0
    html = picture(matrix)
    (source,) = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    image = Image.open(io.BytesIO(base64.b64decode(source))).convert("RGB")
    assert image.size == (64, 24)
    assert image.getpixel((0, 0)) == (0, 114, 178)
    assert image.getpixel((63, 23)) == (213, 94, 0)


def test_what_is_shown_is_escaped():
    model = stack(dense(3, "softmax", name="<b>bold"))
    for html in (model.trace(EIGHT, LABELS)._repr_html_(), model._repr_html_()):
        assert "<b>" not in html
        assert "&lt;b&gt;bold" in html


def test_a_model_shows_its_summary():
    model = stack(dense(5, "tanh"), dense(3, "softmax"))
    html = model._repr_html_()
    for text in (model.name, "(Dense)", "(None, 5)", "Total params: 53"):
        assert text in html
    branches = branched()[0]._repr_html_()
    assert "Connected to" in branches
    assert "shared[1][0]" in branches


def test_a_model_that_is_not_built_shows_what_is_known():
    assert "(unbuilt)" in Sequential([layers.Dense(3)])._repr_html_()
