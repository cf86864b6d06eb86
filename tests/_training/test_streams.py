"""Data that comes in batches, and arrays that are not NumPy's."""

import gc
import threading
import time

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer._training.streams import Steps, Stream, is_stream

X = np.random.default_rng(0).normal(size=(20, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


def compiled():
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Pieces(keras.utils.PyDataset):
    def __init__(self):
        super().__init__()
        self.events = []

    def __len__(self):
        return 4

    def __getitem__(self, index):
        self.events.append(index)
        return X[index * 5 : index * 5 + 5], Y[index * 5 : index * 5 + 5]

    def on_epoch_begin(self):
        self.events.append("begin")

    def on_epoch_end(self):
        self.events.append("end")


def test_what_is_a_stream():
    assert all(is_stream(one) for one in (Pieces(), iter([1]), (x for x in X), map(abs, X), {1, 2}))
    assert not any(is_stream(one) for one in (X, [X], (X, Y), {"x": X}, None, 3, "x"))


def test_arrays_and_batches_of_them_train_alike():
    arrays, batches = compiled(), compiled()
    one = arrays.fit(X, Y, batch_size=5, epochs=3, shuffle=False, verbose=0).history
    other = batches.fit(Pieces(), epochs=3, shuffle=False, verbose=0).history
    assert one == other
    np.testing.assert_array_equal(arrays.predict(X, batch_size=5, verbose=0), batches.predict(Pieces(), verbose=0))


class Slow(Pieces):
    """Each batch takes 20 ms; notes how many were being made at once."""

    def __init__(self, batches=20, **arguments):
        keras.utils.PyDataset.__init__(self, **arguments)
        self.batches, self.events, self.at_once, self.most, self.lock = batches, [], 0, 0, threading.Lock()

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        with self.lock:
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        time.sleep(0.02)
        with self.lock:
            self.at_once -= 1
        if index == 13 and self.batches == 14:
            raise LookupError("batch 13")
        return np.full((2, 3), index / 20.0, "float32"), np.full((2, 1), index, "float32")


@pytest.mark.parametrize("queue", [0, 2, 10])
def test_workers_make_batches_meanwhile_and_in_order(queue):
    alone, shared = Slow(), Slow(workers=4, max_queue_size=queue)
    expected = compiled().fit(alone, epochs=2, shuffle=False, verbose=0).history
    assert compiled().fit(shared, epochs=2, shuffle=False, verbose=0).history == expected
    np.testing.assert_array_equal(compiled().predict(shared, verbose=0), compiled().predict(alone, verbose=0))
    assert alone.most == 1
    assert 2 <= shared.most <= 4


def test_an_error_in_a_worker_comes_out_in_its_turn_and_no_thread_is_left():
    with pytest.raises(LookupError, match="batch 13"):
        compiled().fit(Slow(14, workers=4), verbose=0)
    model = compiled()
    model.fit(Slow(workers=4), steps_per_epoch=3, epochs=2, verbose=0)
    deadline = time.monotonic() + 10
    while any(thread.name.startswith("batches") for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        gc.collect()
        time.sleep(0.01)


def test_a_dataset_hears_of_epochs_and_is_shuffled_by_batches():
    data = Pieces()
    compiled().fit(data, epochs=2, verbose=0)
    first, second = data.events[1:7], data.events[7:]  # before them, the first batch was looked at
    assert data.events[0] == 0
    for epoch in (first, second):
        assert (epoch[0], epoch[-1]) == ("begin", "end")
        assert sorted(epoch[1:-1]) == [0, 1, 2, 3]
    assert first != second


def test_an_iterable_of_batches_is_gone_through_every_epoch():
    class Loader:
        def __iter__(self):
            return iter([[X[:10], Y[:10]], [X[10:], Y[10:]]])

    assert len(compiled().fit(Loader(), epochs=3, verbose=0).epoch) == 3


def test_whole_numbers_and_wide_floats_become_the_models_type():
    model = compiled()
    model.fit(((x.astype("float64"), y) for x, y in [(X, Y)]), verbose=0)
    model.fit(((np.ones((2, 3), "uint8"), np.ones((2, 1))) for _ in range(2)), verbose=0)
    assert model.predict((x[None] for x in X), verbose=0).shape == (20, 1)


def test_several_inputs_and_outputs_come_in_batches_too():
    a, b = keras.Input((3,), name="a"), keras.Input((1,), name="b")
    model = keras.Model({"a": a, "b": b}, [layers.Dense(1)(a), layers.Dense(1)(layers.concatenate([a, b]))])
    model.compile("sgd", "mse")
    batch = {"a": X, "b": Y}, [Y, Y]
    assert len(model.fit((batch for _ in range(3)), verbose=0).epoch) == 1


def test_data_that_runs_out_is_said():
    with pytest.warns(UserWarning, match="ran out of data.*this epoch wanted 3 and had 2"):
        compiled().fit(((X, Y) for _ in range(2)), steps_per_epoch=3, verbose=0)


# --- Passes without a batch: they have no figures ---


class OnePassEach:
    """As tf.data has it: every iterator that is asked for serves one pass."""

    def as_numpy_iterator(self):
        return iter([(X[:10], Y[:10]), (X[10:], Y[10:])])


class OneIteratorForAll:
    def __init__(self):
        self.batches = iter([(X[:10], Y[:10]), (X[10:], Y[10:])])

    def __iter__(self):
        return self.batches


def test_what_gives_numpy_iterators_is_asked_anew_for_every_epoch():
    expected = compiled().fit(
        X, Y, batch_size=10, epochs=3, shuffle=False, verbose=0, validation_data=(X, Y), validation_batch_size=10
    )
    found = compiled().fit(OnePassEach(), epochs=3, verbose=0, validation_data=OnePassEach())
    assert found.history == expected.history
    model = compiled()
    assert model.evaluate(OnePassEach(), verbose=0) == model.evaluate(OnePassEach(), verbose=0) > 0
    assert model.predict(OnePassEach(), verbose=0).shape == (20, 1)


@pytest.mark.parametrize("make", [lambda: iter(OnePassEach().as_numpy_iterator()), OneIteratorForAll])
@pytest.mark.parametrize("steps", [None, 2])
def test_training_ends_where_the_data_does(make, steps):
    with pytest.warns(UserWarning, match="ran out of data: training ends after 1 of 3 epochs"):
        found = compiled().fit(make(), epochs=3, steps_per_epoch=steps, verbose=0)
    expected = compiled().fit(X, Y, batch_size=10, shuffle=False, verbose=0)
    assert found.history == expected.history


def test_an_epoch_that_ends_with_the_data_is_followed_by_a_whole_one():
    found = compiled().fit(numbered_batches := OnePassEach(), epochs=3, steps_per_epoch=2, verbose=0)
    assert found.history == compiled().fit(numbered_batches, epochs=3, verbose=0).history


@pytest.mark.parametrize("make", [lambda: iter(OnePassEach().as_numpy_iterator()), OneIteratorForAll])
@pytest.mark.parametrize("steps", [None, 2])
def test_what_was_validated_on_nothing_is_never_the_best(make, steps, tmp_path):
    stop = keras.callbacks.EarlyStopping(patience=5)
    best = keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True)
    plateau = keras.callbacks.ReduceLROnPlateau(patience=5)
    with pytest.warns(UserWarning, match="No batch to evaluate on: the figures of this pass are NaN"):
        found = compiled().fit(
            X,
            Y,
            epochs=3,
            verbose=0,
            validation_data=make(),
            validation_steps=steps,
            callbacks=[stop, best, plateau],
        )
    first, *others = found.history["val_loss"]
    assert first > 0
    assert np.isnan(others).all()
    assert len(others) == 2
    assert stop.best == best.best == plateau.best == first


def test_evaluating_and_predicting_what_is_used_up():
    used_up = OneIteratorForAll()
    list(used_up)
    for method in ("fit", "evaluate", "predict"):
        with pytest.raises(ValueError, match="OneIteratorForAll, gives no batch at all.*was gone through"):
            getattr(compiled(), method)(used_up)


def test_data_without_end_is_evaluated_and_predicted_until_a_callback_says_stop():
    def endless():
        while True:
            yield X, Y

    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 2

        def on_predict_batch_end(self, batch, logs=None):
            self.model.stop_predicting = batch == 2

    model = compiled()
    assert model.evaluate(endless(), callbacks=[Stop()], verbose=0) == pytest.approx(model.evaluate(X, Y, verbose=0))
    assert model.predict(endless(), callbacks=[Stop()], verbose=0).shape == (60, 1)
    assert model.predict(X, batch_size=4, callbacks=[Stop()], verbose=0).shape == (12, 1)
    assert len(model.fit(X, Y, validation_data=endless(), callbacks=[Stop()], verbose=0).history["val_loss"]) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"x": iter([]), "epochs": 1}, "gives no batch at all"),
        ({"x": ((X, Y) for _ in range(2)), "y": Y}, "`y` must not be given where `x` is a generator"),
        ({"x": Pieces(), "sample_weight": Y}, "`sample_weight` must not be given where `x` is a Pieces"),
        ({"x": ((X, Y) for _ in range(2)), "validation_split": 0.5}, "`validation_split` needs all samples at once"),
        ({"x": ((X, Y, Y, Y) for _ in range(2))}, r"`\(x, y, sample_weight\)`; got one of 4 parts"),
        ({"x": ((X[:, :2], Y) for _ in range(2))}, "expected axis -1 of input shape to have value 3"),
        ({"x": ((X,) for _ in range(2))}, "No targets"),
        ({"x": X, "y": Y, "steps_per_epoch": 0}, "`steps_per_epoch` must be a whole number of at least 1"),
    ],
)
def test_streams_that_do_not_fit_are_refused_before_the_first_step(arguments, message):
    model = compiled()
    before = model.get_weights()
    with pytest.raises(ValueError, match=message):
        model.fit(**arguments, verbose=0)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def numbered(count):
    """A `PyDataset` of so many batches, each holding its number."""

    class Numbered(keras.utils.PyDataset):
        begun = 0

        def __len__(self):
            return count

        def __getitem__(self, index):
            return np.array([[index]])

        def on_epoch_begin(self):
            self.begun += 1

    return Numbered()


