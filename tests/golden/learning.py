"""Golden programs about losses, metrics and optimizers."""

import warnings

import numpy as np

from golden.table import (
    AMOUNTS,
    LABELS,
    ONE_HOT,
    SEVERAL,
    WEIGHTS,
    YES_NO,
    X,
    classifier,
    go_on,
    program,
    variants,
    walk,
)

# --- Losses -----------------------------------------------------------------------------------------------------------


@variants(
    name=lambda keras: "sparse_categorical_crossentropy",
    class_name=lambda keras: "SparseCategoricalCrossentropy",
    object=lambda keras: keras.losses.SparseCategoricalCrossentropy(),
    function=lambda keras: keras.losses.sparse_categorical_crossentropy,
)
def sparse_crossentropy(keras, loss):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    return walk(model, X, LABELS)


@variants(
    column=lambda keras: LABELS[:, None],
    float32=lambda keras: LABELS.astype("float32"),
    float64_column=lambda keras: LABELS.astype("float64")[:, None],
    uint8=lambda keras: LABELS.astype("uint8"),
    bool=lambda keras: LABELS > 0,
)
def sparse_crossentropy_with_labels_as(keras, y):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, y)


@program
def sparse_crossentropy_from_logits(keras):
    model = classifier(keras, activation=None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    return walk(model, X, LABELS)


@variants(
    labels=lambda keras: ("sparse_categorical_crossentropy", LABELS),
    one_hot=lambda keras: ("categorical_crossentropy", ONE_HOT),
    yes_or_no=lambda keras: ("binary_crossentropy", SEVERAL),
)
def crossentropy_of_shares_that_do_not_sum_to_one(keras, loss_and_targets):
    # A sigmoid directly in front of the loss would be another thing: on TensorFlow, and there alone, Keras takes the
    # input of a sigmoid or softmax for logits, whichever of the two the loss is made for.
    loss, y = loss_and_targets
    model = classifier(keras, activation="sigmoid")
    model.add(keras.layers.Rescaling(0.8, offset=0.1))
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss)
    return walk(model, X, y)


@variants(
    name=lambda keras: "categorical_crossentropy",
    object=lambda keras: keras.losses.CategoricalCrossentropy(),
    smoothed=lambda keras: keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    function=lambda keras: keras.losses.categorical_crossentropy,
)
def categorical_crossentropy(keras, loss):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    return walk(model, X, ONE_HOT)


@variants(
    plain=lambda keras: keras.losses.CategoricalCrossentropy(from_logits=True),
    smoothed=lambda keras: keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
)
def categorical_crossentropy_from_logits(keras, loss):
    model = classifier(keras, activation="linear")
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    return walk(model, X, ONE_HOT)


@program
def categorical_crossentropy_of_shares(keras):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, 0.7 * ONE_HOT + 0.1)


@variants(
    name=lambda keras: "binary_crossentropy",
    object=lambda keras: keras.losses.BinaryCrossentropy(),
    smoothed=lambda keras: keras.losses.BinaryCrossentropy(label_smoothing=0.1),
    function=lambda keras: keras.losses.binary_crossentropy,
    alias=lambda keras: "bce",
)
def binary_crossentropy(keras, loss):
    model = classifier(keras, 1, "sigmoid")
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    return walk(model, X, YES_NO)


@variants(
    plain=lambda keras: keras.losses.BinaryCrossentropy(from_logits=True),
    smoothed=lambda keras: keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.2),
)
def binary_crossentropy_from_logits(keras, loss):
    model = classifier(keras, 1, None)
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    return walk(model, X, YES_NO[:, None])


@program
def binary_crossentropy_of_several_answers(keras):
    model = classifier(keras, activation="sigmoid")
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["accuracy", "binary_accuracy"])
    return walk(model, X, SEVERAL)


@variants(linear=lambda keras: "linear", tanh=lambda keras: "tanh")
def binary_crossentropy_of_what_is_no_sigmoid(keras, activation):
    model = classifier(keras, activation=activation)
    model.compile(optimizer=keras.optimizers.SGD(0.001), loss="binary_crossentropy", metrics=["binary_accuracy"])
    return walk(model, X, SEVERAL)


@variants(
    mse=lambda keras: "mse",
    mse_upper=lambda keras: "MSE",
    mean_squared_error=lambda keras: "mean_squared_error",
    mse_object=lambda keras: keras.losses.MeanSquaredError(),
    mse_function=lambda keras: keras.losses.mean_squared_error,
    mae=lambda keras: "mae",
    mean_absolute_error=lambda keras: "mean_absolute_error",
    mae_object=lambda keras: keras.losses.MeanAbsoluteError(),
)
def regression(keras, loss):
    model = classifier(keras, 1, None)
    model.compile(optimizer="sgd", loss=loss, metrics=["mse", "mae"])
    return walk(model, X, AMOUNTS)


