"""Trainings that are interrupted, and go on."""

import copy
import signal
import subprocess
import sys

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer._containers import npz
from multilayer.callbacks import BackupAndRestore, Callback, ReduceLROnPlateau

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype("float32")
LABELS = RNG.integers(3, size=30)


def optimizers():
    return {
        "sgd": keras.optimizers.SGD(0.1),
        "momentum": keras.optimizers.SGD(0.1, momentum=0.9, nesterov=True),
        "rmsprop": keras.optimizers.RMSprop(0.01, momentum=0.5, centered=True),
        "adam": keras.optimizers.Adam(0.01),
    }


def compiled(optimizer="adam", units=8):
    """What a program does that is started again: the same, from the same seed."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((4,)),
            layers.Dense(units, "relu"),
            layers.Dropout(0.3),
            layers.Dense(5, "tanh", trainable=False),
            layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizers()[optimizer], "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class KilledError(Exception):
    pass


class Kill(Callback):
    def __init__(self, epoch, batch=None):
        self.epoch, self.batch = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.now = epoch
        if epoch == self.epoch and self.batch is None:
            raise KilledError

    def on_train_batch_end(self, batch, logs=None):
        if (self.now, batch) == (self.epoch, self.batch):
            raise KilledError


class Watch(Callback):
    """Notes the steps that are taken."""

    def __init__(self):
        self.steps, self.epochs = [], []

    def on_epoch_begin(self, epoch, logs=None):
        self.epochs.append(epoch)

    def on_train_batch_end(self, batch, logs=None):
        self.steps.append((self.epochs[-1], batch))


def fit(model, *callbacks, epochs=6, **arguments):
    return model.fit(X, LABELS, epochs=epochs, batch_size=7, verbose=0, callbacks=[*callbacks], **arguments)


def killed(path, kill, optimizer="adam", **arguments):
    with pytest.raises(KilledError):
        fit(compiled(optimizer), BackupAndRestore(path, **arguments), kill)


def assert_same(one, other):
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert one.optimizer.iterations == other.optimizer.iterations
    assert one.optimizer.learning_rate == other.optimizer.learning_rate
    for slot, vector in one.optimizer.state.items():
        np.testing.assert_array_equal(vector, other.optimizer.state[slot])


@pytest.mark.parametrize("optimizer", optimizers())
@pytest.mark.parametrize("kill", [Kill(1), Kill(4), Kill(4, 2)], ids=["first border", "border", "in an epoch"])
def test_a_run_that_goes_on_ends_as_one_that_was_never_interrupted(tmp_path, optimizer, kill):
    unbroken = compiled(optimizer)
    whole = fit(unbroken)
    killed(tmp_path / "backup", kill, optimizer)
    resumed = compiled(optimizer)
    history = fit(resumed, BackupAndRestore(tmp_path / "backup"))
    assert history.epoch == list(range(6))
    assert history.history == whole.history
    assert_same(resumed, unbroken)


def test_it_may_be_interrupted_several_times(tmp_path):
    unbroken = compiled()
    fit(unbroken)
    for epoch in (1, 2, 5):
        killed(tmp_path / "backup", Kill(epoch))
    resumed = compiled()
    assert fit(resumed, BackupAndRestore(tmp_path / "backup"), (watch := Watch())).epoch == [0, 1, 2, 3, 4, 5]
    assert watch.steps == [(5, batch) for batch in range(5)]
    assert_same(resumed, unbroken)


def test_it_goes_on_without_shuffling_and_with_a_learning_rate_that_was_changed(tmp_path):
    arguments = {"shuffle": False}
    unbroken = compiled()
    unbroken.optimizer.learning_rate = 0.125
    fit(unbroken, **arguments)
    model = compiled()
    model.optimizer.learning_rate = 0.125
    with pytest.raises(KilledError):
        fit(model, BackupAndRestore(tmp_path / "backup"), Kill(3), **arguments)
    resumed = compiled()
    fit(resumed, BackupAndRestore(tmp_path / "backup"), **arguments)
    assert_same(resumed, unbroken)


@pytest.mark.parametrize("step", range(4))
def test_it_goes_on_behind_the_very_step_that_was_backed_up(tmp_path, step):
    unbroken, resumed = compiled(), compiled()
    whole = fit(unbroken, validation_split=0.2, epochs=3)
    with pytest.raises(KilledError):
        fit(
            compiled(),
            BackupAndRestore(tmp_path / "backup", save_freq=1),
            Kill(1, step),
            validation_split=0.2,
            epochs=3,
        )
    history = fit(resumed, BackupAndRestore(tmp_path / "backup"), (watch := Watch()), validation_split=0.2, epochs=3)
    every = [(epoch, batch) for epoch in range(3) for batch in range(4)]
    assert watch.steps == every[4 + step :]
    assert history.history == whole.history
    assert_same(resumed, unbroken)


def test_an_initial_epoch_is_where_a_run_begins_that_has_no_backup(tmp_path):
    backup = BackupAndRestore(tmp_path / "backup", save_freq=2, delete_checkpoint=False)
    assert fit(compiled(), backup, initial_epoch=4).epoch == [4, 5]
    described, _ = npz.read(tmp_path / "backup" / "latest.npz")
    assert (described["state"]["epoch"], described["state"]["step"]) == (5, 5)


@pytest.mark.parametrize("kill", [Kill(3), Kill(3, 2)], ids=["border", "in an epoch"])
def test_a_model_of_several_branches_goes_on(tmp_path, kill):
    def branched():
        keras.utils.set_random_seed(6)
        left, right = keras.Input((4,)), keras.Input((4,))
        shared = layers.Dense(5, "tanh")
        inner = keras.Sequential([keras.Input((5,)), layers.Dropout(0.4), layers.Dense(3)])
        both = layers.Dropout(0.2)(layers.Add()([shared(left), shared(right)]))
        model = keras.Model([left, right], [layers.Softmax(name="a")(inner(both)), layers.Dense(1, name="b")(both)])
        model.compile("adam", ["sparse_categorical_crossentropy", "mse"])
        return model

    def run(model, *callbacks):
        data = ([X, -X], [LABELS, X[:, 0]])
        return model.fit(*data, epochs=5, batch_size=7, verbose=0, callbacks=[*callbacks])

    unbroken, resumed = branched(), branched()
    whole = run(unbroken)
    with pytest.raises(KilledError):
        run(branched(), BackupAndRestore(tmp_path / "backup", save_freq=1), kill)
    assert run(resumed, BackupAndRestore(tmp_path / "backup")).history == whole.history
    assert_same(resumed, unbroken)


PROGRAM = """
import os, signal, sys
import numpy as np
import multilayer as keras

