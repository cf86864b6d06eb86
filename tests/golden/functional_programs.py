"""Golden programs about the functional API: branches, several inputs and outputs, shared layers, models in models."""

import numpy as np

from golden.table import AMOUNTS, LABELS, ONE_HOT, WEIGHTS, YES_NO, X, go_on, program, start, variants, walk

LEFT, RIGHT = X[:, :4], X[:, 4:]
MSE = {"optimizer": "adam", "loss": "mse"}


@program
def functional_chain(keras):
    x = keras.Input((6,))
    y = keras.layers.Dense(3, activation="softmax")(keras.layers.Dense(5, activation="tanh")(x))
    model = keras.Model(x, y)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return {**walk(model, X, LABELS), "shapes": [list(model.input_shape), list(model.output_shape)]}


@variants(
    add=lambda keras: keras.layers.Add(),
    subtract=lambda keras: keras.layers.Subtract(),
    multiply=lambda keras: keras.layers.Multiply(),
    average=lambda keras: keras.layers.Average(),
    maximum=lambda keras: keras.layers.Maximum(),
    minimum=lambda keras: keras.layers.Minimum(),
    concatenate=lambda keras: keras.layers.Concatenate(),
)
def merged(keras, layer):
    x = keras.Input((6,))
    a = keras.layers.Dense(4, activation="tanh")(x)
    b = keras.layers.Dense(4, activation="relu")(x)
    model = keras.Model(x, keras.layers.Dense(1)(layer([a, b])))
    model.compile(**MSE)
    return walk(model, X, AMOUNTS)


@program
def residual_network(keras):
    x = h = keras.Input((6,))
    for _ in range(3):
        inner = keras.layers.Dense(6)(keras.layers.Dense(4, activation="relu")(h))
        h = keras.layers.Activation("tanh")(keras.layers.add([h, inner]))
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, ONE_HOT, validation_split=0.2)


@program
def operators_between_tensors(keras):
    x = keras.Input((6,))
    a, b = keras.layers.Dense(6)(x), keras.layers.Dense(6, activation="sigmoid")(x)
    model = keras.Model(x, keras.layers.Dense(1)((x + a) * b - x * 0.5 + 1.0))
    model.compile(**MSE)
    return walk(model, X, AMOUNTS)


@program
def wide_and_deep(keras):
    wide, deep = keras.Input((2,), name="wide"), keras.Input((4,), name="deep")
    h = keras.layers.Dense(5, activation="relu")(keras.layers.Dense(6, activation="relu")(deep))
    y = keras.layers.Dense(1, name="amount")(keras.layers.concatenate([wide, h]))
    model = keras.Model([wide, deep], y)
    model.compile("rmsprop", "mse", metrics=["mae"])
    start(model)
    history = model.fit([RIGHT, LEFT], AMOUNTS, epochs=4, batch_size=10, shuffle=False, verbose=0)
    by_name = {"wide": RIGHT, "deep": LEFT}
    more = model.fit(by_name, AMOUNTS, epochs=2, batch_size=10, shuffle=False, verbose=0, sample_weight=WEIGHTS)
    return {
        "history": history.history,
        "more": more.history,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(by_name, AMOUNTS, verbose=0),
        "predict": model.predict([RIGHT[:5], LEFT[:5]], verbose=0),
        "names": [layer.name for layer in model.layers],
    }


def _two_headed(keras, outputs=list):
    x = keras.Input((6,), name="x")
    h = keras.layers.Dense(5, activation="tanh")(x)
    a = keras.layers.Dense(3, activation="softmax", name="kind")(h)
    b = keras.layers.Dense(1, name="amount")(h)
    return keras.Model(x, [a, b] if outputs is list else {"kind": a, "amount": b})


BOTH = {"kind": "sparse_categorical_crossentropy", "amount": "mse"}


