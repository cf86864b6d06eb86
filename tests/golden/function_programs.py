"""Golden programs with plain functions: as losses, metrics, activations, regularizers, constraints, initializers."""

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
    program,
    start,
    variants,
    walk,
)

PAIRS = np.abs(X[:, :3] - X[:, 3:]).mean(axis=1, keepdims=True).astype("float32")


def _ops(keras):
    """Functions that are called the same in `keras.ops` and in NumPy, which gives derivatives here as well."""
    return getattr(keras, "ops", np)


def _focal(keras):
    ops = _ops(keras)

    def focal(y_true, y_pred):
        p = ops.clip(y_pred, 1e-7, 1.0 - 1e-7)
        return ops.sum(-y_true * (1.0 - p) ** 2 * ops.log(p), axis=-1)

    return focal


def _weighted(keras):
    ops = _ops(keras)

    def weighted_crossentropy(y_true, y_pred):
        p = ops.clip(y_pred, 1e-7, 1.0)
        return -ops.sum(y_true * ops.log(p) * np.array([1.0, 2.0, 0.5], "float32"), axis=-1)

    return weighted_crossentropy


def _quantile(keras):
    ops = _ops(keras)

    def quantile(y_true, y_pred):
        error = y_true - y_pred
        return ops.mean(ops.maximum(0.8 * error, -0.2 * error), axis=-1)

    return quantile


def _contrastive(keras):
    ops = _ops(keras)

    def contrastive(y_true, y_pred):
        return ops.mean(y_true * ops.square(y_pred) + (1.0 - y_true) * ops.square(ops.maximum(1.0 - y_pred, 0.0)))

    return contrastive


def _rmse(keras):
    ops = _ops(keras)
    return lambda y_true, y_pred: ops.sqrt(ops.mean(ops.square(y_true - y_pred)) + 1e-6)


def _numbers(keras):
    ops = _ops(keras)

    def log_cosh_of_each(y_true, y_pred):  # not reduced: a number for each output
        error = y_pred - y_true
        return ops.abs(error) + ops.log(1.0 + ops.exp(-2.0 * ops.abs(error))) - float(np.log(2.0))

    return log_cosh_of_each


def _largest_error(keras):
    ops = _ops(keras)

    def largest_error(y_true, y_pred):
        return ops.max(ops.abs(y_true - y_pred), axis=-1)

    return largest_error


def _regression(keras, **arguments):
    layers = [keras.Input((6,)), keras.layers.Dense(5, activation="tanh", **arguments), keras.layers.Dense(1)]
    return keras.Sequential(layers)


@variants(focal=_focal, weighted=_weighted)
def function_as_a_loss_of_classes(keras, loss):
    model = classifier(keras)
    model.compile("adam", loss)
    return walk(model, X, ONE_HOT, epochs=4, sample_weight=WEIGHTS)


@variants(quantile=_quantile, one_number=_rmse, unreduced=_numbers)
def function_as_a_loss_of_amounts(keras, loss):
    model = _regression(keras)
    model.compile(keras.optimizers.SGD(0.05), loss, metrics=[_largest_error(keras)])
    return walk(model, X, AMOUNTS, epochs=4)


@program
def function_as_a_loss_with_flat_targets(keras):
    model = _regression(keras)
    model.compile("adam", _quantile(keras))
    return walk(model, X, AMOUNTS[:, 0], epochs=4, sample_weight=WEIGHTS)


@program
def function_as_a_loss_of_distances(keras):
    model = classifier(keras, units=1, activation="softplus")
    model.compile("adam", _contrastive(keras))
    return walk(model, X, YES_NO[:, None].astype("float32"), epochs=4)


@program
def function_as_a_loss_of_labels_with_class_weights(keras):
    def loss(y_true, y_pred):
        return 0.5 * keras.losses.sparse_categorical_crossentropy(y_true, y_pred)

    model = classifier(keras)
    model.compile("adam", loss, weighted_metrics=["accuracy"])
    return walk(model, X, LABELS, epochs=4, class_weight={0: 1.0, 1: 2.0, 2: 0.5})


@program
def functions_as_losses_of_several_outputs(keras):
    x = keras.Input((6,))
    hidden = keras.layers.Dense(5, activation="tanh")(x)
    kinds = keras.layers.Dense(3, activation="softmax", name="kind")(hidden)
    model = keras.Model(x, [kinds, keras.layers.Dense(1, name="amount")(hidden)])
    model.compile(
        "adam",
        {"kind": _focal(keras), "amount": _quantile(keras)},
        loss_weights={"kind": 0.5, "amount": 2.0},
        metrics={"amount": [_largest_error(keras)]},
    )
    return walk(model, X, [ONE_HOT, AMOUNTS], epochs=4)