folder, kill = sys.argv[1], sys.argv[2] == "kill"
keras.utils.set_random_seed(5)
model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(6, "relu"), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
)
model.compile("adam", "mse")

def die(batch, logs):
    if kill and model.optimizer.iterations == 23:  # in the middle of the sixth epoch
        os.kill(os.getpid(), signal.SIGKILL)

x = np.random.default_rng(0).normal(size=(30, 4))
callbacks = [keras.callbacks.LambdaCallback(on_train_batch_end=die)]
if folder:
    callbacks.append(keras.callbacks.BackupAndRestore(folder))
history = model.fit(x, x[:, 0], batch_size=8, epochs=8, verbose=0, callbacks=callbacks)
print(len(history.epoch), *[float(w).hex() for weight in model.get_weights() for w in weight.ravel()])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that nobody can catch")
def test_a_process_that_was_killed_goes_on_when_its_program_is_started_again(tmp_path):
    def run(folder, end):
        arguments = [sys.executable, "-c", PROGRAM, str(folder), end]
        return subprocess.run(arguments, capture_output=True, text=True, check=False)

    killed_run = run(tmp_path / "backup", "kill")
    assert killed_run.returncode == -signal.SIGKILL, killed_run.stderr
    resumed, unbroken = run(tmp_path / "backup", "live"), run("", "live")
    (epochs, *weights), (all_epochs, *expected) = resumed.stdout.split(), unbroken.stdout.split()
    assert (epochs, all_epochs) == ("8", "8")
    assert weights == expected


# --- The folder ---


def test_at_the_end_the_backup_is_deleted_and_what_else_lies_there_is_not(tmp_path):
    fit(compiled(), BackupAndRestore(tmp_path / "backup"))
    assert not (tmp_path / "backup").exists()
    (tmp_path / "backup").mkdir()
    (tmp_path / "backup" / "mine.txt").write_text("mine")
    fit(compiled(), BackupAndRestore(tmp_path / "backup", double_checkpoint=True))
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["mine.txt"]


def test_a_backup_that_is_kept_says_that_there_is_nothing_left_to_do(tmp_path):
    first = compiled()
    fit(first, BackupAndRestore(tmp_path / "backup", delete_checkpoint=False))
    assert [path.name for path in (tmp_path / "backup").iterdir()] == ["latest.npz"]
    second = compiled()
    watch = Watch()
    assert len(fit(second, BackupAndRestore(tmp_path / "backup", delete_checkpoint=False), watch).epoch) == 6
    assert watch.epochs == []
    assert_same(second, first)
    assert len(fit(second, BackupAndRestore(tmp_path / "backup"), watch, epochs=8).epoch) == 8
    assert watch.epochs == [6, 7]


