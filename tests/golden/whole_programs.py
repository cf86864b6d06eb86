"""Golden programs as users write them: several parts of the library at once, in networks of many shapes."""

import numpy as np

from golden.table import (
    AMOUNTS,
    IMAGES,
    LABELS,
    ONE_HOT,
    SEVERAL,
    WEIGHTS,
    YES_NO,
    X,
    go_on,
    program,
    variants,
)

_STREAM = np.random.RandomState(8)
N = len(X)
OTHER = _STREAM.normal(size=X.shape).astype("float32")
TOKENS = _STREAM.randint(0, 12, size=(N, 3))
SEQUENCES = _STREAM.uniform(size=(N, 4, 5)).astype("float32")
STEPS = _STREAM.randint(0, 3, size=(N, 4))


def start(model):
    """First weights from a frozen stream for what is trained; running means and what was measured stay."""
    rng = np.random.RandomState(1)
    trained = {id(variable) for variable in model.trainable_weights}
    weights = zip(model.weights, model.get_weights(), strict=True)
    model.set_weights([rng.normal(0.0, 0.5, size=w.shape) if id(v) in trained else w for v, w in weights])


def walk(model, x, y, **arguments):
    start(model)
    return go_on(model, x, y, **arguments)


def _dense(keras, *sizes, last="softmax", **arguments):
    hidden = [keras.layers.Dense(size, activation="relu", **arguments) for size in sizes[:-1]]
    return keras.Sequential([keras.Input((6,)), *hidden, keras.layers.Dense(sizes[-1], activation=last)])


@program
def whole_wide_and_deep(keras):
    wide, deep = keras.Input((6,), name="wide"), keras.Input((6,), name="deep")
    normalization = keras.layers.Normalization()
    normalization.adapt(OTHER)
    h = keras.layers.Dense(10, activation="elu", kernel_regularizer=keras.regularizers.L1L2(1e-3, 1e-2))
    h = h(normalization(deep))
    h = keras.layers.Dense(10, activation="selu", kernel_constraint=keras.constraints.MaxNorm(1.0))(h)
    main = keras.layers.Dense(1, name="main")(keras.layers.concatenate([wide, h]))
    model = keras.Model([wide, deep], [main, keras.layers.Dense(1, name="aux")(h)])
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True)
    metrics = [["RootMeanSquaredError"], ["mse"]]
    model.compile(optimizer, ["mse", "mae"], loss_weights=[0.9, 0.1], metrics=metrics)
    start(model)
    data = {"batch_size": 8, "shuffle": False, "verbose": 0, "epochs": 2}
    targets = [AMOUNTS, AMOUNTS]
    history = model.fit([X, OTHER], targets, validation_data=([X[:9], OTHER[:9]], [AMOUNTS[:9]] * 2), **data)
    return {"history": history.history, "predict": model.predict([X[:5], OTHER[:5]], verbose=0)}


@program
def whole_twin_towers(keras):
    tower = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, activation="relu")], name="tower")
    tower.add(keras.layers.BatchNormalization(momentum=0.8))
    tower.add(keras.layers.Dense(4))
    a, b = keras.Input((6,)), keras.Input((6,))
    gap = keras.layers.Subtract()([tower(a), tower(b)])
    model = keras.Model([a, b], keras.layers.Dense(1, activation="sigmoid")(keras.layers.Multiply()([gap, gap])))
    metrics = ["binary_accuracy", keras.metrics.Precision(), keras.metrics.Recall(thresholds=[0.3, 0.7])]
    model.compile("nadam", "binary_crossentropy", metrics=metrics)
    start(model)
    history = model.fit([X, OTHER], YES_NO, epochs=3, batch_size=8, shuffle=False, verbose=0)
    recall = [np.asarray(one) for one in history.history.pop("recall")]
    return {"history": history.history, "recall": np.stack(recall), "weights": model.get_weights()}