@variants(
    list=lambda keras: {"loss": list(BOTH.values())},
    dict=lambda keras: {"loss": BOTH},
    weights=lambda keras: {"loss": list(BOTH.values()), "loss_weights": [0.3, 2.0]},
    weights_by_name=lambda keras: {"loss": BOTH, "loss_weights": {"kind": 0.3, "amount": 2.0}},
    metrics=lambda keras: {"loss": list(BOTH.values()), "metrics": [["accuracy"], ["mae", "mse"]]},
    metrics_by_name=lambda keras: {"loss": BOTH, "metrics": {"amount": ["mae"], "kind": "accuracy"}},
    weighted_metrics=lambda keras: {
        "loss": list(BOTH.values()),
        "metrics": [["accuracy"], ["mae"]],
        "weighted_metrics": [["accuracy"], ["mse"]],
    },
    one_without_loss=lambda keras: {"loss": [None, "mse"]},
    objects=lambda keras: {
        "loss": [keras.losses.SparseCategoricalCrossentropy(), keras.losses.MeanAbsoluteError()],
        "metrics": [[keras.metrics.SparseCategoricalAccuracy(name="hits")], [keras.metrics.MeanAbsoluteError()]],
    },
)
def two_outputs(keras, arguments):
    model = _two_headed(keras)
    model.compile("adam", **arguments)
    start(model)
    history = model.fit(X, [LABELS, AMOUNTS], epochs=4, batch_size=10, shuffle=False, verbose=0)
    return {
        "history": history.history,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(X, [LABELS, AMOUNTS], verbose=0),
        "evaluate by name": model.evaluate(X, [LABELS, AMOUNTS], verbose=0, return_dict=True),
        "predict": list(model.predict(X[:5], verbose=0)),
        "output_names": list(model.output_names),
    }


@program
def two_outputs_one_loss(keras):
    x = keras.Input((6,))
    model = keras.Model(x, [keras.layers.Dense(1, name="a")(x), keras.layers.Dense(1, name="b")(x)])
    model.compile("sgd", "mse")
    start(model)
    ys = [AMOUNTS, 2 * AMOUNTS]
    history = model.fit(X, ys, epochs=3, batch_size=10, shuffle=False, verbose=0, validation_split=0.3)
    return {"history": history.history, "weights": model.get_weights(), "evaluate": model.evaluate(X, ys, verbose=0)}


@program
def dict_of_outputs(keras):
    model = _two_headed(keras, dict)
    model.compile("adam", loss=BOTH, metrics={"kind": ["accuracy"]}, loss_weights={"kind": 1.0, "amount": 0.5})
    start(model)
    ys = {"kind": LABELS, "amount": AMOUNTS}
    history = model.fit(X, ys, epochs=4, batch_size=10, shuffle=False, verbose=0, validation_data=(X, ys))
    found = model.predict(X[:5], verbose=0)
    return {
        "history": history.history,
        "weights": model.get_weights(),
        "kind": found["kind"],
        "amount": found["amount"],
        "evaluate": model.evaluate(X, ys, verbose=0, return_dict=True),
    }


@variants(
    shared=lambda keras: WEIGHTS,
    each=lambda keras: [WEIGHTS, WEIGHTS[::-1].copy()],
)
def sample_weights_of_two_outputs(keras, weights):
    model = _two_headed(keras)
    model.compile("adam", loss=list(BOTH.values()), weighted_metrics=[["accuracy"], ["mae"]])
    start(model)
    arguments = {"epochs": 3, "batch_size": 10, "shuffle": False, "verbose": 0}
    history = model.fit(X, [LABELS, AMOUNTS], sample_weight=weights, **arguments)
    return {"history": history.history, "weights": model.get_weights()}


@program
def shared_layer(keras):
    left, right = keras.Input((3,)), keras.Input((3,))
    encode = keras.layers.Dense(4, activation="tanh")
    distance = keras.layers.Subtract()([encode(left), encode(right)])
    model = keras.Model([left, right], keras.layers.Dense(1, activation="sigmoid")(distance))
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    start(model)
    xs = [X[:, :3], X[:, 3:]]
    history = model.fit(xs, YES_NO, epochs=5, batch_size=10, shuffle=False, verbose=0)
    return {
        "history": history.history,
        "weights": model.get_weights(),
        "predict": model.predict(xs, verbose=0),
        "names": [layer.name for layer in model.layers],
    }


