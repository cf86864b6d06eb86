"""What callbacks, data, figures and random sources do in a run that goes on in another process."""

import csv
import functools
import importlib.util
import random
import signal
import subprocess
import sys

import numpy as np
import pytest

import multilayer as keras
from helpers.paths import CHECKOUT
from multilayer import callbacks, layers, metrics
from multilayer._containers.packing import pack
from multilayer._training import random_sources
from multilayer.callbacks import BackupAndRestore, Callback, CSVLogger, EarlyStopping, ModelCheckpoint

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 4)).astype("float32")
Y = RNG.integers(2, size=24)
SCRIPT = CHECKOUT / "reliability" / "resume.py"


class KilledError(Exception):
    pass


class Kill(Callback):
    """Breaks the run off after so many steps."""

    def __init__(self, steps):
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self.steps -= 1
        if not self.steps:
            raise KilledError


def compiled(optimizer="adam", metrics=("accuracy",)):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(5, "relu"), layers.Dropout(0.4), layers.Dense(1, "sigmoid")]
    )
    model.compile(optimizer, "binary_crossentropy", metrics=list(metrics))
    return model


def resumed(path, make_callbacks, kill=9, make=compiled, save_freq=2, data=None, epochs=3):
    """The run of a model that was broken off after so many steps, of which there are four an epoch, and went on."""
    data = data or (lambda: {"x": X, "y": Y, "batch_size": 6})
    before = [*make_callbacks(), BackupAndRestore(path / "backup", save_freq), Kill(kill)]
    with pytest.raises(KilledError):
        make().fit(**data(), epochs=epochs, verbose=0, callbacks=before)
    made = make_callbacks()
    model = make()
    after = [*made, BackupAndRestore(path / "backup", save_freq)]
    return model, model.fit(**data(), epochs=epochs, verbose=0, callbacks=after).history, made


def unbroken(make_callbacks=list, make=compiled, data=None, epochs=3):
    data = data or (lambda: {"x": X, "y": Y, "batch_size": 6})
    model, made = make(), make_callbacks()
    return model, model.fit(**data(), epochs=epochs, verbose=0, callbacks=made).history, made


def assert_same(one, other):
    assert one[1] == other[1]
    for ours, theirs in zip(one[0].get_weights(), other[0].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- The script ---


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that nobody can catch")
@pytest.mark.parametrize("training", ["adamw with ema", "rmsprop accumulating"])
def test_processes_that_are_killed_again_and_again_come_to_the_same_bytes(training):
    """Two of the trainings of the script that does it often, with all of them."""
    command = [sys.executable, SCRIPT, "--kills", "2", training]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    _, *rows = done.stdout.splitlines()
    assert [row.split()[-1] for row in rows] == ["yes", "yes"]


# --- Callbacks ---


def steep(epoch, rate):
    return rate / (epoch + 1)


CALLBACKS = {
    "EarlyStopping": lambda: [EarlyStopping("loss", patience=2, min_delta=0.5, restore_best_weights=True)],
    "EarlyStopping of the best": lambda: [EarlyStopping("accuracy", mode="max", patience=9, restore_best_weights=True)],
    "ReduceLROnPlateau": lambda: [callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.5, cooldown=1)],
    "LearningRateScheduler": lambda: [callbacks.LearningRateScheduler(steep)],
    "History": lambda: [callbacks.History()],
}


@pytest.mark.parametrize("kill", [3, 5, 8, 9, 12])
@pytest.mark.parametrize("name", CALLBACKS)
def test_callbacks_go_on_with_what_they_have_counted(name, kill, tmp_path):
    went_on, whole = resumed(tmp_path, CALLBACKS[name], kill), unbroken(CALLBACKS[name])
    assert_same(went_on, whole)
    ours, theirs = went_on[2][0].get_state(), whole[2][0].get_state()
    assert pack(ours, "", {}) == pack(theirs, "", {})


@pytest.mark.parametrize("swap_on_epoch", [False, True])
@pytest.mark.parametrize("save_freq", ["epoch", 3])
def test_the_running_mean_is_in_the_model_where_it_was(swap_on_epoch, save_freq, tmp_path):
    def make():
        return compiled(keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.8))

    def swaps():
        return [callbacks.SwapEMAWeights(swap_on_epoch)]

    assert_same(resumed(tmp_path, swaps, 10, make, save_freq), unbroken(swaps, make))


