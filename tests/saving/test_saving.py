"""Model files: what comes back, what is left when writing fails, and what is said to a file that is none."""

import copy
import gc
import json
import os
import pickle
import warnings
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import multilayer as keras
from multilayer import layers, losses, metrics, optimizers
from multilayer._containers import npz
from multilayer.models import load_model
from multilayer.saving import ModelFileError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(20, 2, 2)).astype("float32")
LABELS = RNG.integers(3, size=20)


def trained(dtype="float32"):
    model = keras.Sequential(
        [
            keras.Input((2, 2), dtype=dtype),
            layers.Rescaling(0.5, offset=-0.1, dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(5, "tanh", kernel_initializer="he_normal", dtype=dtype),
            layers.Dropout(0.2, seed=1, dtype=dtype),
            layers.Dense(3, use_bias=False, trainable=False, dtype=dtype),
            layers.Activation("softmax", dtype=dtype),
        ],
        name="digits",
    )
    model.compile(
        optimizers.RMSprop(0.02, momentum=0.5, centered=True),
        losses.SparseCategoricalCrossentropy(reduction="sum"),
        metrics=["accuracy", metrics.SparseCategoricalCrossentropy(name="again")],
        weighted_metrics=["acc"],
    )
    model.fit(X, LABELS, epochs=2, verbose=0)
    return model


def forge(path, description, **arrays):
    """A file that looks as `npz.write` makes it, with whatever description."""
    text = description if isinstance(description, bytes) else json.dumps(description).encode()
    np.savez(path, **{"config.json": np.frombuffer(text, np.uint8)}, **arrays)
    return path


def description_of(model, **changes):
    content = {"class_name": "Sequential", "config": model.get_config(), "compile": None}
    return {"format": "multilayer", "version": 1, "content": content | changes}


def weights_of(model):
    return {f"weights/{i}": weight for i, weight in enumerate(model.get_weights())}


# --- The way there and back ---


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_model_comes_back_to_the_last_bit(tmp_path, dtype):
    model = trained(dtype)
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))
    assert loaded.predict(X, verbose=0).dtype == dtype
    assert loaded.evaluate(X, LABELS, verbose=0, return_dict=True) == model.evaluate(
        X, LABELS, verbose=0, return_dict=True
    )
    assert loaded.get_config() == model.get_config()
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    assert [layer.trainable for layer in loaded.layers] == [layer.trainable for layer in model.layers]


def test_a_loaded_model_can_be_trained_on(tmp_path):
    trained().save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    before = loaded.get_weights()
    loaded.fit(X, LABELS, verbose=0)
    changed = [not np.array_equal(old, new) for old, new in zip(before, loaded.get_weights(), strict=True)]
    assert changed == [True, True, False]  # the last layer is frozen


def test_a_model_that_is_not_compiled_comes_back_so(tmp_path):
    model = keras.Sequential([layers.Dense(2)])
    model.build((None, 3))
    model.save(tmp_path / "model.npz")
    loaded = load_model(str(tmp_path / "model.npz"))
    assert not loaded.compiled
    assert loaded.input_shape == (None, 3)


def test_compiling_can_be_left_out(tmp_path):
    trained().save(tmp_path / "model.npz")
    assert not load_model(tmp_path / "model.npz", compile=False).compiled


def test_a_model_compiled_without_a_loss_comes_back(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("adam")
    model.save(tmp_path / "model.npz")
    assert load_model(tmp_path / "model.npz").optimizer.name == model.optimizer.name


def test_names_of_any_language_come_back(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1, name="출력층")], name="손글씨 ✍")
    model.save(tmp_path / "손글씨.npz")
    loaded = load_model(tmp_path / "손글씨.npz")
    assert (loaded.name, loaded.layers[0].name) == ("손글씨 ✍", "출력층")


def test_a_file_holds_the_config_and_the_weights_and_nothing_else(tmp_path):
    model = trained()
    model.save(tmp_path / "model.npz")
    config, arrays = npz.read(tmp_path / "model.npz")
    assert set(config) == {"class_name", "config", "compile", "names"}
    assert list(arrays) == list(weights_of(model))


