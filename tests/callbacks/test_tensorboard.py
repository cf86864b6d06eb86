"""What TensorBoard gets to see, read with TensorBoard's own reader."""

import builtins
import copy
import importlib
import warnings

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.callbacks import Callback, CallbackList, TensorBoard

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]


@pytest.fixture
def read():
    """A function from a folder to the reader of its events."""
    pytest.importorskip("tensorboardX", reason="needs tensorboardX, which writes events")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        reading = pytest.importorskip(
            "tensorboard.backend.event_processing.event_accumulator", reason="needs tensorboard, which reads events"
        )

    def read(folder):
        reader = reading.EventAccumulator(str(folder), size_guidance={"histograms": 0, "scalars": 0})
        reader.Reload()
        return reader

    return read


def compiled(optimizer="adam"):
    model = keras.Sequential(
        [keras.Input((2,)), layers.Dense(3, "relu", name="hidden"), layers.Dense(1, name="out", trainable=False)],
        name="net",
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def series(reader, tag):
    return [event.step for event in reader.Scalars(tag)], [event.value for event in reader.Scalars(tag)]


def test_the_figures_of_every_epoch(tmp_path, read):
    model = compiled()
    callbacks = [keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5**epoch), TensorBoard(tmp_path)]
    history = model.fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y), callbacks=callbacks)
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert sorted(train.Tags()["scalars"]) == ["epoch_learning_rate", "epoch_loss", "epoch_mae"]
    for name in ("loss", "mae"):
        assert series(train, f"epoch_{name}") == ([0, 1, 2], pytest.approx(history.history[name], rel=1e-6))
        expected = pytest.approx(history.history[f"val_{name}"], rel=1e-6)
        assert series(validation, f"epoch_{name}") == ([0, 1, 2], expected)
        assert series(validation, f"evaluation_{name}_vs_iterations") == ([1, 2, 3], expected)
    assert series(train, "epoch_learning_rate") == ([0, 1, 2], [1.0, 0.5, 0.25])
    assert train.Tags()["histograms"] == []


def test_an_evaluation_of_its_own(tmp_path, read):
    model = compiled()
    model.fit(X, Y, epochs=4, verbose=0)
    loss, _ = model.evaluate(X, Y, verbose=0, callbacks=[TensorBoard(tmp_path)])
    assert series(read(tmp_path / "validation"), "evaluation_loss_vs_iterations") == ([4], [pytest.approx(loss)])
    assert not (tmp_path / "train").exists()


@pytest.mark.parametrize(("update_freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (4, [4]), (2, [2, 4, 6])])
def test_figures_of_batches(tmp_path, read, update_freq, steps):
    seen = []

    class Look(Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(logs["loss"])

    board = TensorBoard(tmp_path, update_freq=update_freq, write_steps_per_second=True)
    compiled().fit(X, Y, batch_size=2, epochs=2, verbose=0, callbacks=[board, Look()])
    train = read(tmp_path / "train")
    assert series(train, "batch_loss") == (steps, pytest.approx([seen[step - 1] for step in steps], rel=1e-6))
    rates = series(train, "batch_steps_per_second")
    assert rates[0] == steps
    assert min(rates[1]) > 0
    assert series(train, "epoch_steps_per_second")[0] == [0, 1]
    assert min(series(train, "epoch_steps_per_second")[1]) > 0


def test_only_where_batches_are_counted_are_their_figures_wanted(tmp_path, read):
    assert CallbackList([TensorBoard(tmp_path)]).listeners("on_train_batch_end") == []
    assert len(CallbackList([TensorBoard(tmp_path, update_freq=3)]).listeners("on_train_batch_end")) == 1


def test_histograms_of_weights_and_gradients(tmp_path, read):
    gradients, weights = [], []

    class Look(Callback):
        def on_epoch_end(self, epoch, logs=None):
            gradients.append(self.model.trainable_weights[0].gradient.copy())
            weights.append(self.model.get_weights()[0])

    model = compiled()
    model.fit(X, Y, epochs=5, verbose=0, callbacks=[Look(), TensorBoard(tmp_path, histogram_freq=2)])
    train = read(tmp_path / "train")
    paths = [variable.path for variable in model.weights]
    trainable = [variable.path for variable in model.trainable_weights]
    expected = [f"{path}/histogram" for path in paths] + [f"{path}/gradient" for path in trainable]
    assert sorted(train.Tags()["histograms"]) == sorted(expected)
    for tag, values in ((f"{paths[0]}/histogram", weights), (f"{paths[0]}/gradient", gradients)):
        events = train.Histograms(tag)
        assert [event.step for event in events] == [0, 2, 4]
        for event in events:
            histogram, array = event.histogram_value, values[event.step]
            assert (histogram.num, sum(histogram.bucket)) == (array.size, array.size)
            assert (histogram.min, histogram.max) == pytest.approx((array.min(), array.max()))
            assert histogram.sum == pytest.approx(array.sum(), abs=1e-5)


def test_of_a_figure_of_several_numbers_each_has_its_own_series(tmp_path, read):
    board = TensorBoard(tmp_path)
    board.set_model(compiled())
    board.on_train_begin()
    board.on_epoch_end(3, {"each": np.array([0.25, 0.75])})
    board.on_train_end()
    train = read(tmp_path / "train")
    assert [series(train, f"epoch_each_{i}") for i in (0, 1)] == [([3], [0.25]), ([3], [0.75])]


def test_weights_that_are_no_numbers_end_no_training(tmp_path, read):
    model = compiled()
    model.weights[0].value[0] = np.nan
    model.weights[1].value[...] = np.inf
    with np.errstate(all="ignore"):
        model.fit(X, Y, epochs=1, verbose=0, callbacks=[TensorBoard(tmp_path, histogram_freq=1)])
    assert f"{model.weights[1].path}/histogram" not in read(tmp_path / "train").Tags()["histograms"]


def test_training_is_what_it_is_without(tmp_path, read):
    def fitted(*callbacks):
        keras.utils.set_random_seed(1)
        return compiled().fit(X, Y, epochs=3, batch_size=2, verbose=0, callbacks=[*callbacks]).history

    assert fitted(TensorBoard(tmp_path, histogram_freq=1, update_freq=1)) == fitted()


def test_one_object_serves_several_runs_and_can_be_copied(tmp_path, read):
    board = TensorBoard(str(tmp_path))
    for _ in range(2):
        compiled().fit(X, Y, verbose=0, callbacks=[board])
        board = copy.deepcopy(board)
    assert len(list((tmp_path / "train").iterdir())) == 2
    assert len(read(tmp_path / "train").Scalars("epoch_loss")) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"write_images": True}, "Leave `write_images` out. Received: write_images=True"),
        ({"profile_batch": 2}, "no profiler here.* Received: profile_batch=2"),
        ({"profile_batch": (2, 4)}, "no profiler here"),
        ({"embeddings_freq": 1}, "Embeddings are not projected here. Leave `embeddings_freq` out"),
        ({"embeddings_metadata": {"a": "b"}}, "Embeddings are not projected"),
        ({"update_freq": "step"}, "`update_freq` must be 'epoch', 'batch', or .* update_freq='step'"),
        ({"update_freq": 0}, "update_freq=0"),
        ({"histogram_freq": 0.5}, "histogram_freq=0.5"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        TensorBoard(tmp_path, **arguments)


def test_without_the_package_it_says_what_to_install(tmp_path, monkeypatch):
    real = importlib.import_module

    def missing(name, *rest):
        if name.startswith("tensorboardX"):
            raise builtins.ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        TensorBoard(tmp_path)