def test_model_checkpoints_go_on_counting_batches_and_the_best(tmp_path):
    def saves(name):
        return lambda: [
            ModelCheckpoint(tmp_path / name / "{epoch}-{batch}.weights.npz", save_freq=5, save_weights_only=True),
            ModelCheckpoint(tmp_path / name / "best.npz", "loss", save_best_only=True),
        ]

    went_on, whole = resumed(tmp_path, saves("on"), 9), unbroken(saves("whole"))
    assert went_on[2][1].best == whole[2][1].best
    files = sorted(path.name for path in (tmp_path / "whole").iterdir())
    assert files == sorted(path.name for path in (tmp_path / "on").iterdir())
    for name in files:
        with np.load(tmp_path / "on" / name) as ours, np.load(tmp_path / "whole" / name) as theirs:
            assert all(np.array_equal(ours[key], theirs[key]) for key in theirs.files if key != "config.json")


@pytest.mark.parametrize("append", [False, True])
@pytest.mark.parametrize("kill", [3, 5, 9])
def test_no_line_of_a_log_is_there_twice_and_none_is_missing(append, kill, tmp_path):
    """Also where lines were written after the backup: at step 5 the last backup is that of the 3rd."""
    for name in ("on", "whole"):
        (tmp_path / name).write_bytes(b"epoch,accuracy,loss,val_accuracy,val_loss\r\n7,1,2,3,4\r\n")
    resumed(tmp_path, lambda: [CSVLogger(tmp_path / "on", append=append)], kill, save_freq=3)
    unbroken(lambda: [CSVLogger(tmp_path / "whole", append=append)])
    assert (tmp_path / "on").read_bytes() == (tmp_path / "whole").read_bytes()
    with (tmp_path / "on").open(newline="") as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == [*(["7"] if append else []), "0", "1", "2"]


def test_a_log_that_was_cut_is_said(tmp_path):
    path = tmp_path / "log.csv"

    def logs():
        if path.exists() and path.stat().st_size:
            path.write_text("short")
        return [CSVLogger(path, append=True)]

    with pytest.raises(ValueError, match="'.*log.csv' has 5 bytes, and had .* it has been cut or replaced"):
        resumed(tmp_path, logs)


@pytest.mark.skipif(importlib.util.find_spec("tensorboardX") is None, reason="needs tensorboardX")
def test_no_figure_for_tensorboard_is_there_twice_and_none_is_missing(tmp_path):
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    def board(name):
        return lambda: [callbacks.TensorBoard(tmp_path / name, update_freq=1)]

    def points(name):
        files = sorted((tmp_path / name / "train").iterdir())
        events = [event for path in files for event in EventFileLoader(str(path)).Load()]
        return sorted(
            (value.tag, event.step, value.tensor.float_val[0]) for event in events for value in event.summary.value
        )

    resumed(tmp_path, board("on"), 10, save_freq=3)
    unbroken(board("whole"))
    assert points("on") == points("whole")
    assert len(points("on")) == 3 * 3 + 12 * 2


class Norms(Callback):
    """A user's own, which keeps a list and a dict."""

    def on_train_begin(self, logs=None):
        self.norms, self.by_epoch = [], {}

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        self.norms.append(float(np.linalg.norm(self.model.get_weights()[0])))
        self.by_epoch[self.epoch] = self.model.get_weights()[1]

    def get_state(self):
        return {"norms": self.norms, "by epoch": self.by_epoch}

    def set_state(self, state):
        self.norms, self.by_epoch = state["norms"], state["by epoch"]