def test_numbers_from_numpy_are_saved_as_numbers(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Rescaling(np.float32(0.5)), layers.Dense(1)])
    model.compile(optimizers.Adam(np.float32(0.25), beta_1=np.float32(0.5)), "mse")
    model.save(tmp_path / "model.npz")
    assert load_model(tmp_path / "model.npz").optimizer.get_config()["beta_1"] == 0.5


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_a_copy_in_memory_trains_on_its_own(duplicate):
    model = trained()
    copied = duplicate(model)
    np.testing.assert_array_equal(copied.predict(X, verbose=0), model.predict(X, verbose=0))
    before = model.get_weights()
    copied.fit(X, LABELS, verbose=0)
    assert not np.array_equal(copied.get_weights()[0], before[0])
    for weight, kept in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, kept)


# --- Writing: the whole file or none ---


class Interrupting:
    """An array whose writing is interrupted."""

    def __array__(self, dtype=None, copy=None):
        raise KeyboardInterrupt


# NumPy 2.0 leaves an archive that it could not finish to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("config", "array", "error"),
    [
        ({}, np.array([{"any": "object"}]), ValueError),
        ({}, Interrupting(), KeyboardInterrupt),
        ({"not": {"JSON"}}, np.zeros(2), TypeError),
    ],
)
def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, config, array, error):
    path = tmp_path / "model.npz"
    npz.write(path, {"old": True}, {"a": np.ones(1000)})
    before = path.read_bytes()
    with pytest.raises(error):
        npz.write(path, config, {"a": np.ones(1000), "b": array})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model.npz"
    trained().save(path)
    before = path.read_bytes()

    def full(file, **arrays):
        file.write(b"PK")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left on device"):
        trained().save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_saving_again_replaces_the_file_unless_told_not_to(tmp_path):
    path = tmp_path / "model.npz"
    model = trained()
    model.save(path)
    model.set_weights([np.zeros_like(weight) for weight in model.get_weights()])
    with pytest.raises(FileExistsError, match=r"model.npz.*overwrite=True"):
        model.save(path, overwrite=False)
    assert load_model(path).get_weights()[0].any()
    model.save(path)
    assert not load_model(path).get_weights()[0].any()
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_umask_decides_who_may_read(tmp_path, mask):
    before = os.umask(mask)
    try:
        npz.write(tmp_path / "model.npz", {}, {})
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "model.npz").stat().st_mode & 0o777 == 0o666 & ~mask


@pytest.mark.parametrize("name", ["model", "model.zip", "npz"])
def test_a_name_with_another_ending_is_refused_and_named(tmp_path, name):
    with pytest.raises(ValueError, match=rf"must end in '\.keras' or '\.npz'. Received: .*{name}"):
        trained().save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_missing_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        trained().save(tmp_path / "nowhere" / "model.npz")


@pytest.mark.parametrize("name", ["model.keras", "model.npz"])
def test_an_unbuilt_model_is_saved_without_weights_as_in_keras(tmp_path, name):
    model = keras.Sequential([layers.Dense(1)])
    model.compile("adam", "mse")
    with pytest.warns(UserWarning, match="model that has not yet been built, and has no weights"):
        model.save(tmp_path / name)
    again = load_model(tmp_path / name)
    assert (again.built, again.compiled) == (False, True)
    again.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    with pytest.raises(ValueError, match=r"`save_weights` of model .*, which has no weights yet"):
        model.save_weights(tmp_path / "m.weights.h5")


# --- Reading: a model, or a ValueError that names the file ---


