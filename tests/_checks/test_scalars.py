"""Odd values for single arguments: Keras 3.15.1 refuses each, or gives NaN or an error at the first batch."""

import json
import math

import numpy as np
import pytest

from multilayer import initializers, layers, losses, optimizers, saving

schedules = optimizers.schedules

REFUSED = [
    (layers.Rescaling, {"scale": None}, "`scale`"),
    (layers.Rescaling, {"scale": 2.0, "offset": [0.0, math.nan]}, "`offset`"),
    (layers.Normalization, {"axis": "last"}, "`axis`"),
    (layers.Normalization, {"axis": 0.5}, "`axis`"),
    (layers.Normalization, {"mean": math.nan, "variance": 1.0, "axis": None}, "`mean`"),
    (layers.InputLayer, {"shape": (4,), "batch_size": -1}, "`batch_size`"),
    (layers.InputLayer, {"shape": (4,), "batch_size": 0.5}, "`batch_size`"),
    (layers.PReLU, {"shared_axes": (0.5, 2.0)}, "shared_axes"),
    (layers.Reshape, {"target_shape": "34"}, "`target_shape`"),
    (layers.Dense, {"units": 3, "dtype": 0}, "float32"),
    (layers.Dense, {"units": 3, "dtype": {}}, "float32"),
    (layers.ELU, {"alpha": "3"}, "`alpha`"),
    (layers.LayerNormalization, {"epsilon": None}, "`epsilon`"),
    (layers.RMSNormalization, {"epsilon": "3"}, "`epsilon`"),
    (initializers.RandomNormal, {"stddev": [1.0]}, "`stddev`"),
    (initializers.RandomUniform, {"maxval": math.inf}, "`maxval`"),
    (initializers.TruncatedNormal, {"mean": "0"}, "`mean`"),
    (initializers.Orthogonal, {"gain": 10**400}, "`gain`"),
    (initializers.Identity, {"gain": 1j}, "`gain`"),
    (initializers.VarianceScaling, {"mode": None}, "mode"),
    (losses.MeanSquaredError, {"name": 5}, "`name`"),
    (losses.CategoricalCrossentropy, {"label_smoothing": None}, "`label_smoothing`"),
    (losses.SparseCategoricalCrossentropy, {"ignore_class": 0.5}, "`ignore_class`"),
    (schedules.ExponentialDecay, {"initial_learning_rate": [0.1], "decay_steps": 9, "decay_rate": 0.5}, "`initial"),
    (schedules.ExponentialDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "decay_rate": "1"}, "`decay_rate`"),
    (schedules.CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": math.nan}, "`decay_steps`"),
    (schedules.CosineDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "name": []}, "`name`"),
    (schedules.PolynomialDecay, {"initial_learning_rate": 0.1, "decay_steps": 9, "power": ()}, "`power`"),
    (schedules.PiecewiseConstantDecay, {"boundaries": [1], "values": [0.1, "x"]}, "`values`"),
]

# Numbers as NumPy has them, which a file of JSON has not.
DESCRIBED = [
    (layers.Dense, {"units": np.int64(3), "use_bias": np.bool_(True)}),
    (layers.LayerNormalization, {"axis": [np.int64(-1)], "epsilon": np.float32(0.5), "center": np.bool_(False)}),
    (layers.PReLU, {"shared_axes": np.int64(1)}),
    (layers.Normalization, {"axis": np.int64(-1), "mean": np.float32(1.0), "variance": np.float32(2.0)}),
    (layers.Reshape, {"target_shape": np.array([2, 2])}),
    (layers.InputLayer, {"shape": (4,), "batch_size": np.int64(3)}),
    (initializers.RandomNormal, {"mean": np.float32(0.5), "stddev": np.int64(1)}),
    (schedules.CosineDecay, {"initial_learning_rate": np.float32(0.5), "decay_steps": np.int64(9)}),
    (schedules.PiecewiseConstantDecay, {"boundaries": np.array([1]), "values": np.array([0.5, 0.25])}),
]


@pytest.mark.parametrize(("cls", "arguments", "named"), REFUSED)
def test_an_odd_argument_is_refused_by_its_name_where_it_is_given(cls, arguments, named):
    with pytest.raises((ValueError, TypeError), match=named):
        cls(**arguments)


@pytest.mark.parametrize(("cls", "arguments"), DESCRIBED)
def test_what_a_constructor_takes_can_be_described(cls, arguments):
    described = saving.serialize_keras_object(cls(**arguments))
    again = saving.deserialize_keras_object(json.loads(json.dumps(described)))
    assert again.get_config() == cls.from_config(described["config"]).get_config()


def test_slopes_are_shared_along_axes_that_inputs_have():
    with pytest.raises(ValueError, match="`shared_axes` of layer"):
        layers.PReLU(shared_axes=[2])(np.ones((2, 3)))
