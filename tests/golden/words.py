"""Golden programs about words: what is printed, and what things are called."""

from golden.table import LABELS, LABELS_VAL, X_VAL, X, classifier, printed, program, start, variants

# --- Summaries --------------------------------------------------------------------------------------------------------


def summary(model, **arguments):
    texts = []
    model.summary(print_fn=texts.append, **arguments)
    return {"texts": [text.split("\n") for text in texts]}


def tutorials_network(keras):
    return keras.Sequential(
        [
            keras.Input((784,)),
            keras.layers.Dense(50, activation="sigmoid"),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )


@program
def summary_of_the_tutorials_network(keras):
    return summary(tutorials_network(keras))


@program
def summary_once_compiled(keras):
    model = tutorials_network(keras)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy")
    return summary(model)


@variants(
    sgd=lambda keras: keras.optimizers.SGD(),
    momentum=lambda keras: keras.optimizers.SGD(momentum=0.5),
    rmsprop=lambda keras: keras.optimizers.RMSprop(),
    rmsprop_all=lambda keras: keras.optimizers.RMSprop(momentum=0.5, centered=True),
    adam=lambda keras: keras.optimizers.Adam(),
)
def summary_once_trained(keras, optimizer):
    model = classifier(keras)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    model.fit(X, LABELS, verbose=0)
    return summary(model)


@program
def summary_of_frozen_layers(keras):
    model = keras.Sequential(name="half_frozen")
    model.add(keras.Input((28, 28), name="pixels"))
    model.add(keras.layers.Flatten())
    model.add(keras.layers.Rescaling(1 / 255))
    model.add(keras.layers.Dense(2000, "relu", trainable=False))
    model.add(keras.layers.Dropout(0.2))
    model.add(keras.layers.Dense(1000, use_bias=False, name="a_name_that_is_far_too_long_to_fit_into_its_column"))
    model.add(keras.layers.Activation("softmax"))
    return summary(model)


def in_a_row(keras):
    x = keras.Input((4,), name="x")
    return x, keras.layers.Dense(3, name="b")(keras.layers.Dense(5, name="a")(x))


def residual(keras):
    x = keras.Input((4,), name="x")
    hidden = keras.layers.Dense(4, "relu", name="hidden")(x)
    return x, keras.layers.Add(name="sum")([x, hidden])


def twins(keras):
    """Two inputs through one layer and one model, two outputs."""
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = keras.layers.Dense(6, name="shared")
    inner = keras.Sequential([keras.Input((6,)), keras.layers.Dense(2)], name="inner")
    both = keras.layers.Concatenate(name="both")([inner(shared(a)), inner(shared(b))])
    return [a, b], [both, keras.layers.Dense(1, trainable=False, name="amount")(both)]


def one_layer_again(keras):
    x = keras.Input((4,), name="x")
    layer = keras.layers.Dense(4, name="again")
    return x, layer(layer(x))


@variants(in_a_row=in_a_row, residual=residual, twins=twins, one_layer_again=one_layer_again)
def summary_of_model(keras, tensors):
    model = keras.Model(*tensors, name="drawn")
    return {"plain": summary(model), "trainable": summary(model, show_trainable=True)}


@variants(
    narrow=lambda keras: {"line_length": 60},
    wide=lambda keras: {"line_length": 110},
    trainable=lambda keras: {"show_trainable": True},
    trainable_wide=lambda keras: {"show_trainable": True, "line_length": 100},
)
def summary_with(keras, arguments):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, trainable=False), keras.layers.Dropout(0.1)])
    model.add(keras.layers.Dense(3))
    return summary(model, **arguments)


def _of_models(keras):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, name="first")], name="inner")
    inner.add(keras.layers.Dense(2, name="second", trainable=False))
    middle = keras.Model(x := keras.Input((4,), name="in_the_middle"), inner(x), name="middle")
    outer = keras.Input((4,), name="x")
    both = keras.layers.Concatenate(name="both")([middle(outer), outer])
    return keras.Model(outer, keras.layers.Dense(1, name="amount")(both), name="outer")


@variants(
    all=lambda keras: {"expand_nested": True},
    all_trainable=lambda keras: {"expand_nested": True, "show_trainable": True},
    from_to=lambda keras: {"layer_range": ["middle", "both"]},
    from_to_by_pattern=lambda keras: {"layer_range": ["am.*", "mid"], "expand_nested": True},
    positions=lambda keras: {"positions": [0.3, 0.5, 0.65, 1.0]},
)
def summary_of_models_in_a_model(keras, arguments):
    return summary(_of_models(keras), **arguments)


@program
def summary_before_it_is_built(keras):
    return summary(keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3), keras.layers.Activation("relu")]))


@program
def summary_once_built_by_hand(keras):
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    model.build((None, 4))
    return summary(model)


@program
def summary_of_nothing(keras):
    return summary(keras.Sequential())


@program
def summary_of_sequences(keras):
    return summary(keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(4), keras.layers.Flatten()]))


@program
def summary_on_the_screen(keras):
    return {"printed": printed(classifier(keras).summary)}


# --- Progress ---------------------------------------------------------------------------------------------------------


def ready(keras, metrics=("accuracy",)):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=list(metrics))
    start(model)
    return model


