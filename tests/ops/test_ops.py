"""Each operation gives what Keras gives: values, types and gradients, of whatever stands for an array."""

import inspect
import json
import re
from pathlib import Path

import numpy as np
import pytest

from multilayer import Input, Model, Tensor, Variable, ops
from multilayer.autodiff import gradient
from multilayer.layers import KerasTensor
from ops.expressions import CONSTANTS, EXPRESSIONS, INPUTS

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # NumPy's, where infinities are what is asked for

RECORDED = json.loads((Path(__file__).parent / "recorded.json").read_text(encoding="utf-8"))
OPS = {name: getattr(ops, name) for name in ops.__all__}


def evaluated(expression, **inputs):
    return eval(expression, {**OPS, "np": np, **INPUTS, **inputs})


def leaves(result):
    return [inner for one in result for inner in leaves(one)] if isinstance(result, (list, tuple)) else [result]


def agree(found, expression):
    """The results are of the recorded types, and close to the recorded values: Keras computes in float32."""
    recorded = RECORDED[expression]
    for one, values, dtype in zip(leaves(found), recorded["values"], recorded["dtypes"], strict=True):
        array = np.asarray(one)
        np.testing.assert_allclose(array, np.asarray(values), rtol=2e-4, atol=2e-5)
        assert str(array.dtype) == dtype or not hasattr(one, "dtype")


def total(x, expression):
    """The sum of the results, with weights 1, 2, 3 ... so that none cancels another."""
    found = [one for one in leaves(evaluated(expression, x=x)) if np.result_type(one.dtype).kind == "f"]
    return sum(np.sum(one * (1.0 + np.arange(one.size).reshape(one.shape)).astype(one.dtype)) for one in found)


def test_every_operation_is_among_the_expressions():
    called = set(re.findall(r"(\w+)\(", " ".join(EXPRESSIONS)))
    assert {name for name in ops.__all__ if not inspect.ismodule(OPS[name])} <= called


# --- Of arrays ---


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_values_and_types_are_those_of_keras(expression):
    agree(evaluated(expression), expression)


def test_arguments_are_those_of_keras_whether_by_place_or_by_name():
    assert str(inspect.signature(ops.pad)).startswith("(x: 'Any', pad_width: 'Any', mode: 'str' = 'constant'")
    assert ops.sum(x=[[1, 2]], axis=1, keepdims=True).tolist() == [[3]]
    assert ops.one_hot(x=[1], num_classes=2).tolist() == [[0.0, 1.0]]


def test_lists_and_numbers_have_keras_types():
    assert [ops.dtype(one) for one in ([1.5], [1], True, 2**40, np.float64(1), np.zeros(1, np.int64))] == [
        *("float32", "int32", "bool"),
        *("int64", "float64", "int64"),
    ]
    assert ops.add(np.zeros(2, np.float16), 1.5).dtype == np.float16  # a number of Python's takes the array's type
    assert ops.matmul(np.eye(2), np.eye(2, dtype=np.float32)).dtype == np.float64


def test_float64_is_computed_in_float64():
    x = np.array([[0.5, 1.0]])
    for name in ("exp", "softmax", "log_softmax", "logsumexp", "erf", "normalize", "mean", "relu", "median"):
        assert OPS[name](x).dtype == np.float64


def test_a_list_is_an_array():
    for expression in (one for one in EXPRESSIONS if re.fullmatch(r"\w+\((x|x, \w+=[^()]*)\)", one)):
        agree(evaluated(expression, x=INPUTS["x"].tolist()), expression)


# --- Of what stands for arrays ---


@pytest.mark.parametrize("expression", [one for one in EXPRESSIONS if re.search(r"\bx\b", one)])
def test_variables_and_tensors_that_nothing_records_are_their_values(expression):
    agree(evaluated(expression, x=Variable(INPUTS["x"])), expression)
    agree(evaluated(expression, x=Tensor(INPUTS["x"])), expression)


WITH_GRADIENT = [one for one in EXPRESSIONS if "gradient" in RECORDED[one] and one not in CONSTANTS]
# Where differences would look at both sides of a kink or jump, at infinities, or at what is hidden from the gradient.
AT_KINKS = re.compile(r"(maximum|minimum|divide)\(x, [i2]|shrink|mod|segment_max|slice_update\(y|\w+_gradient")


@pytest.mark.parametrize("expression", WITH_GRADIENT)
def test_gradients_are_those_of_keras_and_the_limits_of_differences(expression):
    found = gradient(total)(INPUTS["x"], expression)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, RECORDED[expression]["gradient"], rtol=1e-3, atol=1e-4)
    if not AT_KINKS.search(expression):
        x = INPUTS["x"].astype(np.float64)
        np.testing.assert_allclose(gradient(total)(x, expression), differences(x, expression), rtol=2e-5, atol=2e-5)


def differences(x, expression, step=1e-6):
    slopes = np.zeros_like(x)
    for place in np.ndindex(*x.shape):
        moved = np.zeros_like(x)
        moved[place] = step
        slopes[place] = (total(x + moved, expression) - total(x - moved, expression)) / (2 * step)
    return slopes


OF_SAMPLES = """
    softmax(x, axis=-1) | relu(x) | gelu(x) | tanh(x) | add(x, 1) | multiply(2.0, x) | add(x, x)
    where(x > 0, x, x * x)
    sum(x, axis=1, keepdims=True) | mean(x, axis=-1) | argmax(x, axis=-1) | clip(x, -1, 1) | cast(x, 'int32') | isnan(x)
    reshape(x, (-1, 1, 3)) | expand_dims(x, 1) | concatenate([x, square(x)], axis=-1)
    stack([x, x], axis=1) | split(x, 3, axis=1) | take(x, [2, 0], axis=1) | top_k(x, 2) | unstack(x, axis=1)
    matmul(x, a) | einsum('ij,jk->ik', x, a) | dot(x, [1.0, 2.0, 3.0]) | normalize(x) | layer_normalization(x)
    one_hot(argmax(x, axis=-1), 3) | logsumexp(x, axis=1) | stop_gradient(x) | convert_to_tensor(x) | zeros_like(x)
    map(lambda row: row * row, x) | cond(True, lambda: 1, lambda: 0) * x | norm(x, axis=1) | cumsum(x, axis=1)
"""


PER_SAMPLE = [one.strip() for line in OF_SAMPLES.splitlines() for one in line.split(" | ") if one]


@pytest.mark.parametrize("expression", PER_SAMPLE)
def test_of_a_tensor_of_a_model_they_are_steps_of_it(expression):
    x = Input((3,))
    drawn = leaves(evaluated(expression, x=x))
    assert all(isinstance(one, KerasTensor) for one in drawn)
    for one, result, wanted in zip(
        drawn, leaves(Model(x, drawn)(INPUTS["x"])), leaves(evaluated(expression)), strict=True
    ):
        assert one.shape == (None, *wanted.shape[1:])
        assert one.dtype == result.dtype == wanted.dtype
        np.testing.assert_array_equal(np.asarray(result), np.asarray(wanted))


def test_a_tensor_stays_what_it_is_and_its_shape_is_known_at_once():
    x = Input((3,))
    assert (ops.shape(x), ops.ndim(x), ops.size(x), ops.dtype(x)) == ((None, 3), 2, None, "float32")
    assert [ops.is_tensor(one) for one in (x, ops.convert_to_tensor(1.0), np.zeros(1))] == [False, True, True]
