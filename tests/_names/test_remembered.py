"""Classes of users' own that have a constructor but no `get_config`: what they were made with is remembered."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import multilayer as keras
from multilayer import constraints, initializers, layers, losses, metrics, optimizers, regularizers, saving


@saving.register_keras_serializable("remembered")
class Scale(layers.Layer):
    def __init__(self, factor, extra=(1, 2), **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def forward(self, x, training=False):
        return x * self.factor

    def backward(self, dy):
        return dy * self.factor


@saving.register_keras_serializable("remembered")
class Doubled(Scale):
    def __init__(self, half):
        super().__init__(2.0 * half)


@saving.register_keras_serializable("remembered")
class Powered(losses.Loss):
    def __init__(self, power, name="powered"):
        super().__init__(name)
        self.power = power

    def call(self, y_true, y_pred):
        return np.mean((y_pred - y_true) ** self.power, axis=-1)

    def gradient(self, y_true, y_pred):
        return self.power * (y_pred - y_true) ** (self.power - 1) / y_pred.shape[-1]


@saving.register_keras_serializable("remembered")
class Above(metrics.Metric):
    def __init__(self, limit, name="above"):
        super().__init__(name=name)
        self.limit, self.count = limit, self.add_variable(())

    def update_state(self, y_true, y_pred, sample_weight=None):
        self.count.assign_add(np.sum(np.asarray(y_pred) > self.limit))

    def result(self):
        return float(self.count)


@saving.register_keras_serializable("remembered")
class SignDescent(optimizers.Optimizer):
    def __init__(self, learning_rate=0.1, factor=1.0, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.factor = factor

    def update_step(self, gradient, variable, learning_rate):
        variable -= self.factor * learning_rate * np.sign(gradient)


@saving.register_keras_serializable("remembered")
class Stairs(optimizers.schedules.LearningRateSchedule):
    def __init__(self, heights):
        self.heights = heights

    def __call__(self, step):
        return self.heights[min(int(step), len(self.heights) - 1)]


@saving.register_keras_serializable("remembered")
class Filled(initializers.Initializer):
    def __init__(self, value):
        self.value = value

    def __call__(self, shape, dtype=None):
        return np.full(shape, self.value, dtype)


@saving.register_keras_serializable("remembered")
class Cubic(regularizers.Regularizer):
    def __init__(self, factor):
        self.factor = factor

    def __call__(self, x):
        return float(self.factor * np.sum(np.abs(x) ** 3))

    def gradient(self, x):
        return 3.0 * self.factor * x * np.abs(x)


@saving.register_keras_serializable("remembered")
class AtMost(constraints.Constraint):
    def __init__(self, most):
        self.most = most

    def __call__(self, w):
        return np.minimum(w, self.most)


def _trained():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            Scale(2.0, name="scale"),
            Doubled(0.5),
            layers.Dense(
                2, kernel_initializer=Filled(0.25), kernel_regularizer=Cubic(0.1), kernel_constraint=AtMost(0.3)
            ),
        ]
    )
    model.compile(SignDescent(Stairs([0.1, 0.01]), factor=0.5), Powered(4), metrics=[Above(0.5)])
    model.fit(np.ones((4, 3)), np.zeros((4, 2)), epochs=2, verbose=0)
    return model


def test_a_model_of_such_classes_comes_back_from_a_file(tmp_path):
    model = _trained()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    x, y = np.ones((4, 3)), np.zeros((4, 2))
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
    assert again.evaluate(x, y, verbose=0) == model.evaluate(x, y, verbose=0)
    assert [layer.name for layer in again.layers] == [layer.name for layer in model.layers]
    assert (again.layers[0].factor, again.layers[1].factor) == (2.0, 1.0)
    assert again.optimizer.factor == 0.5
    assert again.optimizer.learning_rate == 0.01
    assert again.layers[2].kernel_constraint.most == 0.3


def test_all_arguments_are_described():
    """The arguments and their defaults, and what the base class knows, as it is now: Keras' `Layer` does the same."""
    layer = Scale(np.float64(3.0), name="scale")
    layer.trainable = False
    assert layer.get_config() == {
        "factor": 3.0,
        "extra": (1, 2),
        "name": "scale",
        "trainable": False,
        "dtype": "float32",
    }
    assert Doubled(4.0).get_config()["half"] == 4.0
    assert "factor" not in Doubled(4.0).get_config()
    assert not Scale.from_config(layer.get_config()).trainable


def test_what_a_constructor_does_not_take_is_set_afterwards():
    layer = Doubled.from_config({"half": 1.0, "name": "mine", "trainable": False, "dtype": "float64"})
    assert (layer.name, layer.trainable, layer.dtype, layer.factor) == ("mine", False, "float64", 2.0)
    assert Powered.from_config({"power": 3, "name": "p", "reduction": "sum"}).reduction == "sum"


def test_copies_and_pickles_and_signatures_are_as_ever():
    layer = Scale(3.0)
    assert copy.deepcopy(layer).get_config() == layer.get_config()
    assert pickle.loads(pickle.dumps(layer)).get_config() == layer.get_config()
    assert list(inspect.signature(Scale).parameters) == ["factor", "extra", "kwargs"]


class _Anything(layers.Layer):
    def __init__(self, *args, **kwargs):
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Scale(np.ones(3)), "its argument `factor` is a ndarray"),
        (lambda: Scale(extra=[1, object()], factor=1.0), "its argument `extra` is a list"),
        (lambda: Powered(np.ones(1)), "its argument `power` is a ndarray"),
        (lambda: Above(len), "its argument `limit` is a builtin_function_or_method"),
        (lambda: Filled(np.ones(2)), "its argument `value` is a ndarray"),
        (lambda: _Anything(1, 2), r"its arguments \*args have no names"),
    ],
)
def test_what_no_file_can_hold_is_said_when_it_is_described(make, reason):
    thing = make()
    with pytest.raises(NotImplementedError, match=f"{type(thing).__name__} cannot be described in a file: {reason}"):
        thing.get_config()


def test_nothing_is_written_for_what_cannot_be_described(tmp_path):
    model = keras.Sequential([keras.Input((3,)), Scale(np.ones(3)), layers.Dense(1)])
    with pytest.raises(NotImplementedError, match="has no `get_config`"):
        model.save(tmp_path / "model.keras")
    assert not list(tmp_path.iterdir())


def test_what_describes_itself_is_not_disturbed():
    class Described(Scale):
        def get_config(self):
            return {**super().get_config(), "factor": self.factor}

    assert Described(np.ones(3).sum()).get_config() == {
        "name": "described",
        "trainable": True,
        "dtype": "float32",
        "factor": 3.0,
    }
