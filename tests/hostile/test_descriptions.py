"""Descriptions that are handed over as objects, and backups, by strangers: a ValueError, and nothing has changed."""

import copy
import json
import threading

import numpy as np
import pytest

import multilayer as ml
from multilayer import callbacks, saving
from multilayer._containers import npz, packing
from multilayer._training import randomness
from multilayer.callbacks import BackupAndRestore, Callback


def nested(value, wrap, times=100_000):
    for _ in range(times):
        value = wrap(value)
    return value


WITHIN_ITSELF = {"class_name": "Sequential", "module": "keras", "config": {"name": "s", "layers": []}}
WITHIN_ITSELF["config"]["layers"].append(WITHIN_ITSELF)


def described(cls, module="layers", **config):
    return {"class_name": cls, "module": f"keras.{module}", "config": config, "registered_name": None}


@pytest.mark.parametrize(
    "description",
    [
        pytest.param(nested([], lambda inner: [inner]), id="lists without end"),
        pytest.param(nested({}, lambda inner: {"a": inner}), id="dicts without end"),
        pytest.param(WITHIN_ITSELF, id="within itself"),
        {"class_name": "__numpy__", "config": {"value": ["x"] * 10, "dtype": "S1000000000"}},
        {"class_name": "__numpy__", "config": {"value": [1], "dtype": "(100000,100000)f8"}},
        {"class_name": "__numpy__", "config": {}},
        {"class_name": "__bytes__", "config": {"value": 1}},
        {"class_name": "__slice__", "config": {}},
        described("Dense"),
        described("Sequential") | {"module": "keras"},
        described("Adam", "optimizers", learning_rate=10**400),
        described("AUC", "metrics", num_thresholds=10**9),
    ],
    ids=lambda one: json.dumps(one)[:80],
)
def test_a_description_that_is_none_is_a_value_error(description):
    with pytest.raises(ValueError, match="."):
        saving.deserialize_keras_object(description)


def network_of(**dense):
    first = described("InputLayer", batch_shape=[None, 4])
    return json.dumps(
        {"class_name": "Sequential", "config": {"name": "m", "layers": [first, described("Dense", **dense)]}}
    )


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "[]",
        "9" * 10_000,
        network_of(units=3_000_000_000),
        network_of(units=3, kernel_regularizer=described("L2", "regularizers", l2=10**400)),
    ],
    ids=lambda text: text[-80:],
)
def test_json_that_describes_no_model_is_a_value_error(text):
    with pytest.raises(ValueError, match="This JSON describes no model"):
        ml.models.model_from_json(text)


@pytest.mark.parametrize("cls", [ml.Sequential, ml.Model])
@pytest.mark.parametrize("config", [{}, {"layers": [{"a": 1}]}, {"layers": 3}, WITHIN_ITSELF["config"]], ids=str)
def test_a_config_of_no_model_is_a_value_error(cls, config):
    with pytest.raises(ValueError, match="."):
        cls.from_config(config)


# --- Backups ---

X, Y = np.random.default_rng(0).normal(size=(40, 4)), np.arange(40) % 2


