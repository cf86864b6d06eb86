"""Golden programs about the arguments of fit, evaluate and predict, single batches, and callbacks."""

import numpy as np

from golden.table import (
    AMOUNTS,
    LABELS,
    LABELS_VAL,
    ONE_HOT,
    WEIGHTS,
    WEIGHTS_VAL,
    X_VAL,
    YES_NO,
    X,
    classifier,
    go_on,
    program,
    start,
    variants,
    walk,
)


def compiled(keras, optimizer="sgd", metrics=("accuracy",), **arguments):
    model = classifier(keras)
    arguments = {"loss": "sparse_categorical_crossentropy", "metrics": list(metrics), **arguments}
    model.compile(optimizer=optimizer, **arguments)
    return model


# --- How long, in what batches ----------------------------------------------------------------------------------------


@variants(
    one=lambda keras: 1,
    seven=lambda keras: 7,
    fifteen=lambda keras: 15,
    default=lambda keras: None,
    more_than_there_is=lambda keras: 100,
)
def batch_size(keras, batch_size):
    return walk(compiled(keras), X, LABELS, batch_size=batch_size)


@program
def numbered_on_from_an_initial_epoch(keras):
    return walk(compiled(keras), X, LABELS, epochs=7, initial_epoch=3)


@program
def no_epochs(keras):
    return walk(compiled(keras), X, LABELS, epochs=0)


@program
def nothing_left_to_train(keras):
    return walk(compiled(keras), X, LABELS, epochs=2, initial_epoch=4)


@variants(sgd=lambda keras: "sgd", adam=lambda keras: "adam")
def fit_twice(keras, optimizer):
    model = compiled(keras, optimizer)
    return {"first": walk(model, X, LABELS), "second": go_on(model, X, LABELS, epochs=3)}


@program
def compiled_anew_the_optimizer_starts_anew(keras):
    model = compiled(keras, "adam")
    first = walk(model, X, LABELS)
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return {"first": first, "second": go_on(model, X, LABELS)}


@program
def weights_set_between_fits(keras):
    model = compiled(keras, keras.optimizers.SGD(0.1, momentum=0.9))
    first = walk(model, X, LABELS)
    return {"first": first, "again, with its momentum": walk(model, X, LABELS)}


# --- Validation -------------------------------------------------------------------------------------------------------


@variants(
    data=lambda keras: {"validation_data": (X_VAL, LABELS_VAL)},
    data_with_weights=lambda keras: {"validation_data": (X_VAL, LABELS_VAL, WEIGHTS_VAL)},
    split=lambda keras: {"validation_split": 0.25},
    small_split=lambda keras: {"validation_split": 0.03},
    split_with_weights=lambda keras: {"validation_split": 0.3, "sample_weight": WEIGHTS},
    split_with_class_weights=lambda keras: {"validation_split": 0.3, "class_weight": {0: 2.0, 2: 0.5}},
    data_before_split=lambda keras: {"validation_split": 0.3, "validation_data": (X_VAL, LABELS_VAL)},
    batch_size=lambda keras: {"validation_data": (X_VAL, LABELS_VAL), "validation_batch_size": 4},
    every_second_epoch=lambda keras: {"validation_data": (X_VAL, LABELS_VAL), "validation_freq": 2},
    at_some_epochs=lambda keras: {"validation_data": (X_VAL, LABELS_VAL), "validation_freq": [1, 2, 5]},
    counted_from_an_initial_epoch=lambda keras: {
        "validation_data": (X_VAL, LABELS_VAL),
        "validation_freq": 2,
        "initial_epoch": 2,
    },
)
def validation(keras, arguments):
    return walk(compiled(keras), X, LABELS, **arguments)


# --- Weights of samples and classes -----------------------------------------------------------------------------------