@variants(bar=lambda keras: 1, line=lambda keras: 2)
def progress(keras, verbose):
    model = ready(keras)
    arguments = {"verbose": verbose, "batch_size": 10}
    several = {"epochs": 3, "shuffle": False, "validation_data": (X_VAL, LABELS_VAL), **arguments}
    return {
        "fit": printed(lambda: model.fit(X, LABELS, **several)),
        "one epoch": printed(lambda: model.fit(X, LABELS, shuffle=False, **arguments)),
        "evaluate": printed(lambda: model.evaluate(X, LABELS, **arguments)),
        "predict": printed(lambda: model.predict(X, **arguments)),
        "one batch": printed(lambda: model.predict(X, verbose=verbose, batch_size=100)),
    }


@program
def progress_by_default(keras):
    model = ready(keras, metrics=[])
    return {
        "fit": printed(lambda: model.fit(X, LABELS, shuffle=False, epochs=2)),
        "evaluate": printed(lambda: model.evaluate(X, LABELS)),
        "predict": printed(lambda: model.predict(X)),
    }


@program
def progress_with_figures_large_and_small(keras):
    model = classifier(keras, 1, None)
    model.compile(optimizer=keras.optimizers.SGD(0.0), loss="mse", metrics=["mae", "accuracy"])
    start(model)
    return {
        "large": printed(lambda: model.evaluate(X, 10 * X[:, :1], verbose=2)),
        "small": printed(lambda: model.evaluate(X, model.predict(X, verbose=0) + 1e-3, verbose=2)),
        "none": printed(lambda: model.evaluate(0 * X, model.predict(0 * X, verbose=0), verbose=2)),
    }


@program
def progress_over_many_steps(keras):
    model = ready(keras)
    return {"fit": printed(lambda: model.fit(X, LABELS, shuffle=False, batch_size=1, verbose=2, validation_split=0.5))}


@program
def progress_numbered_from_an_initial_epoch(keras):
    model = ready(keras)
    return {"fit": printed(lambda: model.fit(X, LABELS, shuffle=False, verbose=2, epochs=4, initial_epoch=2))}


@variants(
    quiet=lambda keras: keras.callbacks.EarlyStopping("loss", mode="max"),
    told=lambda keras: keras.callbacks.EarlyStopping("loss", mode="max", verbose=1),
    told_with_best_weights=lambda keras: keras.callbacks.EarlyStopping(
        "loss", mode="max", patience=1, verbose=1, restore_best_weights=True
    ),
)
def early_stopping_says(keras, callback):
    model = ready(keras)
    return {"fit": printed(lambda: model.fit(X, LABELS, epochs=5, shuffle=False, verbose=2, callbacks=[callback]))}


# --- Names ------------------------------------------------------------------------------------------------------------


@program
def names_of_layers_and_models(keras):
    model = keras.Sequential(
        [
            keras.Input((4, 4)),
            keras.layers.Flatten(),
            keras.layers.Rescaling(0.1),
            keras.layers.Dense(3),
            keras.layers.Activation("relu"),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(3, name="mine"),
            keras.layers.Dense(3),
            keras.layers.Activation("tanh"),
        ]
    )
    return {
        "layers": [layer.name for layer in model.layers],
        "weights": [weight.path.removeprefix("sequential/") for weight in model.weights],
        "models": [model.name, keras.Sequential().name, keras.Sequential(name="own").name],
    }


@program
def names_of_losses_metrics_and_optimizers(keras):
    losses = [
        keras.losses.SparseCategoricalCrossentropy(),
        keras.losses.CategoricalCrossentropy(),
        keras.losses.BinaryCrossentropy(),
        keras.losses.MeanSquaredError(),
        keras.losses.MeanAbsoluteError(),
    ]
    metrics = [
        keras.metrics.Accuracy(),
        keras.metrics.BinaryAccuracy(),
        keras.metrics.CategoricalAccuracy(),
        keras.metrics.SparseCategoricalAccuracy(),
        keras.metrics.MeanSquaredError(),
        keras.metrics.MeanAbsoluteError(),
        keras.metrics.BinaryCrossentropy(),
        keras.metrics.CategoricalCrossentropy(),
        keras.metrics.SparseCategoricalCrossentropy(),
        keras.metrics.Mean(),
    ]
    optimizers = [keras.optimizers.SGD(), keras.optimizers.RMSprop(), keras.optimizers.Adam()]
    return {
        "losses": [loss.name for loss in losses],
        "metrics": [metric.name for metric in metrics],
        "optimizers": [optimizer.name for optimizer in optimizers],
        "reductions": [loss.reduction for loss in losses],
        "learning rates": [float(optimizer.learning_rate) for optimizer in optimizers],
    }


@variants(
    twice=lambda keras: {"metrics": ["mse", "mse"]},
    weighted_too=lambda keras: {"metrics": ["accuracy", "mse"], "weighted_metrics": ["accuracy", "mae"]},
    in_capitals=lambda keras: {"metrics": ["MSE", "mae", "accuracy"]},
    of_objects=lambda keras: {"metrics": [keras.metrics.MeanSquaredError(), keras.metrics.MeanSquaredError()]},
)
def names_of_figures(keras, arguments):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="mse", **arguments)
    start(model)
    targets = X[:, :3]
    return {
        "history": list(model.fit(X, targets, verbose=0).history),
        "evaluate": list(model.evaluate(X, targets, verbose=0, return_dict=True)),
    }
