"""A batch in one piece and in parts, as training steps of one's own want it."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.utils import pack_x_y_sample_weight, unpack_x_y_sample_weight


@pytest.mark.parametrize("parts", [(1.0,), (1.0, 2.0), (1.0, 2.0, 3.0), ([1.0],), ((1.0, 2.0), 3.0)])
def test_what_was_packed_is_unpacked(parts):
    assert unpack_x_y_sample_weight(pack_x_y_sample_weight(*parts)) == (*parts, None, None)[:3]


def test_a_batch_has_at_most_three_parts():
    with pytest.raises(ValueError, match="got one of 4 parts"):
        unpack_x_y_sample_weight((1.0, 2.0, 3.0, 4.0))


def test_a_step_of_ones_own_takes_whatever_fit_is_given():
    class Stepping(keras.Sequential):
        def train_step(self, data):
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            self.given = x.shape, y.shape, None if sample_weight is None else sample_weight.shape
            with keras.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True), sample_weight)
            self.optimizer.apply(tape.gradient(loss, self.trainable_weights), self.trainable_weights)
            return {"loss": loss}

    model = Stepping([keras.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((4, 3)), np.ones((4, 1))
    model.fit(x, y, verbose=0)
    assert model.given == ((4, 3), (4, 1), None)
    model.fit(x, y, sample_weight=np.ones(4), verbose=0)
    assert model.given[2] == (4,)
