"""Golden programs about layers that normalize, encode, embed and reshape."""

import numpy as np

from golden.table import AMOUNTS, LABELS, X, go_on, program, variants, walk

CUBES = X.reshape(-1, 2, 3)
TOKENS = np.random.RandomState(4).randint(0, 7, size=(45, 3))
SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


def start_positive(model):
    """Weights all above 0: a variance below it would be no variance."""
    stream = np.random.RandomState(1)
    model.set_weights([stream.uniform(0.2, 1.0, size=weight.shape) for weight in model.get_weights()])


@variants(
    batch=lambda keras: keras.layers.BatchNormalization(),
    batch_given=lambda keras: keras.layers.BatchNormalization(
        momentum=0.7, epsilon=0.01, beta_initializer="ones", gamma_regularizer="l2", beta_constraint="non_neg"
    ),
    batch_bare=lambda keras: keras.layers.BatchNormalization(center=False, scale=False),
    batch_frozen=lambda keras: keras.layers.BatchNormalization(trainable=False),
    layer=lambda keras: keras.layers.LayerNormalization(),
    layer_given=lambda keras: keras.layers.LayerNormalization(epsilon=0.1, center=False, gamma_initializer="ones"),
    layer_bare=lambda keras: keras.layers.LayerNormalization(scale=False),
    rms=lambda keras: keras.layers.RMSNormalization(),
    unit=lambda keras: keras.layers.UnitNormalization(),
    identity=lambda keras: keras.layers.Identity(),
)
def normalized(keras, layer):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5),
            layer,
            keras.layers.Activation("tanh"),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", **SPARSE)
    start_positive(model)
    return go_on(model, X, LABELS, validation_split=0.2)


