"""Steps of one's own: `train_step` and its like. That they train as Keras does is in `golden/step_programs.py`."""

import copy

import numpy as np
import pytest

import multilayer as keras
from multilayer import GradientTape, callbacks, layers

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
Y = X[:, :1] * X[:, 1:2]
QUIET = {"verbose": 0, "shuffle": False}


def drawn(kind, **arguments):
    x = keras.Input((4,))
    model = kind(x, layers.Dense(1)(layers.Dense(5, activation="tanh")(x)))
    model.compile(**{"optimizer": keras.optimizers.Adam(0.01), "loss": "mse", **arguments})
    return model


class Taped(keras.Model):
    """What Keras does by default, written out."""

    def train_step(self, data):
        x, y = data
        with GradientTape() as tape:
            loss = self.compute_loss(x=x, y=y, y_pred=self(x, training=True))
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


class Inherited(keras.Model):
    """It changes nothing, and has steps of its own all the same."""

    def train_step(self, data):
        return super().train_step(data)


class Seeing(keras.Model):
    """It keeps what it was given."""

    seen = ()

    def train_step(self, data):
        self.seen = (*self.seen, data)
        return {"n": 1.0}

    def test_step(self, data):
        self.seen = (*self.seen, data)
        return {"n": 2.0}


@pytest.mark.parametrize("kind", [Taped, Inherited])
def test_a_step_is_that_of_a_model_without_one(kind):
    ours, theirs = drawn(kind), drawn(keras.Model)
    ours.set_weights(theirs.get_weights())
    for model in (ours, theirs):
        model.fit(X, Y, epochs=10, batch_size=10, **QUIET)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_what_is_logged_by_default():
    ours, theirs = drawn(Inherited, metrics=["mae"]), drawn(keras.Model, metrics=["mae"])
    ours.set_weights(theirs.get_weights())
    a, b = (model.fit(X, Y, validation_data=(X, Y), epochs=2, **QUIET).history for model in (ours, theirs))
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=1e-5)
    assert ours.evaluate(X, Y, verbose=0) == pytest.approx(theirs.evaluate(X, Y, verbose=0), rel=1e-5)
    assert ours.train_on_batch(X, Y) == pytest.approx(theirs.train_on_batch(X, Y), rel=1e-5)
    assert ours.test_on_batch(X, Y) == pytest.approx(theirs.test_on_batch(X, Y), rel=1e-5)


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ({"x": X}, lambda data: data.shape),
        ({"x": X, "y": Y}, lambda data: [part.shape for part in data]),
        ({"x": X, "y": Y, "sample_weight": np.ones(20)}, lambda data: [part.shape for part in data]),
        ({"x": {"a": X, "b": Y}, "y": [Y, X]}, lambda data: (sorted(data[0]), [part.shape for part in data[1]])),
    ],
)
def test_a_step_gets_data_in_the_form_in_which_it_was_given(given, parts):
    model = drawn(Seeing)
    model.fit(**given, batch_size=20, **QUIET)
    whole = tuple(given.values())
    assert parts(model.seen[0]) == parts(whole if len(whole) > 1 else whole[0])


def test_validation_data_of_another_form():
    model = drawn(Seeing)
    model.fit(X, Y, sample_weight=np.ones(20), validation_data=(X, Y), epochs=2, batch_size=20, **QUIET)
    assert [len(data) for data in model.seen] == [3, 2, 3, 2]


def test_weights_of_classes():
    model = drawn(Seeing)
    model.fit(X, [0, 1] * 10, class_weight={1: 3.0}, batch_size=20, **QUIET)
    assert np.array_equal(model.seen[0][2], [1, 3] * 10)


def test_batches_of_a_stream():
    model = drawn(Seeing)
    history = model.fit(({"a": X[i : i + 5]} for i in range(0, 20, 5)), verbose=0).history
    assert history == {"n": [1.0]}
    assert [sorted(data) for data in model.seen] == [["a"]] * 4


def test_where_metrics_stand_is_logged_if_a_step_returns_just_them():
    class Own(Taped):
        def __init__(self, *args):
            super().__init__(*args)
            self.tracker = keras.metrics.Mean(name="loss")

        @property
        def metrics(self):
            return [self.tracker]

        def train_step(self, data):
            logs = super().train_step(data)
            self.tracker.update_state(2.0)
            return logs

    assert drawn(Own).fit(X, Y, **QUIET).history == {"loss": [2.0]}
    (loss,) = drawn(Taped).fit(X, Y, batch_size=20, **QUIET).history["loss"]
    assert loss > 0, "no metric was told of it: it is what the step returned"


def test_attributes_that_are_metrics_begin_anew_with_every_epoch():
    class Own(Taped):
        def __init__(self, *args):
            super().__init__(*args)
            self.counters = [keras.metrics.Sum(name="count")]

        def train_step(self, data):
            self.counters[0].update_state(1.0)
            return {"count": self.counters[0].result()}

    assert drawn(Own).fit(X, Y, batch_size=10, epochs=3, **QUIET).history["count"] == [2.0] * 3


def test_a_scheduler_and_a_stop_are_heeded():
    class Stopping(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model = drawn(Taped)
    schedule = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(X, Y, epochs=2, callbacks=[schedule], **QUIET)
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0025)
    seeing = drawn(Seeing)
    seeing.fit(X, Y, batch_size=2, callbacks=[Stopping()], **QUIET)
    assert len(seeing.seen) == 2