@pytest.mark.parametrize("damage", ["torn", "missing"])
def test_where_the_last_backup_is_damaged_the_one_before_is_used(tmp_path, damage):
    unbroken = compiled()
    fit(unbroken)
    killed(tmp_path / "backup", Kill(3), double_checkpoint=True)
    latest = tmp_path / "backup" / "latest.npz"
    if damage == "torn":
        latest.write_bytes(latest.read_bytes()[:100])
    else:
        latest.unlink()
    resumed = compiled()
    with pytest.warns(UserWarning, match="Training goes on from the backup before the last"):
        fit(resumed, BackupAndRestore(tmp_path / "backup", double_checkpoint=True), (watch := Watch()))
    assert watch.epochs == [2, 3, 4, 5]
    assert_same(resumed, unbroken)


def test_where_the_only_backup_is_damaged_that_is_said(tmp_path):
    killed(tmp_path / "backup", Kill(3))
    (tmp_path / "backup" / "latest.npz").write_bytes(b"torn")
    with pytest.raises(ValueError, match="latest.npz' is refused"):
        fit(compiled(), BackupAndRestore(tmp_path / "backup"))


REFUSED = {
    "weights": (lambda: compiled(units=9), {}, r"weights\[0\]: 4 x 8 then, 4 x 9 now"),
    "optimizer": (lambda: compiled("sgd"), {}, "optimizer: Adam then, SGD now"),
    "data": (compiled, {"x": X[:29], "y": LABELS[:29]}, "training data: samples: 30 then, 29 now"),
    "other data of that size": (compiled, {"x": X + 1}, r"training data: checksum: \d+ then, \d+ now"),
    "batch size": (compiled, {"batch_size": 8}, "training data: batch_size: 7 then, 8 now"),
    "order": (compiled, {"shuffle": False}, "training data: shuffle: True then, False now"),
    "validation": (compiled, {"validation_data": (X, LABELS)}, "validation data: None then, "),
    "callbacks": (
        compiled,
        {"callbacks": [ReduceLROnPlateau("loss")]},
        "callbacks with a state: History, BackupAndRestore then, ReduceLROnPlateau, History, BackupAndRestore now",
    ),
}


@pytest.mark.parametrize("difference", REFUSED)
def test_a_backup_of_another_run_is_refused_before_anything_is_changed(tmp_path, difference):
    make, arguments, message = REFUSED[difference]
    killed(tmp_path / "backup", Kill(2))
    model = make()
    before = model.get_weights()
    arguments = {"x": X, "y": LABELS, "epochs": 6, "batch_size": 7, "callbacks": [], **arguments}
    callbacks = [*arguments.pop("callbacks"), BackupAndRestore(tmp_path / "backup")]
    with pytest.raises(ValueError, match=f"backup' does not fit this run: {message}.* Delete that folder"):
        model.fit(**arguments, verbose=0, callbacks=callbacks)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert model.optimizer.iterations == 0


def test_a_file_that_is_no_backup_is_refused(tmp_path):
    model = compiled()
    model.save(tmp_path / "latest.npz")
    with pytest.raises(ValueError, match="it is no backup of a run"):
        fit(model, BackupAndRestore(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backup_dir": ""}, "Empty `backup_dir` argument passed"),
        ({"backup_dir": "b", "save_freq": "batch"}, "save_freq: batch. Expected"),
        ({"backup_dir": "b", "save_freq": -1}, "save_freq: -1. Expected"),
        ({"backup_dir": "b", "on_error": "wran"}, "Did you mean 'warn'"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BackupAndRestore(**arguments)


# --- Where layers draw from ---


class Noisy(layers.Layer):
    """A layer of a user's own that draws from NumPy, inside another layer and in a list."""

    def __init__(self, inner=None):
        super().__init__()
        self.inner = inner
        self.generators = [np.random.default_rng(1)]
        self.seeds = keras.random.SeedGenerator(2)

    def forward(self, x, training=False):
        x = x if self.inner is None else self.inner.forward(x, training)
        if not training:
            return x
        return x * (1 + 0.1 * self.generators[0].random() + keras.random.uniform((), 0.0, 0.1, seed=self.seeds))

    def backward(self, dy):
        return dy if self.inner is None else self.inner.backward(dy)

    def compute_output_shape(self, input_shape):
        return input_shape


def test_random_sources_of_every_kind_go_on(tmp_path):
    def noisy():
        keras.utils.set_random_seed(4)
        model = keras.Sequential([keras.Input((4,)), layers.Dense(3, "softmax"), Noisy(Noisy())])
        model.compile("sgd", "sparse_categorical_crossentropy")
        return model

    unbroken, resumed = noisy(), noisy()
    whole = fit(unbroken)
    with pytest.raises(KilledError):
        fit(noisy(), BackupAndRestore(tmp_path / "backup"), Kill(4))
    assert fit(resumed, BackupAndRestore(tmp_path / "backup")).history == whole.history
    assert_same(resumed, unbroken)


def test_a_callback_with_a_backup_can_be_copied_and_combined(tmp_path):
    backup = copy.deepcopy(BackupAndRestore(tmp_path / "backup", save_freq=1))
    fit(compiled(), backup, ReduceLROnPlateau("loss"))
    assert not (tmp_path / "backup").exists()
