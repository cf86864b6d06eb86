"""Optimizers that were written for Keras: a rule for one weight at a time, with variables for what they remember."""

import copy

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers, ops

X = np.random.default_rng(0).normal(size=(16, 3)).astype("float32")
Y = X @ np.array([[1.0], [-2.0], [0.5]], "float32")


@keras.saving.register_keras_serializable("test_by_weight")
class Normed(keras.optimizers.Optimizer):
    """m <- momentum m - learning_rate g / |g|, with the norm of each weight's gradient for itself; w <- w + m."""

    def __init__(self, learning_rate=0.01, momentum=0.9, name="normed", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum
        self.calls = self.add_variable((), dtype="int32", name="calls")

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.momentums = [self.add_variable_from_reference(v, name="momentum") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        learning_rate = ops.cast(learning_rate, variable.dtype)
        m = self.momentums[self._get_variable_index(variable)]
        self.assign(m, self.momentum * m - learning_rate * gradient / ops.norm(gradient))
        self.assign_add(variable, m)
        self.assign_add(self.calls, 1)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


def network(optimizer):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.set_weights([np.ones((3, 1)), np.zeros(1)])
    model.compile(optimizer, "mse")
    return model


def fit(model, epochs=2, **named):
    model.fit(X, Y, epochs=epochs, batch_size=8, shuffle=False, verbose=0, **named)
    return model.get_weights()


def by_hand(steps=4, rate=0.05):
    w, b, m, n = np.ones((3, 1), "float32"), np.zeros(1, "float32"), 0.0, 0.0
    for step in range(steps):
        x, y = np.split(X, 2)[step % 2], np.split(Y, 2)[step % 2]
        d = 2 * (x @ w + b - y) / len(x)
        gw, gb = x.T @ d, d.sum(axis=0)
        m, n = 0.9 * m - rate * gw / np.linalg.norm(gw), 0.9 * n - rate * gb / np.linalg.norm(gb)
        w, b = w + m, b + n
    return w, b


def test_each_weight_takes_steps_of_its_own():
    model = network(Normed(0.05))
    for found, wanted in zip(fit(model), by_hand(), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=2e-5)
    assert int(model.optimizer.calls) == 8


def test_its_variables_have_keras_names_and_order():
    optimizer = network(Normed(0.05)).optimizer
    assert [v.path for v in optimizer.variables] == ["normed/iteration", "normed/learning_rate", "normed/calls"]
    kernel = keras.Variable(np.ones((2, 2)), name="kernel")
    optimizer.build([kernel])
    assert [v.name for v in optimizer.variables][3:] == ["kernel_momentum"]
    a, b = optimizer.add_optimizer_variables([kernel], ["a", "b"], ["ones", "zeros"])
    assert (a[0].name, a[0].numpy().sum(), b[0].numpy().sum()) == ("kernel_a", 4.0, 0.0)
    with pytest.raises(ValueError, match="must match the number of provided initializers"):
        optimizer.add_optimizer_variables([kernel], ["a", "b"], ["ones"])


def test_a_file_goes_on_where_it_stood(tmp_path):
    model = network(Normed(0.05))
    fit(model, 1)
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.npz")
    other = network(Normed(0.05))
    other.load_weights(tmp_path / "model.weights.npz")
    for loaded in (keras.models.load_model(tmp_path / "model.keras"), other):
        for found, wanted in zip(fit(loaded, 1), by_hand(), strict=True):
            np.testing.assert_allclose(found, wanted, rtol=2e-5)
        assert int(loaded.optimizer.calls) == 8


def test_a_killed_run_goes_on_where_it_stood(tmp_path):
    def backup():
        return keras.callbacks.BackupAndRestore(tmp_path, save_freq=1, delete_checkpoint=False)

    class Killed(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if int(self.model.optimizer.iterations) == 3:
                raise KeyboardInterrupt

    whole = fit(network(Normed(0.05)))
    with pytest.raises(KeyboardInterrupt):
        fit(network(Normed(0.05)), callbacks=[backup(), Killed()])
    again = fit(network(Normed(0.05)), callbacks=[backup()])
    assert all(np.array_equal(*pair) for pair in zip(again, whole, strict=True))


def test_a_copy_keeps_its_own_means():
    model = network(Normed(0.05))
    fit(model, 1)
    copied = copy.deepcopy(model)
    assert all(np.array_equal(*pair) for pair in zip(fit(copied, 1), fit(model, 1), strict=True))
    np.testing.assert_allclose(model.get_weights()[0], by_hand()[0], rtol=2e-5)


def test_it_applies_gradients_to_weights_that_lie_anywhere():
    weights = [keras.Variable(np.ones(2, "float32")), keras.Variable(np.ones(3, "float64"))]
    optimizer = Normed(0.5, 0.0)
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([np.array([3.0, 4.0]), None], weights)
    np.testing.assert_allclose(weights[0].numpy(), [0.7, 0.6])
    np.testing.assert_array_equal(weights[1].numpy(), np.ones(3))


def test_a_rule_of_the_library_can_be_asked_for_each_weight():
    class Delayed(keras.optimizers.Adam):
        """Adam of the sum of this gradient and half of the last."""

        def build(self, variables):
            if not self.built:
                super().build(variables)
                self.last = self.add_optimizer_variables(variables, "last")

        def update_step(self, gradient, variable, learning_rate):
            last = self.last[self._get_variable_index(variable)]
            wanted = gradient + 0.5 * last
            self.assign(last, gradient)
            super().update_step(wanted, variable, learning_rate)

    class DelayedVector(keras.optimizers.Adam):
        def __init__(self, learning_rate):
            super().__init__(learning_rate)
            self.slots = (*self.slots, "last")

        def update_step(self, gradient, variable, learning_rate):
            wanted = gradient + 0.5 * self.state["last"]
            self.state["last"][...] = gradient
            super().update_step(wanted, variable, learning_rate)

    pairs = zip(fit(network(Delayed(0.05))), fit(network(DelayedVector(0.05))), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)


def test_who_gets_each_weight_and_who_the_vector():
    class Assigning(keras.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, learning_rate * gradient)

    class InPlace(keras.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            variable -= learning_rate * gradient

    class Beside(keras.optimizers.SGD):
        def build(self, variables):
            super().build(variables)
            self.beside = self.add_variable((2,), name="beside")

    assert Assigning.weight_by_weight
    assert not InPlace.weight_by_weight
    assert not Beside.weight_by_weight
    wanted = fit(network(keras.optimizers.SGD(0.1)))
    for one in (Assigning(0.1), InPlace(0.1), Beside(0.1)):
        assert all(np.allclose(*pair, rtol=1e-6) for pair in zip(fit(network(one)), wanted, strict=True))

    class Hidden(keras.optimizers.Optimizer):
        def update_step(self, gradient, variable, learning_rate):
            self.move(variable, -learning_rate * gradient)

        def move(self, variable, by):
            self.assign_add(variable, by)

    with pytest.raises(TypeError, match="Hidden was given the vector.*weight_by_weight = True"):
        fit(network(Hidden(0.1)))
    Hidden.weight_by_weight = True
    assert all(np.allclose(*pair, rtol=1e-6) for pair in zip(fit(network(Hidden(0.1))), wanted, strict=True))
