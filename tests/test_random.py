"""Random numbers under Keras' names: of the right kind, in the right range, and the same with the same seed."""

import sys
import threading

import numpy as np
import pytest

import multilayer as keras
from multilayer import random
from multilayer.random import SeedGenerator

FLOATS = {
    "normal": lambda **given: random.normal((50, 3), **given),
    "normal, given": lambda **given: random.normal((50, 3), 2.0, 0.5, **given),
    "truncated_normal": lambda **given: random.truncated_normal((50, 3), 1.0, 2.0, **given),
    "uniform": lambda **given: random.uniform((50, 3), -1.0, 3.0, **given),
    "gamma": lambda **given: random.gamma((50, 3), [0.5, 1.0, 4.0], **given),
    "beta": lambda **given: random.beta((50, 3), [2.0, 0.5, 1.0], 3.0, **given),
    "binomial": lambda **given: random.binomial((50, 3), [10, 100, 3], 0.3, **given),
}
DRAWS = {
    **FLOATS,
    "randint": lambda **given: random.randint((50, 3), 0, 1000, **given),
    "categorical": lambda **given: random.categorical(np.arange(150.0).reshape(50, 3) % 7, 3, **given),
    "dropout": lambda **given: random.dropout(np.ones((50, 3)), 0.4, **given),
    "shuffle": lambda **given: random.shuffle(np.arange(150).reshape(50, 3), **given),
}


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_gives_the_same_numbers_at_every_call_and_another_seed_others(draw):
    first = draw(seed=7)
    assert first.shape == (50, 3)
    np.testing.assert_array_equal(draw(seed=7), first)
    np.testing.assert_array_equal(draw(seed=np.int64(7)), first)
    assert (draw(seed=8) != first).any()


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_a_seed_generator_gives_new_numbers_at_every_call_and_begins_as_its_seed(draw):
    seeds = SeedGenerator(7)
    first, second = draw(seed=seeds), draw(seed=seeds)
    assert (first != second).any()
    np.testing.assert_array_equal(draw(seed=7), first)
    again = SeedGenerator(7)
    np.testing.assert_array_equal([draw(seed=again), draw(seed=again)], [first, second])


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
def test_without_a_seed_the_numbers_come_from_the_global_one(draw):
    keras.utils.set_random_seed(3)
    first, second = draw(), draw()
    assert (first != second).any()
    keras.utils.set_random_seed(3)
    np.testing.assert_array_equal(draw(), first)


@pytest.mark.parametrize("draw", DRAWS.values(), ids=DRAWS)
@pytest.mark.parametrize("seed", [-1, 0.5, "7", True, [1]])
def test_a_seed_that_is_none_is_refused(draw, seed):
    with pytest.raises(ValueError, match="Argument `seed` must be either an integer .* instance of `SeedGenerator`"):
        draw(seed=seed)


@pytest.mark.parametrize("draw", FLOATS.values(), ids=FLOATS)
def test_floats_are_of_the_type_that_is_asked_for(draw):
    assert draw().dtype == np.float32
    for dtype in ("float16", "float64", np.float32):
        assert draw(dtype=dtype).dtype == dtype
    keras.config.set_floatx("float64")
    try:
        assert draw().dtype == np.float64
    finally:
        keras.config.set_floatx("float32")
    with pytest.raises(ValueError, match="requires a floating point `dtype`. Received: dtype=int32"):
        draw(dtype="int32")


def test_numbers_lie_as_their_distribution_says():
    n = 200_000
    normal = random.normal((n,), 2.0, 0.5, seed=1)
    assert normal.mean() == pytest.approx(2.0, abs=0.01)
    assert normal.std() == pytest.approx(0.5, abs=0.01)
    truncated = random.truncated_normal((n,), 2.0, 0.5, seed=1)
    assert np.abs(truncated - 2.0).max() <= 1.0
    assert truncated.std() == pytest.approx(0.5 * 0.8796, abs=0.01)  # of a normal distribution cut off at 2 sigma
    uniform = random.uniform((n,), -1.0, 3.0, seed=1)
    assert -1.0 <= uniform.min() < -0.99
    assert 2.99 < uniform.max() < 3.0
    assert uniform.mean() == pytest.approx(1.0, abs=0.02)
    counts = np.bincount(random.randint((n,), 2, 6, seed=1))
    assert counts[:2].tolist() == [0, 0]
    np.testing.assert_allclose(counts[2:] / n, 0.25, atol=0.01)


