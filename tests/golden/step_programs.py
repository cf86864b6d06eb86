"""Golden programs about training by one's own steps: `train_step` and its like, and loops with a `GradientTape`."""

import numpy as np

from golden.model_programs import FIT, ops_of
from golden.table import AMOUNTS, LABELS, WEIGHTS, YES_NO, X, program, start

NOISE = np.random.RandomState(7).normal(size=(len(X), 2)).astype("float32")


def tape_of(keras):
    """The gradient tape: TensorFlow's, where Keras stands on it."""
    if hasattr(keras, "GradientTape"):
        return keras.GradientTape
    import tensorflow

    return tensorflow.GradientTape


def network(keras, inputs, outputs, seed=None, activation=None, **arguments):
    """A small network with weights from the frozen stream."""
    layers = [keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(outputs, activation=activation)]
    model = keras.Sequential([keras.Input((inputs,)), *layers], **arguments)
    stream = np.random.RandomState(1 if seed is None else seed)
    model.set_weights([stream.normal(0.0, 0.5, size=weight.shape) for weight in model.get_weights()])
    return model


def drawn(keras, kind, outputs=1, activation=None):
    """The same network as a model of a class that may have steps of its own."""
    x = keras.Input((6,))
    h = keras.layers.Dense(5, activation="tanh")(x)
    model = kind(x, keras.layers.Dense(outputs, activation=activation)(h))
    start(model)
    return model


@program
def step_of_ones_own(keras):
    """The one of Keras' guide, which tells every metric for itself, with weights of samples in training alone."""
    tape_kind = tape_of(keras)

    class Own(keras.Model):
        def train_step(self, data):
            x, y, sample_weight = data
            with tape_kind() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self._tell(loss, y, y_pred, sample_weight=sample_weight)
            return {metric.name: metric.result() for metric in self.metrics}

        def test_step(self, data):
            x, y = data
            y_pred = self(x, training=False)
            self._tell(self.compute_loss(y=y, y_pred=y_pred), y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

        def _tell(self, loss, y, y_pred, **weights):
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred, **weights)

    model = drawn(keras, Own, 3, "softmax")
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    validation = (X[:20], LABELS[:20])
    history = model.fit(X, LABELS, sample_weight=WEIGHTS, validation_data=validation, **FIT).history
    more = model.fit(X, LABELS, class_weight={0: 1.0, 1: 2.0, 2: 0.5}, **FIT).history
    return {
        "history": history,
        "more": more,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(X, LABELS, verbose=0, return_dict=True),
    }


