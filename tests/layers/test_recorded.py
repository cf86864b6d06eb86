"""Built-in layers on a tape: one table of all of them, held against their own passes and finite differences."""

import gc
import weakref

import numpy as np
import pytest

from helpers.gradients import assert_gradient
from layers import test_layers, test_merging
from multilayer import layers, losses
from multilayer._core.arena import Arena
from multilayer.autodiff import GradientTape, hessian_vector_product

TOKENS = np.array([[0, 2, 2], [3, 1, 0]])
WHOLE = {
    "Embedding": lambda **k: layers.Embedding(4, 2, **k),
    "CategoryEncoding": lambda **k: layers.CategoryEncoding(4, **k),
}
ROWS = [*test_layers.TRAINED_THROUGH, *test_merging.ROWS, *WHOLE]


def made(row, **arguments):
    """The row's layer, built, in an arena, and a batch for it: an array, or a list of them."""
    arguments = {"dtype": "float64"} | arguments
    if row in test_layers.ROWS:
        return test_layers.built(row, **arguments)
    if row in WHOLE:
        layer = WHOLE[row](**arguments)
        layer.ensure_built((None, 3))
        Arena(layer.weights)
        return layer, TOKENS
    make, shapes = test_merging.ROWS[row]
    layer = make(**arguments)
    layer.ensure_built([(None, *shape[1:]) for shape in shapes])
    return layer, test_merging.inputs(shapes)


def again(row, layer, **arguments):
    """The same layer with the same weights, which draws the same numbers anew."""
    other, _ = made(row, **arguments)
    other.set_weights(layer.get_weights())
    return other


def as_list(x):
    return x if isinstance(x, list) else [x]


def is_twice(activation):
    """Whether an activation has a second derivative."""
    try:
        hessian_vector_product(lambda x: np.sum(activation(x) ** 2))(np.full((1, 2), 0.3), np.ones((1, 2)))
    except TypeError:
        return False
    return True


def recorded(layer, x, direction, training, called=None):
    """The sum of `direction` times the output, and its gradients by the inputs and the weights."""
    with GradientTape() as tape:
        given = [tape.watch(one) if one.dtype.kind == "f" else one for one in as_list(x)]
        y = (called or layer)(given if isinstance(x, list) else given[0], training=training)
        total = np.sum(y * direction)
    sources = [*(one for one in given if not isinstance(one, np.ndarray)), *layer.trainable_weights]
    return tape.gradient(total, sources, unconnected_gradients="zero") if sources and hasattr(total, "node") else []


def by_passes(layer, x, direction):
    """The same gradients by `forward` and `backward`."""
    numbers = as_list(x)[0].dtype.kind == "f"
    layer.forward(x if numbers else x.astype("float64"), training=True)
    dx = [one.copy() for one in as_list(layer.backward(direction.copy()))]
    return [*(dx if numbers else []), *(v.gradient.copy() for v in layer.trainable_weights)]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("row", ROWS)