def as_it_is(batch):
    return batch


def epochs_of(steps, epochs):
    return [[int(x[0, 0]) for x, _, _ in steps] for _ in range(epochs)]


def test_steps_go_on_where_they_ended():
    source = numbered(6)
    assert epochs_of(Steps(Stream(source, as_it_is), 2), 4) == [[0, 1], [2, 3], [4, 5], [0, 1]]
    assert source.begun == 4


def test_an_epoch_is_cut_short_where_the_data_ends():
    steps = Steps(Stream(numbered(4), as_it_is), 3)
    assert epochs_of(steps, 1) == [[0, 1, 2]]
    with pytest.warns(UserWarning, match="ran out of data.*wanted 3 and had 1"):
        assert epochs_of(steps, 1) == [[3]]
    assert epochs_of(steps, 1) == [[0, 1, 2]]


def test_what_is_validated_on_begins_anew_each_time():
    steps = Steps(Stream(numbered(4), as_it_is), 3, resumes=False)
    assert epochs_of(steps, 2) == [[0, 1, 2], [0, 1, 2]]


# --- Arrays that are not NumPy's ---


def test_memory_maps_stay_on_the_disk(tmp_path):
    x = np.memmap(tmp_path / "x", "float32", "w+", shape=X.shape)
    x[...] = X
    assert (
        compiled().fit(x, Y, shuffle=False, verbose=0).history == compiled().fit(X, Y, shuffle=False, verbose=0).history
    )


def test_datasets_of_h5py(tmp_path):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "data.h5", "w") as file:
        file["x"], file["y"] = X, Y
        found = compiled().fit(file["x"], file["y"], shuffle=False, verbose=0).history
    assert found == compiled().fit(X, Y, shuffle=False, verbose=0).history


def test_frames_of_pandas():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["a", "b", "c"])
    target = pandas.Series(Y[:, 0])
    expected = compiled().fit(X, Y, shuffle=False, verbose=0).history
    assert compiled().fit(frame, target, shuffle=False, verbose=0).history == expected
    np.testing.assert_allclose(compiled().predict(frame, verbose=0), compiled().predict(X, verbose=0))