@program
def step_with_metrics_of_ones_own(keras):
    tape_kind = tape_of(keras)

    class Own(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.loss_tracker = keras.metrics.Mean(name="loss")
            self.error = keras.metrics.MeanAbsoluteError(name="error")
            self.loss_of = keras.losses.MeanSquaredError()

        def train_step(self, data):
            x, y = data
            with tape_kind() as tape:
                y_pred = self(x, training=True)
                loss = self.loss_of(y, y_pred)
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            self.loss_tracker.update_state(loss)
            self.error.update_state(y, y_pred)
            return {"loss": self.loss_tracker.result(), "error": self.error.result()}

        @property
        def metrics(self):
            return [self.loss_tracker, self.error]

    model = drawn(keras, Own)
    model.compile("adam")
    return {"history": model.fit(X, AMOUNTS, **FIT).history, "weights": model.get_weights()}


@program
def step_of_a_gan(keras):
    ops, tape_kind = ops_of(keras), tape_of(keras)

    class Gan(keras.Model):
        def __init__(self, discriminator, generator):
            super().__init__()
            self.discriminator, self.generator = discriminator, generator
            self.trackers = {name: keras.metrics.Mean(name=name) for name in ("d_loss", "g_loss")}

        def compile(self, d_optimizer, g_optimizer, loss):
            super().compile()
            self.d_optimizer, self.g_optimizer, self.loss_of = d_optimizer, g_optimizer, loss

        @property
        def metrics(self):
            return list(self.trackers.values())

        def train_step(self, data):
            real, noise = data
            both = ops.concatenate([self.generator(noise), real], axis=0)
            labels = ops.concatenate([ops.ones_like(real[:, :1]), ops.zeros_like(real[:, :1])], axis=0)
            with tape_kind() as tape:
                d_loss = self.loss_of(labels, self.discriminator(both))
            weights = self.discriminator.trainable_weights
            self.d_optimizer.apply_gradients(zip(tape.gradient(d_loss, weights), weights, strict=True))
            with tape_kind() as tape:
                answers = self.discriminator(self.generator(noise))
                g_loss = self.loss_of(ops.zeros_like(answers), answers)
            weights = self.generator.trainable_weights
            self.g_optimizer.apply_gradients(zip(tape.gradient(g_loss, weights), weights, strict=True))
            self.trackers["d_loss"].update_state(d_loss)
            self.trackers["g_loss"].update_state(g_loss)
            return {name: tracker.result() for name, tracker in self.trackers.items()}

    model = Gan(network(keras, 6, 1), network(keras, 2, 6, seed=2))
    adam = keras.optimizers.Adam
    model.compile(adam(0.003), adam(0.003), keras.losses.BinaryCrossentropy(from_logits=True))
    history = model.fit(X, NOISE, **FIT).history
    return {"history": history, "weights": model.get_weights()}


@program
def step_of_a_variational_autoencoder(keras):
    ops, tape_kind = ops_of(keras), tape_of(keras)

    class Sampling(keras.layers.Layer):
        def call(self, inputs):
            mean, log_variance, noise = inputs
            return mean + ops.exp(0.5 * log_variance) * noise

    x, noise = keras.Input((6,)), keras.Input((2,))
    h = keras.layers.Dense(5, activation="relu")(x)
    mean, log_variance = keras.layers.Dense(2, name="mean")(h), keras.layers.Dense(2, name="log_variance")(h)
    encoder = keras.Model([x, noise], [mean, log_variance, Sampling()([mean, log_variance, noise])], name="encoder")
    start(encoder)

    class Vae(keras.Model):
        def __init__(self, encoder, decoder):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder
            self.loss_tracker = keras.metrics.Mean(name="loss")

        @property
        def metrics(self):
            return [self.loss_tracker]

        def train_step(self, data):
            x, noise = data
            with tape_kind() as tape:
                mean, log_variance, z = self.encoder([x, noise])
                rebuilt = ops.mean(keras.losses.mean_squared_error(x, self.decoder(z)) * 6.0)
                divergence = -0.5 * (1 + log_variance - ops.square(mean) - ops.exp(log_variance))
                loss = rebuilt + ops.mean(ops.sum(divergence, axis=1))
            gradients = tape.gradient(loss, self.trainable_weights)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
            self.loss_tracker.update_state(loss)
            return {"loss": self.loss_tracker.result()}

    model = Vae(encoder, network(keras, 2, 6, seed=2, name="decoder"))
    model.compile(optimizer=keras.optimizers.Adam(0.005))
    return {"history": model.fit(X, NOISE, **FIT).history, "weights": model.get_weights()}


@program
def step_of_distillation(keras):
    class Distiller(keras.Model):
        def __init__(self, student, teacher):
            super().__init__()
            self.teacher, self.student = teacher, student

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            wanted = keras.activations.softmax(self.teacher(x, training=False) / 3.0)
            found = keras.activations.softmax(y_pred / 3.0)
            hard = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(y, y_pred)
            return 0.1 * hard + 0.9 * 9.0 * keras.losses.KLDivergence()(wanted, found)

        def call(self, x):
            return self.student(x)

    student, teacher = network(keras, 6, 3, seed=2), network(keras, 6, 3)
    teacher.trainable = False
    model = Distiller(student, teacher)
    model.compile("adam", metrics=[keras.metrics.SparseCategoricalAccuracy(name="right")])
    history = model.fit(X, LABELS, **FIT).history
    evaluated = model.evaluate(X, LABELS, verbose=0, return_dict=True)
    return {
        "history": dict(sorted(history.items())),
        "weights": model.get_weights(),
        "evaluate": dict(sorted(evaluated.items())),
        "trained": len(model.trainable_weights),
    }


@program
def step_with_two_optimizers(keras):
    tape_kind = tape_of(keras)

    class WideAndDeep(keras.Model):
        def __init__(self):
            super().__init__()
            self.wide = keras.layers.Dense(1)
            self.deep = keras.Sequential([keras.layers.Dense(6, activation="relu"), keras.layers.Dense(1)])

        def call(self, inputs):
            return self.wide(inputs["wide"]) + self.deep(inputs["deep"])

        def compile(self, wide_optimizer, deep_optimizer, **kwargs):
            super().compile(**kwargs)
            self.wide_optimizer, self.deep_optimizer = wide_optimizer, deep_optimizer

        def train_step(self, data):
            x, y = data
            with tape_kind(persistent=True) as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
            for optimizer, part in ((self.wide_optimizer, self.wide), (self.deep_optimizer, self.deep)):
                gradients = tape.gradient(loss, part.trainable_variables)
                optimizer.apply_gradients(zip(gradients, part.trainable_variables, strict=True))
            return {"mae": self.compute_metrics(x, y, y_pred, None)["mae"]}

    model = WideAndDeep()
    x = {"wide": X[:, 4:], "deep": X[:, :4]}
    model({"wide": X[:2, 4:], "deep": X[:2, :4]})
    start(model)
    model.compile(keras.optimizers.SGD(0.05), keras.optimizers.Adam(0.01), loss="mse", metrics=["mae"])
    return {"history": model.fit(x, AMOUNTS, **FIT).history, "weights": model.get_weights()}


@program
def step_of_predicting(keras):
    ops = ops_of(keras)

    class Own(keras.Model):
        def predict_step(self, data):
            return ops.argmax(self(data, training=False), axis=-1)

        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            logs = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**logs, "twice": logs["accuracy"] * 2}

    model = drawn(keras, Own, 2)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=["accuracy"])
    history = model.fit(X, YES_NO, **FIT).history
    return {
        "history": dict(sorted(history.items())),
        "weights": model.get_weights(),
        "predict": [int(label) for label in model.predict(X, verbose=0)],
    }


