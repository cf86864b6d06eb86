"""`predict` of what is one batch: a forward pass and no more, with nothing left out that somebody could see."""

import sys

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer._core import kernels
from multilayer._training import loop
from multilayer.callbacks import Callback, LambdaCallback

X = np.random.default_rng(0).normal(size=(40, 6)).astype("float32")


def network(*given):
    model = keras.Sequential([keras.Input((6,)), *(given or [layers.Dense(5, "relu"), layers.Dense(3, "softmax")])])
    model.predict(X[:1], verbose=0)  # it has seen what fits
    return model


@pytest.fixture
def no_loop(monkeypatch):
    def refuse(*_):
        raise AssertionError("the loop was asked")

    monkeypatch.setattr(loop, "predict", refuse)


@pytest.mark.parametrize(("rows", "options"), [(1, {}), (32, {}), (40, {"batch_size": 40}), (2, {"callbacks": []})])
def test_one_batch_needs_no_loop(request, rows, options):
    model = network()
    request.getfixturevalue("no_loop")
    assert model.predict(X[:rows], verbose=0, **options).shape == (rows, 3)


@pytest.mark.parametrize(
    "x",
    [
        X[:7],
        X[:7].astype("float64"),
        np.asfortranarray(X[:7]),
        X[:14:2],
        (100 * X[:7]).astype("int64"),
        np.asfortranarray((100 * X[:7]).astype("uint8")),
        X[:7] > 0,
    ],
    ids=["as it is", "wider", "by columns", "strided", "whole", "bytes by columns", "truth"],
)
def test_the_bits_are_those_of_the_loop(x):
    model = network()
    listening = model.predict(x, verbose=0, callbacks=[Callback()])
    np.testing.assert_array_equal(model.predict(x, verbose=0), listening, strict=True)


def test_what_is_wrong_is_still_refused(request):
    model, wrong = network(), X[:2].copy()
    wrong[1, 3] = np.nan
    request.getfixturevalue("no_loop")
    with pytest.raises(ValueError, match=r"`x` holds nan at index \(1, 3\)"):
        model.predict(wrong, verbose=0)
    with pytest.raises(ValueError, match=r"`x` holds 1e\+300 at index .* too large for float32"):
        model.predict(np.full((1, 6), 1e300), verbose=0)
    with pytest.raises(ValueError, match="`x` is empty"):
        model.predict(X[:0], verbose=0)
    with pytest.raises(ValueError, match="`x` must hold numbers"):
        model.predict(X[:1].astype(str), verbose=0)
    with pytest.raises(ValueError, match="batch_size"):
        model.predict(X[:1], verbose=0, batch_size=0)


def test_other_shapes_are_looked_at_as_ever():
    model = network()
    with pytest.raises(ValueError, match="expected axis -1 of input shape to have value 6"):
        model.predict(X[:2, :5], verbose=0)
    with pytest.raises(ValueError, match="one sample without its batch axis"):
        model.predict(X[0], verbose=0)


class Keeping(layers.Layer):
    """A layer, with passes of its own, that gives away an array which it keeps."""

    def forward(self, x, training=False):
        self.kept = x + 0
        return self.kept


@pytest.mark.parametrize("last", [layers.Activation("linear"), layers.Reshape((3, 2)), Keeping()])
def test_the_result_is_the_callers_own(request, last):
    model = network(last)
    request.getfixturevalue("no_loop")
    given = X[:2].copy()
    y = model.predict(given, verbose=0)
    y[:] = 7
    np.testing.assert_array_equal(given, X[:2])
    assert not np.may_share_memory(y, getattr(last, "kept", given))


def test_whoever_listens_is_called_and_a_stop_is_forgotten(capsys):
    model, heard = network(), []
    listener = LambdaCallback()
    listener.on_predict_batch_end = lambda batch, logs: heard.append((batch, logs["outputs"].shape))
    model.predict(X[:1], verbose=0, callbacks=[listener])
    assert heard == [(0, (1, 3))]
    model.stop_predicting = True
    model.predict(X[:1], verbose=0)
    assert model.stop_predicting is False
    model.predict(X[:1])
    assert "1/1" in capsys.readouterr().out


@pytest.mark.skipif(kernels.kind == "numpy", reason="the references are Python themselves")
def test_a_row_takes_few_calls_besides_the_networks_own():
    """Time is the machine's, but calls of Python functions are ours: each takes some tenths of a microsecond."""
    model, called = network(), []

    def note(frame, event, _):
        if event == "call":
            called.append(frame.f_code.co_name)

    sys.setprofile(note)
    try:
        model.predict(X[:1], verbose=0)
    finally:
        sys.setprofile(None)
    assert len(called) <= 24, called


def test_networks_of_any_form_are_predicted_at_once_and_in_batches_alike():
    x = keras.Input((6,))
    hidden = layers.Dense(4, "tanh")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Concatenate()([layers.Dropout(0.5)(hidden), x])))
    in_batches = model.predict(X, batch_size=8, verbose=0)
    at_once = [model.predict(X[i : i + 8], verbose=0) for i in range(0, 40, 8)]
    np.testing.assert_array_equal(np.concatenate(at_once), in_batches)


def test_a_step_of_ones_own_is_taken():
    class Doubling(keras.Sequential):
        def predict_step(self, data):
            return 2 * np.asarray(self(data))

    model = Doubling([keras.Input((6,)), layers.Dense(2)])
    for _ in range(2):
        np.testing.assert_array_equal(model.predict(X[:3], verbose=0), 2 * np.asarray(model(X[:3])))


def test_what_has_no_rows_is_refused_as_it_is_in_batches():
    model = keras.Sequential([keras.Input((6,)), layers.Dense(2)])
    model.predict(X[:1], verbose=0)
    with pytest.raises(ValueError, match="must hold one entry a sample"):
        model.predict(np.array(3.0), verbose=0)
