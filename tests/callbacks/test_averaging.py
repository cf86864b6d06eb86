"""Evaluating with the running mean of the weights."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers
from multilayer.callbacks import EarlyStopping, LambdaCallback, SwapEMAWeights

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]
MOMENTUM = 0.75


class Averaging(keras.optimizers.Optimizer):
    """Gradient descent that keeps a running mean of the weights, in the place where `use_ema=True` has it."""

    slots = ("average",)
    use_ema = True

    def build(self, variable):
        super().build(variable)
        self.state["average"][...] = variable

    def update_step(self, gradient, variable, learning_rate):
        variable -= learning_rate * gradient
        self.state["average"][...] = MOMENTUM * self.state["average"] + (1 - MOMENTUM) * variable


def compiled(optimizer=None):
    model = keras.Sequential([keras.Input((2,)), layers.Dense(3, trainable=False), layers.Dense(2), layers.Dense(1)])
    stream = np.random.default_rng(1)
    model.set_weights([stream.normal(size=weight.shape) for weight in model.get_weights()])
    model.compile(optimizer or Averaging(0.05), "mse")
    return model


def fit(model, *callbacks, epochs=3, **data):
    return model.fit(X, Y, batch_size=2, epochs=epochs, shuffle=False, verbose=0, callbacks=[*callbacks], **data)


def vector(model):
    return np.concatenate([variable.value.ravel() for variable in model.trainable_weights])


def loss_of_the_mean(model):
    """The loss with the running mean for weights, measured without the callback."""
    other = compiled()
    start = 0
    other.set_weights(model.get_weights())
    for variable in other.trainable_weights:
        stop = start + variable.value.size
        variable.assign(model.optimizer.state["average"][start:stop].reshape(variable.shape))
        start = stop
    return other.evaluate(X, Y, verbose=0)


def test_the_model_is_evaluated_with_the_mean_and_trained_without():
    plain, swapped = compiled(), compiled()
    means = []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: means.append(loss_of_the_mean(plain)))
    without = fit(plain, note, validation_data=(X, Y), validation_batch_size=5).history
    with_mean = fit(swapped, SwapEMAWeights(), validation_data=(X, Y), validation_batch_size=5).history
    assert with_mean["loss"] == without["loss"]
    assert with_mean["val_loss"] == means != without["val_loss"]
    np.testing.assert_array_equal(vector(swapped), vector(plain))
    np.testing.assert_array_equal(swapped.optimizer.state["average"], plain.optimizer.state["average"])


def test_evaluate_and_predict_swap_and_swap_back():
    model = compiled()
    fit(model)
    before, mean = vector(model), model.optimizer.state["average"].copy()
    assert model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()]) == loss_of_the_mean(model)
    within = []
    watcher = LambdaCallback(on_predict_batch_end=lambda batch, logs: within.append(vector(model)))
    model.predict(X, verbose=0, callbacks=[SwapEMAWeights(), watcher])
    np.testing.assert_array_equal(within[0], mean)
    np.testing.assert_array_equal(vector(model), before)
    np.testing.assert_array_equal(model.optimizer.state["average"], mean)


def test_between_epochs_the_mean_is_there_for_callbacks_that_follow_and_stays_after_the_last():
    plain, swapped = compiled(), compiled()
    seen, means = [], []
    note = LambdaCallback(on_epoch_end=lambda epoch, logs: means.append(plain.optimizer.state["average"].copy()))
    fit(plain, note)
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: seen.append(vector(swapped)))
    fit(swapped, SwapEMAWeights(swap_on_epoch=True), look)
    np.testing.assert_array_equal(seen, means)
    np.testing.assert_array_equal(vector(swapped), means[-1])
    np.testing.assert_array_equal(swapped.optimizer.state["average"], means[-1])


def test_where_training_is_stopped_the_mean_stays_too():
    model, swap = compiled(), SwapEMAWeights(swap_on_epoch=True)
    history = fit(model, swap, EarlyStopping("loss", mode="max"), epochs=9)
    assert len(history.epoch) < 9
    np.testing.assert_array_equal(vector(model), model.optimizer.state["average"])
    assert model.evaluate(X, Y, verbose=0) == model.evaluate(X, Y, verbose=0, callbacks=[swap])


def test_before_the_first_step_there_is_no_mean_to_swap():
    model = compiled()
    assert model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()]) == model.evaluate(X, Y, verbose=0)


def test_an_optimizer_without_a_mean_is_refused_before_the_first_step():
    model = compiled(keras.optimizers.SGD())
    with pytest.raises(ValueError, match="`use_ema=True` is set on the optimizer. Received: use_ema=False"):
        fit(model, SwapEMAWeights())
    assert model.optimizer.iterations == 0
