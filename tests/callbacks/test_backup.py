"""Trainings that are interrupted, and go on."""

import copy
import signal
import subprocess
import sys

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers, saving
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
    rest = fit(resumed, BackupAndRestore(tmp_path / "backup"))
    assert rest.epoch == list(range(kill.epoch, 6))
    assert rest.history == {name: values[kill.epoch :] for name, values in whole.history.items()}
    assert_same(resumed, unbroken)


def test_it_may_be_interrupted_several_times(tmp_path):
    unbroken = compiled()
    fit(unbroken)
    for epoch in (1, 2, 5):
        killed(tmp_path / "backup", Kill(epoch))
    resumed = compiled()
    assert fit(resumed, BackupAndRestore(tmp_path / "backup")).epoch == [5]
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


def test_a_backup_in_the_middle_of_an_epoch_has_its_weights_and_the_epoch_is_run_again(tmp_path):
    killed(
        tmp_path / "backup", Kill(1, 3), save_freq=4
    )  # 5 batches an epoch: the last backup is after batch 3 of epoch 1
    described, arrays = saving.read(tmp_path / "backup" / "latest.npz")
    assert (described["epoch"], described["batch"]) == (1, 3)
    seen = []

    class Look(Callback):
        def on_train_begin(self, logs=None):
            seen.extend(self.model.get_weights())

    resumed = compiled()
    assert fit(resumed, BackupAndRestore(tmp_path / "backup"), Look()).epoch == [1, 2, 3, 4, 5]
    for index, weight in enumerate(seen):
        np.testing.assert_array_equal(weight, arrays[f"weights/{index}"])
    assert resumed.optimizer.iterations == 8 + 5 * 5


def test_an_initial_epoch_is_where_a_run_begins_that_has_no_backup(tmp_path):
    backup = BackupAndRestore(tmp_path / "backup", save_freq=2, delete_checkpoint=False)
    assert fit(compiled(), backup, initial_epoch=4).epoch == [4, 5]
    assert saving.read(tmp_path / "backup" / "latest.npz")[0]["epoch"] == 5


def test_a_model_of_several_branches_goes_on(tmp_path):
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
        run(branched(), BackupAndRestore(tmp_path / "backup"), Kill(3))
    rest = run(resumed, BackupAndRestore(tmp_path / "backup"))
    assert rest.history == {name: values[3:] for name, values in whole.history.items()}
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
    assert (epochs, all_epochs) == ("3", "8")
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
    assert fit(second, BackupAndRestore(tmp_path / "backup", delete_checkpoint=False)).epoch == []
    assert_same(second, first)
    assert fit(second, BackupAndRestore(tmp_path / "backup"), epochs=8).epoch == [6, 7]


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
        history = fit(resumed, BackupAndRestore(tmp_path / "backup", double_checkpoint=True))
    assert history.epoch == [2, 3, 4, 5]
    assert_same(resumed, unbroken)


def test_where_the_only_backup_is_damaged_that_is_said(tmp_path):
    killed(tmp_path / "backup", Kill(3))
    (tmp_path / "backup" / "latest.npz").write_bytes(b"torn")
    with pytest.raises(ValueError, match="latest.npz' is refused"):
        fit(compiled(), BackupAndRestore(tmp_path / "backup"))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: compiled(units=9), "shape"),
        (lambda: compiled("sgd"), "the state is that of Adam, the optimizer SGD"),
    ],
    ids=["weights", "optimizer"],
)
def test_a_backup_of_another_model_is_refused(tmp_path, make, message):
    killed(tmp_path / "backup", Kill(2))
    with pytest.raises(ValueError, match=f"backup' does not fit this model: .*{message}.* Delete that folder"):
        fit(make(), BackupAndRestore(tmp_path / "backup"))


def test_a_file_that_is_no_backup_is_refused(tmp_path):
    model = compiled()
    model.save(tmp_path / "latest.npz")
    with pytest.raises(ValueError, match="it is no backup of this class"):
        fit(model, BackupAndRestore(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backup_dir": ""}, "Empty `backup_dir` argument passed"),
        ({"backup_dir": "b", "save_freq": "batch"}, "save_freq: batch. Expected"),
        ({"backup_dir": "b", "save_freq": -1}, "save_freq: -1. Expected"),
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
    rest = fit(resumed, BackupAndRestore(tmp_path / "backup"))
    assert rest.history["loss"] == whole.history["loss"][4:]
    assert_same(resumed, unbroken)


def test_a_callback_with_a_backup_can_be_copied_and_combined(tmp_path):
    backup = copy.deepcopy(BackupAndRestore(tmp_path / "backup", save_freq=1))
    fit(compiled(), backup, ReduceLROnPlateau("loss"))
    assert not (tmp_path / "backup").exists()