@program
def whole_residual_blocks(keras):
    x = keras.Input((6,))
    h = keras.layers.Dense(8)(x)
    for _ in range(2):
        inner = keras.layers.Dense(12, activation="gelu")(keras.layers.LayerNormalization(epsilon=1e-5)(h))
        h = keras.layers.Add()([h, keras.layers.Dense(8)(inner)])
    model = keras.Model(x, keras.layers.Softmax()(keras.layers.Dense(3)(keras.layers.Activation("relu")(h))))
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 20, alpha=0.1, warmup_target=0.02, warmup_steps=5)
    optimizer = keras.optimizers.Adam(schedule, amsgrad=True)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=3)


@program
def whole_encoder_and_decoder(keras):
    x = keras.Input((6,))
    code = keras.layers.Dense(3, activation="relu", activity_regularizer=keras.regularizers.L1(1e-3))(x)
    model = keras.Model(x, keras.layers.Dense(6, activation="sigmoid")(code))
    model.compile("adam", "binary_crossentropy")
    shares = 1.0 / (1.0 + np.exp(-X))
    found = walk(model, shares, shares, validation_data=(shares, shares))
    return {**found, "code": keras.Model(x, code).predict(shares, verbose=0)}


@program
def whole_models_in_a_model_then_frozen(keras):
    encoder = keras.Sequential([keras.Input((6,)), keras.layers.Dense(5, activation="relu", name="e1")], name="enc")
    encoder.add(keras.layers.Dense(4, activation="tanh"))
    z = keras.Input((4,))
    both = [keras.layers.Dense(6)(z), keras.layers.Dense(3, activation="softmax")(z)]
    x = keras.Input((6,))
    again, kind = keras.Model(z, both, name="dec")(encoder(x))
    model = keras.Model(x, {"again": again, "kind": kind})
    losses = {"again": "mse", "kind": "sparse_categorical_crossentropy"}
    start(model)
    found = {}
    for part in ("whole", "frozen"):
        model.compile("adam", losses, metrics={"kind": "accuracy"})
        history = model.fit(X, {"again": X, "kind": LABELS}, epochs=3, shuffle=False, verbose=0)
        found[part] = history.history
        encoder.trainable = False
    inner = keras.Model(encoder.inputs, encoder.get_layer("e1").output).predict(X[:4], verbose=0)
    counts = [len(model.trainable_weights), len(model.non_trainable_weights)]
    return {**found, "weights": model.get_weights(), "inner": inner, "counts": counts}


@program
def whole_layers_shared(keras):
    x = keras.Input((6,))
    dense = keras.layers.Dense(6, activation="tanh", kernel_regularizer="l2")
    norm, batch = keras.layers.LayerNormalization(), keras.layers.BatchNormalization(momentum=0.7)
    h = keras.layers.Concatenate()([batch(norm(dense(x))), batch(norm(dense(dense(x))))])
    model = keras.Model(x, keras.layers.Dense(3, activation="softmax")(h))
    model.compile(keras.optimizers.SGD(0.1, momentum=0.5), "sparse_categorical_crossentropy")
    return walk(model, X, LABELS, epochs=3, validation_split=0.2)


@program
def whole_output_that_feeds_another(keras):
    x = keras.Input((6,))
    kind = keras.layers.Dense(3, activation="softmax", name="kind")(x)
    model = keras.Model(x, [kind, keras.layers.Dense(2, activation="relu", name="size")(kind)])
    metrics = [["accuracy", "sparse_categorical_crossentropy"], ["mse"]]
    model.compile("sgd", ["sparse_categorical_crossentropy", "mae"], metrics=metrics)
    start(model)
    history = model.fit(X, [LABELS, X[:, :2]], epochs=3, shuffle=False, verbose=0)
    return {"history": history.history, "weights": model.get_weights()}


@program
def whole_rows_of_samples(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((4, 5)), layers.Dense(6, activation="relu"), layers.BatchNormalization()])
    model.add(layers.LayerNormalization(axis=[1, 2]))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, SEQUENCES, STEPS, epochs=3, sample_weight=np.linspace(0, 2, 4 * N).reshape(N, 4))


