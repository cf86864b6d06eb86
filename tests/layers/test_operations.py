"""The table of Keras' operations: each is one function here, which leads back to it."""

import numpy as np
import pytest

from multilayer import activations
from multilayer.layers.operations import OPERATIONS, called, function_of, named_arguments, operation_of


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_a_function_that_leads_back_to_it(name):
    same = {"TrueDivide": "Divide", "Divide": "TrueDivide", "Relu": "ReLU"}
    found = operation_of(function_of(name))
    assert found is not None
    assert found.name in (name, same.get(name))


@pytest.mark.parametrize(
    ("function", "args", "kwargs", "named"),
    [
        (np.mean, ("x", 1), {"keepdims": True}, {"x": "x", "axis": 1, "keepdims": True}),
        (np.clip, ("x",), {"min": 0, "max": 1}, {"x": "x", "x_min": 0, "x_max": 1}),
        (np.einsum, ("ij->i", "x"), {}, {"*operands": ["x"], "subscripts": "ij->i"}),
        (np.tile, ("x", (1, 2)), {}, {"x": "x", "repeats": (1, 2)}),
        (activations.gelu, ("x",), {}, {"x": "x", "approximate": False}),
        (np.sum, ("x",), {"where": [True]}, None),
    ],
)
def test_arguments_are_called_as_keras_calls_them(function, args, kwargs, named):
    operation = operation_of(function)
    found = named_arguments(operation, function, args, kwargs)
    assert found == named
    if named is not None:
        again = called(operation, found)
        assert named_arguments(operation, function_of(operation.name), *again) == named
