"""The steps by which RealMLP learns."""

import numpy as np
import pytest

from multilayer import optimizers
from multilayer._core.arena import Arena, Variable
from multilayer.optimizers import schedules
from multilayer.tabular import AdamByWeight, CosineCycles, FlatCosine


def test_the_cycles_are_full_and_empty_where_they_should_be():
    rate = CosineCycles(0.04, 15_000)
    assert [round(rate(step), 12) for step in (0, 1000, 3000, 7000, 15_000)] == [0.0] * 5
    np.testing.assert_allclose([rate(414), rate(1828), rate(4657), rate(10_314)], 0.04, rtol=1e-5)


def test_a_flat_cosine_falls_in_its_second_half():
    rate = FlatCosine(2.0, 100)
    np.testing.assert_allclose([rate(0), rate(49), rate(75), rate(100), rate(120)], [2, 2, 1, 0, 0], atol=1e-12)


@pytest.mark.parametrize("schedule", [CosineCycles(0.1, 10), FlatCosine(0.1, 10)])
def test_schedules_come_back_from_their_configs(schedule):
    again = schedules.deserialize(schedules.serialize(schedule))
    assert type(again) is type(schedule)
    assert again(3) == schedule(3)


def test_every_weight_has_its_own_rate_and_decay():
    stream = np.random.default_rng(0)
    weights = [Variable(stream.normal(size=3), name=name) for name in ("kernel", "bias", "scale", "kernel")]
    arena = Arena(weights)
    expected = [np.array(one.value) for one in weights]
    m, v = [np.zeros(3)] * 4, [np.zeros(3)] * 4
    optimizer = AdamByWeight(
        CosineCycles(0.1, 20),
        decay=FlatCosine(0.5, 20),
        rate_factors={"bias": 0.1, "scale": 6.0},
        decay_factors={"bias": 0.0},
        epsilon=1e-3,
    )
    optimizer.follow(weights)
    for t in range(1, 16):
        arena.gradients[...] = stream.normal(size=12)
        rate, decay = CosineCycles(0.1, 20)(t - 1), FlatCosine(0.5, 20)(t - 1)
        for i, (factor, share) in enumerate([(1, 1), (0.1, 0), (6, 1), (1, 1)]):
            g = np.array(weights[i].gradient)
            expected[i] = expected[i] * (1 - decay * rate * factor**2 * share**2)
            m[i], v[i] = 0.9 * m[i] + 0.1 * g, 0.95 * v[i] + 0.05 * g * g
            root = np.sqrt(v[i] / (1 - 0.95**t)) + 1e-3
            expected[i] = expected[i] - rate * factor * m[i] / (1 - 0.9**t) / root
        optimizer.step(arena.gradients, arena.parameters)
    for weight, value in zip(weights, expected, strict=True):
        np.testing.assert_allclose(weight.value, value, rtol=1e-12)


def test_the_optimizer_comes_back_from_its_config():
    optimizer = AdamByWeight(CosineCycles(0.1, 20), decay=FlatCosine(0.5, 20), rate_factors={"bias": 0.1})
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert again.get_config() == optimizer.get_config()
    assert again.decayed_by(15) == optimizer.decayed_by(15)
    with pytest.raises(ValueError, match="`decay` must be"):
        AdamByWeight(decay=-1.0)