def test_a_callback_of_ones_own_goes_on_wherever_it_stands_in_the_list(tmp_path):
    """`BackupAndRestore` comes last by itself, so that everyone has heard of a step before it is backed up."""
    (norms,) = unbroken(lambda: [Norms()])[2]
    with pytest.raises(KilledError):
        compiled().fit(X, Y, 6, 3, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup", 2), Norms(), Kill(7)])
    went_on = Norms()
    compiled().fit(X, Y, 6, 3, verbose=0, callbacks=[BackupAndRestore(tmp_path / "backup", 2), went_on])
    assert went_on.norms == norms.norms
    assert len(norms.norms) == 12
    assert pack(went_on.by_epoch, "", {}) == pack(norms.by_epoch, "", {})
    for epoch, bias in norms.by_epoch.items():
        np.testing.assert_array_equal(went_on.by_epoch[epoch], bias)


def test_a_state_that_no_file_holds_is_named(tmp_path):
    class Sets(Norms):
        def get_state(self):
            return {"seen": {1, 2}}

    with pytest.raises(TypeError, match="state/callbacks/0/Sets/seen is of the type set. A backup holds numbers"):
        compiled().fit(X, Y, verbose=0, callbacks=[Sets(), BackupAndRestore(tmp_path / "backup")])


class StopAt(Callback):
    """Has training stop after so many steps; takes note of how it ends."""

    def __init__(self, steps, kill=False):
        self.stop_after, self.kill, self.taken = steps, kill, 0

    def on_train_batch_end(self, batch, logs=None):
        self.taken += 1
        self.model.stop_training = self.model.optimizer.iterations == self.stop_after

    def on_epoch_end(self, epoch, logs=None):
        if self.kill and self.model.stop_training:
            raise KilledError

    def on_train_end(self, logs=None):
        self.logs = logs


@pytest.mark.parametrize("kill", [True, False], ids=["killed in the epoch", "kept at the end"])
def test_a_run_that_was_to_stop_takes_no_further_step(kill, tmp_path):
    (whole,) = unbroken(lambda: [StopAt(6)])[2]
    backup = BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False)
    if kill:
        with pytest.raises(KilledError):
            compiled().fit(X, Y, 6, 3, verbose=0, callbacks=[backup, StopAt(6, kill)])
    else:
        backup = BackupAndRestore(tmp_path, delete_checkpoint=False)
        compiled().fit(X, Y, 6, 3, verbose=0, callbacks=[backup, StopAt(6)])
    model, stop = compiled(), StopAt(6)
    history = model.fit(X, Y, 6, 3, verbose=0, callbacks=[backup, stop])
    assert (stop.taken, history.epoch, int(model.optimizer.iterations)) == (0, [0, 1], 6)
    assert stop.logs == whole.logs == {name: values[-1] for name, values in history.history.items()}


# --- Figures ---


class Errors(metrics.Metric):
    """A user's own, which keeps variables, an array and a list."""

    def __init__(self, name="errors", **kwargs):
        super().__init__(name=name, **kwargs)
        self.sum = self.add_variable((), name="sum")
        self.reset_state()

    def reset_state(self):
        super().reset_state()
        self.largest, self.sizes = np.zeros(1), []

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = np.abs(np.reshape(y_true, (-1, 1)) - y_pred)
        self.sum.assign_add(error.sum())
        self.largest = np.maximum(self.largest, error.max())
        self.sizes.append(len(error))

    def result(self):
        return float(self.sum) / sum(self.sizes) + float(self.largest[0])