@variants(
    batch=lambda keras: keras.layers.BatchNormalization(axis=1),
    layer=lambda keras: keras.layers.LayerNormalization(axis=[1, 2]),
    layer_first=lambda keras: keras.layers.LayerNormalization(axis=1),
    unit=lambda keras: keras.layers.UnitNormalization(axis=[1, 2]),
)
def normalized_cubes(keras, layer):
    model = keras.Sequential([keras.Input((2, 3)), layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    start_positive(model)
    history = model.fit(CUBES, AMOUNTS, epochs=4, batch_size=10, shuffle=False, verbose=0)
    return {
        "history": history.history,
        "weights": model.get_weights(),
        "predict": model.predict(CUBES[:5], verbose=0),
        "evaluate": model.evaluate(CUBES, AMOUNTS, verbose=0),
    }


@program
def running_means(keras):
    layer = keras.layers.BatchNormalization(momentum=0.8)
    for part in (X[:10], X[10:30]):
        layer(part, training=True)
    found = np.array(layer(X[:4]))
    return {"weights": [np.array(w) for w in layer.get_weights()], "inference": found}


@variants(
    measured=lambda keras: keras.layers.Normalization(),
    of_all=lambda keras: keras.layers.Normalization(axis=None),
    given=lambda keras: keras.layers.Normalization(mean=[0.5] * 6, variance=[2.0] * 6),
    given_for_all=lambda keras: keras.layers.Normalization(mean=3.0, variance=2.0),
    inverted=lambda keras: keras.layers.Normalization(invert=True),
)
def normalization(keras, layer):
    if layer.get_config()["mean"] is None:
        layer.adapt(X)
    model = keras.Sequential([keras.Input((6,)), layer, keras.layers.Dense(3, activation="softmax")])
    model.compile("adam", **SPARSE)
    found = np.array(layer(X[:4]))
    dense = model.layers[-1]
    dense.set_weights([np.full((6, 3), 0.1), np.arange(3) * 0.1])
    history = model.fit(X, LABELS, epochs=3, batch_size=10, shuffle=False, verbose=0)
    return {"values": found, "history": history.history, "dense": dense.get_weights()}


@program
def embedding(keras):
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(7, 4, embeddings_regularizer="l2", embeddings_constraint="unit_norm"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", **SPARSE)
    return walk(model, TOKENS, LABELS)


@variants(
    one_hot=lambda keras: keras.layers.CategoryEncoding(7, output_mode="one_hot"),
    multi_hot=lambda keras: keras.layers.CategoryEncoding(num_tokens=7),
    count=lambda keras: keras.layers.CategoryEncoding(7, "count"),
)
def categories(keras, layer):
    return {"rows": np.array(layer(TOKENS[:5])), "column": np.array(layer(TOKENS[:5, :1]))}


@program
def reshaped(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Reshape((3, -1)),
            keras.layers.Dense(2),
            keras.layers.Reshape((6,)),
            keras.layers.Rescaling([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], offset=[1.0] * 6),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return {**walk(model, X, AMOUNTS), "shapes": [list(layer.output.shape) for layer in model.layers]}


@variants(
    noise=lambda keras: keras.layers.GaussianNoise(0.5),
    gaussian=lambda keras: keras.layers.GaussianDropout(0.5),
    alpha=lambda keras: keras.layers.AlphaDropout(0.5),
    nothing=lambda keras: keras.layers.AlphaDropout(0.0),
)
def idle_outside_training(keras, layer):
    return {"values": np.array(layer(X[:3])), "again": np.array(layer(X[:3], training=False))}


@variants(
    average=lambda keras: keras.layers.GlobalAveragePooling1D(),
    average_first=lambda keras: keras.layers.GlobalAvgPool1D(data_format="channels_first"),
    max=lambda keras: keras.layers.GlobalMaxPooling1D(),
    max_kept=lambda keras: keras.layers.GlobalMaxPool1D(keepdims=True),
)
def pooled(keras, layer):
    model = keras.Sequential(
        [
            keras.Input((2, 3)),
            keras.layers.Dense(4, activation="tanh"),
            layer,
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("adam", **SPARSE)
    return {**walk(model, CUBES, LABELS), "shape": list(layer.output.shape), "config": layer.get_config()["keepdims"]}


@program
def words_and_their_mean(keras):
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(7, 4),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), **SPARSE)
    return walk(model, TOKENS, LABELS)


@program
def repeated_and_permuted(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.RepeatVector(3),
            keras.layers.TimeDistributed(keras.layers.Dense(5, activation="relu")),
            keras.layers.Permute((2, 1)),
            keras.layers.Dense(2),
            keras.layers.Flatten(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return {**walk(model, X, AMOUNTS), "shapes": [list(layer.output.shape) for layer in model.layers]}


@variants(
    dense=lambda keras: keras.layers.Dense(4, activation="tanh"),
    normalized=lambda keras: keras.layers.LayerNormalization(),
    regularized=lambda keras: keras.layers.Dense(
        4, kernel_regularizer="l2", bias_constraint="non_neg", activity_regularizer="l1"
    ),
)
def at_every_step(keras, layer):
    model = keras.Sequential(
        [
            keras.Input((2, 3)),
            keras.layers.TimeDistributed(layer),
            keras.layers.GlobalMaxPooling1D(),
            keras.layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    start_positive(model)
    return go_on(model, CUBES, AMOUNTS)


@variants(
    plain=lambda keras: keras.layers.Dot(1),
    cosine=lambda keras: keras.layers.Dot(axes=-1, normalize=True),
)
def two_towers(keras, dot):
    x = keras.Input((6,))
    a = keras.layers.Dense(4, activation="tanh")(x)
    b = keras.layers.Dense(4)(x)
    model = keras.Model(x, keras.layers.Dense(1)(dot([a, b])))
    model.compile("adam", "mse")
    return {**walk(model, X, AMOUNTS), "shape": list(dot.output.shape)}


@variants(
    matrices=lambda keras: keras.layers.Dot((1, 2)),
    normalized=lambda keras: keras.layers.Dot((2, 1), normalize=True),
    last=lambda keras: keras.layers.Dot(-1),
)
def products_of_cubes(keras, dot):
    x = keras.Input((2, 3))
    a = keras.layers.Dense(2)(x)  # (n, 2, 2)
    b = keras.layers.Permute((2, 1))(keras.layers.Dense(2, activation="tanh")(x))
    y = dot([a, b])
    rows = keras.layers.dot([y, keras.layers.Flatten()(keras.layers.Dense(1)(x))], axes=[1, 1])  # (n, 2)
    model = keras.Model(x, keras.layers.Dense(1)(rows))
    model.compile("adam", "mse")
    return {**walk(model, CUBES, AMOUNTS), "shapes": [list(y.shape), list(rows.shape)]}


@variants(
    two=lambda keras: keras.layers.GroupNormalization(2),
    of_each=lambda keras: keras.layers.GroupNormalization(-1, center=False, epsilon=0.1),
    first=lambda keras: keras.layers.GroupNormalization(groups=1, axis=1, gamma_initializer="ones"),
)
def normalized_groups(keras, layer):
    model = keras.Sequential(
        [keras.Input((2, 3)), keras.layers.Dense(4), layer, keras.layers.Flatten(), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    start_positive(model)
    return {**go_on(model, CUBES, AMOUNTS), "groups": layer.get_config()["groups"]}


@variants(
    dense=lambda keras: keras.layers.SpectralNormalization(keras.layers.Dense(4, activation="tanh")),
    several=lambda keras: keras.layers.SpectralNormalization(keras.layers.Dense(4), power_iterations=3),
)
def held_to_a_norm(keras, layer):
    model = keras.Sequential([keras.Input((6,)), layer, keras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", **SPARSE)
    names = [weight.path.rpartition("/")[2] for weight in model.weights]
    return {**walk(model, X, LABELS), "names": names}


@program
def words_but_for_padding(keras):
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int32"),
            keras.layers.Embedding(7, 4, mask_zero=True),
            keras.layers.Dense(4, activation="tanh"),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), **SPARSE)
    return walk(model, np.where(TOKENS.any(axis=1, keepdims=True), TOKENS, 1), LABELS)


@program
def steps_but_for_padding(keras):
    x, other = keras.Input((4, 3)), keras.Input((4, 3))
    a = keras.layers.LayerNormalization()(keras.layers.Dense(3)(keras.layers.Masking(-1.0)(x)))
    b = keras.layers.Activation("tanh")(keras.layers.Masking()(other))
    both = keras.layers.GlobalAveragePooling1D(keepdims=True)(keras.layers.Add()([a, b]))
    plain = keras.layers.GlobalAveragePooling1D()(b)
    y = keras.layers.concatenate([keras.layers.Flatten()(both), plain])
    model = keras.Model([x, other], keras.layers.Dense(1)(y))
    model.compile("adam", "mse")
    start_positive(model)
    steps = np.tile(X.reshape(-1, 2, 3), (1, 2, 1))
    one, two = steps.copy(), steps[:, ::-1].copy()
    one[::2, 3], one[::3, 2], two[::4, 2] = -1.0, -1.0, 0.0
    history = model.fit([one, two], AMOUNTS, epochs=4, batch_size=10, shuffle=False, verbose=0)
    return {
        "history": history.history,
        "weights": model.get_weights(),
        "predict": model.predict([one[:8], two[:8]], verbose=0),
        "evaluate": model.evaluate([one, two], AMOUNTS, verbose=0),
    }


@variants(
    rows=lambda keras: keras.layers.EinsumDense("abc,cd->abd", (2, 4), activation="tanh", bias_axes="d"),
    dots=lambda keras: keras.layers.EinsumDense("...x,xy->...y", 4, bias_axes="y", kernel_regularizer="l2"),
    dots_behind=lambda keras: keras.layers.EinsumDense("ab...,bc->ac...", 4, activation="relu", bias_axes="c"),
    members=lambda keras: keras.layers.EinsumDense("bki,kio->bko", (2, 4), activation="gelu", bias_axes="ko"),
    one_axis=lambda keras: keras.layers.EinsumDense("bki,kio->bko", [2, 4], bias_axes="k", bias_constraint="non_neg"),
    all_axes=lambda keras: keras.layers.EinsumDense("abc,bcd->ad", 4, activation="softmax"),
    turned=lambda keras: keras.layers.EinsumDense("abc,dc->adb", (4, 2), bias_axes="b"),
)
def sums_of_products(keras, layer):
    model = keras.Sequential([keras.Input((2, 3)), layer, keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    shapes = [list(weight.shape) for weight in layer.weights]
    return {**walk(model, CUBES, AMOUNTS), "shapes": shapes, "rank": len(layer.output.shape)}
