"""The check of derivatives that were written by hand: what is right passes, what is wrong is named."""

import numpy as np
import pytest

import multilayer as keras
from multilayer import activations, layers, losses
from multilayer.utils import check_gradients
from multilayer.utils.gradients import numerical_gradient

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(4, 3)), np.array([0, 1, 1, 0])


class Scale(layers.Layer):
    """y = s x; `slip` is a factor that its backward pass has too much."""

    def __init__(self, slip=1.0, slip_dx=1.0, **kwargs):
        super().__init__(**kwargs)
        self.slip, self.slip_dx = slip, slip_dx

    def build(self, input_shape):
        self.s = self.add_weight(shape=input_shape[-1:], initializer="ones", name="s")

    def forward(self, x, training=False):
        self.x = x
        return x * self.s.value

    def backward(self, dy):
        if self.s.gradient is not None:
            np.multiply(np.sum(dy * self.x, axis=0), self.slip, out=self.s.gradient)
        return dy * self.s.value * self.slip_dx


class Quartic(losses.Loss):
    """(y_pred - y_true)^4, its gradient a factor `slip` too large."""

    def __init__(self, slip=1.0):
        super().__init__()
        self.slip = slip

    def call(self, y_true, y_pred):
        return np.mean((y_pred - y_true) ** 4, axis=-1)

    def gradient(self, y_true, y_pred):
        return self.slip * 4.0 * (y_pred - y_true) ** 3 / y_pred.shape[-1]


def network(*between, loss="sparse_categorical_crossentropy", optimizer="adam"):
    keras.utils.set_random_seed(1)
    dense = [layers.Dense(5, "tanh", name="below"), *between, layers.Dense(2, "softmax", name="above")]
    model = keras.Sequential([keras.Input((3,)), *dense])
    model.compile(optimizer, loss, metrics=["accuracy"] if loss == "sparse_categorical_crossentropy" else None)
    return model


def test_numerical_gradient_is_the_derivative_and_leaves_x_alone():
    x = np.array([[1.0, -2.0], [0.5, 3.0]])
    before = x.copy()
    np.testing.assert_allclose(numerical_gradient(lambda: float(np.sum(x**3)), x), 3 * x**2, rtol=1e-8)
    np.testing.assert_array_equal(x, before)


def test_numerical_gradient_refuses_fewer_digits():
    with pytest.raises(ValueError, match="float64; got float32"):
        numerical_gradient(float, np.zeros(2, np.float32))


SOUND = {
    "dense": [],
    "a layer of one's own": [Scale()],
    "an activation of its own layer": [layers.Activation("sigmoid")],
    "dropout": [layers.Dropout(0.5)],
    "a frozen layer": [Scale(trainable=False)],
}


@pytest.mark.parametrize("between", SOUND)
@pytest.mark.parametrize("inputs", [False, True])
def test_sound_derivatives_pass(between, inputs):
    model = network(*SOUND[between])
    differences = check_gradients(model, X, Y, inputs=inputs)
    expected = {variable.path for variable in model.trainable_weights} | ({"x"} if inputs else set())
    assert differences.keys() == expected
    assert max(differences.values()) < 1e-7


def test_sample_weights_are_heeded():
    assert max(check_gradients(network(), X, Y, [1.0, 0.0, 5.0, 2.0]).values()) < 1e-7


def test_a_large_loss_leaves_fewer_digits_and_is_no_mistake():
    check_gradients(network(loss="mse"), X, 1e5 * np.eye(2)[Y])


def test_a_model_without_input_shape_is_built_by_the_data():
    model = keras.Sequential([layers.Dense(2)])
    model.compile(loss="mse")
    assert len(check_gradients(model, [1.0, 2.0], np.eye(2), inputs=True)) == 3


def test_the_model_stays_as_it_is():
    model = network(layers.Dropout(0.5))
    model.fit(X, Y, verbose=0)
    before, steps = model.get_weights(), model.optimizer.iterations
    check_gradients(model, X, Y)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    assert model.optimizer.iterations == steps
    assert {variable.dtype for variable in model.weights} == {"float32"}
    model.fit(X, Y, verbose=0)


def test_a_wrong_gradient_of_a_weight_is_named_with_both_values():
    with pytest.raises(
        ValueError, match=r"gradient of scale/s is wrong in 5 of 5 places, most of all at \[\d\]: "
    ) as e:
        check_gradients(network(Scale(slip=2.0, name="scale")), X, Y)
    given, expected = (float(part.split()[-1]) for part in str(e.value).partition(". The")[0].split(", central"))
    assert given == pytest.approx(2 * expected, rel=1e-5)


def test_a_gradient_that_is_added_up_is_wrong():
    class Adding(Scale):
        def backward(self, dy):
            self.s.gradient += np.sum(dy * self.x, axis=0)
            return dy * self.s.value

    with pytest.raises(ValueError, match="gradient of adding/s is wrong in 5 of 5 places"):
        check_gradients(network(Adding(name="adding")), X, Y)


def test_a_wrong_dx_shows_in_the_weights_beneath():
    with pytest.raises(ValueError, match="gradient of below/kernel is wrong in 15 of 15 places"):
        check_gradients(network(Scale(slip_dx=-1.0)), X, Y)


def test_a_wrong_dx_of_the_first_layer_shows_in_the_inputs():
    model = keras.Sequential([keras.Input((3,)), Scale(slip_dx=3.0), layers.Dense(2)])
    model.compile(loss="mse")
    check_gradients(model, X, np.eye(2)[Y])
    with pytest.raises(ValueError, match="gradient of x is wrong in 12 of 12 places"):
        check_gradients(model, X, np.eye(2)[Y], inputs=True)


def test_a_wrong_activation_is_found():
    cube = activations.Activation("cube", lambda x, out=None: x**3, lambda dy, y, out=None: dy * y)
    with pytest.raises(ValueError, match="gradient of below/kernel is wrong"):
        check_gradients(network(layers.Activation(cube)), X, Y)


def test_a_wrong_loss_is_found():
    check_gradients(network(loss=Quartic()), X, np.eye(2)[Y])
    with pytest.raises(ValueError, match="gradient of below/kernel is wrong"):
        check_gradients(network(loss=Quartic(slip=1.001)), X, np.eye(2)[Y])


def test_a_gradient_that_is_no_number_is_wrong():
    with pytest.raises(ValueError, match=r"gradient of scale/s is wrong .* backward gives nan"):
        check_gradients(network(Scale(slip=np.nan, name="scale")), X, Y)


class Noise(layers.Layer):
    """Adds numbers that nobody can draw again."""

    def forward(self, x, training=False):
        return x + np.random.default_rng().normal(size=x.shape)

    def backward(self, dy):
        return dy


def test_random_numbers_that_differ_every_time_are_refused():
    with pytest.raises(ValueError, match="something draws random numbers"):
        check_gradients(network(Noise()), X, Y)


def test_a_loss_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="The loss is inf"), np.errstate(over="ignore"):
        check_gradients(network(loss=Quartic()), X, 1e100 * np.eye(2)[Y])


def test_nothing_to_check_is_refused():
    model = keras.Sequential([keras.Input((3,)), layers.Activation("tanh")])
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="nothing to check. Pass `inputs=True`"):
        check_gradients(model, X, X)
    assert check_gradients(model, X, X, inputs=True)["x"] < 1e-7
    with pytest.raises(ValueError, match="must call `compile"):
        check_gradients(keras.Sequential([layers.Dense(2)]), X, Y)
