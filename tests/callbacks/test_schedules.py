"""Callbacks that set the learning rate."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.callbacks import LambdaCallback, LearningRateScheduler, ReduceLROnPlateau

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]


def compiled(rate=0.5):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


# --- LearningRateScheduler ---


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch, rate: rate / 2, [0.25, 0.125, 0.0625]),
        (lambda epoch: 1.0 / (epoch + 1), [1.0, 0.5, 1 / 3]),
        (lambda epoch, rate: np.float32(rate) * np.float32(0.5), [0.25, 0.125, 0.0625]),
        (lambda *arguments: 0.1 * len(arguments), [0.2, 0.2, 0.2]),
    ],
    ids=["of epoch and rate", "of the epoch", "a NumPy number", "of anything"],
)
def test_the_rate_of_every_epoch_is_what_the_schedule_says(schedule, rates):
    used = []
    model = compiled()
    watcher = LambdaCallback(on_train_batch_begin=lambda batch, logs: used.append(model.optimizer.learning_rate))
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=[LearningRateScheduler(schedule), watcher])
    assert used == history.history["learning_rate"] == pytest.approx(rates)


def test_a_schedule_hears_from_which_epoch_it_is_asked():
    epochs = []
    compiled().fit(
        X, Y, epochs=4, initial_epoch=2, verbose=0,
        callbacks=[LearningRateScheduler(lambda epoch, rate: epochs.append(epoch) or rate)],
    )  # fmt: skip
    assert epochs == [2, 3]


@pytest.mark.parametrize("rate", [None, 1, "0.5", [0.1]])
def test_a_rate_is_a_float(rate):
    with pytest.raises(ValueError, match="The output of the `schedule` function should be a float. Got: "):
        compiled().fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(lambda epoch, old: rate)])


def test_an_error_inside_the_schedule_is_the_users_to_see():
    calls = []

    def schedule(epoch, rate):
        calls.append(epoch)
        raise TypeError("mine")

    with pytest.raises(TypeError, match="mine"):
        compiled().fit(X, Y, verbose=0, callbacks=[LearningRateScheduler(schedule)])
    assert calls == [0]


def test_a_new_rate_is_announced_where_that_is_asked_for(capsys):
    for verbose in (0, 1):
        schedule = LearningRateScheduler(lambda epoch, rate: 0.25, verbose=verbose)
        compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[schedule])
    lines = [f"\nEpoch {epoch}: LearningRateScheduler setting learning rate to 0.25.\n" for epoch in (1, 2)]
    assert capsys.readouterr().out == "".join(lines)


# --- ReduceLROnPlateau ---


def rates_for(values, rate=1.0, monitor="val_loss", **arguments):
    """The rate after every epoch that had one of these values."""
    reduce = ReduceLROnPlateau(monitor, **arguments)
    reduce.set_model(compiled(rate))
    reduce.on_train_begin({})
    after = []
    for epoch, value in enumerate(values):
        reduce.on_epoch_end(epoch, {monitor: value})
        after.append(reduce.model.optimizer.learning_rate)
    return after


@pytest.mark.parametrize(
    ("arguments", "values", "rates"),
    [
        ({"patience": 1, "factor": 0.5}, [3, 2, 1], [1, 1, 1]),
        ({"patience": 1, "factor": 0.5}, [3, 3, 3, 2, 2], [1, 0.5, 0.25, 0.25, 0.125]),
        ({"patience": 2, "factor": 0.5}, [3, 3, 3, 3, 3], [1, 1, 0.5, 0.5, 0.25]),
        ({"patience": 1, "factor": 0.5, "cooldown": 2}, [3] * 6, [1, 0.5, 0.5, 0.25, 0.25, 0.125]),
        ({"patience": 2, "factor": 0.5, "cooldown": 2}, [3] * 6, [1, 1, 0.5, 0.5, 0.5, 0.25]),
        ({"patience": 1, "factor": 0.25, "min_lr": 0.125}, [3] * 4, [1, 0.25, 0.125, 0.125]),
        ({"patience": 1, "factor": 0.5, "mode": "max"}, [1, 2, 2, 1, 3], [1, 1, 0.5, 0.25, 0.25]),
        ({"patience": 1, "factor": 0.5, "min_delta": 0.5}, [3, 2.6, 2.4], [1, 0.5, 0.5]),
        ({"patience": 1, "factor": 0.5}, [3, 2.99995, 2.9998], [1, 0.5, 0.5]),
        ({}, [3] * 11, [1] * 10 + [0.1]),
        ({"patience": 1, "factor": 0.5}, [3, float("nan")], [1, 0.5]),
    ],
)
def test_the_rate_falls_where_the_figure_does_not(arguments, values, rates):
    assert rates_for(values, **arguments) == pytest.approx(rates, rel=1e-12)


def test_one_object_serves_several_runs():
    reduce = ReduceLROnPlateau("loss", factor=0.5, patience=1, cooldown=3)
    reduce.set_model(compiled(1.0))
    for rate in (0.5, 0.25):
        reduce.on_train_begin({})
        for epoch in (0, 1):
            reduce.on_epoch_end(epoch, {"loss": 1.0})
        assert reduce.model.optimizer.learning_rate == rate


def test_the_rate_of_the_epoch_stands_in_its_history():
    history = compiled(0.0).fit(X, Y, epochs=2, verbose=0, callbacks=[ReduceLROnPlateau("loss")])
    assert history.history["learning_rate"] == [0.0, 0.0]


def test_a_reduction_is_announced_where_that_is_asked_for(capsys):
    rates_for([1, 1], factor=0.5, patience=1)
    assert capsys.readouterr().out == ""
    rates_for([1, 1], factor=0.5, patience=1, verbose=1)
    assert capsys.readouterr().out == "\nEpoch 2: ReduceLROnPlateau reducing learning rate to 0.5.\n"


def test_a_factor_is_less_than_1():
    with pytest.raises(ValueError, match="ReduceLROnPlateau does not support a factor >= 1.0. Received factor=1.0"):
        ReduceLROnPlateau(factor=1.0)


def test_a_figure_that_is_not_there_is_warned_of_with_those_that_are():
    with pytest.warns(UserWarning, match="metric `val_loss` which is not available. .* are: loss,learning_rate"):
        compiled().fit(X, Y, verbose=0, callbacks=[ReduceLROnPlateau()])