def refused(path, message=None):
    """Checks that the file is refused by name."""
    with pytest.raises(ValueError, match=message) as error:
        load_model(path)
    assert path.name in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    for path in (tmp_path / "model.npz", tmp_path):
        with pytest.raises(FileNotFoundError, match=f"no model file at .*{path.name}"):
            load_model(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The path of a file that is whole."""
    path = tmp_path_factory.mktemp("saved") / "whole.npz"
    trained().save(path)
    return path


@pytest.mark.parametrize("tenths", range(10))
def test_a_file_that_was_cut_off_is_refused(whole, tmp_path, tenths):
    content, path = whole.read_bytes(), tmp_path / "cut.npz"
    path.write_bytes(content[: len(content) * tenths // 10])
    refused(path)
    path.write_bytes(content[:-1])
    refused(path)


@settings(max_examples=150, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_changes_nothing_or_is_found(whole, place, bit):
    content, path = bytearray(whole.read_bytes()), whole.with_name("flipped.npz")
    content[int(place * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        loaded = load_model(path)
    except ValueError:
        refused(path)
    else:
        np.testing.assert_array_equal(loaded.predict(X, verbose=0), load_model(whole).predict(X, verbose=0))


@pytest.mark.parametrize(("offset", "bit"), [(6, 7), (8, 0), (8, 5), (10, 0), (10, 3)])
def test_an_archive_of_another_version_encrypted_or_packed_otherwise_is_refused(whole, tmp_path, offset, bit):
    content, path = bytearray(whole.read_bytes()), tmp_path / "other.npz"
    content[content.index(b"PK\x01\x02") + offset] ^= 1 << bit  # in the archive's table of contents
    path.write_bytes(content)
    refused(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"\x93NUMPY", b"{}", b"\x80\x04.", b"\x89PNG\r\n\x1a\n" + bytes(99)])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    (tmp_path / "other.npz").write_bytes(content)
    refused(tmp_path / "other.npz")


def test_a_single_array_is_no_model(tmp_path):
    with (tmp_path / "array.npz").open("wb") as file:
        np.save(file, np.zeros(3))
    refused(tmp_path / "array.npz")


def test_an_archive_of_other_arrays_is_no_model(tmp_path):
    np.savez(tmp_path / "data.npz", x_train=np.zeros(3))
    refused(tmp_path / "data.npz")


def test_pickled_objects_are_never_read(tmp_path):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("a file's code was run",))

    model = trained()
    weights = weights_of(model) | {"weights/0": np.array([Trap()], dtype=object)}
    np.savez(tmp_path / "trap.npz", **{"config.json": np.array([Trap()], dtype=object)})
    refused(tmp_path / "trap.npz")
    refused(forge(tmp_path / "trap.npz", description_of(model), **weights))
    (tmp_path / "trap.npz").write_bytes(pickle.dumps([1, 2]))
    refused(tmp_path / "trap.npz")


def test_a_refused_file_is_closed(tmp_path):
    (tmp_path / "other.npz").write_bytes(b"PK\x03\x04 and then nothing of the kind")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        refused(tmp_path / "other.npz")
        gc.collect()
    assert [str(warning.message) for warning in caught] == []


@pytest.mark.parametrize(
    ("description", "message"),
    [
        (b"", None),
        (b"{", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (None, "no config"),
        ([], "no config"),
        ({}, "no config"),
        ({"content": {}}, "is of .*this release reads"),
        ({"format": "multilayer", "version": 2, "content": {}}, "'version': 2.*this release reads .*'version': 1"),
        ({"format": "multilayer", "version": 1, "content": {}}, "class_name"),
    ],
)
def test_a_description_that_is_none_is_refused(tmp_path, description, message):
    refused(forge(tmp_path / "forged.npz", description), message)


DENSE = {"class_name": "Dense", "config": {"units": 3}}
ADAM = {"class_name": "Adam", "config": {}}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"class_name": "Functional"}, None),
        ({"class_name": "Model"}, "only Sequential, Functional are known"),
        ({"class_name": None}, None),
        ({"config": None}, None),
        ({"config": []}, None),
        ({"config": {"name": "m", "layers": None}}, None),
        ({"config": {"name": "m", "layers": ["Dense"]}}, None),
        ({"config": {"name": "m", "layers": [5]}}, None),
        ({"config": {"name": "m", "layers": [{}]}}, "class_name"),
        ({"config": {"name": "m", "layers": [DENSE | {"class_name": 5}]}}, None),
        ({"config": {"name": "m", "layers": [DENSE | {"class_name": "os.system"}]}}, "Unknown layer: 'os.system'"),
        ({"config": {"name": "m", "layers": [DENSE | {"config": {"units": "x"}}]}}, "units='x', which must be int"),
        ({"config": {"name": "m", "layers": [DENSE | {"config": {"units": 3, "power": 3}}]}}, "power"),
        ({"config": {"name": "m", "layers": [DENSE], "build_input_shape": 5}}, None),
        ({"config": {"name": "m", "layers": [DENSE], "build_input_shape": [None, "x"]}}, None),
        ({"config": {"name": "m", "layers": [DENSE], "build_input_shape": [None, 4]}}, "weight"),
        ({"compile": 5}, None),
        ({"compile": {"optimizer": {"name": "adam"}}}, "optimizer"),
        ({"compile": {"optimizer": ADAM | {"class_name": "Adm"}}}, "Unknown optimizer: 'Adm'"),
        ({"compile": {"optimizer": ADAM | {"config": {"learning_rate": -1}}}}, "`learning_rate`"),
        ({"compile": {"optimizer": ADAM, "loss": "nonsense"}}, "Unknown loss: 'nonsense'"),
        ({"compile": {"optimizer": ADAM, "metrics": ["nonsense"]}}, "Unknown metric: 'nonsense'"),
        ({"compile": {"optimizer": ADAM, "surprise": 1}}, "surprise"),
    ],
)
def test_a_config_that_makes_no_model_is_refused(tmp_path, changes, message):
    model = trained()
    refused(forge(tmp_path / "forged.npz", description_of(model, **changes), **weights_of(model)), message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights/0": np.zeros((5, 4), "float32")}, r"\(4, 5\).*\(5, 4\)"),
        ({"weights/1": np.zeros(())}, r"\(5,\)"),
        ({"weights/1": np.array(list("abcde"))}, None),
        ({"weights/1": np.zeros(5, "complex64")}, None),
        ({"weights/1": None}, "weight"),
        ({"weights/2": None}, "weight"),
        ({"weights/3": np.zeros(3, "float32")}, "weight"),
        ({"surprise": np.zeros(3, "float32")}, None),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, changes, message):
    model = trained()
    weights = {name: weight for name, weight in (weights_of(model) | changes).items() if weight is not None}
    refused(forge(tmp_path / "forged.npz", description_of(model), **weights), message)


def test_what_is_frozen_does_not_change_where_a_weight_is_looked_for(tmp_path):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(3), layers.Dense(3)])
    model.layers[0].kernel.trainable = False
    model.layers[1].trainable = False
    model.save(tmp_path / "model.npz")
    loaded = load_model(tmp_path / "model.npz")
    for ours, theirs in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- Classes and functions that no file can name ---


class Negative(layers.Layer):
    def forward(self, x, training=False):
        return -x


def test_a_layer_of_ones_own_is_named_and_the_file_not_called_damaged(tmp_path):
    keras.Sequential([keras.Input((2,)), Negative()]).save(tmp_path / "model.npz")
    with pytest.raises(ValueError, match="Negative") as error:
        load_model(tmp_path / "model.npz")
    assert "damaged" not in str(error.value)


def closeness(y_true, y_pred):
    return -np.abs(y_true - y_pred).mean(axis=-1)


def mae(y_true, y_pred):
    """Has the name of one of the library's own, and is another."""
    return closeness(y_true, y_pred)


@pytest.mark.parametrize("argument", ["metrics", "weighted_metrics"])
@pytest.mark.parametrize("metric", [lambda t, y: abs(t - y), mae, metrics.MeanMetricWrapper(mae, name="mae")])
def test_a_metric_without_a_name_of_its_own_is_left_out_with_a_warning(tmp_path, metric, argument):
    name = getattr(metric, "__name__", "mae")
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", **{argument: ["mse", metric, losses.mean_squared_error]})
    with pytest.warns(UserWarning, match=f"Metric '{name}' is a function without a name of its own") as warned:
        model.save(tmp_path / "model.npz")
    assert warned[0].filename == __file__
    with pytest.warns(UserWarning, match=f"metric '{name}', a function.* is loaded without") as warned:
        loaded = load_model(tmp_path / "model.npz")
    assert warned[0].filename == __file__
    x = np.ones((3, 2))
    assert list(loaded.evaluate(x, x[:, :1], verbose=0, return_dict=True)) == ["loss", "mean_squared_error", "mse"]
    assert not load_model(tmp_path / "model.npz", compile=False).compiled


# --- What a file says, on a terminal ---

TERMINAL = "\x1b]0;owned\x07\x1b[2J\u202e\r"  # sets a title, clears the screen, turns the text round


def replace_in_keras(source, target, old, new):
    with zipfile.ZipFile(source) as archive, zipfile.ZipFile(target, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            if name == "config.json":
                assert old.encode() in content
                content = content.replace(old.encode(), new)
            changed.writestr(name, content)
    return target


@pytest.mark.parametrize("part", ["optimizer", "metric", "loss", "function", "layer", "class"])
def test_what_a_file_says_reaches_no_terminal_as_a_command(tmp_path, part):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="name-of-layer")])
    model.compile(
        keras.optimizers.Adam(name="name-of-optimizer"),
        keras.losses.MeanSquaredError(name="name-of-loss"),
        metrics=[keras.metrics.MeanAbsoluteError(name="name-of-metric"), "cosine_similarity"],
    )
    model.fit(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
    model.save(tmp_path / "m.keras")
    old = {"function": '"cosine_similarity"', "class": '"Dense"'}.get(part, f'"name-of-{part}"')
    new = json.dumps(f"x{TERMINAL}").encode()
    if part == "function":
        new = b'{"class_name": "function", "config": ' + new + b', "module": "builtins", "registered_name": "function"}'
    path = replace_in_keras(tmp_path / "m.keras", tmp_path / f"{TERMINAL.replace('/', '')}.keras", old, new)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            loaded = keras.models.load_model(path)
            loaded.evaluate(np.ones((4, 4)), np.ones((4, 3)), verbose=0)
        except ModelFileError as error:
            said = [*said, error]
    assert said
    for one in said:
        assert str(getattr(one, "message", one)).isprintable()


def test_what_is_called_is_called_by_letters_that_can_be_shown():
    for make in (keras.metrics.Mean, keras.losses.MeanSquaredError, keras.optimizers.Adam, keras.layers.ReLU):
        assert make(name="größe 火 🔥").name == "größe 火 🔥"
        with pytest.raises(ValueError, match=r"`name` must be .*name='\\x1b"):
            make(name=TERMINAL)


# --- Classes of one's own that refuse ---


@keras.saving.register_keras_serializable("own")
class Particular(layers.Layer):
    """Takes no argument at all, once it is told not to."""

    refuses = False

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        assert not self.refuses, "not now"

    def forward(self, x, training=False):
        return x

    def backward(self, dy):
        return dy

    def compute_output_shape(self, input_shape):
        return input_shape


@pytest.mark.parametrize("name", ["m.keras", "m.npz"])
def test_an_assertion_in_a_class_of_ones_own_is_a_refusal(tmp_path, monkeypatch, name):
    model = keras.Sequential([keras.Input((4,)), Particular(), layers.Dense(2)])
    model.save(tmp_path / name)
    text = model.to_json()
    monkeypatch.setattr(Particular, "refuses", True)
    with pytest.raises(ModelFileError, match=f"{name}' is refused: .*not now"):
        load_model(tmp_path / name)
    with pytest.raises(ValueError, match="This JSON describes no model.*not now"):
        keras.models.model_from_json(text)


@pytest.mark.parametrize("metric", [layers.Dense(2), Particular(), keras.optimizers.Adam(), keras.initializers.Zeros()])
def test_what_is_no_metric_is_refused_as_one(metric):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match=f"{type(metric).__name__} is no metric|Could not interpret metric"):
        model.compile("sgd", "mse", metrics=[metric])