@program
def loop_of_ones_own(keras):
    """No `fit` at all: a tape, an optimizer that clips, metrics, and batch normalization in its two modes."""
    tape_kind = tape_of(keras)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            norm = keras.layers.BatchNormalization()
            self.stack = keras.Sequential([keras.layers.Dense(6, activation="gelu"), norm, keras.layers.Dense(3)])

        def call(self, x, training=None):
            return self.stack(x, training=training)

    model = Net()
    model(X[:2])
    stream = np.random.RandomState(1)
    model.set_weights([np.abs(stream.normal(0.0, 0.5, size=weight.shape)) for weight in model.get_weights()])
    optimizer = keras.optimizers.SGD(0.1, global_clipnorm=0.5)
    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    right = keras.metrics.SparseCategoricalAccuracy()
    seen = []
    for _ in range(3):
        for at in range(0, 40, 10):
            x, y = X[at : at + 10], LABELS[at : at + 10]
            with tape_kind() as tape:
                logits = model(x, training=True)
                loss = loss_of(y, logits)
            optimizer.apply(tape.gradient(loss, model.trainable_weights), model.trainable_weights)
            right.update_state(y, logits)
        held_out = np.asarray(model(X[40:], training=False))
        seen.append([float(loss), float(right.result()), float(held_out.sum())])
        right.reset_state()
    return {"seen": seen, "weights": model.get_weights()}