def test_rarer_numbers_have_the_moments_of_their_distributions():
    n = 100_000
    for numbers, mean, variance in (
        (random.gamma((n,), 3.0, seed=1), 3.0, 3.0),
        (random.beta((n,), 2.0, 3.0, seed=1), 0.4, 0.04),  # alpha beta / ((alpha + beta)^2 (alpha + beta + 1))
        (random.binomial((n,), 10, 0.3, seed=1), 3.0, 2.1),  # n p (1 - p)
    ):
        assert numbers.dtype == np.float32
        assert numbers.mean() == pytest.approx(mean, rel=0.02)
        assert numbers.var() == pytest.approx(variance, rel=0.03)


def test_classes_come_as_often_as_their_logits_say():
    shares = np.array([[0.2, 0.5, 0.0, 0.3, 0.0], [0.0, 0.0, 1.0, 0.0, 0.0]])
    with np.errstate(divide="ignore"):
        classes = random.categorical(np.log(shares) + np.array([[500.0], [-2000.0]]), 50_000, seed=1)
    assert classes.shape == (2, 50_000)
    assert classes.dtype == np.int32
    found = [np.bincount(row, minlength=5) / 50_000 for row in classes]
    np.testing.assert_allclose(found, shares, atol=0.01)
    assert (np.array(found)[shares == 0] == 0).all()
    assert random.categorical([[0.0, 1.0]], 2, dtype="int64").dtype == np.int64
    for wrong in (np.zeros(3), np.zeros((2, 3, 4)), [[-np.inf, -np.inf]], [[np.nan, 0.0]], np.zeros((2, 0))):
        with pytest.raises(ValueError, match="`logits`"):
            random.categorical(wrong, 2)


def test_dropping_keeps_the_mean_and_can_drop_along_an_axis():
    x = np.full((200, 50), 2.0, "float32")
    y = random.dropout(x, 0.25, seed=1)
    assert y.dtype == np.float32
    assert np.unique(y).tolist() == pytest.approx([0.0, 8 / 3])
    assert y.mean() == pytest.approx(2.0, abs=0.05)
    rows = random.dropout(x, 0.5, noise_shape=(None, 1), seed=1)
    assert (rows == rows[:, :1]).all()
    assert not random.dropout(x, 1).any()
    np.testing.assert_array_equal(random.dropout([1, 2], 0.0), [1.0, 2.0])
    for arguments in ((1.5,), ("a",), (0.5, (3, 1)), (0.5, (None,))):
        with pytest.raises(ValueError, match=r"`rate` must be|`noise_shape` .* does not fit"):
            random.dropout(x, *arguments)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_rounding_never_reaches_the_end_of_a_range(dtype):
    assert random.uniform((100_000,), 0.0, 1.0, dtype=dtype, seed=1).max() < 1.0
    assert random.uniform((1000,), 1000.0, 1001.0, dtype=dtype, seed=1).max() < 1001.0


def test_whole_numbers_are_of_the_type_that_is_asked_for():
    assert random.randint((3,), 0, 5).dtype == np.int32
    assert random.randint((3,), 0, 5, dtype="uint8").dtype == np.uint8
    with pytest.raises(ValueError, match="requires an integer `dtype`. Received: dtype=float32"):
        random.randint((3,), 0, 5, dtype="float32")
    with pytest.raises(ValueError, match="`minval` must be less than `maxval`. Received: minval=5, maxval=5"):
        random.randint((3,), 5, 5)


def test_shuffling_changes_places_along_one_axis_and_leaves_the_original():
    x = np.arange(60).reshape(20, 3)
    rows, columns = random.shuffle(x, seed=1), random.shuffle(x, axis=1, seed=2)
    np.testing.assert_array_equal(rows[rows[:, 0].argsort()], x)
    assert (rows != x).any()
    np.testing.assert_array_equal(columns[:, columns[0].argsort()], x)
    np.testing.assert_array_equal(x, np.arange(60).reshape(20, 3))