@program
def layer_called_three_times(keras):
    x = h = keras.Input((6,))
    again = keras.layers.Dense(6, activation="tanh")
    for _ in range(3):
        h = again(h)
    model = keras.Model(x, keras.layers.Dense(1)(h))
    model.compile(**MSE)
    return walk(model, X, AMOUNTS)


@program
def model_in_a_model(keras):
    x = keras.Input((3,))
    encoder = keras.Model(x, keras.layers.Dense(4, activation="relu")(x), name="encoder")
    left, right = keras.Input((3,)), keras.Input((3,))
    both = keras.layers.Concatenate()([encoder(left), encoder(right)])
    model = keras.Model([left, right], keras.layers.Dense(1)(both))
    model.compile(**MSE)
    start(model)
    xs = [X[:, :3], X[:, 3:]]
    history = model.fit(xs, AMOUNTS, epochs=5, batch_size=10, shuffle=False, verbose=0)
    return {
        "history": history.history,
        "weights": model.get_weights(),
        "encoder": encoder.predict(X[:4, :3], verbose=0),
        "count": model.count_params(),
        "names": [layer.name for layer in model.layers],
    }


@program
def sequential_in_a_sequential(keras):
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="relu"), keras.layers.Dense(4)])
    model = keras.Sequential([inner, keras.layers.Activation("tanh"), keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return {**walk(model, X, LABELS), "names": [layer.name for layer in model.layers]}


@program
def fine_tuning(keras):
    base = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="tanh", name="features")])
    base.compile("sgd", "mse")
    start(base)
    base.trainable = False
    x = keras.Input((6,))
    model = keras.Model(x, keras.layers.Dense(1)(base(x, training=False)))
    model.compile(**MSE)
    model.set_weights([np.full(w.shape, 0.1) for w in model.get_weights()])
    frozen = go_on(model, X, AMOUNTS)
    base.trainable = True
    model.compile(keras.optimizers.SGD(0.001), "mse")
    return {"frozen": frozen, "tuned": go_on(model, X, AMOUNTS)}


@program
def features_of_a_model(keras):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, activation="tanh", name="hidden"), keras.layers.Dense(1)]
    )
    start(model)
    features = keras.Model(model.inputs, model.get_layer("hidden").output)
    rest = keras.Model(model.get_layer("hidden").output, model.outputs[0])
    return {"features": features.predict(X[:5], verbose=0), "rest": rest.predict(X[:5, :5], verbose=0)}


@program
def order_of_weights(keras):
    a, b = keras.Input((2,), name="a"), keras.Input((3,), name="b")
    deep = keras.layers.Dense(4, name="deep1")(b)
    short = keras.layers.Dense(5, name="short")(a)
    deep = keras.layers.Dense(6, name="deep3")(keras.layers.Dense(7, name="deep2")(deep))
    both = keras.layers.Concatenate(name="both")([short, deep])
    model = keras.Model([a, b], [keras.layers.Dense(1, name="out1")(both), keras.layers.Dense(2, name="out2")(deep)])
    return {
        "names": [layer.name for layer in model.layers],
        "shapes": [list(weight.shape) for weight in model.get_weights()],
        "inputs": list(model.input_names) if hasattr(model, "input_names") else ["a", "b"],
        "outputs": list(model.output_names),
    }


@program
def cloned_model(keras):
    model = _two_headed(keras)
    start(model)
    twin = keras.models.clone_model(model)
    twin.compile("adam", loss=list(BOTH.values()))
    start(twin)
    history = twin.fit(X, [LABELS, AMOUNTS], epochs=2, batch_size=10, shuffle=False, verbose=0)
    return {
        "history": history.history,
        "weights": twin.get_weights(),
        "names": [layer.name for layer in twin.layers],
        "unchanged": model.get_weights(),
    }


@program
def activity_regularizers(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, activation="tanh", activity_regularizer=keras.regularizers.L2(0.02)),
            keras.layers.Dense(3, activation="softmax", activity_regularizer=keras.regularizers.L2(0.05)),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, LABELS, validation_split=0.2)
