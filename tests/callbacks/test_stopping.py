"""Callbacks that watch a figure: stopping early, and stopping at a loss that is no number."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import multilayer as keras
from helpers.line import compiled
from multilayer.callbacks import EarlyStopping, LambdaCallback, TerminateOnNaN

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]


# --- EarlyStopping ---


class Recorded:
    """Stands for a model: its weights are the number of the epoch it is in."""

    def __init__(self):
        self.stop_training = False
        self.weights = -1
        accuracies = [keras.metrics.BinaryAccuracy(name=name) for name in ("accuracy", "acc")]
        self.metrics = [*accuracies, keras.metrics.MeanAbsoluteError(name="mae")]

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def watch(stop, values, name="val_loss"):
    """Lets the callback see one value an epoch; returns the stand-in and the number of epochs it took."""
    model = Recorded()
    stop.set_model(model)
    stop.on_train_begin({})
    epochs = 0
    for epoch, value in enumerate(values):
        model.weights = epoch
        stop.on_epoch_end(epoch, {name: value})
        epochs += 1
        if model.stop_training:
            break
    stop.on_train_end({})
    return model, epochs


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({}, [3, 2, 1, 0], 4),
        ({}, [3, 2, 2, 1], 3),
        ({"patience": 1}, [3, 2, 2, 1], 3),
        ({"patience": 2}, [3, 2, 2, 1, 1, 1, 0], 6),
        ({"patience": 2}, [1, 2, 3, 0], 3),
        ({}, [1, 2, 3], 2),
        ({"patience": 1, "min_delta": 0.5}, [3, 2.6, 2.2, 2.1, 0], 2),
        ({"patience": 2, "min_delta": 0.5}, [3, 2.6, 2.2, 2.1, 1.8, 0], 5),
        ({"patience": 2, "min_delta": -0.5}, [3, 2.6, 2.2, 2.1, 1.8, 0], 5),
        ({"patience": 2, "baseline": 1.0}, [5, 4, 3, 2, 3, 0], 5),
        ({"patience": 2, "baseline": 4.5}, [5, 4, 3, 2, 3, 3, 0], 6),
        ({"start_from_epoch": 3}, [1, 2, 3, 4, 3, 3, 0], 6),
        ({"mode": "max"}, [1, 2, 3, 3, 4], 4),
        ({"mode": "min", "monitor": "accuracy"}, [3, 2, 1, 2, 0], 4),
        ({"monitor": "val_accuracy"}, [0.1, 0.2, 0.3, 0.3], 4),
        ({"monitor": "acc"}, [0.1, 0.2, 0.1, 0.3], 3),
        ({"monitor": "mae"}, [0.3, 0.2, 0.3, 0.1], 3),
        ({"patience": 1}, [1, float("nan"), float("nan"), 0], 2),
    ],
)
def test_early_stopping_stops_when_patience_is_at_its_end(arguments, values, epochs):
    stop = EarlyStopping(**arguments)
    assert watch(stop, values, stop.monitor)[1] == epochs


@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.floats(-5, 5), min_size=1, max_size=12),
    patience=st.integers(0, 4),
    start=st.integers(0, 3),
    mode=st.sampled_from(["min", "max"]),
)
def test_the_weights_of_the_best_epoch_come_back(values, patience, start, mode):
    stop = EarlyStopping(patience=patience, start_from_epoch=start, mode=mode, restore_best_weights=True)
    model, epochs = watch(stop, values)
    watched = values[start:epochs]
    if watched:
        best = min(watched) if mode == "min" else max(watched)
        assert model.weights == start + watched.index(best) == stop.best_epoch
        assert stop.best == best
    else:
        assert model.weights == len(values) - 1


def test_without_restoring_the_last_weights_stay():
    model, epochs = watch(EarlyStopping(patience=1), [1, 2, 3])
    assert model.weights == epochs - 1


def test_one_object_serves_several_runs():
    stop = EarlyStopping(patience=1, restore_best_weights=True)
    for values in ([5, 4, 6, 7], [15, 14, 16, 17]):
        model, epochs = watch(stop, values)
        assert (epochs, model.weights, stop.stopped_epoch) == (3, 1, 2)


def test_what_was_done_is_said_in_the_words_of_keras(capsys):
    watch(EarlyStopping(patience=1, restore_best_weights=True, verbose=1), [3, 1, 2, 2])
    assert capsys.readouterr().out == (
        "Epoch 3: early stopping\nRestoring model weights from the end of the best epoch: 2.\n"
    )
    watch(EarlyStopping(patience=1, restore_best_weights=True), [3, 1, 2, 2])
    assert capsys.readouterr().out == ""


def test_early_stopping_ends_a_fit_and_restores_its_weights():
    model = compiled(optimizer=keras.optimizers.SGD(100.0))  # every step makes it worse
    model.set_weights([np.ones((2, 1)), np.zeros(1)])
    kept = []
    stop = EarlyStopping(monitor="loss", patience=1, restore_best_weights=True)
    history = model.fit(
        X, Y, epochs=9, verbose=0,
        callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: kept.append(model.get_weights())), stop],
    )  # fmt: skip
    assert history.epoch == [0, 1]
    for weight, best in zip(model.get_weights(), kept[0], strict=True):
        np.testing.assert_array_equal(weight, best)


def test_a_figure_that_is_not_there_is_warned_of_with_those_that_are():
    with pytest.warns(UserWarning, match="metric `val_loss` which is not available. Available metrics are: loss,mae"):
        compiled().fit(X, Y, verbose=0, callbacks=[EarlyStopping()])


@pytest.mark.parametrize("kind", [EarlyStopping, keras.callbacks.ReduceLROnPlateau])
def test_which_way_is_better_has_to_be_known(kind):
    with pytest.raises(ValueError, match=f"{kind.__name__} received monitor=nose, and cannot tell .* `mode='max'`"):
        compiled().fit(X, Y, verbose=0, callbacks=[kind("nose")])
    with pytest.raises(ValueError, match=r"Unknown mode: 'mni'. Did you mean 'min'\?"):
        kind(mode="mni")


# --- TerminateOnNaN ---


class Losses:
    """Stands for a model whose loss is what it is told to be."""

    stop_training = False


@pytest.mark.parametrize("loss", [float("nan"), float("inf"), -float("inf")])
def test_a_loss_that_is_no_number_ends_training(loss, capsys):
    guard = TerminateOnNaN()
    guard.set_model(Losses())
    guard.on_train_batch_end(3, {"loss": 0.5})
    guard.on_train_batch_end(4, {"accuracy": loss})
    assert not guard.model.stop_training
    assert capsys.readouterr().out == ""
    guard.on_train_batch_end(5, {"loss": loss})
    assert guard.model.stop_training
    assert capsys.readouterr().out == "Batch 5: Invalid loss, terminating training\n"


def test_a_training_that_blows_up_stops_where_it_does(capsys):
    model = compiled(optimizer=keras.optimizers.SGD(1e30), metrics=[])
    with np.errstate(all="ignore"):
        history = model.fit(X, Y, batch_size=1, epochs=9, verbose=0, shuffle=False, callbacks=[TerminateOnNaN()])
    assert history.epoch == [0]
    assert model.optimizer.iterations < 5
    assert capsys.readouterr().out == f"Batch {model.optimizer.iterations - 1}: Invalid loss, terminating training\n"


def test_it_raises_where_that_is_asked_for_and_nobody_hears_of_an_end():
    ended = []
    model = compiled(optimizer=keras.optimizers.SGD(1e30), metrics=[])
    watching = [LambdaCallback(on_train_end=ended.append), TerminateOnNaN(raise_error=True)]
    with np.errstate(all="ignore"), pytest.raises(RuntimeError, match=r"NaN or Inf loss encountered at batch \d\."):
        model.fit(X, Y, batch_size=1, epochs=9, verbose=0, callbacks=watching)
    assert ended == []
