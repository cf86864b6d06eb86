"""Golden programs about models of one's own: classes with `call`, with layers in attributes, lists and dicts."""

import warnings

import numpy as np

from golden.table import AMOUNTS, LABELS, ONE_HOT, WEIGHTS, X, go_on, program, start

LEFT, RIGHT = X[:, :4], X[:, 4:]
FIT = {"epochs": 4, "batch_size": 10, "shuffle": False, "verbose": 0}


def ops_of(keras):
    """What a layer's `call` is written with: NumPy's own functions do as well where there is a tape for them."""
    return getattr(keras, "ops", np)


def looked_at(model, x, y):
    """What there is to see of a model that has seen data, trained as most golden programs do."""
    start(model)
    seen = go_on(model, x, y, epochs=4)
    names = {"layers": [layer.name for layer in model.layers], "shapes": [list(w.shape) for w in model.weights]}
    return {**seen, **names}


@program
def model_of_blocks(keras):
    ops = ops_of(keras)

    class Block(keras.layers.Layer):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.dense = keras.layers.Dense(units, name="inner")
            self.norm = keras.layers.LayerNormalization(name="norm")

        def call(self, x):
            return x + ops.maximum(self.norm(self.dense(x)), 0.0)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [Block(6, name=f"block{i}") for i in range(3)]
            self.heads = {"z": keras.layers.Dense(2, name="z"), "a": keras.layers.Dense(1, name="a")}
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.heads["a"](x) * self.scale + ops.sum(self.heads["z"](x), axis=-1, keepdims=True)

    model = Net()
    model(X[:2])
    model.compile(keras.optimizers.SGD(0.01, momentum=0.9), "mse", metrics=["mae"])
    return looked_at(model, X, AMOUNTS)


@program
def model_of_dicts(keras):
    ops = ops_of(keras)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.left = keras.layers.Dense(4, activation="relu", name="of_left")
            self.right = keras.layers.Dense(4, activation="tanh", name="of_right")
            self.label = keras.layers.Dense(3, activation="softmax", name="label")
            self.amount = keras.layers.Dense(1, name="amount")

        def call(self, inputs):
            h = ops.concatenate([self.left(inputs["left"]), self.right(inputs["right"])], axis=-1)
            return {"label": self.label(h), "amount": self.amount(h)}

    model = Net()
    x = {"left": LEFT, "right": RIGHT}
    model({"left": LEFT[:2], "right": RIGHT[:2]})
    losses = {"label": "sparse_categorical_crossentropy", "amount": "mse"}
    metrics = {"label": ["accuracy"], "amount": ["mae"]}
    model.compile("rmsprop", losses, metrics=metrics, loss_weights={"label": 1.0, "amount": 0.5})
    start(model)
    history = model.fit(x, {"label": LABELS, "amount": AMOUNTS}, **FIT).history
    found = model.predict(x, verbose=0)
    return {"history": history, "weights": model.get_weights(), "predict": [found["label"], found["amount"]]}


@program
def model_of_lists(keras):
    """Outputs in a list have no names: what is logged is called after losses and metrics alone."""

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.shared = keras.layers.Dense(5, activation="tanh")
            self.widened = keras.layers.Dense(4)
            self.amount = keras.layers.Dense(1)
            self.label = keras.layers.Dense(3, activation="softmax")

        def call(self, inputs):
            left, right = inputs
            h = self.shared(left) + self.shared(self.widened(right))
            return [self.amount(h), self.label(h)]

    model = Net()
    model([LEFT[:2], RIGHT[:2]])
    model.compile("adam", ["mse", "categorical_crossentropy"], metrics=[["mae"], ["accuracy"]])
    start(model)
    history = model.fit([LEFT, RIGHT], [AMOUNTS, ONE_HOT], **FIT).history
    return {
        "history": dict(sorted(history.items())),
        "weights": model.get_weights(),
        "predict": model.predict([LEFT, RIGHT], verbose=0),
    }


@program
def model_of_models(keras):
    x = keras.Input((6,))
    encoder = keras.Model(x, keras.layers.Dense(2)(keras.layers.Dense(4, activation="relu")(x)), name="encoder")
    decoder = keras.Sequential([keras.layers.Dense(4, activation="relu"), keras.layers.Dense(6)], name="decoder")

    class Autoencoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder, self.decoder = encoder, decoder

        def call(self, x):
            return self.decoder(self.encoder(x))

    model = Autoencoder()
    model(X[:2])
    model.compile("adam", "mse")
    return {**looked_at(model, X, X), "codes": encoder.predict(X[:5], verbose=0)}