@variants(sum=lambda keras: "sum", mean=lambda keras: "sum_over_batch_size")
def loss_class_with_an_argument(keras, reduction):
    ops = _ops(keras)

    class Asymmetric(keras.losses.Loss):
        def __init__(self, steepness=2.0, **kwargs):
            super().__init__(**kwargs)
            self.steepness = steepness

        def call(self, y_true, y_pred):
            error = y_true - y_pred
            return ops.mean(ops.where(error > 0, self.steepness, 1.0) * ops.square(error), axis=-1)

        def get_config(self):
            return {**super().get_config(), "steepness": self.steepness}

    model = _regression(keras)
    model.compile(keras.optimizers.SGD(0.01), Asymmetric(steepness=3.0, reduction=reduction))
    return walk(model, X, AMOUNTS, epochs=4, sample_weight=WEIGHTS)


@program
def loss_class_made_of_a_built_in_one(keras):
    ops = _ops(keras)

    class Penalized(keras.losses.BinaryCrossentropy):
        def call(self, y_true, y_pred):
            return super().call(y_true, y_pred) + 0.1 * ops.mean(ops.square(y_pred), axis=-1)

    model = classifier(keras, activation="sigmoid")
    model.compile("adam", Penalized(label_smoothing=0.1))
    return walk(model, X, SEVERAL, epochs=4)


@program
def metrics_that_are_functions(keras):
    ops = _ops(keras)

    def bias(y_true, y_pred):
        return ops.mean(y_pred - y_true)  # one number a batch

    model = _regression(keras)
    model.compile("sgd", "mse", metrics=[bias, _largest_error(keras)], weighted_metrics=[_quantile(keras)])
    return walk(model, X, AMOUNTS, epochs=3, sample_weight=WEIGHTS)


@program
def metric_class_with_variables(keras):
    ops = _ops(keras)

    class Explained(keras.metrics.Metric):
        def __init__(self, name="explained", **kwargs):
            super().__init__(name=name, **kwargs)
            self.error = self.add_variable((), initializer="zeros", name="error")
            self.total = self.add_weight(shape=(), initializer="zeros", name="total")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.error.assign_add(ops.sum(ops.square(y_true - y_pred)))
            self.total.assign(self.total + ops.sum(ops.square(y_true)))

        def result(self):
            return 1.0 - self.error / self.total

        def reset_state(self):
            self.error.assign(0.0)
            self.total.assign(0.0)

    model = _regression(keras)
    model.compile("sgd", "mse", metrics=[Explained()])
    return walk(model, X, AMOUNTS, epochs=3)


@program
def activation_that_is_a_function(keras):
    ops = _ops(keras)

    def bent(x):
        return ops.where(x > 0, x, 0.3 * (ops.exp(ops.minimum(x, 0.0)) - 1.0)) + 0.1 * ops.square(x)

    layers = [
        keras.Input((6,)),
        keras.layers.Dense(5, activation=bent),
        keras.layers.Dense(4),
        keras.layers.Activation(lambda x: x / (1.0 + ops.abs(x))),
        keras.layers.Dense(1),
    ]
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.SGD(0.02), "mse")
    return walk(model, X, AMOUNTS, epochs=4)


def _smooth_rows(keras):
    ops = _ops(keras)
    return lambda w: 0.05 * ops.sum(ops.square(w[1:] - w[:-1]))


def _penalty_class(keras):
    ops = _ops(keras)

    class Orthogonal(keras.regularizers.Regularizer):
        def __call__(self, w):
            return 0.02 * ops.sum(ops.abs(w @ ops.transpose(w)))

    return Orthogonal()


@variants(function=_smooth_rows, instance=_penalty_class)
def penalty_of_ones_own(keras, regularizer):
    model = _regression(keras, kernel_regularizer=regularizer, activity_regularizer=regularizer)
    model.compile(keras.optimizers.SGD(0.02), "mse")
    return walk(model, X, AMOUNTS, epochs=3)


@program
def constraint_and_initializer_that_are_functions(keras):
    ops = _ops(keras)
    model = _regression(
        keras,
        kernel_constraint=lambda w: ops.clip(w, -0.3, 0.3),
        bias_initializer=lambda shape, dtype=None: np.full(shape, 0.25, "float32"),
    )
    biases = model.layers[0].get_weights()[1]
    model.compile(keras.optimizers.SGD(lambda: 0.05), "mse")
    start(model)
    return {**walk(model, X, AMOUNTS, epochs=3), "biases": biases}