def test_call_says_what_forward_computes(row, training):
    layer, x = made(row)
    expected = again(row, layer).forward(x, training)
    np.testing.assert_allclose(layer.call(x, training=training), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("row", ROWS)
def test_gradients_on_a_tape_are_those_of_the_passes(row):
    layer, x = made(row)
    direction = test_layers.batch(again(row, layer).forward(x, True).shape, seed=1)
    expected = by_passes(again(row, layer), x, direction)
    found = recorded(again(row, layer), x, direction, True)
    through_call = recorded(layer, x, direction, True, layer.call)
    for one in (found, through_call):
        for got, wanted in zip(one, expected, strict=bool(one)):
            np.testing.assert_allclose(got, wanted, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("row", [row for row in ROWS if made(row)[0].acts_in_training])
def test_gradients_pass_through_a_layer_that_is_not_training(row):
    layer, x = made(row)
    before = layer.get_weights()
    direction = test_layers.batch(x.shape, seed=1)
    step = 1e-6 * test_layers.batch(x.shape, seed=2)
    difference = np.sum((layer.forward(x + step) - layer.forward(x - step)) * direction)
    np.testing.assert_allclose(2 * np.sum(recorded(layer, x, direction, False)[0] * step), difference, rtol=1e-6)
    for one, other in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("row", [row for row in ROWS if is_twice(getattr(made(row)[0], "activation", np.square))])
def test_second_derivatives_match_finite_differences(row):
    """The derivative of the gradient along a direction, in inputs and weights, by a tape around a tape."""
    layer, x = made(row)
    if row in WHOLE:
        return  # the gradient by the table does not depend on the table
    direction = test_layers.batch(again(row, layer).forward(x, True).shape, seed=1)
    weights = layer.trainable_weights
    values = [*as_list(x), *(v.numpy() for v in weights)]
    along = [test_layers.batch(one.shape, seed=2 + i) for i, one in enumerate(values)]
    n = len(as_list(x))

    def slope(step):
        """The gradient of sum(direction y^2) where inputs and weights have gone a step."""
        moved = again(row, layer)
        for v, value, to in zip(moved.trainable_weights, values[n:], along[n:], strict=True):
            v.assign(value + step * to)
        xs = [value + step * to for value, to in zip(values[:n], along[:n], strict=True)]
        x_moved = xs if isinstance(x, list) else xs[0]
        y = again(row, moved).forward(x_moved, True)  # a copy draws the same numbers
        return by_passes(moved, x_moved, 2 * direction * y)

    with GradientTape() as outer:
        given = [outer.watch(one) for one in as_list(x)]
        with GradientTape() as inner:
            y = layer(given if isinstance(x, list) else given[0], training=True)
            total = np.sum(np.square(y) * direction)
        sources = [*given, *layer.trainable_weights]
        first = inner.gradient(total, sources)
        dot = sum(np.sum(g * to) for g, to in zip(first, along, strict=True))
    found = outer.gradient(dot, sources, unconnected_gradients="zero")
    h = 1e-5
    for got, plus, minus in zip(found, slope(h), slope(-h), strict=True):
        np.testing.assert_allclose(got, (plus - minus) / (2 * h), rtol=2e-5, atol=2e-6)


# --- Weights and layers in unusual places ---


class Listed(layers.Layer):
    """Keeps its weights in a list and a dict, and gives its own derivative."""

    def build(self, input_shape):
        self.factors = [self.add_weight(shape=input_shape[-1:], initializer="ones", name=f"f{i}") for i in range(2)]
        self.more = {"offset": self.add_weight(shape=input_shape[-1:], initializer="zeros", name="offset")}

    def forward(self, x, training=False):
        self.x = x
        return x * self.factors[0].value * self.factors[1].value + self.more["offset"].value

    def backward(self, dy):
        for one, other in (self.factors, self.factors[::-1]):
            if one.gradient is not None:
                np.sum(dy * self.x * other.value, axis=0, out=one.gradient)
        if self.more["offset"].gradient is not None:
            np.sum(dy, axis=0, out=self.more["offset"].gradient)
        return dy * self.factors[0].value * self.factors[1].value


class Wrapping(layers.Layer):
    """Holds another layer, whose passes it uses."""

    def __init__(self, inner):
        super().__init__(dtype=inner.dtype)
        self.inner = inner

    def build(self, input_shape):
        self.inner.ensure_built(input_shape)

    def forward(self, x, training=False):
        return 2.0 * self.inner.forward(x, training)

    def backward(self, dy):
        self.inner.needs_dx = self.needs_dx
        return self.inner.backward(2.0 * dy)


UNUSUAL = {
    "in lists": lambda: Listed(dtype="float64"),
    "wrapped": lambda: Wrapping(layers.Dense(4, "tanh", dtype="float64")),
    "wrapped twice": lambda: Wrapping(Wrapping(layers.PReLU(dtype="float64"))),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_a_layer_called_twice_on_a_tape_keeps_both_calls_apart(name):
    layer, x = UNUSUAL[name](), test_layers.batch((5, 4))
    layer.ensure_built((None, 4))
    for v in layer.weights:
        v.assign(test_layers.batch(v.shape, seed=3))
    with GradientTape() as tape:
        x = tape.watch(x)
        y = np.sum(layer(layer(x)) * layer(3.0 * x))
    found = tape.gradient(y, [x, *layer.trainable_weights])

    def value():
        given = x.value
        return float(np.sum(layer(layer(given)) * layer(3.0 * given)))

    for got, of in zip(found, [x.value, *(v.value for v in layer.trainable_weights)], strict=True):
        assert_gradient(got, value, of)
    assert all(v.gradient is None for v in layer.weights)


def test_a_frozen_weight_of_a_layer_has_no_gradient_and_the_others_have_theirs():
    layer, x = layers.Dense(3), test_layers.batch((5, 4), dtype="float32")
    layer(x)
    layer.bias.trainable = False
    with GradientTape() as tape:
        y = np.sum(layer(x))
    kernel, bias = tape.gradient(y, [layer.kernel, layer.bias])
    np.testing.assert_allclose(kernel, np.repeat(x.sum(axis=0)[:, None], 3, axis=1), rtol=1e-5)
    assert bias is None


def test_what_a_tape_gave_is_not_written_over_by_what_follows():
    layer, x = layers.Dense(3, "tanh"), test_layers.batch((5, 4), dtype="float32")
    drop = layers.Dropout(0.5, seed=1)

    def once(x):
        with GradientTape(persistent=True) as tape:
            x = tape.watch(x)
            dropped = drop(x.numpy(), training=True)  # of constants: an array
            y = layer(x)
        return [dropped, y.numpy(), *tape.gradient(y, [x, layer.kernel])]

    kept = once(x)
    copies = [one.copy() for one in kept]
    once(x + 1.0)
    for one, copy in zip(kept, copies, strict=True):
        np.testing.assert_array_equal(one, copy)


def test_a_tape_asked_twice_gives_arrays_of_their_own():
    layer, x = layers.Dense(3, "tanh"), test_layers.batch((5, 4), dtype="float32")
    with GradientTape(persistent=True) as tape:
        x = tape.watch(x)
        y = layer(x)
    first = tape.gradient(y, x)
    copy = first.copy()
    tape.gradient(y, x, output_gradients=2 * np.ones((5, 3), "float32"))
    np.testing.assert_array_equal(first, copy)


def test_a_layers_call_on_a_tape_is_freed_with_it():
    layer, x = layers.Dense(3), test_layers.batch((5, 4), dtype="float32")
    gc.disable()
    try:
        with GradientTape() as tape:
            y = layer(x)
        node = weakref.ref(y.node)
        del y, tape
        assert node() is None
    finally:
        gc.enable()


def test_a_second_derivative_of_a_layer_without_a_formula_is_refused():
    layer, x = Listed(dtype="float64"), test_layers.batch((5, 4))
    with GradientTape() as outer:
        x = outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = np.sum(layer(x) ** 2)
        with pytest.raises(TypeError, match=r"second derivative, .* Listed needs `call\(self, x, training=False\)`"):
            inner.gradient(y, x)


def test_a_forward_of_ones_own_is_not_taken_for_what_the_built_in_call_says():
    class Doubled(layers.Dense):
        def forward(self, x, training=False):
            return 2.0 * super().forward(x, training)

        def backward(self, dy):
            return super().backward(2.0 * dy)

    with GradientTape() as outer:
        x = outer.watch(test_layers.batch((5, 4), dtype="float32"))
        with GradientTape() as inner:
            inner.watch(x)
            y = np.sum(Doubled(2)(x) ** 2)
        with pytest.raises(TypeError, match="Doubled needs `call"):
            inner.gradient(y, x)


def test_a_loss_looks_behind_the_softmax_that_a_layer_ends_in():
    """Where the probability of the truth is rounded to 0, its logarithm is gone: the scores still know it."""
    layer = layers.Dense(2, activation="softmax", kernel_initializer="identity")
    x = np.array([[200.0, 0.0]], "float32")
    with GradientTape(persistent=True) as tape:
        loss = losses.SparseCategoricalCrossentropy()([1], layer(x))
    assert float(loss.numpy()) == pytest.approx(200.0)
    np.testing.assert_allclose(tape.gradient(loss, layer.bias), [1.0, -1.0])
