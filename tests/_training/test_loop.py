"""What a step of the loop costs beside its arithmetic."""

import sys

import numpy as np
import pytest

from multilayer import Sequential, layers
from multilayer._core import kernels
from multilayer._training.trainer import Trainer


@pytest.mark.skipif(kernels.kind == "numpy", reason="the references are functions of Python")
def test_a_step_of_a_small_network_makes_few_calls():
    """On small batches calls of Python's functions take as long as a layer's product: 74 they were, then 43."""
    model = Sequential([layers.Input((8,)), layers.Dense(4, "sigmoid"), layers.Dense(3, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = np.ones((64, 8), np.float32), np.zeros(64, int)
    model.fit(x, y, batch_size=4, verbose=0)
    called = []
    before = sys.getprofile()
    sys.setprofile(lambda frame, event, _: called.append(frame.f_code) if event == "call" else None)
    try:
        model.fit(x, y, batch_size=4, verbose=0)
    finally:
        sys.setprofile(before)
    steps = [place for place, code in enumerate(called) if code is Trainer.train_step.__code__]
    assert len(steps) == 16
    assert steps[9] - steps[8] <= 46