@variants(flat=lambda keras: AMOUNTS[:, 0], float64=lambda keras: AMOUNTS.astype("float64"), int=lambda keras: LABELS)
def regression_on(keras, y):
    model = classifier(keras, 1, None)
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
    return walk(model, X, y)


@variants(mse=lambda keras: "mse", mae=lambda keras: "mae")
def regression_with_several_outputs(keras, loss):
    model = classifier(keras, 4, None)
    model.compile(optimizer="sgd", loss=loss, metrics=["mae", "mse"])
    return walk(model, X, np.sin(X[:, :4]))


@variants(
    sum=lambda keras: "sum",
    mean=lambda keras: "mean",
    mean_with_sample_weight=lambda keras: "mean_with_sample_weight",
    sum_over_batch_size=lambda keras: "sum_over_batch_size",
)
def reduction(keras, reduction):
    model = classifier(keras)
    loss = keras.losses.SparseCategoricalCrossentropy(reduction=reduction)
    model.compile(optimizer=keras.optimizers.SGD(0.01), loss=loss)
    return walk(model, X, LABELS, sample_weight=WEIGHTS)


@variants(
    sparse=lambda keras: ("sparse_categorical_crossentropy", np.array([1, 0])),
    categorical=lambda keras: ("categorical_crossentropy", np.array([[0.0, 1.0], [1.0, 0.0]])),
)
def far_in_saturation_softmax(keras, loss_and_targets):
    loss, y = loss_and_targets
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, "softmax", use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss, metrics=["accuracy"])
    model.set_weights([np.array([[500.0, -500.0]])])
    return go_on(model, np.array([[1.0], [0.5]]), y)


@program
def far_in_saturation_sigmoid(keras):
    model = keras.Sequential(
        [keras.Input((1,)), keras.layers.Dense(1, use_bias=False), keras.layers.Activation("sigmoid")]
    )
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="binary_crossentropy", metrics=["accuracy"])
    model.set_weights([np.array([[500.0]])])
    return go_on(model, np.array([[1.0], [0.5], [-1.0]]), np.array([0, 1, 1]))


@program
def far_in_saturation_not_fused(keras):
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, "sigmoid", use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="mse", metrics=["accuracy"])
    model.set_weights([np.array([[30.0]])])
    return go_on(model, np.array([[1.0], [0.5], [-1.0]]), np.array([[0], [1], [1]]))


# Rows that are no probabilities: sums other than 1, numbers at and beyond 0 and 1.
ANY_NUMBERS = np.array(
    [[0.2, 0.3, 0.5], [2.0, 1.0, 5.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.6, 0.7], [0.5, 1e-9, 0.4], [-1, 2, 3]]
)
LABELS_OF_ANY = np.array([1, 2, 0, 0, 0, 1, 0])


@variants(
    labels=lambda keras: (keras.losses.SparseCategoricalCrossentropy, LABELS_OF_ANY, ANY_NUMBERS),
    labels_of_zeros=lambda keras: (keras.losses.SparseCategoricalCrossentropy, np.array([1, 2]), np.zeros((2, 3))),
    one_hot=lambda keras: (keras.losses.CategoricalCrossentropy, np.eye(3)[LABELS_OF_ANY], ANY_NUMBERS),
    yes_or_no=lambda keras: (keras.losses.BinaryCrossentropy, np.eye(3)[LABELS_OF_ANY], ANY_NUMBERS),
    yes_or_no_of_zeros=lambda keras: (keras.losses.BinaryCrossentropy, np.eye(3)[[1, 2]], np.zeros((2, 3))),
)
def crossentropy_and_gradient_of_any_numbers(keras, loss_targets_and_outputs):
    # A kernel that is shown the rows of the unit matrix is the output itself, and one step moves it by its gradient.
    loss, y, outputs = loss_targets_and_outputs
    model = keras.Sequential([keras.Input((len(y),)), keras.layers.Dense(3, use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss(reduction="sum"))
    model.set_weights([outputs])
    x = np.eye(len(y), dtype="float32")
    values = np.array(loss(reduction="none")(y, outputs.astype("float32")))
    return {"each": values, "loss": model.train_on_batch(x, y), "moved": model.get_weights()[0] - outputs}


@variants(
    sparse=lambda keras: (keras.losses.SparseCategoricalCrossentropy(from_logits=True), "softmax", LABELS),
    categorical=lambda keras: (keras.losses.CategoricalCrossentropy(from_logits=True), "softmax", ONE_HOT),
    smoothed=lambda keras: (
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.2),
        "softmax",
        ONE_HOT,
    ),
    binary=lambda keras: (keras.losses.BinaryCrossentropy(from_logits=True), "sigmoid", SEVERAL),
)
def logits_promised_behind_an_activation(keras, loss_activation_and_targets):
    loss, activation, y = loss_activation_and_targets
    model = classifier(keras, activation=activation)
    model.compile(optimizer="sgd", loss=loss, metrics=["accuracy"])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        walked = walk(model, X, y)
    warned = any("from_logits=True" in str(one.message) for one in caught)
    return {**walked, "warned": warned}


@variants(
    sparse=lambda keras: (keras.losses.SparseCategoricalCrossentropy, np.array([1, 0])),
    categorical=lambda keras: (keras.losses.CategoricalCrossentropy, np.array([[0.0, 1.0], [1.0, 0.0]])),
    binary=lambda keras: (keras.losses.BinaryCrossentropy, np.array([[0.0, 1.0], [1.0, 0.0]])),
)
def huge_logits(keras, loss_and_targets):
    loss, y = loss_and_targets
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, use_bias=False)])
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss=loss(from_logits=True))
    model.set_weights([np.array([[5000.0, -5000.0]])])
    return go_on(model, np.array([[1.0], [0.5]]), y)