def network():
    ml.utils.set_random_seed(0)
    model = ml.Sequential(
        [ml.Input((4,)), ml.layers.Dense(3, "relu"), ml.layers.Dropout(0.2), ml.layers.Dense(2, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


class Epochs(Callback):
    """Takes note of the epochs that begin."""

    def __init__(self):
        self.begun = []

    def on_epoch_begin(self, epoch, logs=None):
        self.begun.append(epoch)


def watchers(folder):
    """One of every callback that has a state."""
    return [
        callbacks.EarlyStopping("loss", patience=9, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss", patience=9),
        callbacks.ModelCheckpoint(folder / "kept.npz", "loss", save_best_only=True),
        callbacks.CSVLogger(folder / "log.csv"),
    ]


def fit(model, folder, *others):
    backup = BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)
    model.fit(X, Y, epochs=3, batch_size=8, verbose=0, callbacks=[backup, *watchers(folder), *others])


class Killed(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == (1, 2):
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("backup")
    with pytest.raises(KeyboardInterrupt):
        fit(network(), folder, Killed())
    config, arrays = npz.read(folder / "latest.npz")
    return packing.unpack(config["state"], arrays)


def write(folder, state):
    """Writes a backup, and the log that it goes on behind."""
    arrays = {}
    (folder / "log.csv").write_bytes(b"x" * 1000)
    npz.write(folder / "latest.npz", {"kind": "backup of a run", "state": packing.pack(state, "state", arrays)}, arrays)


def test_an_honest_backup_that_was_written_anew_is_gone_on_with(tmp_path, honest):
    write(tmp_path, honest)
    fit(network(), tmp_path)


def of(name, **entries):
    """Changes what the backup says of a callback."""
    return lambda s: next(one for one in s["callbacks"] if name in one)[name].update(entries)


def numpys(**entries):
    def change(s):
        state = s["global random sources"]["numpy"]
        for name, value in entries.items():
            (state["state"] if name in state["state"] else state)[name] = value

    return change


def pythons(change):
    def make(s):
        version, words, gauss = s["global random sources"]["python"]
        s["global random sources"]["python"] = change(version, words, gauss)

    return make


def of_order(**entries):
    """Changes where the generator of the order of samples stands."""

    def change(s):
        state = s["source"]["generator"]
        for name, value in entries.items():
            (state["state"] if name in state["state"] else state)[name] = value

    return change


def best_weights(index, value):
    def change(s):
        state = next(one for one in s["callbacks"] if "EarlyStopping" in one)["EarlyStopping"]
        state["best_weights"][index] = value

    return change


def figures(**attributes):
    return lambda s: s["figures"][0]["attributes"].update(attributes)


def slots(change):
    return lambda s: change(s["optimizer"]["slots"])


KEY = np.zeros(624, "uint32")
CHANGES = {
    **{f"NumPy's place {pos}": numpys(pos=pos) for pos in (-(2**31), -1, 625, 700, 2**31 - 1, 2**63, 0.5, "1", None)},
    "NumPy's words of another type": numpys(key=KEY.astype("int64")),
    "NumPy's words of another number": numpys(key=KEY[:5] + np.uint32(1)),
    "NumPy's words are zeros, which never end": numpys(key=KEY),
    "NumPy's number ahead": numpys(gauss=float("nan")),
    "NumPy has two numbers ahead": numpys(has_gauss=2),
    "NumPy's other generator": numpys(bit_generator="Philox"),
    "Python's place": pythons(lambda v, words, g: (v, (*words[:-1], 700), g)),
    "Python's words": pythons(lambda v, words, g: (v, (-1, *words[1:]), g)),
    "Python's words are zeros": pythons(lambda v, words, g: (v, (0,) * 624 + (1,), g)),
    "Python's words of another number": pythons(lambda v, words, g: (v, words[1:], g)),
    "Python's number ahead": pythons(lambda v, words, g: (v, words, float("nan"))),
    "Python's version": pythons(lambda v, words, g: (2, words, g)),
    "the library's seed": lambda s: s["global random sources"].update(library=[-1, 0]),
    "the library's streams": lambda s: s["global random sources"].update(library=[1, -1]),
    "the library's seed of a million digits": lambda s: s["global random sources"].update(library=[2**9000, 0]),
    "no shared generators": lambda s: s.pop("global random sources"),
    "the order's number": of_order(state=-1),
    "the order's large number": of_order(state=2**128),
    "the order's even step": of_order(inc=2),
    "the order's other generator": of_order(bit_generator="MT19937"),
    "the order's flag": of_order(has_uint32=7),
    "no place in the order": lambda s: s["source"].update(generator=None),
    "batches beyond all": lambda s: s["source"].update(taken=10**6),
    "batches below 0": lambda s: s["source"].update(taken=-1),
    "batches of another step": lambda s: s["source"].update(taken=1),
    "best weights of NaN": best_weights(0, np.full((4, 3), np.nan, "float32")),
    "best weights beyond float32": best_weights(0, np.full((4, 3), 1e300)),
    "best weights of another shape": best_weights(0, np.zeros((3, 4), "float32")),
    "best weights that are text": best_weights(0, "x"),
    "fewer best weights": of("EarlyStopping", best_weights=[]),
    "best weights that are a number": of("EarlyStopping", best_weights=5),
    **{f"waited {wait}": of("EarlyStopping", wait=wait) for wait in (-1, "x", None, 0.5, [], 2**60)},
    **{f"the best {best}": of("EarlyStopping", best=best) for best in (float("nan"), "x", [], {}, 10**400)},
    "a plateau's best": of("ReduceLROnPlateau", best="x"),
    "a plateau's cooldown": of("ReduceLROnPlateau", cooldown_counter=float("inf")),
    "a checkpoint's count": of("ModelCheckpoint", seen=-5),
    "a checkpoint's best": of("ModelCheckpoint", best=float("nan")),
    "a backup's count": of("BackupAndRestore", seen="x"),
    "epochs that are none": of("History", epoch=["x"]),
    "epochs that are no list": of("History", epoch=5),
    "a history that is none": of("History", history=[1]),
    "a history of no lists": of("History", history={"loss": 1.0}),
    "a log's columns": of("CSVLogger", keys=5),
    "a log's columns that are no names": of("CSVLogger", keys=[1, 2]),
    "a log's size": of("CSVLogger", size=-1),
    "a log's size that is text": of("CSVLogger", size="x"),
    "a log's header": of("CSVLogger", with_header="x"),
    "a callback's state that is none": lambda s: s["callbacks"][0].update({next(iter(s["callbacks"][0])): 5}),
    "a metric's total": figures(total="x"),
    "a metric's count": figures(count=float("nan")),
    "a metric's count that is none": figures(count=None),
    "a metric's argument": figures(_fn_kwargs={"k": 3}),
    "a metric's attribute that it lacks": figures(other=3),
    "a metric's variables that it lacks": lambda s: s["figures"][0].update(variables=[np.zeros(3)]),
    "no figures": lambda s: s["figures"].clear(),
    "figures that are numbers": lambda s: s.update(figures=[5, 5]),
    "squares below 0": slots(lambda arrays: arrays["optimizer/velocity"].fill(-1)),
    "slots of another length": slots(lambda arrays: arrays.update({"optimizer/velocity": np.zeros(3, "float32")})),
    "slots beyond float32": slots(lambda arrays: arrays.update({"optimizer/velocity": np.full(23, 1e300)})),
    "a slot that is text": slots(lambda arrays: arrays.update({"optimizer/velocity": "x"})),
    "another slot": slots(lambda arrays: arrays.update({"optimizer/x": np.zeros(23, "float32")})),
    "half a step": lambda s: s["optimizer"]["numbers"]["numbers"].update(_batches=0.5),
    "weights trained twice": lambda s: s["optimizer"]["numbers"].update(trained=[0, 0, 0, 0]),
    "fewer weights trained": lambda s: s["optimizer"]["numbers"].update(trained=[0]),
    "a rate that is none": lambda s: s["optimizer"]["numbers"].update(learning_rate=float("nan")),
    "an optimizer of another class": lambda s: s["optimizer"]["numbers"].update(class_name="SGD"),
    "slots that are none": lambda s: s["optimizer"].update(slots=5),
    "weights beyond float32": lambda s: s["weights"].__setitem__(0, np.full((4, 3), 1e300)),
    "weights that are text": lambda s: s["weights"].__setitem__(0, "x"),
    "fewer weights": lambda s: s["weights"].pop(),
    "a step beyond the epoch": lambda s: s.update(step=6),
    "figures of the epoch that are text": lambda s: s.update(logs={"loss": "x"}),
    "a further figure that is text": lambda s: s.update(logs={"val_loss": "x"}),
    "figures of a step that are none": lambda s: s.update({"step logs": {"loss": [1]}}),
    "figures of the epoch without names": lambda s: s.update(logs={5: 0.5}),
    "an end that is none": lambda s: s.update(stopped=1),
    "weights that are NaN": lambda s: s["weights"][0].fill(np.nan),
    "weights of another shape": lambda s: s["weights"].__setitem__(0, s["weights"][0][:1]),
    "slots that are NaN": lambda s: next(iter(s["optimizer"]["slots"].values())).fill(np.nan),
    "no slots": lambda s: s["optimizer"]["slots"].clear(),
    "steps below 0": lambda s: s["optimizer"]["numbers"]["numbers"].update(_batches=-5),
    "an epoch that is none": lambda s: s.update(epoch="x"),
    "a step beyond all": lambda s: s.update(step=10**12),
    "a stream at no place": lambda s: s["random sources"].__setitem__(0, [2**70, -1]),
    "a stream at text": lambda s: s["random sources"].__setitem__(0, ["x", "y"]),
    "NumPy's generator at no place": lambda s: s["global random sources"].update(numpy=5),
    "Python's generator at no place": lambda s: s["global random sources"].update(python=5),
    "a method of a metric": lambda s: s["figures"][0]["attributes"].update(update_state=3),
    "a metric's variables": lambda s: s["figures"][0]["attributes"].update(variables=[]),
    "callbacks of another run": lambda s: s["callbacks"].clear(),
    **{f"{key}: a number": lambda s, key=key: s.update({key: 5}) for key in ("source", "callbacks", "logs", "of")},
    **{f"no {key}": lambda s, key=key: s.pop(key) for key in ("weights", "optimizer", "stopped", "random sources")},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_backup_that_is_none_is_refused_and_nothing_has_changed(tmp_path, honest, change):
    state = copy.deepcopy(honest)
    change(state)
    write(tmp_path, state)
    model = network()
    weights, drawn = model.get_weights(), randomness.global_positions()["numpy"]["state"]["pos"]
    epochs, log = Epochs(), (tmp_path / "log.csv").read_bytes()
    with pytest.raises(ValueError, match=r"(?s)backup in .*Delete that folder|is refused: .*Delete it") as refusal:
        fit(model, tmp_path, epochs)
    assert str(tmp_path) in str(refusal.value)
    assert len(str(refusal.value)) < 1000
    assert epochs.begun == [], "training has not begun"
    assert (tmp_path / "log.csv").read_bytes() == log
    for now, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
    assert randomness.global_positions()["numpy"]["state"]["pos"] == drawn
    assert not model.optimizer.iterations


class Own(Callback):
    """A user's own, whose `set_state` has a fault."""

    def get_state(self):
        return {"seen": 1}

    def set_state(self, state):
        raise self.fault


@pytest.mark.parametrize(
    "fault", [KeyError("x"), TypeError("no"), RuntimeError("no"), ValueError("no"), AssertionError()]
)
def test_an_error_of_a_callback_of_ones_own_is_told_as_its_own(tmp_path, fault):
    with pytest.raises(KeyboardInterrupt):
        fit(network(), tmp_path, Own(), Killed())
    model, own = network(), Own()
    own.fault = fault
    weights = model.get_weights()
    with pytest.raises(
        ValueError, match=r"Own.set_state does not take .* it: \w+Error.*Mend that method, or delete"
    ) as told:
        fit(model, tmp_path, own)
    assert told.value.__cause__ is fault
    for now, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)


def test_a_refused_backup_hands_no_stream_out_twice_that_another_thread_was_given(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        fit(network(), tmp_path, Own(), Killed())
    given = []

    class Drawing(Own):
        def set_state(self, state):
            worker = threading.Thread(target=lambda: given.append(ml.random.new_generator().random()))
            worker.start()
            worker.join()
            raise KeyError

    Drawing.__name__ = "Own"
    with pytest.raises(ValueError, match="Mend that method"):
        fit(network(), tmp_path, Drawing())
    assert ml.random.new_generator().random() not in given


class OwnStep(ml.Model):
    """What it logs is what its step returns, and no metric of the model's."""

    def __init__(self):
        super().__init__()
        self.last = ml.layers.Dense(1)

    def call(self, x):
        return self.last(x)

    def train_step(self, data):
        x, y = data
        with ml.GradientTape() as tape:
            loss = ml.ops.mean(ml.ops.square(self(x)[:, 0] - y))
        variables = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, variables), variables, strict=True))
        return {"of the step": loss}


def test_what_an_own_step_returned_last_is_there_after_a_kill_at_the_end_of_an_epoch(tmp_path):
    class Kill(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    def trained(folder, *others):
        ml.utils.set_random_seed(0)
        model = OwnStep()
        model.compile("sgd")
        backup = BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)
        return model.fit(X, Y, epochs=2, batch_size=8, verbose=0, callbacks=[*others, backup]).history

    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "a", Kill())
    assert trained(tmp_path / "a") == trained(tmp_path / "b")


# --- Models that fail to load late ---


def test_a_model_that_is_refused_late_has_drawn_no_random_numbers(tmp_path):
    network().save(tmp_path / "m.npz")
    config, arrays = npz.read(tmp_path / "m.npz")
    arrays["weights/3"] = np.full(2, np.nan, "float32")
    npz.write(tmp_path / "bad.npz", config, arrays)
    first = []
    for name in (None, "bad.npz"):
        ml.utils.set_random_seed(1)
        if name is not None:
            with pytest.raises(saving.ModelFileError, match="nan"):
                ml.models.load_model(tmp_path / name)
        first.append(ml.initializers.RandomNormal()((3,)))
    np.testing.assert_array_equal(*first)
