"""Golden programs about layers, activations and initializers."""

import numpy as np

from golden.table import (
    AMOUNTS,
    IMAGES,
    LABELS,
    LABELS_VAL,
    ONE_HOT,
    X_VAL,
    X,
    classifier,
    go_on,
    program,
    start,
    variants,
    walk,
)

SPARSE = {"loss": "sparse_categorical_crossentropy", "metrics": ["accuracy"]}


@program
def the_tutorials_network(keras):
    model = keras.Sequential()
    model.add(keras.layers.Dense(5, input_shape=(6,), activation="sigmoid"))
    model.add(keras.layers.Dense(3, activation="softmax"))
    model.compile(loss="sparse_categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=40, validation_data=(X_VAL, LABELS_VAL))


@program
def one_layer(keras):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, X, LABELS)


@program
def five_layers(keras):
    hidden = [keras.layers.Dense(units, activation="tanh") for units in (7, 6, 5, 4)]
    model = keras.Sequential([keras.Input((6,)), *hidden, keras.layers.Dense(3, activation="softmax")])
    model.compile(optimizer="adam", **SPARSE)
    return walk(model, X, LABELS)


@program
def built_by_the_first_data(keras):
    model = keras.Sequential(
        [
            keras.layers.Dense(4, "tanh", kernel_initializer="ones", bias_initializer=keras.initializers.Constant(0.1)),
            keras.layers.Dense(3, "softmax", kernel_initializer=keras.initializers.Constant(-0.2)),
        ]
    )
    model.compile(optimizer="sgd", **SPARSE)
    return go_on(model, X, LABELS)


@program
def built_by_hand(keras):
    model = keras.Sequential([keras.layers.Dense(4, "relu"), keras.layers.Dense(3, "softmax")])
    model.build((None, 6))
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, X, LABELS)


@variants(
    relu=lambda keras: "relu",
    sigmoid=lambda keras: "sigmoid",
    tanh=lambda keras: "tanh",
    softmax=lambda keras: "softmax",
    linear=lambda keras: "linear",
    none=lambda keras: None,
    object=lambda keras: keras.activations.relu,
)
def hidden_activation(keras, activation):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(8, activation=activation), keras.layers.Dense(3, activation="softmax")]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1), **SPARSE)
    return walk(model, X, LABELS)


@variants(
    relu=lambda keras: "relu",
    sigmoid=lambda keras: "sigmoid",
    tanh=lambda keras: "tanh",
    softmax=lambda keras: "softmax",
    linear=lambda keras: "linear",
)
def output_activation(keras, activation):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(1 if activation != "softmax" else 3, activation)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    return walk(model, X, AMOUNTS if activation != "softmax" else ONE_HOT)


@program
def activations_as_layers(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5),
            keras.layers.Activation("relu"),
            keras.layers.Dense(5),
            keras.layers.Activation(keras.activations.tanh),
            keras.layers.Dense(3),
            keras.layers.Activation("softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1), **SPARSE)
    return walk(model, X, LABELS)


@program
def without_biases(keras):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "sigmoid", use_bias=False), keras.layers.Dense(3, use_bias=False)]
    )
    model.compile(optimizer="sgd", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return walk(model, X, LABELS)


@program
def images_rescaled_and_flattened(keras):
    model = keras.Sequential(
        [
            keras.Input((4, 4)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.Flatten(),
            keras.layers.Dense(5, "relu"),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizer="adam", **SPARSE)
    return walk(model, IMAGES, LABELS)


@program
def flatten_with_input_shape(keras):
    model = keras.Sequential([keras.layers.Flatten(input_shape=(4, 4)), keras.layers.Dense(3, "softmax")])
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, IMAGES / 255.0, LABELS)


@program
def rescaling_between_layers(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Rescaling(2.0, offset=-0.5),
            keras.layers.Dense(5, "tanh"),
            keras.layers.Rescaling(scale=-0.5, offset=1.0),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, X, LABELS)


@program
def dropout_that_drops_nothing(keras):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, "tanh"), keras.layers.Dropout(0), keras.layers.Dense(3, "softmax")]
    )
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, X, LABELS)


@program
def dropout_is_idle_outside_training(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(5, "tanh"),
            keras.layers.Dropout(rate=0.5, seed=3),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizer="sgd", **SPARSE)
    start(model)
    return {"evaluate": model.evaluate(X, LABELS, verbose=0), "predict": model.predict(X, verbose=0)}


@program
def dense_on_sequences(keras):
    model = keras.Sequential(
        [keras.Input((3, 2)), keras.layers.Dense(4, "tanh"), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, X.reshape(-1, 3, 2), LABELS)


@program
def a_label_for_each_step_of_a_sequence(keras):
    model = keras.Sequential(
        [keras.Input((3, 2)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(3, "softmax")],
    )
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, X.reshape(-1, 3, 2), np.stack([LABELS, 2 - LABELS, (LABELS + 1) % 3], axis=1))


@program
def sequences_of_amounts(keras):
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(2)])
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return walk(model, X.reshape(-1, 3, 2), np.cos(X).reshape(-1, 3, 2))


@program
def a_frozen_layer_stays(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, "tanh"),
            keras.layers.Dense(4, "tanh", trainable=False),
            keras.layers.Dense(3, "softmax"),
        ]
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1, momentum=0.9), **SPARSE)
    return walk(model, X, LABELS)


@program
def frozen_after_some_training(keras):
    model = classifier(keras)
    model.compile(optimizer="adam", **SPARSE)
    before = walk(model, X, LABELS)
    model.layers[0].trainable = False
    model.compile(optimizer="adam", **SPARSE)
    return {"before": before, "after": go_on(model, X, LABELS)}


@variants(
    uint8=lambda keras: (IMAGES.reshape(-1, 16)[:, :6] // 32).astype("uint8"),
    int64=lambda keras: (X * 3).astype("int64"),
    float64=lambda keras: X.astype("float64"),
    bool=lambda keras: X > 0,
)
def inputs_of_type(keras, x):
    model = classifier(keras)
    model.compile(optimizer="sgd", **SPARSE)
    return walk(model, x, LABELS)


@program
def weights_come_layer_by_layer(keras):
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(5, "tanh", name="first"),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(4, use_bias=False, trainable=False),
            keras.layers.Dense(3, "softmax", name="last"),
        ]
    )
    start(model)
    return {
        "weights": model.get_weights(),
        "of each layer": [[list(w.shape) for w in layer.get_weights()] for layer in model.layers],
        "names": [w.name for w in model.weights],
        "trainable": [list(w.shape) for w in model.trainable_weights],
        "non-trainable": [list(w.shape) for w in model.non_trainable_weights],
        "count": model.count_params(),
        "shapes": [list(model.input_shape[1:]), list(model.output_shape[1:])],
        "called": np.asarray(model(X[:4])),
        "one layer called": np.asarray(model.layers[0](X[:4])),
    }


@variants(
    zeros=lambda keras: keras.initializers.Zeros(),
    ones=lambda keras: keras.initializers.Ones(),
    constant=lambda keras: keras.initializers.Constant(0.25),
    zeros_by_name=lambda keras: "zeros",
    ones_by_name=lambda keras: "ones",
)
def initializer(keras, initializer):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(4, kernel_initializer=initializer, bias_initializer=initializer)]
    )
    return {"weights": model.get_weights()}
