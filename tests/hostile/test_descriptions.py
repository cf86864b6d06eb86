"""Descriptions that are handed over as objects, and backups, by strangers: a ValueError, and nothing has changed."""

import copy
import json

import numpy as np
import pytest

import multilayer as ml
from multilayer import saving
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


def fit(model, folder, *callbacks):
    backup = BackupAndRestore(folder, save_freq=1, delete_checkpoint=False)
    model.fit(X, Y, epochs=3, batch_size=8, verbose=0, callbacks=[backup, *callbacks])


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
    arrays = {}
    npz.write(folder / "latest.npz", {"kind": "backup of a run", "state": packing.pack(state, "state", arrays)}, arrays)


def test_an_honest_backup_that_was_written_anew_is_gone_on_with(tmp_path, honest):
    write(tmp_path, honest)
    fit(network(), tmp_path)


CHANGES = {
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
    with pytest.raises(ValueError, match="."):
        fit(model, tmp_path)
    for now, before in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
    assert randomness.global_positions()["numpy"]["state"]["pos"] == drawn
    assert not model.optimizer.iterations


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