@program
def model_without_a_loss(keras):
    """It adds its loss itself; a penalty on the activity and one on weights come on top."""
    ops = ops_of(keras)

    class Autoencoder(keras.Model):
        def __init__(self):
            super().__init__()
            self.encoder = keras.layers.Dense(3, activation="tanh", activity_regularizer=keras.regularizers.L2(0.01))
            self.decoder = keras.layers.Dense(6, kernel_regularizer="l2")

        def call(self, x):
            y = self.decoder(self.encoder(x))
            self.add_loss(ops.mean(ops.square(y - x)))
            return y

    model = Autoencoder()
    model(X[:2])
    model.compile("adam")
    start(model)
    history = model.fit(X, **FIT).history
    return {"history": history, "weights": model.get_weights(), "evaluate": model.evaluate(X, verbose=0)}


@program
def model_with_an_endpoint(keras):
    """A layer that takes the targets, adds the loss, and keeps a metric, which the model logs."""

    class Endpoint(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.loss_of = keras.losses.MeanSquaredError()
            self.error = keras.metrics.MeanAbsoluteError(name="error")

        def call(self, targets, outputs):
            self.add_loss(self.loss_of(targets, outputs))
            self.error.update_state(targets, outputs)
            return outputs

    x, t = keras.Input((6,), name="x"), keras.Input((1,), name="t")
    outputs = keras.layers.Dense(1)(keras.layers.Dense(4, activation="relu")(x))
    model = keras.Model([x, t], Endpoint()(t, outputs))
    start(keras.Model(x, outputs))
    model.compile("adam")
    history = model.fit({"x": X, "t": AMOUNTS}, **FIT).history
    return {"history": dict(sorted(history.items())), "weights": keras.Model(x, outputs).get_weights()}


@program
def model_called_in_a_model(keras):
    class Towers(keras.Model):
        def __init__(self):
            super().__init__(name="towers")
            self.a, self.b = keras.layers.Dense(4, activation="tanh"), keras.layers.Dense(2)

        def call(self, x):
            h = self.a(x)
            return h, self.b(h)

    x = keras.Input((6,))
    y = keras.layers.Dense(3, activation="softmax")(keras.layers.Concatenate()(list(Towers()(x))))
    model = keras.Model(x, y)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return looked_at(model, X, LABELS)


@program
def model_whose_call_hands_on_no_training(keras):
    """Nobody tells its layers that they are trained: no moving mean moves."""

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.norm = keras.layers.Dense(1), keras.layers.BatchNormalization()

        def call(self, x):
            return self.dense(self.norm(x))

    model = Net()
    model(X[:2])
    model.set_weights([np.full(weight.shape, 0.5) for weight in model.get_weights()])
    model.compile("sgd", "mse")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that is what ours warns of
        history = model.fit(X, AMOUNTS, **FIT).history
    return {"history": history, "weights": model.get_weights()}


@program
def model_of_experts(keras):
    ops = ops_of(keras)

    class Experts(keras.layers.Layer):
        def __init__(self, count, units):
            super().__init__()
            self.experts = [keras.layers.Dense(units, activation="relu") for _ in range(count)]
            self.gate = keras.layers.Dense(count, activation="softmax")

        def call(self, x):
            shares = self.gate(x)
            answers = ops.stack([expert(x) for expert in self.experts], axis=1)
            self.add_loss(0.01 * ops.sum(ops.square(ops.mean(shares, axis=0))))
            return ops.sum(answers * ops.expand_dims(shares, -1), axis=1)

    class Net(keras.Model):
        def __init__(self):
            super().__init__()
            self.experts = Experts(3, 4)
            self.label = keras.layers.Dense(3, activation="softmax")

        def call(self, x, training=False):
            return self.label(self.experts(x))

    model = Net()
    model(X[:2])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start(model)
    history = model.fit(X, LABELS, sample_weight=WEIGHTS, **FIT).history
    return {"history": history, "weights": model.get_weights(), "evaluate": model.evaluate(X, LABELS, verbose=0)}
