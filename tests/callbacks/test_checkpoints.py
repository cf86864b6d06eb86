"""Models and weights in files, on the way."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer._containers import npz
from multilayer.callbacks import LambdaCallback, ModelCheckpoint
from multilayer.models import load_model

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]


def compiled(optimizer="adam", units=1):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(units)], name="line")
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same_weights(one, other):
    for ours, theirs in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


# --- When, and under which names ---


@pytest.mark.parametrize(
    ("name", "files"),
    [
        ("model.npz", ["model.npz"]),
        ("{epoch}.npz", ["1.npz", "2.npz", "3.npz"]),
        ("e{epoch:03d}.npz", ["e001.npz", "e002.npz", "e003.npz"]),
    ],
)
def test_a_model_is_saved_after_every_epoch(tmp_path, name, files):
    model = compiled()
    model.fit(X, Y, epochs=3, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "deep" / "er" / name)])
    assert names(tmp_path / "deep" / "er") == files
    assert_same_weights(load_model(tmp_path / "deep" / "er" / files[-1]), model)


def test_names_may_hold_figures(tmp_path):
    history = compiled().fit(
        X, Y, epochs=2, verbose=0, validation_data=(X, Y),
        callbacks=[ModelCheckpoint(tmp_path / "{epoch}-{val_mae:.4f}.npz")],
    )  # fmt: skip
    assert names(tmp_path) == [f"{i + 1}-{mae:.4f}.npz" for i, mae in enumerate(history.history["val_mae"])]


def test_a_figure_that_is_not_there_is_named(tmp_path):
    with pytest.raises(KeyError, match="Failed to format this callback filepath: .*val_mae"):
        compiled().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "{val_mae}.npz")])


@pytest.mark.parametrize(
    ("every", "files"),
    [
        (2, ["1-2.npz", "1-4.npz", "2-1.npz", "2-3.npz", "2-5.npz"]),
        (3, ["1-3.npz", "2-1.npz", "2-4.npz"]),
        (7, ["2-2.npz"]),
        (11, []),
    ],
)
def test_it_is_saved_after_so_many_batches_across_epochs(tmp_path, every, files):
    checkpoint = ModelCheckpoint(tmp_path / "{epoch}-{batch}.npz", save_freq=every)
    compiled().fit(X, Y, batch_size=1, epochs=2, verbose=0, callbacks=[checkpoint])
    assert names(tmp_path) == files


def test_only_where_batches_are_counted_are_their_figures_wanted(tmp_path):
    listening = keras.callbacks.CallbackList([ModelCheckpoint(tmp_path / "model.npz")])
    assert listening.listeners("on_train_batch_end") == []
    listening = keras.callbacks.CallbackList([ModelCheckpoint(tmp_path / "model.npz", save_freq=1)])
    assert len(listening.listeners("on_train_batch_end")) == 1


# --- The best ---


class Saves:
    """Stands for a model, and takes note of where it is saved."""

    def __init__(self):
        self.saved = []
        self.weights = []
        self.metrics = [keras.metrics.BinaryAccuracy(name="accuracy")]

    def save(self, path, overwrite):
        self.saved.append(path)


def saved(values, monitor="val_loss", **arguments):
    checkpoint = ModelCheckpoint("{epoch}.npz", monitor, save_best_only=True, **arguments)
    checkpoint.set_model(Saves())
    for epoch, value in enumerate(values):
        checkpoint.on_epoch_begin(epoch, {})
        checkpoint.on_epoch_end(epoch, {monitor: value})
    return [int(path.removesuffix(".npz")) for path in checkpoint.model.saved]


@pytest.mark.parametrize(
    ("arguments", "values", "epochs"),
    [
        ({}, [3, 2, 2, 4, 1], [1, 2, 5]),
        ({"mode": "max"}, [3, 2, 3, 4, 1], [1, 4]),
        ({"monitor": "val_accuracy"}, [0.3, 0.2, 0.4], [1, 3]),
        ({"initial_value_threshold": 2.5}, [3, 2, 1], [2, 3]),
        ({"initial_value_threshold": 0.5, "monitor": "accuracy"}, [0.3, 0.6, 0.5], [2]),
        ({}, [float("nan"), 1, float("nan")], [2]),  # NaN is not the best of anything
    ],
)
def test_only_the_best_so_far_is_saved(arguments, values, epochs):
    assert saved(values, **arguments) == epochs


def test_the_best_of_all_runs_counts_as_in_keras(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "best.npz", "loss", save_best_only=True, initial_value_threshold=-1.0)
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[checkpoint])
    assert names(tmp_path) == []


def test_where_the_figure_is_missing_every_model_is_saved_and_a_warning_says_so(tmp_path):
    checkpoint = ModelCheckpoint(tmp_path / "best.npz", save_best_only=True)
    with pytest.warns(UserWarning, match="Can save best model only with val_loss available."):
        compiled().fit(X, Y, verbose=0, callbacks=[checkpoint])
    assert names(tmp_path) == ["best.npz"]


def test_of_several_numbers_none_is_the_best():
    with pytest.warns(UserWarning, match="only when `monitor` is a scalar value. Received: .*1.*2"):
        assert saved([np.array([1.0, 2.0])], mode="max") == [1]


def test_what_is_done_is_said(tmp_path, capsys):
    saved([0.5, 0.75, 0.25])
    assert capsys.readouterr().out == ""
    saved([0.5, 0.75, 0.25], verbose=1)
    assert capsys.readouterr().out.split("\n")[1::2] == [
        "Epoch 1: val_loss improved from None to 0.50000, saving model to 1.npz",
        "Epoch 1: finished saving model to 1.npz",
        "Epoch 2: val_loss did not improve from 0.50000",
        "Epoch 3: val_loss improved from 0.50000 to 0.25000, saving model to 3.npz",
        "Epoch 3: finished saving model to 3.npz",
    ]


# --- What is refused, before anything is trained ---


@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_the_files_of_keras_2_are_refused_as_saving_refuses_them(tmp_path, suffix):
    with pytest.raises(ValueError, match=r"it is read here, and not written. Use .*model.keras'") as at_once:
        ModelCheckpoint(tmp_path / f"model{suffix}")
    with pytest.raises(ValueError, match="it is read here, and not written") as by_saving:
        compiled().save(tmp_path / f"model{suffix}")
    assert str(at_once.value) == str(by_saving.value)


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("model", {}, "A model file's name must end in '.keras' or '.npz'. Received: 'model'"),
        (
            "model.npz",
            {"save_weights_only": True},
            "must end in `.weights.h5`, `.weights.npz` or `.safetensors`. Received: .*model.npz",
        ),
        ("model.h5", {"save_weights_only": True}, "must end in `.weights.h5`, `.weights.npz` or `.safetensors`"),
        ("model.weights.h5", {}, "A model file's name must end in '.keras' or '.npz'"),
        ("model.npz", {"save_freq": "batch"}, "Unrecognized save_freq: batch. Expected save_freq are 'epoch' or int"),
        ("model.npz", {"save_freq": 0}, "Unrecognized save_freq: 0"),
        ("model.npz", {"save_freq": True}, "Unrecognized save_freq: True"),
        ("model.npz", {"mode": "up"}, "Unknown mode: 'up'"),
    ],
)
def test_bad_arguments_are_refused(name, arguments, message):
    with pytest.raises(ValueError, match=message):
        ModelCheckpoint(name, **arguments)


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "model.npz").mkdir()
    with pytest.raises(OSError, match="Please specify a non-directory filepath for ModelCheckpoint"):
        compiled().fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "model.npz")])


# --- Weights alone ---


def test_weights_alone_are_saved_and_come_back(tmp_path):
    model = compiled()
    path = tmp_path / "{epoch}.weights.npz"
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[ModelCheckpoint(path, save_weights_only=True)])
    other = compiled()
    other.load_weights(tmp_path / "2.weights.npz")
    assert_same_weights(other, model)


@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: keras.optimizers.SGD(0.1),
        lambda: keras.optimizers.SGD(0.1, momentum=0.9),
        lambda: keras.optimizers.RMSprop(0.1, momentum=0.5, centered=True),
        lambda: keras.optimizers.Adam(0.1),
    ],
    ids=["sgd", "momentum", "rmsprop", "adam"],
)
def test_with_the_weights_the_optimizer_goes_on_where_it_was(tmp_path, optimizer):
    unbroken = compiled(optimizer())
    unbroken.fit(X, Y, epochs=2, batch_size=2, shuffle=False, verbose=0)
    unbroken.optimizer.learning_rate = 0.05
    unbroken.save_weights(tmp_path / "half.weights.npz")
    resumed = compiled(optimizer())
    resumed.load_weights(tmp_path / "half.weights.npz")
    assert (resumed.optimizer.iterations, resumed.optimizer.learning_rate) == (6, 0.05)
    for model in (unbroken, resumed):
        model.fit(X, Y, epochs=2, batch_size=2, shuffle=False, verbose=0)
    assert_same_weights(resumed, unbroken)


def test_the_state_of_another_optimizer_is_left_out_with_a_warning(tmp_path):
    model = compiled("adam")
    model.fit(X, Y, verbose=0)
    model.save_weights(tmp_path / "adam.weights.npz")
    for optimizer, why in (
        ("sgd", "the state is that of Adam, the optimizer SGD"),
        (keras.optimizers.RMSprop(), "the state is that of Adam"),
    ):
        other = compiled(optimizer)
        with pytest.warns(UserWarning, match=f"is left as it is, and the weights alone are loaded: {why}"):
            other.load_weights(tmp_path / "adam.weights.npz")
        assert_same_weights(other, model)
        assert not other.optimizer.built
    plain, momentum = compiled(keras.optimizers.SGD()), compiled(keras.optimizers.SGD(momentum=0.5))
    momentum.fit(X, Y, verbose=0)
    momentum.save_weights(tmp_path / "sgd.weights.npz")
    with pytest.warns(UserWarning, match="the optimizer's running vectors are {}, the state has {'momentum'"):
        plain.load_weights(tmp_path / "sgd.weights.npz")
    assert not plain.optimizer.built
    plain.fit(X, Y, verbose=0)


def branched():
    """Two inputs and two outputs, with a layer that both ways share, and a model inside the model."""
    keras.utils.set_random_seed(4)
    left, right = keras.Input((2,), name="left"), keras.Input((2,), name="right")
    shared, inner = layers.Dense(3, "tanh"), keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dropout(0.3)])
    both = layers.Add()([shared(left), shared(right)])
    model = keras.Model([left, right], [layers.Dense(1, name="a")(inner(both)), layers.Dense(1, name="b")(both)])
    model.compile(keras.optimizers.Adam(0.1), "mse", metrics=[["mae"], ["mae"]])
    return model


def test_a_model_of_several_branches_goes_on_where_it_was(tmp_path):
    unbroken, resumed = branched(), branched()
    best = ModelCheckpoint(
        tmp_path / "best.weights.npz", "b_mae", mode="min", save_best_only=True, save_weights_only=True
    )
    unbroken.fit([X, X], [Y, -Y], epochs=2, batch_size=2, shuffle=False, verbose=0, callbacks=[best])
    unbroken.save_weights(tmp_path / "half.weights.npz")
    resumed.load_weights(tmp_path / "half.weights.npz")
    assert_same_weights(resumed, unbroken)
    for slot, values in unbroken.optimizer.state.items():
        np.testing.assert_array_equal(resumed.optimizer.state[slot], values)
    assert unbroken.fit([X, X], [Y, -Y], verbose=0).epoch == resumed.fit([X, X], [Y, -Y], verbose=0).epoch == [0]
    resumed.load_weights(tmp_path / "best.weights.npz")


def test_an_untrained_or_uncompiled_model_has_weights_alone(tmp_path):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.save_weights(tmp_path / "line.weights.npz")
    other = compiled()
    other.load_weights(tmp_path / "line.weights.npz")
    assert_same_weights(other, model)
    assert not other.optimizer.built
    other.fit(X, Y, verbose=0)
    other.save_weights(tmp_path / "line.weights.npz")
    model.load_weights(tmp_path / "line.weights.npz")
    assert_same_weights(other, model)


def test_weights_that_do_not_fit_are_refused_and_nothing_is_set(tmp_path):
    compiled(units=2).save_weights(tmp_path / "two.weights.npz")
    model = compiled()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"two.weights.npz' is refused: .*shape"):
        model.load_weights(tmp_path / "two.weights.npz")
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_is_no_file_of_weights_is_refused(tmp_path):
    model = compiled()
    npz.write(tmp_path / "model.weights.npz", {"kind": "backup"}, {})
    with pytest.raises(ValueError, match="it is no file of weights: `Model.save_weights` writes one"):
        model.load_weights(tmp_path / "model.weights.npz")
    with pytest.raises(FileNotFoundError):
        model.load_weights(tmp_path / "none.weights.npz")
    for name, uses in (("line", 2), ("line.npz", 1), ("line.h5", 1)):
        for use in (model.save_weights, model.load_weights)[:uses]:
            with pytest.raises(ValueError, match="weights that can be loaded ends in|filename must end in"):
                use(tmp_path / name)
    model.save_weights(tmp_path / "line.weights.npz")
    with pytest.raises(FileExistsError):
        model.save_weights(tmp_path / "line.weights.npz", overwrite=False)
    with pytest.raises(ValueError, match="save_weights"):
        keras.Sequential([layers.Dense(1)]).save_weights(tmp_path / "line.weights.npz")


def test_a_checkpoint_changes_nothing_of_the_training(tmp_path):
    def fitted(*watching):
        keras.utils.set_random_seed(1)
        return compiled().fit(X, Y, epochs=3, batch_size=2, verbose=0, callbacks=[*watching]).history

    both = [
        ModelCheckpoint(tmp_path / "a.npz", save_freq=2),
        ModelCheckpoint(tmp_path / "a.weights.npz", save_weights_only=True),
    ]
    assert fitted(*both) == fitted() == fitted(LambdaCallback())


@pytest.mark.parametrize(("name", "weights"), [("best.keras", False), ("best.weights.h5", True)])
def test_checkpoints_are_written_in_the_forms_of_keras(tmp_path, name, weights):
    model = compiled()
    watching = ModelCheckpoint(tmp_path / name, save_weights_only=weights)
    model.fit(X, Y, epochs=2, verbose=0, callbacks=[watching])
    if weights:
        again = compiled()
        again.load_weights(tmp_path / name)
    else:
        again = keras.models.load_model(tmp_path / name)
    assert again.optimizer.iterations == model.optimizer.iterations
    for a, b in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("optimizer", "layer", "reason"),
    [
        (lambda: "sgd", lambda: layers.Dense(1, keras.activations.leaky_relu.bound(negative_slope=0.3)), "leaky_relu"),
    ],
)
def test_a_model_that_no_file_can_hold_is_refused_before_the_first_step(tmp_path, optimizer, layer, reason):
    model = keras.Sequential([keras.Input((2,)), layer()])
    model.compile(optimizer(), "mse")
    before = model.get_weights()
    with pytest.raises(ValueError, match=f"ModelCheckpoint could not save this model.*{reason}"):
        model.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "model.keras")])
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    model.fit(X, Y, verbose=0, callbacks=[ModelCheckpoint(tmp_path / "m.weights.h5", save_weights_only=True)])
