"""The weights that are kept of a training."""

import pickle

import numpy as np
import pytest

from multilayer import Input, Sequential, layers
from multilayer.callbacks import LambdaCallback, WeightHistory

X, Y = np.eye(4), np.arange(4.0)


def trained(record, steps, model=None):
    """A model after so many steps."""
    model = model or Sequential([Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    model.fit(X[:1], Y[:1], epochs=steps, verbose=0, callbacks=[record])
    return model


def test_the_start_and_the_end_and_what_lies_between_are_kept():
    record, passed = WeightHistory(), []
    model = Sequential([Input((4,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    start = model.get_weights()
    note = LambdaCallback(on_train_batch_end=lambda batch, logs: passed.append(model.get_weights()))
    model.fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[note, record])
    assert record.steps == [0, 1, 2, 3, 4]
    for kept, weights in zip(record.weights, [start, *passed], strict=True):
        for a, b in zip(kept, weights, strict=True):
            np.testing.assert_array_equal(a, b)


def test_every_so_many_steps_and_the_last():
    record = WeightHistory(every=3)
    trained(record, 8)
    assert record.steps == [0, 3, 6, 8]


@pytest.mark.parametrize("limit", [2, 3, 5, 8])
@pytest.mark.parametrize("every", [1, 3])
def test_there_are_never_more_than_the_limit_and_they_stay_evenly_apart(limit, every):
    for steps in range(1, 40):
        record = WeightHistory(every=every, limit=limit)
        sizes = []
        model = Sequential([Input((4,)), layers.Dense(1)])
        model.compile("sgd", "mse")
        count = LambdaCallback(on_train_batch_end=lambda batch, logs: sizes.append(len(record.weights)))  # noqa: B023
        model.fit(X[:1], Y[:1], epochs=steps, verbose=0, callbacks=[record, count])
        assert max(*sizes, len(record.weights), 0) <= limit
        assert len(record.weights) == len(record.steps) >= 2
        assert (record.steps[0], record.steps[-1]) == (0, steps)
        assert len(set(np.diff(record.steps[:-1]))) <= 1  # the last one apart, wherever training ended


def test_a_second_training_is_kept_anew_and_from_the_distance_that_was_asked_for():
    record = WeightHistory(limit=4)
    model = trained(record, 20)
    assert record.steps == [0, 8, 16, 20]
    trained(record, 2, model)
    assert record.steps == [0, 1, 2]


def test_a_model_that_is_built_by_its_first_data_has_a_start():
    record = WeightHistory()
    trained(record, 1, Sequential([layers.Dense(1)]))
    assert [array.shape for array in record.weights[0]] == [(4, 1), (1,)]


def test_a_pickled_record_leaves_the_network_behind():
    record = WeightHistory()
    trained(record, 2)
    again = pickle.loads(pickle.dumps(record))
    assert not hasattr(again, "model")
    assert again.steps == record.steps
    np.testing.assert_array_equal(again.weights[1][0], record.weights[1][0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"every": 0}, "`every` must be a whole number of at least 1"),
        ({"limit": 1}, "`limit` must be a whole number of at least 2"),
    ],
)
def test_what_can_keep_nothing_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        WeightHistory(**arguments)