@variants(
    sample=lambda keras: {"sample_weight": WEIGHTS},
    sample_some_zero=lambda keras: {"sample_weight": WEIGHTS * (LABELS > 0)},
    sample_whole_numbers=lambda keras: {"sample_weight": np.arange(len(LABELS)) % 3},
    classes=lambda keras: {"class_weight": {0: 2.0, 1: 0.5, 2: 1.0}},
    some_classes=lambda keras: {"class_weight": {1: 3.0}},
    classes_and_validation=lambda keras: {"class_weight": {1: 3.0}, "validation_data": (X_VAL, LABELS_VAL)},
    sample_and_validation=lambda keras: {"sample_weight": WEIGHTS, "validation_data": (X_VAL, LABELS_VAL, WEIGHTS_VAL)},
)
def weights(keras, arguments):
    # No metric stands in both lists: Keras' `evaluate` would return the unweighted figure twice.
    model = compiled(keras, metrics=["acc"], weighted_metrics=["accuracy", "sparse_categorical_crossentropy"])
    return walk(model, X, LABELS, **arguments)


@program
def weighted_metrics_alone(keras):
    model = compiled(keras, metrics=[], weighted_metrics=["accuracy"])
    return walk(model, X, LABELS, sample_weight=WEIGHTS)


@program
def class_weights_of_one_hot_rows(keras):
    model = compiled(keras, loss="categorical_crossentropy")
    return walk(model, X, ONE_HOT, class_weight={0: 2.0, 1: 0.5})


@variants(flat=lambda keras: YES_NO, column=lambda keras: YES_NO[:, None].astype("float32"))
def class_weights_of_yes_or_no(keras, y):
    model = classifier(keras, 1, "sigmoid")
    model.compile(optimizer="sgd", loss="binary_crossentropy", metrics=["acc"], weighted_metrics=["accuracy"])
    return walk(model, X, y, class_weight={0: 2.0, 1: 0.5})


@program
def class_weights_of_a_column_of_labels(keras):
    return walk(compiled(keras), X, LABELS[:, None], class_weight={0: 2.0, 1: 0.5})


@variants(flat=lambda keras: WEIGHTS, column=lambda keras: WEIGHTS[:, None])
def sample_weights_of_amounts(keras, sample_weight):
    model = classifier(keras, 1, None)
    model.compile(optimizer="sgd", loss="mse", metrics=["mae"], weighted_metrics=["mse"])
    return walk(model, X, AMOUNTS, sample_weight=sample_weight)


@program
def weights_of_each_step_of_a_sequence(keras):
    model = keras.Sequential([keras.Input((3, 2)), keras.layers.Dense(4, "tanh"), keras.layers.Dense(2)])
    model.compile(optimizer="sgd", loss="mse", weighted_metrics=["mae"])
    of_steps = np.stack([WEIGHTS, 2 * WEIGHTS, WEIGHTS**2], axis=1)
    return walk(model, X.reshape(-1, 3, 2), np.cos(X).reshape(-1, 3, 2), sample_weight=of_steps)


@program
def weights_in_evaluation(keras):
    model = compiled(keras, weighted_metrics=["acc", "sparse_categorical_crossentropy"])
    start(model)
    return {
        "list": model.evaluate(X, LABELS, sample_weight=WEIGHTS, batch_size=10, verbose=0),
        "by name": model.evaluate(X, LABELS, sample_weight=WEIGHTS, batch_size=10, verbose=0, return_dict=True),
    }


@program
def what_evaluate_returns_without_metrics(keras):
    model = compiled(keras, metrics=[])
    start(model)
    value = model.evaluate(X, LABELS, verbose=0)
    return {
        "value": value,
        "type": type(value).__name__,
        "by name": model.evaluate(X, LABELS, verbose=0, return_dict=True),
    }


@variants(one=lambda keras: 1, seven=lambda keras: 7, more_than_there_is=lambda keras: 100)
def predict_in_batches_of(keras, batch_size):
    model = classifier(keras)
    start(model)
    return {"predict": model.predict(X, batch_size=batch_size, verbose=0), "one batch": model.predict_on_batch(X)}


# --- Single batches ---------------------------------------------------------------------------------------------------

HALVES = (slice(0, 20), slice(20, None))