FIGURES = {
    "mean": lambda: ["mae", "accuracy"],
    "counts": lambda: [
        metrics.Precision([0.3, 0.6], name="p"),
        metrics.TruePositives(name="t"),
        metrics.Recall(name="r"),
    ],
    "areas": lambda: [metrics.AUC(num_thresholds=20, name="a"), metrics.SensitivityAtSpecificity(0.5, name="s")],
    "f scores": lambda: [metrics.F1Score(threshold=0.5)],
    "r2": lambda: [
        metrics.R2Score(name="r"),
        metrics.RootMeanSquaredError(name="e"),
        metrics.PearsonCorrelation(name="c"),
    ],
    "own": lambda: [Errors()],
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_of_an_epoch_go_on_in_its_middle(name, tmp_path):
    def make():
        return compiled(metrics=FIGURES[name]())

    went_on, whole = resumed(tmp_path, list, 7, make, save_freq=1)[1], unbroken(make=make)[1]
    np.testing.assert_equal(went_on, whole)
    assert [type(value) for value in went_on.values()] == [type(value) for value in whole.values()]


# --- Data ---


class Numbered(keras.utils.PyDataset):
    """Shuffles itself, and draws from generators of its own and of NumPy's and Python's."""

    def __init__(self):
        super().__init__()
        self.order, self.shuffling, self.noise = np.arange(4), np.random.default_rng(1), [np.random.default_rng(2)]

    def __len__(self):
        return 4

    def __getitem__(self, index):
        rows = slice(6 * self.order[index], 6 * self.order[index] + 6)
        noise = self.noise[0].normal() + np.random.normal() + random.random()  # noqa: NPY002
        return X[rows] + 0.01 * noise, Y[rows]

    def on_epoch_end(self):
        self.shuffling.shuffle(self.order)


class Listed:
    """Batches that can be gone through again."""

    def __iter__(self):
        return iter([(X[i : i + 6], Y[i : i + 6]) for i in range(0, 24, 6)])


def endless(seed=1):
    generator = np.random.default_rng(seed)
    while True:
        rows = generator.integers(24, size=6)
        yield X[rows], Y[rows]


DATA = {
    "arrays": lambda: {"x": X, "y": Y, "batch_size": 6},
    "in order": lambda: {"x": X, "y": Y, "batch_size": 6, "shuffle": False},
    "pixels": lambda: {"x": (9 * X).astype("uint8"), "y": Y, "batch_size": 7},
    "weighted": lambda: {"x": X, "y": Y, "batch_size": 6, "sample_weight": np.linspace(0, 1, 24)},
    "steps": lambda: {"x": X, "y": Y, "batch_size": 4, "steps_per_epoch": 2},
    "steps beyond a pass": lambda: {"x": X, "y": Y, "batch_size": 12, "steps_per_epoch": 2},
    "PyDataset": lambda: {"x": Numbered(), "validation_data": Numbered()},
    "PyDataset in steps": lambda: {"x": Numbered(), "steps_per_epoch": 2},
    "generator": lambda: {"x": endless(), "steps_per_epoch": 4, "validation_data": endless(), "validation_steps": 2},
    "iterable": lambda: {"x": Listed(), "validation_data": Listed()},
}


@pytest.mark.parametrize("kill", [2, 4, 5, 7])
@pytest.mark.parametrize("name", DATA)
def test_data_of_every_kind_go_on_at_the_next_batch(name, kill, tmp_path):
    went_on = resumed(tmp_path, list, kill, save_freq=1, data=DATA[name], epochs=4)
    assert_same(went_on, unbroken(data=DATA[name], epochs=4))


def test_a_generator_that_gives_other_batches_is_said(tmp_path):
    seeds = iter([1, 2])
    with pytest.warns(UserWarning, match="The generator gives other batches than it did: batch 4 is not the one"):
        resumed(tmp_path, list, 5, save_freq=1, data=lambda: {"x": endless(next(seeds)), "steps_per_epoch": 4})


def test_a_generator_that_ends_too_early_is_refused(tmp_path):
    lengths = iter([99, 3])

    def data():
        length = next(lengths)
        return {"x": (batch for _, batch in zip(range(length), endless(), strict=False)), "steps_per_epoch": 4}

    with pytest.raises(ValueError, match="the data ended after 3 batches, 5 of which had been trained on"):
        resumed(tmp_path, list, 6, save_freq=1, data=data)


def test_fewer_epochs_than_were_begun_are_refused(tmp_path):
    with pytest.raises(KilledError):
        compiled().fit(X, Y, 6, 3, verbose=0, callbacks=[BackupAndRestore(tmp_path, 1), Kill(7)])
    with pytest.raises(
        ValueError, match="The backup is of step 2 in epoch 2, and there are to be no more than 1 epochs"
    ):
        compiled().fit(X, Y, 6, 1, verbose=0, callbacks=[BackupAndRestore(tmp_path, 1)])


def test_generators_that_a_program_shares_go_on(tmp_path):
    drawn = []

    def draws():
        def draw(batch, logs):
            drawn.append((np.random.random(), random.random(), keras.random.uniform(()).item()))  # noqa: NPY002

        return [callbacks.LambdaCallback(on_train_batch_end=draw)]

    unbroken(draws)
    whole = list(drawn)
    drawn.clear()
    resumed(tmp_path, draws, 9, save_freq=1)
    assert drawn[:9] + drawn[9:] == whole[:9] + whole[8:]  # step 9 was taken twice: its backup was not to be


def test_lbfgs_says_what_it_has_forgotten(tmp_path):
    pytest.importorskip("scipy")

    class KillEpoch(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KilledError

    def make():
        return compiled("lbfgs")

    with pytest.raises(KilledError):
        make().fit(X, Y, epochs=4, verbose=0, callbacks=[BackupAndRestore(tmp_path), KillEpoch()])
    with pytest.warns(UserWarning, match="without the gradients that it remembered"):
        history = make().fit(X, Y, epochs=4, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert history.epoch == [0, 1, 2, 3]


# --- Generators that are held by somebody else ---

OF_A_MODULE = np.random.default_rng(5)


class Helper:
    __slots__ = ("inner",)

    def __init__(self, inner):
        self.inner = inner


class Drawing(keras.utils.PyDataset):
    """Adds noise from a generator, wherever that is."""

    def __init__(self, hold):
        super().__init__()
        self.draw = hold(self)

    def __len__(self):
        return 4

    def __getitem__(self, index):
        return X[6 * index : 6 * index + 6] + 0.1 * self.draw(), Y[6 * index : 6 * index + 6]


def held_in_a_dict(owner):
    owner.all = {"train": [{"noise": np.random.RandomState(1)}]}
    return lambda: owner.all["train"][0]["noise"].normal()


def held_in_slots(owner):
    owner.helper = Helper(Helper(np.random.default_rng(1)))
    return lambda: owner.helper.inner.inner.normal()


def held_by_python(owner):
    owner.helper = Helper({"noise": random.Random(1)})
    return lambda: owner.helper.inner["noise"].gauss(0, 1)


def held_by_a_function(owner):
    generator = np.random.default_rng(1)
    return lambda: generator.normal()


def held_by_a_method(owner):
    return np.random.default_rng(1).normal


def held_by_a_partial(owner):
    return functools.partial(np.random.default_rng(1).normal, 0.0, 2.0)


def held_by_bits(owner):
    owner.bits = np.random.Philox(1)
    return lambda: owner.bits.random_raw() / 2**64


def held_by_a_module(owner):
    OF_A_MODULE.bit_generator.state = np.random.default_rng(5).bit_generator.state
    return lambda: OF_A_MODULE.normal()


HOLDS = {name.removeprefix("held_"): hold for name, hold in list(globals().items()) if name.startswith("held_")}


@pytest.mark.parametrize("name", HOLDS)
def test_generators_go_on_wherever_they_are_held(name, tmp_path):
    def data():
        return {"x": Drawing(HOLDS[name])}

    assert_same(resumed(tmp_path, list, 7, save_freq=1, data=data), unbroken(data=data))


class Shaking(layers.Layer):
    """A user's own, whose generator is in an object of his own."""

    def __init__(self):
        super().__init__()
        self.helper = {"noise": Helper(random.Random(3))}

    def forward(self, x, training=False):
        self.factor = 1.0 + (0.1 * self.helper["noise"].inner.random() if training else 0.0)
        return x * np.float32(self.factor)

    def backward(self, dy):
        return dy * np.float32(self.factor)

    def compute_output_shape(self, input_shape):
        return input_shape


class Own(keras.Sequential):
    """A user's own model, with a generator beside its layers."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.noise = random.Random(4)


def test_generators_of_layers_go_on_wherever_they_are_held(tmp_path):
    def make():
        keras.utils.set_random_seed(3)
        model = Own([keras.Input((4,)), layers.Dense(5, "relu"), Shaking(), layers.Dense(1, "sigmoid")])
        model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
        return model

    assert_same(resumed(tmp_path, list, 7, make, save_freq=1), unbroken(make=make))
    model = make()
    assert random_sources.sources([*model.layers, model])[-2:] == [model.layers[1].helper["noise"].inner, model.noise]


class Generator:
    """As another library's, whose state nobody here knows."""

    __module__ = "torch"

    def normal(self):
        return 0.5


@pytest.mark.parametrize(
    ("hold", "message"),
    [
        (lambda owner: setattr(owner, "g", {"noise": Generator()}), r"Drawing.g\['noise'\], a torch.Generator"),
        (lambda owner: setattr(owner, "g", random.SystemRandom()), "Drawing.g, a random.SystemRandom"),
        (lambda owner: setattr(owner, "g", {random.Random(1)}), "Drawing.g, a set of generators"),
        (lambda owner: setattr(owner, "g", endless()), "Drawing.g, a generator that is under way"),
        (lambda owner: setattr(owner, "g", [Helper(1) for _ in range(30_000)]), "Drawing, which holds more than"),
    ],
)
def test_what_cannot_go_on_is_named(hold, message, tmp_path):
    dataset = Drawing(held_by_bits)
    hold(dataset)
    with pytest.warns(UserWarning, match=f"A backup does not keep where this stands: {message}"):
        compiled().fit(dataset, epochs=1, verbose=0, callbacks=[BackupAndRestore(tmp_path)])


def test_many_plain_things_are_not_looked_through_one_by_one(tmp_path):
    dataset = Drawing(held_by_bits)
    dataset.names, dataset.rows = [f"{i}.png" for i in range(100_000)], dict.fromkeys(range(100000), X[0])
    compiled().fit(dataset, epochs=1, verbose=0, callbacks=[BackupAndRestore(tmp_path)])
    assert random_sources.doubts([dataset]) == []
    assert random_sources.sources([dataset]) == [dataset.bits]


def test_a_network_of_many_layers_is_looked_through():
    many = [layers.Dense(1) for _ in range(4000)]  # some ten objects each, among which there is nothing to doubt
    many[-1].helper = np.random.default_rng(0)
    assert random_sources.doubts(many) == []
    assert random_sources.sources(many)[-1] is many[-1].helper
