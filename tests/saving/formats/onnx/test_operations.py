"""Models that are drawn up with functions and operators, as ONNX files."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import activations, layers, ops

pytest.importorskip("onnx")
runtime = pytest.importorskip("onnxruntime")

X = np.random.default_rng(7).normal(0, 2, (5, 2, 4)).astype("float32")

FUNCTIONS = {
    "arithmetic": lambda x: -(2 * x - 1) / (x * x + 3) + np.abs(x) ** 2,
    "exp, log, sqrt": lambda x: np.log(np.sqrt(np.exp(x) + 1)) + np.log1p(x * x) + np.expm1(x) + ops.rsqrt(x * x + 1),
    "sin": lambda x: np.sin(x) + np.cos(x) * np.tanh(x) - np.sign(x),
    "square": lambda x: np.square(x) + ops.stop_gradient(x),
    "clip": lambda x: ops.clip(x, -1, 1) + np.clip(x, 0, None),
    "maximum": lambda x: np.maximum(x, 0) - np.minimum(x, [0.0, 1.0, 2.0, 3.0]),
    "where": lambda x: np.where((x > 0) & ~(x >= 2) | (x < -1), x * 2, 0.5),
    "equal": lambda x: np.where(np.not_equal(np.floor(x), 0) ^ (x <= 1), x, -x),
    "cast": lambda x: ops.cast(x > 0, "float32") * x,
    "sum": lambda x: np.sum(x, axis=-1) + np.mean(x, axis=(1, 2), keepdims=True)[:, 0],
    "max": lambda x: x - np.max(x, axis=2, keepdims=True) + np.min(x, axis=1, keepdims=True),
    "prod": lambda x: np.prod(x, axis=1),
    "var": lambda x: ops.var(x, axis=-1) + ops.std(x, axis=2) + ops.logsumexp(x, axis=-1),
    "concatenate": lambda x: np.concatenate([x, x * 2, x], axis=-1),
    "stack": lambda x: np.stack([x, -x], axis=1),
    "reshape": lambda x: ops.reshape(x, (-1, 8)) + np.reshape(x, (-1, 4, 2))[:, :1, 1],
    "transpose": lambda x: ops.transpose(x, (0, 2, 1)) + np.swapaxes(x, -1, -2) + np.moveaxis(x, 1, 2),
    "squeeze": lambda x: np.squeeze(np.expand_dims(x, 1), axis=1) + ops.squeeze(x[:, None]),
    "slices": lambda x: x[:, 0, 1:-1] + x[..., -1, ::-2] + x[:, 1, None, :2][:, 0],
    "take": lambda x: np.take(x, [3, 0], axis=2),
    "matmul": lambda x: (x @ np.ones((4, 3), "float32")) @ np.ones((3, 2), "float32") + np.einsum("nij,nkj->nik", x, x),
    "activations": lambda x: ops.softmax(x) + ops.gelu(x) + ops.silu(x) + ops.sigmoid(x) + activations.relu(x),
    "attention": lambda x: ops.softmax(x @ ops.transpose(x, (0, 2, 1)) / 2.0) @ x,
}  # fmt: skip


def model_of(function):
    x = keras.Input(X.shape[1:])
    return keras.Model(x, function(x))


@pytest.mark.parametrize("case", FUNCTIONS)
def test_functions_come_out_the_same(case, tmp_path):
    model = model_of(FUNCTIONS[case])
    model.export(tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    for x in (X, X[:1]):
        (y,) = session.run(None, {session.get_inputs()[0].name: x})
        np.testing.assert_allclose(y, model(x), rtol=1e-4, atol=1e-4)


def test_a_variable_is_a_constant(tmp_path):
    rate = keras.Variable(np.full(4, 0.5, "float32"), trainable=False)
    model = model_of(lambda x: layers.Dense(4)(x) * rate)
    model.export(tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(session.run(None, {session.get_inputs()[0].name: X})[0], model(X), rtol=1e-4, atol=1e-5)


REFUSED = {
    "an operation": (lambda x: np.cumsum(x, axis=1), r"The operation 'cumsum.*' \(Cumsum\) is not written to ONNX"),
    "whole numbers": (lambda x: np.argmax(x, axis=-1), r"\(Argmax\) is not written to ONNX"),
    "places by an array": (lambda x: x[:, :, np.array([0, 2])], "takes places by an array"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_written_is_named(case, tmp_path):
    function, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        model_of(function).export(tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