# --- Metrics ----------------------------------------------------------------------------------------------------------


@variants(
    accuracy=lambda keras: ["accuracy"],
    acc=lambda keras: ["acc"],
    both=lambda keras: ["acc", "accuracy"],
    own_name=lambda keras: ["sparse_categorical_accuracy"],
    object=lambda keras: [keras.metrics.SparseCategoricalAccuracy()],
    named_object=lambda keras: [keras.metrics.SparseCategoricalAccuracy(name="hits")],
    crossentropy=lambda keras: ["sparse_categorical_crossentropy"],
    crossentropy_object=lambda keras: [keras.metrics.SparseCategoricalCrossentropy(name="nats")],
    several=lambda keras: ["accuracy", keras.metrics.SparseCategoricalCrossentropy(), "acc"],
)
def metrics_of_labels(keras, metrics):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=metrics)
    return walk(model, X, LABELS)


@variants(
    accuracy=lambda keras: ["accuracy", "acc"],
    own_names=lambda keras: ["categorical_accuracy", "categorical_crossentropy"],
    objects=lambda keras: [keras.metrics.CategoricalAccuracy("hits"), keras.metrics.CategoricalCrossentropy()],
    smoothed=lambda keras: [keras.metrics.CategoricalCrossentropy(label_smoothing=0.3)],
    distances=lambda keras: ["mse", "mae"],
)
def metrics_of_one_hot_rows(keras, metrics):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="categorical_crossentropy", metrics=metrics)
    return walk(model, X, ONE_HOT)


@variants(
    accuracy=lambda keras: ["accuracy", "acc"],
    own_names=lambda keras: ["binary_accuracy", "binary_crossentropy", "bce"],
    objects=lambda keras: [keras.metrics.BinaryAccuracy("hits", threshold=0.3), keras.metrics.BinaryCrossentropy()],
    smoothed=lambda keras: [keras.metrics.BinaryCrossentropy(label_smoothing=0.3)],
)
def metrics_of_yes_or_no(keras, metrics):
    model = classifier(keras, 1, "sigmoid")
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=metrics)
    return walk(model, X, YES_NO[:, None])


@variants(
    aliases=lambda keras: ["mse", "MSE", "mae", "MAE"],
    names=lambda keras: ["mean_squared_error", "mean_absolute_error"],
    objects=lambda keras: [keras.metrics.MeanSquaredError(), keras.metrics.MeanAbsoluteError(name="distance")],
    classes=lambda keras: ["MeanSquaredError"],
    function=lambda keras: [keras.losses.mean_squared_error],
    accuracy=lambda keras: ["accuracy", keras.metrics.Accuracy(name="equal")],
)
def metrics_of_amounts(keras, metrics):
    model = classifier(keras, 1, None)
    model.compile(optimizer="sgd", loss="mse", metrics=metrics)
    return walk(model, X, LABELS)


@program
def metrics_of_logits(keras):
    model = classifier(keras, activation=None)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    metrics = ["accuracy", keras.metrics.SparseCategoricalCrossentropy(from_logits=True)]
    model.compile(optimizer="sgd", loss=loss, metrics=metrics)
    return walk(model, X, LABELS)


@variants(
    categorical=lambda keras: (
        keras.losses.CategoricalCrossentropy(from_logits=True),
        [
            keras.metrics.CategoricalCrossentropy(from_logits=True),
            keras.metrics.CategoricalCrossentropy("smoothed", from_logits=True, label_smoothing=0.2),
        ],
        ONE_HOT,
    ),
    binary=lambda keras: (
        keras.losses.BinaryCrossentropy(from_logits=True),
        [
            keras.metrics.BinaryCrossentropy(from_logits=True),
            keras.metrics.BinaryCrossentropy("smoothed", from_logits=True, label_smoothing=0.2),
            keras.metrics.BinaryAccuracy(threshold=0.3),
        ],
        SEVERAL,
    ),
)
def crossentropy_metrics_of_logits(keras, loss_metrics_and_targets):
    loss, metrics, y = loss_metrics_and_targets
    model = classifier(keras, activation=None)
    model.compile(optimizer="sgd", loss=loss, metrics=metrics)
    return walk(model, X, y)


