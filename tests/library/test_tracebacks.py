"""Errors that users cause are shown with their own frames, in order, and two of the library's at most."""

import contextlib
import copy
import gc
import inspect
import os
import pickle
import weakref

import numpy as np
import pytest

import multilayer as keras
from helpers.processes import printed_by
from multilayer import callbacks, config, layers, losses, metrics, models, ops, optimizers, saving, tree, utils

X, Y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
WRONG = np.ones((4, 5))


def model():
    one = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    one.compile("adam", "mse")
    return one


def modules_of(error):
    """The modules of the frames of an error, outermost first, without this one."""
    found, traceback = [], error.__traceback__.tb_next
    while traceback is not None:
        found.append((traceback.tb_frame.f_globals["__name__"], traceback.tb_frame.f_code.co_name))
        traceback = traceback.tb_next
    return found


def ours(error):
    return [name for module, name in modules_of(error) if module.partition(".")[0] == "multilayer"]


def users(error):
    return [name for module, name in modules_of(error) if module == __name__]


# What every kind of entry refuses: models, layers, their parts, functions, files.
MISTAKES = {
    "fit": lambda: model().fit(WRONG, Y, verbose=0),
    "fit, NaN": lambda: model().fit(X * np.nan, Y, verbose=0),
    "fit, targets": lambda: model().fit(X, np.ones((4, 7)), verbose=0),
    "fit, rows": lambda: model().fit(X, Y[:2], verbose=0),
    "fit, an argument": lambda: model().fit(X, Y, epoch=3),
    "fit, not compiled": lambda: keras.Sequential([layers.Dense(2)]).fit(X, Y),
    "evaluate": lambda: model().evaluate(WRONG, Y, verbose=0),
    "predict": lambda: model().predict(WRONG, verbose=0),
    "train_on_batch": lambda: model().train_on_batch(WRONG, Y),
    "test_on_batch": lambda: model().test_on_batch(WRONG, Y),
    "predict_on_batch": lambda: model().predict_on_batch(WRONG),
    "a call": lambda: model()(WRONG),
    "compile": lambda: model().compile("adm", "mse"),
    "compile, loss": lambda: model().compile("adam", "msee"),
    "set_weights": lambda: model().set_weights([X]),
    "save": lambda: model().save("model.xyz"),
    "load_weights": lambda: model().load_weights("/none.npz"),
    "load_model": lambda: models.load_model("/none.keras"),
    "model_from_json": lambda: models.model_from_json("{"),
    "trace": lambda: model().trace(WRONG, Y),
    "get_layer": lambda: model().get_layer("none"),
    "add": lambda: model().add(3),
    "Model": lambda: keras.Model(keras.Input((3,)), keras.Input((3,))),
    "Dense": lambda: layers.Dense("a"),
    "Dense, activation": lambda: layers.Dense(2, "reluu"),
    "Dropout": lambda: layers.Dropout(2.0),
    "Input": lambda: keras.Input("a"),
    "a layer": lambda: layers.Dense(2)(X[0, 0]),
    "a layer, drawn": lambda: layers.Concatenate()([keras.Input((3,)), keras.Input((3, 2))]),
    "Adam": lambda: optimizers.Adam("x"),
    "optimizers.get": lambda: optimizers.get("adm"),
    "apply_gradients": lambda: optimizers.SGD().apply_gradients([(X, None)]),
    "schedule": lambda: optimizers.schedules.ExponentialDecay("x", 1, 1),
    "a loss": lambda: losses.MeanSquaredError()(X, WRONG),
    "a loss function": lambda: losses.mean_squared_error(X, WRONG),
    "losses.get": lambda: losses.get("msee"),
    "a metric": lambda: metrics.MeanSquaredError()(X, WRONG),
    "metrics.get": lambda: metrics.get("msee"),
    "initializers": lambda: keras.initializers.RandomNormal(stddev=-1.0)((2,)),
    "regularizers": lambda: keras.regularizers.L2("x"),
    "an operation": lambda: ops.matmul(X, X),
    "tree": lambda: tree.map_structure(max, [1], [1, 2]),
    "split_dataset": lambda: utils.split_dataset(3, 0.5),
    "deserialize": lambda: saving.deserialize_keras_object({"class_name": "None", "config": {}}),
    "random": lambda: keras.random.normal((2,), dtype="int32"),
    "EarlyStopping": lambda: callbacks.EarlyStopping(mode="x"),
    "a tape": lambda: keras.gradient(lambda x: x @ X)(X),
    "a drawn step": lambda: keras.Input((3,)) @ X.T[:, :, None],
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_two_frames_of_the_library_at_most_are_shown(mistake):
    with pytest.raises(Exception) as caught:  # noqa: PT011 - what is said is what other tests are about
        MISTAKES[mistake]()
    assert len(ours(caught.value)) <= 2, ours(caught.value)
    assert users(caught.value)[0] == "<lambda>"


def test_frames_of_users_code_stay_in_order():
    class Within(keras.Model):
        def call(self, x):
            return helper(x)

    def helper(x):
        return layers.Dense(2)(x)[0, 0] @ x

    class Asking(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            Within().predict(X, verbose=0)

    with pytest.raises(Exception) as caught:  # noqa: PT011
        model().fit(X, Y, verbose=0, callbacks=[Asking()])
    assert users(caught.value) == ["on_epoch_end", "call", "helper"]
    assert ours(caught.value) == ["entered"]


def test_what_broke_unforeseen_shows_where_and_what_was_refused_does_not():
    with pytest.raises(Exception) as refused:  # noqa: PT011
        model()(WRONG)
    dense = layers.Dense(2)
    dense.units = "two"  # what no check of a constructor sees
    with pytest.raises(Exception) as broke:  # noqa: PT011
        dense(X)
    assert ours(refused.value) == ["entered"]
    assert len(ours(broke.value)) in (1, 2)


def test_causes_are_kept_and_are_as_short():
    class Failing(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            try:
                layers.Dense("a")
            except ValueError as error:
                raise KeyError("users") from error

    with pytest.raises(KeyError) as caught:
        model().fit(X, Y, verbose=0, callbacks=[Failing()])
    cause = caught.value.__cause__
    assert cause.__traceback__.tb_frame.f_code.co_name == "on_epoch_end"
    assert cause.__traceback__.tb_next is None
    with pytest.raises(ValueError, match="batch axis") as sample:
        model()(X[0])
    assert isinstance(sample.value.__cause__, ValueError)


def test_an_error_without_a_cause_has_none_and_hides_nothing():
    with pytest.raises(ValueError, match="units") as caught:
        layers.Dense("a")
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert not caught.value.__suppress_context__


def test_the_switch_leaves_tracebacks_whole_without_naming_a_frame_twice():
    config.disable_traceback_filtering()
    try:
        assert not config.is_traceback_filtering_enabled()
        with pytest.raises(ValueError, match="incompatible") as caught:
            model()(WRONG)
    finally:
        config.enable_traceback_filtering()
    assert ours(caught.value)[:2] == ["entered", "__call__"]
    assert "check_input_shape" in ours(caught.value)
    assert config.is_traceback_filtering_enabled()


def test_the_switch_is_in_the_environment():
    program = "from multilayer import config; print(config.is_traceback_filtering_enabled())"
    assert printed_by(program, env={**os.environ, "MULTILAYER_TRACEBACK_FILTERING": "0"}).split() == ["False"]


def test_what_is_no_error_passes_untouched():
    class Interrupting(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        model().fit(X, Y, verbose=0, callbacks=[Interrupting()])
    assert len(ours(caught.value)) > 2


def test_nothing_is_kept_alive_once_the_error_is_gone():
    def mistake():
        x = np.ones((4, 5))
        with contextlib.suppress(ValueError):
            layers.Dense(2)(keras.Input((3,)))
            model().fit(x, Y, verbose=0)
        return weakref.ref(x)

    mistake()
    gc.disable()
    try:
        assert mistake()() is None
    finally:
        gc.enable()


def test_what_is_wrapped_looks_as_before_and_users_classes_are_not_wrapped():
    class Own(layers.Layer):
        def __call__(self, x):
            return x

    assert not hasattr(Own.__call__, "__wrapped__")
    assert list(inspect.signature(layers.Dense).parameters)[:2] == ["units", "activation"]
    assert list(inspect.signature(keras.Model.fit).parameters)[:3] == ["self", "x", "y"]
    assert pickle.loads(pickle.dumps(models.load_model)) is models.load_model
    assert copy.deepcopy(layers.Dense(2)).units == 2
