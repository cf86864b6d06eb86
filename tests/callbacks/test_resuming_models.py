"""Models that hold themselves what changes in training: a run that goes on elsewhere ends with the same bits."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import GradientTape, callbacks, layers, metrics, ops, optimizers

X = np.random.default_rng(0).normal(size=(24, 2)).astype("float32")


class Gan(keras.Model):
    """Two networks, each with its optimizer, as the examples of Keras write it, and one that trains nothing."""

    def __init__(self):
        super().__init__()
        self.judge = keras.Sequential([layers.Dense(4, "relu"), layers.Dropout(0.3), layers.Dense(1)])
        self.maker = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(2)])
        self.seeds = keras.random.SeedGenerator(7)
        self.temperature = keras.Variable(1.0, trainable=False, name="temperature")
        self.judged = metrics.Mean(name="judged")
        self.kept = {"never reset": [metrics.Sum(name="seen")]}

    def compile(self, judge_optimizer, maker_optimizer):
        super().compile()
        self.optimizers = {"judge": judge_optimizer}
        self.maker_optimizer = maker_optimizer
        self.cost = keras.losses.BinaryCrossentropy(from_logits=True)

    @property
    def metrics(self):
        return [self.judged]

    def train_step(self, data):
        rows = len(data)
        fake = self.maker(keras.random.normal((rows, 3), seed=self.seeds) * self.temperature)
        labels = np.repeat([[1.0], [0.0]], rows, axis=0)
        with GradientTape() as tape:
            loss = self.cost(labels, self.judge(ops.concatenate([fake, data]), training=True))
        weights = self.judge.trainable_weights
        self.optimizers["judge"].apply(tape.gradient(loss, weights), weights)
        with GradientTape() as tape:
            made = self.maker(keras.random.normal((rows, 3), seed=self.seeds))
            deceived = self.cost(np.zeros((rows, 1)), self.judge(made))
        weights = self.maker.trainable_weights
        self.maker_optimizer.apply(tape.gradient(deceived, weights), weights)
        self.temperature.assign(self.temperature * 0.9)
        self.judged.update_state(loss)
        self.kept["never reset"][0].update_state(rows)
        return {"judged": self.judged.result(), "seen": self.kept["never reset"][0].result()}


def gan():
    model = Gan()
    model.compile(optimizers.Adam(0.01), optimizers.RMSprop(0.01, momentum=0.5))
    return model, {"x": X}


class Values(keras.Model):
    """Learns values from those that a slow copy of itself names, as in deep Q-learning; the copy is no step of it."""

    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.slow = keras.models.clone_model(keras.Sequential(self.layers))
        self.slow.set_weights(self.get_weights()[: len(self.slow.weights)])
        self.rate = self.add_weight(shape=(), initializer="ones", trainable=False, name="rate")

    def train_step(self, data):
        with GradientTape() as tape:
            wanted = data[:, :1] + 0.5 * ops.stop_gradient(self.slow(data))
            loss = ops.mean((self(data, training=True) - wanted) ** 2) + 0.0 * self.rate
        weights = [v for layer in self.layers for v in layer.trainable_weights]
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        for slow, fast in zip(self.slow.weights, weights, strict=True):
            slow.assign(0.9 * slow + 0.1 * fast)
        self.rate.assign(self.rate * 0.99)
        return {"loss": loss}


def values():
    x = keras.Input((2,))
    model = Values(x, layers.Dense(1)(layers.Dense(4, "tanh")(x)))
    model.compile(optimizers.Adam(0.05))
    return model, {"x": X}


def alternating():
    """The oldest form: a network that is compiled itself, and trained within the step of a larger one."""

    class Whole(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
            self.inner.compile("adam", "mse")

        def train_step(self, data):
            return {"loss": self.inner.train_on_batch(data, data[:, :1])}

    model = Whole()
    model.compile(None)
    return model, {"x": X}


MODELS = {"two networks": gan, "a slow copy": values, "a compiled network within": alternating}


class KilledError(Exception):
    pass


class Kill(callbacks.Callback):
    def __init__(self, steps):
        self.steps = steps

    def on_train_batch_end(self, batch, logs=None):
        self.steps -= 1
        if not self.steps:
            raise KilledError


def run(make, *also):
    keras.utils.set_random_seed(3)
    model, data = make()
    return model, model.fit(**data, batch_size=6, epochs=3, verbose=0, callbacks=list(also)).history


@pytest.mark.parametrize(("kill", "save_freq"), [(7, 2), (9, "epoch")])
@pytest.mark.parametrize("name", MODELS)
def test_the_run_goes_on_to_the_same_bits(name, kill, save_freq, tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path / "backup", save_freq)
    with pytest.raises(KilledError):
        run(MODELS[name], backup, Kill(kill))
    (went_on, figures), (whole, wanted) = run(MODELS[name], backup), run(MODELS[name])
    assert figures == wanted
    for ours, theirs in zip(went_on.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(went_on.own_optimizers(), whole.own_optimizers(), strict=True):
        for one, other in zip(ours.variables, theirs.variables, strict=True):
            np.testing.assert_array_equal(one, other)


def test_weights_that_nobody_keeps_are_named(tmp_path):
    loose = layers.Dense(1)

    class Loose(keras.Model):
        def train_step(self, data):
            with GradientTape() as tape:
                loss = ops.mean(loose(data) ** 2)
            self.optimizer.apply(tape.gradient(loss, loose.trainable_weights), loose.trainable_weights)
            return {"loss": loss}

    model = Loose()
    model.compile("adam")
    with pytest.raises(ValueError, match=r"trains \['dense.*/kernel'.* no weights of it. Make them, .* attributes"):
        model.fit(X, verbose=0, callbacks=[callbacks.BackupAndRestore(tmp_path)])