@program
def train_on_batch(keras):
    model = compiled(keras, "adam", metrics=["accuracy", "sparse_categorical_crossentropy"])
    start(model)
    steps = [model.train_on_batch(X[half], LABELS[half]) for _ in range(4) for half in HALVES]
    return {
        "steps": steps,
        "by name": model.train_on_batch(X, LABELS, return_dict=True),
        "test": model.test_on_batch(X, LABELS),
        "test by name": model.test_on_batch(X[:9], LABELS[:9], return_dict=True),
        "weights": model.get_weights(),
    }


@program
def train_on_batch_without_metrics(keras):
    model = compiled(keras, metrics=[])
    start(model)
    value = model.train_on_batch(X, LABELS)
    return {"value": value, "type": type(value).__name__, "test": model.test_on_batch(X, LABELS)}


@program
def train_on_batch_with_weights(keras):
    model = compiled(keras, weighted_metrics=["acc"])
    start(model)
    return {
        "sample weights": model.train_on_batch(X, LABELS, sample_weight=WEIGHTS),
        "class weights": model.train_on_batch(X, LABELS, class_weight={0: 2.0, 2: 0.5}),
        "test": model.test_on_batch(X, LABELS, sample_weight=WEIGHTS),
        "weights": model.get_weights(),
    }


@program
def figures_by_name_with_weights(keras):
    model = compiled(keras, weighted_metrics=["acc", "sparse_categorical_crossentropy"])
    start(model)
    half = HALVES[0]
    arguments = {"sample_weight": WEIGHTS[half], "return_dict": True}
    return {
        "train": model.train_on_batch(X[half], LABELS[half], **arguments),
        "by class": model.train_on_batch(X[half], LABELS[half], class_weight={0: 2.0, 2: 0.5}, return_dict=True),
        "test": model.test_on_batch(X[half], LABELS[half], **arguments),
        "evaluate": model.evaluate(X[half], LABELS[half], batch_size=8, verbose=0, **arguments),
        "weights": model.get_weights(),
    }


@program
def single_batches_between_fits(keras):
    model = compiled(keras, keras.optimizers.SGD(0.1, momentum=0.9))
    first = walk(model, X, LABELS, epochs=2)
    steps = [model.train_on_batch(X[half], LABELS[half]) for half in HALVES]
    return {"first": first, "steps": steps, "second": go_on(model, X, LABELS, epochs=2)}


# --- Callbacks --------------------------------------------------------------------------------------------------------


@variants(
    val_loss=lambda keras: keras.callbacks.EarlyStopping(patience=2),
    at_once=lambda keras: keras.callbacks.EarlyStopping(min_delta=0.05),
    best_weights=lambda keras: keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True),
    loss_upwards=lambda keras: keras.callbacks.EarlyStopping("loss", mode="max", patience=3, restore_best_weights=True),
    accuracy=lambda keras: keras.callbacks.EarlyStopping("accuracy", patience=1),
    val_accuracy=lambda keras: keras.callbacks.EarlyStopping("val_accuracy", mode="max", patience=3),
    accuracy_downwards=lambda keras: keras.callbacks.EarlyStopping("accuracy", mode="min", restore_best_weights=True),
    start_from_epoch=lambda keras: keras.callbacks.EarlyStopping("loss", mode="max", start_from_epoch=4),
    baseline=lambda keras: keras.callbacks.EarlyStopping("loss", baseline=0.2, patience=3),
    baseline_met=lambda keras: keras.callbacks.EarlyStopping("loss", baseline=10.0, patience=1, min_delta=0.5),
    baseline_best_weights=lambda keras: keras.callbacks.EarlyStopping(
        "loss", baseline=0.01, patience=2, restore_best_weights=True
    ),
    min_delta=lambda keras: keras.callbacks.EarlyStopping("loss", min_delta=0.02, patience=1),
    hits=lambda keras: keras.callbacks.EarlyStopping("val_hits", patience=1),
)
def early_stopping(keras, callback):
    metrics = ["accuracy", keras.metrics.SparseCategoricalAccuracy(name="hits")]
    model = compiled(keras, keras.optimizers.SGD(1.0, momentum=0.9), metrics)
    walked = walk(model, X, LABELS, epochs=12, validation_data=(X_VAL, LABELS_VAL), callbacks=[callback])
    return {**walked, "stopped_epoch": callback.stopped_epoch, "best_epoch": callback.best_epoch}