# --- SeedGenerator ---


def test_a_seed_generator_survives_the_way_through_its_config():
    seeds = SeedGenerator(5, name="mine")
    seeds.next()
    assert seeds.get_config() == {"seed": 5, "name": "mine"}
    copy = SeedGenerator.from_config(seeds.get_config())
    assert copy.next().tolist() == [5, 0]
    assert copy.next().tolist() == [5, 1]
    assert copy.state.tolist() == [5, 2]


def test_without_a_seed_it_takes_one_from_the_global_seed():
    keras.utils.set_random_seed(1)
    first = SeedGenerator().state.tolist()
    assert SeedGenerator().state.tolist() != first
    keras.utils.set_random_seed(1)
    assert SeedGenerator().state.tolist() == first


@pytest.mark.parametrize("seed", [-1, 1.5, "7"])
def test_a_seed_generator_has_a_whole_number_for_a_seed(seed):
    with pytest.raises(ValueError, match="Argument `seed` must be"):
        SeedGenerator(seed)


# --- Several threads --------------------------------------------------------------------------------------------------


def in_a_thread(work):
    worker = threading.Thread(target=work)
    worker.start()
    worker.join()


def next_number():
    return random.new_generator().random()


def refused(*steps):
    """Does what would be done for a file that is refused in the end."""

    @random.given_back_on_error()
    def load():
        for step in steps:
            step()
        raise KeyError

    with pytest.raises(KeyError):
        load()


def test_an_error_gives_the_streams_back_that_were_taken_within():
    random.set_random_seed(1)
    first, second = next_number(), next_number()
    random.set_random_seed(1)
    for _ in range(2):
        refused(next_number, lambda: refused(next_number))
    assert [next_number(), next_number()] == [first, second]


def test_no_stream_is_handed_out_twice_though_an_error_would_give_one_back():
    random.set_random_seed(1)
    numbers = []
    refused(next_number, lambda: in_a_thread(lambda: numbers.append(next_number())))
    numbers += [next_number() for _ in range(3)]
    assert len(set(numbers)) == 4


def test_an_error_leaves_a_seed_alone_that_was_set_meanwhile():
    random.set_random_seed(5)
    first = next_number()
    random.set_random_seed(1)
    refused(next_number, lambda: in_a_thread(lambda: random.set_random_seed(5)))
    assert next_number() == first


def test_a_refused_file_draws_nothing_and_rewinds_no_other_thread(tmp_path):
    from multilayer import Sequential, layers
    from multilayer.saving import load_model, register_keras_serializable

    drawn = []

    @register_keras_serializable("threads")
    class Slow(layers.Dropout):
        meets = False

        def build(self, shape):
            super().build(shape)
            if self.meets:
                in_a_thread(lambda: drawn.append(next_number()))
                raise ValueError("no")

    Sequential([layers.Input((4,)), Slow(0.5), layers.Dense(2)]).save(tmp_path / "model.keras")
    Slow.meets = True
    random.set_random_seed(1)
    with pytest.raises(ValueError, match="no"):
        load_model(tmp_path / "model.keras")
    drawn += [next_number() for _ in range(4)]
    assert len(set(drawn)) == 5


def test_threads_that_draw_at_once_never_get_the_same():
    random.set_random_seed(1)
    seeds, stream = SeedGenerator(3), random.Stream(7)
    numbers, pairs, blocks = [], [], []

    def draw():
        for _ in range(300):
            numbers.append(next_number())
            pairs.append(tuple(seeds.next()))
            blocks.append(stream.take(16))

    workers = [threading.Thread(target=draw) for _ in range(4)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
    finally:
        sys.setswitchinterval(interval)
    assert len(set(numbers)) == len(set(pairs)) == len(set(blocks)) == 1200


def test_the_global_seed_is_moved_by_one_thread_at_a_time():
    random.set_random_seed(3)
    position = random.root_position()
    with random._lock:  # as while another thread is given a stream
        mover = threading.Thread(target=random.move_root, args=([5, 0],))
        mover.start()
        mover.join(0.02)
        assert random.root_position() == position
    mover.join()
    assert random.root_position() == [5, 0]
