"""Windows of a series: what is refused, and how models take them. `tests/golden` compares their batches with Keras'."""

import pickle

import numpy as np
import pytest

import multilayer as keras
from multilayer.utils import timeseries_dataset_from_array

SERIES = np.arange(12.0)


def windows(**arguments):
    return timeseries_dataset_from_array(**{"data": SERIES, "targets": None, "sequence_length": 3} | arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"start_index": -1}, "`start_index` must be 0 or greater. Received: start_index=-1"),
        ({"start_index": 12}, "`start_index` must be lower than the length of the data, 12"),
        ({"end_index": 12}, "`end_index` must be lower than the length of the data, 12"),
        ({"end_index": -1}, "`end_index` must be higher than 0"),
        ({"start_index": 5, "end_index": 5}, "`end_index` must be higher than `start_index`, 5"),
        ({"sampling_rate": 0}, "`sampling_rate` must be higher than 0"),
        ({"sampling_rate": 12}, "`sampling_rate` must be lower than the length of the data"),
        ({"sequence_stride": -1}, "`sequence_stride` must be higher than 0"),
        ({"sequence_stride": 12}, "`sequence_stride` must be lower than the length of the data"),
        ({"sequence_length": 0}, "`sequence_length` must be a whole number of at least 1"),
        ({"sequence_length": 2.0}, "`sequence_length` must be a whole number"),
        ({"sequence_length": 13}, "No window fits: .* one spans 13 steps, and there are 12, from 0 to 12"),
        ({"start_index": 2, "end_index": 6, "sampling_rate": 2}, "one spans 5 steps, and there are 4, from 2 to 6"),
        ({"batch_size": 0}, "`batch_size` must be a whole number of at least 1"),
        ({"shuffle": "yes"}, "`shuffle` is expected to be a boolean"),
        ({"shuffle": True, "seed": -1}, "`seed` must be a whole number of at least 0"),
        ({"format": "torch"}, '`format` must be "tf" or "grain"'),
        ({"targets": []}, "`targets` has 0"),
        ({"targets": np.arange(7), "start_index": 4}, "`targets` has 7, and the last of the windows starts at step 9"),
        ({"data": 5}, "must be arrays, whose first axis is time"),
    ],
)
def test_what_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        windows(**arguments)


def test_the_first_batches_can_be_taken():
    dataset = windows(batch_size=4)
    assert [len(dataset.take(count)) for count in (0, 2, 9, -1)] == [0, 2, 3, 3]
    np.testing.assert_array_equal(next(iter(dataset.take(1))), next(iter(dataset)))
    assert len(dataset) == len(list(dataset)) == 3


def test_models_take_windows_and_a_series_is_learnt():
    series = np.sin(np.arange(300) / 5).astype("float32")
    dataset = timeseries_dataset_from_array(series[:-4], series[4:], 4, batch_size=32, shuffle=True, seed=1)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "tanh"), keras.layers.Dense(1)])
    model.compile(keras.optimizers.Adam(0.01), "mse")
    history = model.fit(dataset, validation_data=dataset, epochs=20, verbose=0).history
    assert history["val_loss"][-1] < 0.05 < history["val_loss"][0]
    assert model.evaluate(dataset, verbose=0) == pytest.approx(history["val_loss"][-1], rel=1e-5)
    assert model.predict(dataset, verbose=0).shape == (293, 1)


def test_fit_takes_windows_in_their_order():
    seen = []

    class Looks(keras.Model):
        def call(self, x):
            return x

        def train_step(self, data):
            seen.append(np.array(data)[:, 0].tolist())
            return {}

    model = Looks()
    model.compile("sgd", "mse")
    model.fit(windows(batch_size=5), epochs=2, verbose=0)
    assert seen == 2 * [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_frame_is_a_series():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": SERIES, "b": 2 * SERIES})
    (x, y) = next(iter(timeseries_dataset_from_array(frame, frame["a"], 3, batch_size=2)))
    assert x.shape == (2, 3, 2)
    assert y.tolist() == [0.0, 1.0]


def test_windows_are_not_copied_before_they_are_wanted():
    series = np.zeros(1_000_000, "float32")
    assert timeseries_dataset_from_array(series, None, 1000, batch_size=2)._series.base is series


def test_a_copy_goes_on_with_the_same_orders():
    dataset = windows(batch_size=2, shuffle=True, seed=4)
    list(dataset)
    again = pickle.loads(pickle.dumps(dataset))
    for one, other in zip(dataset, again, strict=True):
        np.testing.assert_array_equal(one, other)