def recorder(keras, calls):
    """A callback that notes each call of a hook, with the names of the figures it was given."""
    names = [name for name in dir(keras.callbacks.Callback) if name.startswith("on_") and "_batch_" in name]
    names += ["on_train_begin", "on_train_end", "on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end"]
    names += ["on_predict_begin", "on_predict_end"]

    def hook(name):
        if "batch" in name or "epoch" in name:
            return lambda self, number, logs=None: calls.append(f"{name} {number}: {', '.join(logs or ())}")
        return lambda self, logs=None: calls.append(f"{name}: {', '.join(logs or ())}")

    return type("Recorder", (keras.callbacks.Callback,), {name: hook(name) for name in names})()


@program
def the_order_of_hooks(keras):
    calls = []
    model = compiled(keras)
    start(model)
    callback = recorder(keras, calls)
    arguments = {"batch_size": 20, "verbose": 0, "callbacks": [callback]}
    model.fit(X, LABELS, epochs=2, validation_data=(X_VAL, LABELS_VAL), **arguments)
    params = [dict(callback.params)]
    model.fit(X, LABELS, epochs=0, **arguments)
    model.evaluate(X, LABELS, **arguments)
    params.append(dict(callback.params))
    model.predict(X, **arguments)
    params.append(dict(callback.params))
    model.train_on_batch(X, LABELS)
    return {"calls": calls, "params": [[f"{key}={value}" for key, value in p.items()] for p in params]}


@program
def figures_of_an_epoch_are_running_means(keras):
    steps, epochs, begun = [], [], []
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: begun.append(epoch),
        on_train_batch_end=lambda batch, logs: steps.append([logs["accuracy"], logs["loss"]]),
        on_epoch_end=lambda epoch, logs: epochs.append([logs["accuracy"], logs["loss"]]),
    )
    walked = walk(compiled(keras), X, LABELS, epochs=3, callbacks=[callback])
    return {**walked, "steps": steps, "epochs": epochs, "begun": begun}


@program
def stopped_by_a_callback_within_an_epoch(keras):
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                self.model.stop_training = True

    return walk(compiled(keras), X, LABELS, callbacks=[Stop()])


@program
def learning_rate_set_by_a_callback(keras):
    class Decay(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.1 * 0.5**epoch

    return walk(compiled(keras, keras.optimizers.SGD(0.1, momentum=0.5)), X, LABELS, callbacks=[Decay()])


@program
def weights_seen_by_a_callback(keras):
    class Watch(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.seen = []

        def on_train_batch_end(self, batch, logs=None):
            self.seen.append(self.model.get_weights()[1])

    watch = Watch()
    walked = walk(compiled(keras, "adam"), X, LABELS, epochs=2, callbacks=[watch])
    return {**walked, "after each step": np.array(watch.seen)}


@program
def several_callbacks_at_once(keras):
    calls, losses = [], []
    first, second = recorder(keras, calls), recorder(keras, calls)
    early = keras.callbacks.EarlyStopping("val_loss", patience=1, min_delta=0.02, restore_best_weights=True)
    noting = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: losses.append(logs["val_loss"]))

    class Slower(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.optimizer.learning_rate = 0.5 * float(self.model.optimizer.learning_rate)

    model = compiled(keras, keras.optimizers.SGD(0.5, momentum=0.9))
    callbacks = [first, early, noting, Slower(), second]
    arguments = {"epochs": 9, "batch_size": 20, "validation_data": (X_VAL, LABELS_VAL)}
    walked = walk(model, X, LABELS, callbacks=callbacks, **arguments)
    rate = float(model.optimizer.learning_rate)
    return {**walked, "calls": calls, "noted": losses, "learning rate": rate, "stopped": early.stopped_epoch}
