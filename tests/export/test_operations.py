"""Functions that a model was drawn up with as steps: what they compute is compared in c/test_c.py, `of_functions`."""

import numpy as np
import pytest

import multilayer as keras
from multilayer.export.plan import plan_of
from multilayer.layers import Input


@pytest.mark.parametrize(
    ("drawn", "kinds"),
    [
        (lambda x: x + x, ["merge"]),
        (lambda x: x + 1, ["scale"]),
        (lambda x: np.ones((1, 2, 4)) - x, ["scale"]),
        (lambda x: x / np.arange(1.0, 5.0), ["standardize"]),
        (lambda x: keras.activations.relu(x), ["activation"]),
        (lambda x: np.mean(x, axis=(1, 2)), ["reduce"]),
        (lambda x: keras.ops.expand_dims(x, -1), ["reshape"]),
    ],
)
def test_an_operation_becomes_few_steps(drawn, kinds):
    x = Input((2, 4))
    assert [step.kind for step in plan_of(keras.Model(x, drawn(x))).steps] == kinds


@pytest.mark.parametrize(
    "drawn",
    [
        lambda x: np.mean(x),
        lambda x: np.mean(x, axis=0),
        lambda x: np.transpose(x),
        lambda x: keras.ops.expand_dims(x, 0),
        lambda x: keras.ops.reshape(x, (-1, 4)),
        lambda x: keras.ops.concatenate([x, x], axis=0),
        lambda x: 1 / x,
        lambda x: np.maximum(x, np.arange(4.0)),
        lambda x: keras.ops.matmul(x, np.ones(4)),
        lambda x: np.max(x, axis=1, initial=0.0),
        lambda x: x[:, 0],
        lambda x: np.where(x > 0, x, 1.0),
        lambda x: np.tan(x),
    ],
)
def test_what_mixes_samples_or_has_no_steps_is_refused(drawn):
    x = Input((2, 4))
    with pytest.raises(ValueError, match=r"The operation '.*' \(.*\) is not exported in this format with these"):
        plan_of(keras.Model(x, drawn(x)))


def test_whole_numbers_which_wrap_around_are_refused():
    x = Input((2,), dtype="uint8")
    with pytest.raises(ValueError, match="is not exported"):
        plan_of(keras.Model(x, x + x))