@program
def whole_reshaped_rows(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((4, 5)), layers.Reshape((5, 4)), layers.PReLU(shared_axes=[1])])
    for layer in (layers.BatchNormalization(axis=1), layers.Flatten(), layers.Rescaling(2.0, 0.5), layers.Dense(2)):
        model.add(layer)
    model.compile("sgd", "mse")
    return walk(model, SEQUENCES, SEQUENCES[:, 0, :2], epochs=3)


@program
def whole_tokens_without_an_order(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((3,)), layers.Embedding(12, 4, mask_zero=True, embeddings_regularizer="l2")])
    for layer in (layers.Flatten(), layers.UnitNormalization(), layers.Dense(3, activation="softmax")):
        model.add(layer)
    model.compile(keras.optimizers.SGD(0.3, momentum=0.5), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, TOKENS, TOKENS.sum(axis=1) % 3, epochs=3)


@program
def whole_pictures_of_bytes(keras):
    layers = keras.layers
    model = keras.Sequential([keras.Input((4, 4)), layers.Rescaling(1 / 255), layers.Flatten()])
    model.add(layers.Dense(12, activation="relu"))
    model.add(layers.Dense(3, activation="softmax"))
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, IMAGES, LABELS.astype("uint8"), epochs=3)


@variants(
    clipped_mean=lambda keras: keras.optimizers.RMSprop(0.01, centered=True, momentum=0.3, clipnorm=0.1, use_ema=True),
    overwritten=lambda keras: keras.optimizers.Adam(0.02, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3),
    accumulated=lambda keras: keras.optimizers.SGD(0.1, momentum=0.9, gradient_accumulation_steps=2, clipnorm=0.3),
    muon=lambda keras: keras.optimizers.Muon(0.01, weight_decay=0.1, momentum=0.9, nesterov=False),
    muon_but_for_some=lambda keras: keras.optimizers.Muon(0.02, exclude_layers=["dense_1"], adam_beta_1=0.8),
    lion_mean=lambda keras: keras.optimizers.Lion(0.002, weight_decay=0.05, use_ema=True, ema_momentum=0.9),
    restarts=lambda keras: keras.optimizers.Nadam(
        keras.optimizers.schedules.CosineDecayRestarts(0.02, 4, t_mul=1.5, m_mul=0.8, alpha=0.1)
    ),
)
def whole_optimizer(keras, optimizer):
    model = _dense(keras, 9, 7, 3)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=4)


@program
def whole_decay_but_for_some(keras):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(7, activation="tanh")])
    model.add(keras.layers.LayerNormalization())
    model.add(keras.layers.Dense(3, activation="softmax", name="last"))
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.1)
    optimizer.exclude_from_weight_decay([model.get_layer("last").kernel], ["bias", "gamma", "beta"])
    model.compile(optimizer, "sparse_categorical_crossentropy")
    return walk(model, X, LABELS, epochs=3)


@program
def whole_averages_in_and_out(keras):
    model = _dense(keras, 7, 3)
    model.compile(keras.optimizers.Adam(0.03, use_ema=True, ema_momentum=0.8), "sparse_categorical_crossentropy")
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    return walk(model, X, LABELS, epochs=3, validation_split=0.2, callbacks=[swap])


@program
def whole_callbacks_together(keras):
    model = _dense(keras, 8, 3)
    model.compile(keras.optimizers.SGD(0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=3, restore_best_weights=True, start_from_epoch=1),
        keras.callbacks.ReduceLROnPlateau("val_loss", factor=0.3, patience=1, cooldown=1, min_lr=0.05),
        keras.callbacks.TerminateOnNaN(),
    ]
    found = walk(model, X, LABELS, epochs=25, validation_split=0.3, callbacks=callbacks)
    return {**found, "stopped": callbacks[0].stopped_epoch, "rate": float(model.optimizer.learning_rate)}


