"""A training that people watch: directed from other threads, heard by any number of listeners, and never held up."""

import base64
import threading
import time

import numpy as np
import pytest

from multilayer import Sequential, layers
from multilayer.serve import digits as digits_of_serve
from multilayer.serve.digits import Digits, load_digits
from multilayer.serve.training import LiveTraining, NotNowError

ROWS, BATCH = 70, 32  # three steps an epoch, the last of six rows


def data(report=None):
    rng = np.random.default_rng(0)
    x = rng.random((ROWS, 5)).astype(np.float32)
    return Digits("dice", (x, (x[:, 0] > 0.5).astype(int)), (x[:20], (x[:20, 0] > 0.5).astype(int)))


def small():
    model = Sequential([layers.Input((5,)), layers.Dense(4, "sigmoid"), layers.Dense(2, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


@pytest.fixture
def training():
    made = LiveTraining(data, small, epochs=4, pace=None)
    yield made
    made.close()


def slow(step):
    return 0.005


def wait_for(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not happen"
        time.sleep(0.002)


def heard(listener):
    """All that is there to hear, by name."""
    found, behind = {}, True
    while behind:
        for event in listener.news():
            found.setdefault(event.name, []).append(event.data)
        behind = listener.behind
    return found


def test_everyone_hears_every_step_whenever_he_comes(training):
    early = training.listen()
    training.direct("start")
    training.join()
    late = training.listen()
    for listener in (early, late):
        news = heard(listener)
        assert news["state"][-1]["state"] == "done"
        assert sum(len(one["loss"]) for one in news["steps"]) == 12
        assert [one["step"] for one in news["epoch"]] == [3, 6, 9, 12]
        assert set(news["epoch"][0]) == {"run", "epoch", "step", "loss", "accuracy", "val_loss", "val_accuracy"}
        assert heard(listener) == {}


def test_a_step_is_heard_with_the_loss_and_the_accuracy_of_its_own_batch(training):
    training.direct("start")
    training.join()
    news = heard(training.listen())
    loss, accuracy = (np.concatenate([one[name] for one in news["steps"]]) for name in ("loss", "accuracy"))
    rows = np.array([BATCH, BATCH, ROWS - 2 * BATCH])
    for i, epoch in enumerate(news["epoch"]):
        own = slice(3 * i, 3 * i + 3)
        assert loss[own] @ rows / ROWS == pytest.approx(epoch["loss"], abs=2e-5)
        assert accuracy[own] @ rows / ROWS == pytest.approx(epoch["accuracy"], abs=2e-5)
    assert accuracy[0] * BATCH == pytest.approx(round(accuracy[0] * BATCH), abs=1e-3)


def test_many_steps_come_in_pieces_without_a_gap(training, monkeypatch):
    monkeypatch.setattr("multilayer.serve.record._MOST_STEPS", 5)
    training.direct("start")
    training.join()
    listener = training.listen()
    pieces = [one.data for one in listener.news() if one.name == "steps"]
    assert listener.behind
    pieces += heard(listener)["steps"]
    assert [(one["first"], len(one["loss"])) for one in pieces] == [(0, 5), (5, 5), (10, 2)]


def test_the_newest_weights_are_heard_in_16_bits(training):
    training.direct("start")
    training.join()
    (news,) = heard(training.listen())["weights"]
    assert news["step"] == 12
    for sent, weight in zip(news["weights"], training.model.get_weights(), strict=True):
        values = np.frombuffer(base64.b64decode(sent["data"]), "<u2").reshape(sent["shape"])
        width = sent["high"] - sent["low"]
        np.testing.assert_allclose(sent["low"] + width * values / 65535, weight, atol=width / 131_000)


def test_a_slow_listener_costs_the_training_nothing(training):
    quiet = [training.listen() for _ in range(1000)]  # nobody of whom ever asks
    training.direct("start")
    training.join(10)
    assert training.state == "done"
    assert len(heard(quiet[500])["steps"]) == 1
    assert quiet[0].news()[-1] is quiet[1].news()[-1]  # what is large is made once for all


def test_it_pauses_between_two_steps_and_goes_on_from_there():
    training = LiveTraining(data, small, epochs=50, pace=slow)
    training.direct("start")
    wait_for(lambda: len(training.record) > 3)
    training.direct("pause")
    time.sleep(0.02)
    steps, weights = len(training.record), training.model.get_weights()
    time.sleep(0.05)
    assert len(training.record) == steps
    assert all(np.array_equal(a, b) for a, b in zip(weights, training.model.get_weights(), strict=True))
    assert training.record.snapshot.step == steps  # what is drawn on meanwhile is the newest
    training.direct("resume")
    wait_for(lambda: len(training.record) > steps)
    training.direct("stop")
    training.join()
    stopped = len(training.record)
    assert stopped < 150
    assert heard(training.listen())["state"][-1]["state"] == "stopped"


def test_a_pause_that_comes_after_the_last_step_ends_as_others_do(training, monkeypatch):
    evaluated = threading.Event()
    add_epoch = training.record.add_epoch

    def pause_at_the_end(figures):
        add_epoch(figures)
        if len(training.record) == 12:
            training.direct("pause")
            evaluated.set()

    monkeypatch.setattr("multilayer.serve.record.Record.add_epoch", lambda record, figures: pause_at_the_end(figures))
    monkeypatch.setattr(training, "_begin", lambda run: None)
    training.direct("start")
    assert evaluated.wait(10)
    training.direct("resume")
    training.join(10)
    assert training.state == "done"


def test_the_learning_rate_is_set_while_it_runs():
    training = LiveTraining(data, small, epochs=100, pace=slow)
    training.direct("start", learning_rate=0.5)
    wait_for(lambda: len(training.record) > 2)
    assert float(training.model.optimizer.learning_rate) == 0.5
    training.direct(learning_rate=0.25)
    wait_for(lambda: float(training.model.optimizer.learning_rate) == 0.25)
    assert training.described()["learning_rate"] == 0.25
    training.close()


def test_it_starts_anew(training):
    training.direct("start")
    training.join()
    listener, first = training.listen(), training.model
    heard(listener)
    training.direct("start")
    training.join()
    assert training.model is not first
    news = heard(listener)
    assert {one["run"] for one in news["steps"]} == {2}
    assert sum(len(one["loss"]) for one in news["steps"]) == 12


def test_stopped_and_started_at_once_only_the_new_run_goes_on():
    training = LiveTraining(data, small, epochs=1000, pace=slow)
    for _ in range(5):
        training.direct("start")
        training.direct("stop")
    training.direct("start")
    assert sum(thread.name == "live training" for thread in threading.enumerate()) == 1
    training.close()


@pytest.mark.parametrize("action", ["pause", "resume", "stop"])
def test_what_cannot_be_done_now_is_refused(training, action):
    with pytest.raises(NotNowError, match=f"Cannot {action}: the training is idle"):
        training.direct(action, learning_rate=0.7)
    assert training.described()["learning_rate"] == 0.001  # nothing of it was done


@pytest.mark.parametrize(
    ("order", "message"),
    [
        ({}, "Nothing to do"),
        ({"action": "explode"}, "Unknown action: 'explode'"),
        ({"action": ["start"]}, "Unknown action"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": "fast"}, "learning_rate"),
        ({"learning_rate": 1e9}, "at most 10"),
    ],
)
def test_orders_that_make_no_sense_are_refused(training, order, message):
    with pytest.raises(ValueError, match=message):
        training.direct(**order)
    assert training.state == "idle"


def test_an_error_is_said_to_those_who_watch():
    def broken(report):
        raise OSError("the disk is on fire")

    training = LiveTraining(broken, small)
    training.direct("start")
    training.join()
    (state,) = heard(training.listen())["state"]
    assert state["state"] == "failed"
    assert state["failure"] == {"code": "error", "message": "OSError: the disk is on fire"}


def test_a_loss_that_is_no_number_ends_the_training(training):
    def loses(report):
        name, (x, y), test = data()
        return Digits(name, (x * np.float32(1e30), y[:, None]), (test[0], test[1][:, None]))

    def unbounded():
        model = Sequential([layers.Input((5,)), layers.Dense(4), layers.Dense(1)])
        model.compile("sgd", "mse", metrics=["accuracy"])
        return model

    training = LiveTraining(loses, unbounded, pace=None)
    with np.errstate(all="ignore"):
        training.direct("start")
        training.join()
    assert training.described()["failure"]["code"] == "diverged"
    training._load, training._build = data, small
    training._digits = None
    training.direct("start")  # a failure is no end
    training.join()
    assert training.state == "done"
    assert training.described()["failure"] is None


def test_it_can_be_stopped_while_digits_are_drawn():
    reports = []

    def endless(report):
        while True:
            report(0.5)
            reports.append(time.sleep(0.001))

    training = LiveTraining(endless, small)
    training.direct("start")
    wait_for(lambda: len(reports) > 3)
    assert training.described()["state"] == "preparing"
    training.close()
    assert training.state == "stopped"


def test_without_mnist_digits_are_drawn_and_nothing_is_downloaded(monkeypatch, tmp_path):
    for name in ("MULTILAYER_DATASETS", "MULTILAYER_HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr(digits_of_serve, "_TRAIN", 120)
    monkeypatch.setattr(digits_of_serve, "_TEST", 40)
    monkeypatch.setattr(digits_of_serve, "_PART", 40)
    monkeypatch.setattr("multilayer.datasets.download.fetch", None)
    told = []
    found = load_digits(told.append)
    assert told == [0, 0.25, 0.5, 0.75]
    assert found.name == "synthetic_digits"
    assert found.train[0].shape == (120, 784)
    assert found.test[1].shape == (40,)
    assert found.train[0].dtype == np.float32
    assert found.train[0].max() == 1
