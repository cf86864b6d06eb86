"""Results that are numbers."""

import copy
import json
import pickle

import numpy as np

from multilayer import losses, metrics
from multilayer.config import set_floatx


def test_a_loss_and_a_metric_give_numbers_as_keras_programs_use_them():
    loss = losses.MeanSquaredError()([[0.0, 1.0]], [[0.0, 0.0]])
    mean = metrics.Mean()([1.0, 2.0])
    for number, value in ((loss, 0.5), (mean, 1.5)):
        assert number == value
        assert repr(number) == repr(value)
        assert type(number.numpy()) is np.float32
        assert (number.dtype, number.shape, number.ndim) == ("float32", (), 0)
        assert type(number.item()) is float


def test_a_number_is_written_and_copied_as_a_plain_one():
    loss = losses.MeanSquaredError()([[0.0, 1.0]], [[0.0, 0.0]])
    assert json.dumps(loss) == "0.5"
    assert type(pickle.loads(pickle.dumps(loss))) is float
    assert type(copy.deepcopy(loss)) is float


def test_a_number_has_the_type_of_floatx():
    set_floatx("float64")
    try:
        assert metrics.Mean()([1.0, 2.0]).numpy().dtype == "float64"
    finally:
        set_floatx("float32")