@program
def whole_batch_by_batch(keras):
    model = _dense(keras, 4, 3)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    start(model)
    figures = [model.train_on_batch(X[i : i + 12], LABELS[i : i + 12]) for _ in range(2) for i in range(0, 36, 12)]
    figures.append(list(model.train_on_batch(X, LABELS, class_weight={0: 3.0})))
    figures.append(list(model.test_on_batch(X, LABELS, sample_weight=WEIGHTS)))
    model.reset_metrics()
    figures.append(list(model.train_on_batch(X[:5], LABELS[:5])))
    figures = [[float(figure) for figure in pair] for pair in figures]
    return {"figures": np.array(figures), "weights": model.get_weights(), "predict": model.predict_on_batch(X[:3])}


@program
def whole_two_trainings_and_a_third(keras):
    model = _dense(keras, 5, 3)
    schedule = keras.optimizers.schedules.InverseTimeDecay(0.05, 3, 0.4)
    model.compile(keras.optimizers.Adam(schedule), "sparse_categorical_crossentropy", metrics=["accuracy"])
    first = walk(model, X, LABELS, epochs=2)
    second = go_on(model, X[:40], LABELS[:40], epochs=4, initial_epoch=2, batch_size=9)
    model.compile("rmsprop", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return {"first": first, "second": second, "third": go_on(model, X, LABELS, epochs=1)}


@program
def whole_weights_of_classes_in_rows(keras):
    model = _dense(keras, 5, 3)
    weighted = ["categorical_accuracy"]
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"], weighted_metrics=weighted)
    return walk(model, X, ONE_HOT, epochs=3, class_weight={0: 0.3, 1: 2.0, 2: 1.0}, validation_split=0.2)


@program
def whole_several_answers(keras):
    model = _dense(keras, 5, 3, last="sigmoid", kernel_initializer="he_normal")
    metrics = ["binary_accuracy", keras.metrics.AUC(multi_label=True), keras.metrics.Precision(thresholds=0.3)]
    loss = keras.losses.BinaryFocalCrossentropy(apply_class_balancing=True, alpha=0.3, label_smoothing=0.05)
    model.compile(keras.optimizers.Nadam(0.01), loss, metrics=metrics)
    return walk(model, X, SEVERAL, epochs=3, sample_weight=WEIGHTS)


@program
def whole_scores_of_yes_or_no(keras):
    model = _dense(keras, 5, 1, last=None)
    metrics = [keras.metrics.BinaryAccuracy(threshold=0.0), keras.metrics.AUC(from_logits=True)]
    loss = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1)
    model.compile("adamax", loss, metrics=metrics)
    return walk(model, X, YES_NO.reshape(-1, 1), epochs=3, class_weight={0: 1.0, 1: 2.5})


@program
def whole_dict_of_one_output(keras):
    x = keras.Input((6,), name="x")
    model = keras.Model({"x": x}, {"y": keras.layers.Dense(2, name="y")(x)})
    start(model)
    again = keras.Model.from_config(model.get_config())
    again.set_weights(model.get_weights())
    outputs = [np.asarray(one({"x": X[:4]})["y"]) for one in (model, model, again)]
    return {"outputs": np.stack(outputs), "predict": again.predict({"x": X[:4]}, verbose=0)["y"]}


@program
def whole_preprocessing(keras):
    layers = keras.layers
    measured = layers.Normalization()
    measured.adapt(X)
    counts = layers.CategoryEncoding(12, output_mode="count")
    mask = np.array([[True, False, True, True, True, False]] * 3)
    return {
        "mean": measured.mean.numpy(),
        "variance": measured.variance.numpy(),
        "given": np.asarray(layers.Normalization(axis=(1, 2), mean=[1.0] * 5, variance=[2.0] * 5)(SEQUENCES[:3])),
        "counts": np.asarray(counts(TOKENS[:4], count_weights=WEIGHTS[:12].reshape(4, 3))),
        "masked": np.asarray(layers.Softmax()(X[:3], mask=mask)),
    }