def test_a_prediction_of_its_own():
    class Own(keras.Model):
        def predict_step(self, data):
            y = self(data, training=False)
            return {"sign": np.sign(y), "y": y}

    model = drawn(Own)
    found = model.predict(X, batch_size=3, verbose=0)
    assert np.array_equal(np.sign(found["y"]), found["sign"])
    assert np.allclose(model(X.tolist()), found["y"])  # called, it gives what it gave before


def test_a_loss_of_its_own_heeds_penalties():
    class Own(keras.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return np.mean(np.abs(y_pred - y)) + sum(self.losses)

    x = keras.Input((4,))
    model = Own(x, layers.Dense(1, kernel_regularizer="l2", activity_regularizer="l1")(x))
    model.compile("sgd")
    first, *_, last = model.fit(X, Y, epochs=5, **QUIET).history["loss"]
    assert 0 < last < first


def test_a_copy_trains_with_its_own_optimizer():
    model = drawn(Taped)
    model.fit(X, Y, **QUIET)
    twin = copy.deepcopy(model)
    for one in (model, twin):
        one.fit(X, Y, **QUIET)
    assert all(map(np.array_equal, model.get_weights(), twin.get_weights()))


class Gan(keras.Model):
    """It has no `call`: it trains the two models that it holds, each with an optimizer of its own."""

    def __init__(self):
        super().__init__()
        self.critic = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
        self.maker = keras.Sequential([keras.Input((2,)), layers.Dense(4)])

    def compile(self, d_optimizer, g_optimizer):
        super().compile()
        self.d_optimizer, self.g_optimizer = d_optimizer, g_optimizer

    def train_step(self, data):
        real, noise = data
        with GradientTape(persistent=True) as tape:
            fake = self.critic(self.maker(noise))
            d_loss = np.mean(np.square(self.critic(real) - 1.0)) + np.mean(np.square(fake))
            g_loss = np.mean(np.square(fake - 1.0))
        pairs = ((d_loss, self.critic, self.d_optimizer), (g_loss, self.maker, self.g_optimizer))
        for loss, part, optimizer in pairs:
            weights = part.trainable_weights
            optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"d_loss": d_loss, "g_loss": g_loss}


def test_models_in_a_model_without_a_call():
    model = Gan()
    model.compile(keras.optimizers.Adam(), keras.optimizers.SGD())
    history = model.fit(X, X[:, :2], epochs=2, **QUIET).history
    assert set(history) == {"d_loss", "g_loss"}
    assert len(model.weights) == 4
    assert (model.d_optimizer.iterations, model.g_optimizer.iterations) == (2, 2)
    with pytest.raises(NotImplementedError, match="does not have a `call"):
        model.predict(X, verbose=0)


@pytest.mark.parametrize("step", ["train_step", "test_step"])
def test_a_step_that_returns_no_dict(step):
    model = drawn(type("Own", (keras.Model,), {step: lambda self, data: None}))
    with pytest.raises(ValueError, match=f"`{step}` must return a dict.*It returned: None"):
        (model.fit if step == "train_step" else model.evaluate)(X, Y, verbose=0)


def test_an_interrupt_within_a_step_leaves_no_tape_open():
    class Own(Taped):
        def train_step(self, data):
            with GradientTape():
                self(data[0])
                raise KeyboardInterrupt

    model = drawn(Own)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, **QUIET)
    assert isinstance(model(X), np.ndarray)


class Distiller(keras.Model):
    """Its `compute_loss` is older than the argument `training`, as many that were written for Keras are."""

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return 2.0 * np.mean((y - y_pred) ** 2)


def test_a_compute_loss_need_not_take_training():
    ours = drawn(Distiller, optimizer="sgd", loss=None)
    theirs = drawn(keras.Model, optimizer="sgd", loss_weights=[2.0])
    ours.set_weights(theirs.get_weights())
    for model in (ours, theirs):
        model.fit(X, Y, **QUIET)
    np.testing.assert_allclose(ours.get_weights()[0], theirs.get_weights()[0], rtol=1e-5)
    np.testing.assert_allclose(ours.evaluate(X, Y, verbose=0), theirs.evaluate(X, Y, verbose=0), rtol=1e-5)


class Spread(layers.Layer):
    """Adds the mean square of what goes through it to the loss."""

    def call(self, x):
        self.add_loss(np.mean(x**2))
        return x


def test_a_model_has_what_its_layers_added_to_the_loss_in_its_last_call():
    x = keras.Input((3,))
    spread = Spread()
    inner = keras.Sequential([keras.Input((3,)), spread, layers.Dense(3, activity_regularizer="l2")])
    model = keras.Model(x, layers.Dense(1, kernel_regularizer="l2")(spread(inner(x))))
    assert len(model.losses) == 1
    ones = np.ones((2, 3), "float32")
    for _ in range(2):
        model(ones)
        assert len(model.losses) == 4
        assert model.losses[0] == 1.0
        with keras.GradientTape() as tape:
            loss = sum((model(ones, training=True), *model.losses)[1:])
        assert len(model.losses) == 4
        assert tape.gradient(loss, inner.layers[-1].kernel).any()