@program
def thresholds_of_several_answers(keras):
    model = classifier(keras, activation="sigmoid")
    metrics = [keras.metrics.BinaryAccuracy(f"over_{share}", threshold=share / 10) for share in (2, 5, 8)]
    weighted = [keras.metrics.BinaryAccuracy("heeding_weights", threshold=0.3)]
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=metrics, weighted_metrics=weighted)
    return walk(model, X, SEVERAL, sample_weight=WEIGHTS)


@variants(
    Accuracy=lambda keras: ["Accuracy", "ACC"],
    mixed=lambda keras: ["Acc", "aCC", "ACCURACY"],
)
def accuracy_spelt(keras, metrics):
    model = classifier(keras)
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=metrics)
    return walk(model, X, LABELS)


@variants(
    plain=lambda keras: {"metrics": [keras.losses.MeanSquaredError()]},
    named=lambda keras: {"metrics": [keras.losses.MeanAbsoluteError(name="off")]},
    not_reduced=lambda keras: {
        "metrics": [keras.losses.MeanSquaredError(reduction="none")],
        "weighted_metrics": [keras.losses.MeanAbsoluteError(reduction="none")],
    },
)
def losses_as_metrics(keras, arguments):
    model = classifier(keras, 1, None)
    model.compile(optimizer="sgd", loss="mae", **arguments)
    return walk(model, X, AMOUNTS)


@program
def metrics_used_alone(keras):
    values = np.array([[0.2, 0.7, 0.1], [0.6, 0.3, 0.1], [0.1, 0.1, 0.8]])
    found = {}
    for name, metric in {
        "sparse": keras.metrics.SparseCategoricalAccuracy(),
        "mse": keras.metrics.MeanSquaredError(),
        "mean": keras.metrics.Mean(),
    }.items():
        arguments = {
            "sparse": [np.array([1, 1, 2]), values],
            "mse": [np.eye(3)[[1, 1, 2]], values],
            "mean": [values[0]],
        }[name]
        metric.update_state(*arguments)
        first = float(metric.result())
        metric.update_state(*arguments, sample_weight=np.array([0.5, 0.0, 2.0]))
        found[name] = [first, float(metric.result())]
        metric.reset_state()
        found[name].append(float(metric.result()))
    return found


# --- Optimizers -------------------------------------------------------------------------------------------------------


@variants(
    sgd=lambda keras: "sgd",
    sgd_class_name=lambda keras: "SGD",
    sgd_fast=lambda keras: keras.optimizers.SGD(learning_rate=0.5),
    momentum=lambda keras: keras.optimizers.SGD(0.05, momentum=0.9),
    nesterov=lambda keras: keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    nesterov_alone=lambda keras: keras.optimizers.SGD(0.05, nesterov=True),
    rmsprop=lambda keras: "rmsprop",
    rmsprop_arguments=lambda keras: keras.optimizers.RMSprop(0.01, rho=0.7, epsilon=1e-3),
    rmsprop_momentum=lambda keras: keras.optimizers.RMSprop(0.01, momentum=0.8),
    rmsprop_centered=lambda keras: keras.optimizers.RMSprop(0.01, centered=True),
    rmsprop_all=lambda keras: keras.optimizers.RMSprop(0.01, rho=0.8, momentum=0.5, epsilon=1e-4, centered=True),
    adam=lambda keras: "adam",
    adam_arguments=lambda keras: keras.optimizers.Adam(0.05, beta_1=0.7, beta_2=0.9, epsilon=1e-2),
    adam_fast=lambda keras: keras.optimizers.Adam(learning_rate=0.03),
)
def optimizer(keras, optimizer):
    model = classifier(keras)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=20)


@program
def the_default_optimizer(keras):
    model = classifier(keras)
    model.compile(loss="sparse_categorical_crossentropy")
    return walk(model, X, LABELS)


@variants(
    sgd=lambda keras: keras.optimizers.SGD(0.1, momentum=0.9),
    rmsprop=lambda keras: keras.optimizers.RMSprop(0.01),
    adam=lambda keras: keras.optimizers.Adam(0.01),
)
def learning_rate_changed_between_fits(keras, optimizer):
    model = classifier(keras)
    model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy")
    first = walk(model, X, LABELS)
    model.optimizer.learning_rate = 0.001
    return {"first": first, "second": go_on(model, X, LABELS), "iterations": int(model.optimizer.iterations)}