def test_a_file_whose_metric_is_a_layer_is_refused(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2)])
    model.compile("sgd", "mse", metrics=["mae"])
    model.fit(np.ones((4, 4)), np.ones((4, 2)), verbose=0)
    model.save(tmp_path / "m.keras")
    layer = {"module": None, "class_name": "Particular", "config": {}, "registered_name": "own>Particular"}
    path = replace_in_keras(
        tmp_path / "m.keras",
        tmp_path / "n.keras",
        '"metrics": ["mae"]',
        b'"metrics": [' + json.dumps(layer).encode() + b"]",
    )
    with pytest.raises(ModelFileError, match="Particular is no metric: expected Metric"):
        load_model(path)


def test_arguments_of_older_programs(tmp_path):
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.save(tmp_path / "model.keras", save_format="keras", include_optimizer=True)
    assert (tmp_path / "model.keras").exists()
    with pytest.raises(ValueError, match="The `save_format` argument is deprecated"):
        model.save(tmp_path / "model", save_format="tf")
    for wrong in ({"random_arg": True}, {"include_optimizer": False}):
        with pytest.raises(ValueError, match=r"The following argument\(s\) are not supported"):
            keras.saving.save_model(model, tmp_path / "model.keras", **wrong)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam"])
def test_a_compiled_model_without_weights_comes_back(tmp_path, optimizer):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dropout(0.5)])
    model.compile(optimizer, "mse")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.optimizer) is type(model.optimizer)


@pytest.mark.parametrize("ending", ["keras", "npz"])
def test_a_loaded_model_has_its_loss_as_an_object(tmp_path, ending):
    model = keras.Sequential([layers.Input((2,)), layers.Dense(1)])
    model.compile("sgd", losses.Huber(0.25))
    path = tmp_path / f"model.{ending}"
    model.save(path)
    assert load_model(path).loss.delta == 0.25
