"""Layers of several inputs: one table with every one of them, and the tests that each has to pass."""

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import layers
from multilayer._names import registry

TWO = ((5, 4), (5, 4))
THREE = ((5, 4), (5, 4), (5, 4))

# Each row: how the layer is made, and the shapes of its inputs.
ROWS = {
    "Add": (layers.Add, TWO),
    "Add, three": (layers.Add, THREE),
    "Add, broadcast": (layers.Add, ((5, 4), (5, 1))),
    "Add, of another rank": (layers.Add, ((5, 3, 4), (5, 4))),
    "Subtract": (layers.Subtract, TWO),
    "Subtract, broadcast": (layers.Subtract, ((5, 1), (5, 4))),
    "Multiply": (layers.Multiply, TWO),
    "Multiply, three": (layers.Multiply, THREE),
    "Multiply, broadcast": (layers.Multiply, ((5, 3, 1), (5, 1, 4))),
    "Average": (layers.Average, TWO),
    "Average, three": (layers.Average, THREE),
    "Maximum": (layers.Maximum, TWO),
    "Maximum, three": (layers.Maximum, THREE),
    "Maximum, broadcast": (layers.Maximum, ((5, 1), (5, 4))),
    "Minimum": (layers.Minimum, TWO),
    "Minimum, three": (layers.Minimum, THREE),
    "Concatenate": (layers.Concatenate, ((5, 4), (5, 2))),
    "Concatenate, three": (layers.Concatenate, ((5, 4), (5, 2), (5, 1))),
    "Concatenate, axis": (lambda **k: layers.Concatenate(axis=1, **k), ((5, 2, 4), (5, 3, 4))),
    "Dot": (lambda **k: layers.Dot(1, **k), TWO),
    "Dot, axes": (lambda **k: layers.Dot((1, 2), **k), ((5, 3, 2), (5, 4, 3))),
    "Dot, last axes": (lambda **k: layers.Dot(-1, **k), ((5, 2, 2, 3), (5, 4, 3))),
    "Dot, of another rank": (lambda **k: layers.Dot([1, -1], **k), ((5, 4), (5, 2, 4))),
    "Dot, normalized": (lambda **k: layers.Dot(1, normalize=True, **k), TWO),
    "Dot, normalized, axes": (lambda **k: layers.Dot((2, 1), normalize=True, **k), ((5, 2, 3), (5, 3, 2))),
}
every_row = pytest.mark.parametrize("row", ROWS)


def inputs(shapes, dtype="float64", seed=0):
    generator = np.random.default_rng(seed)
    return [generator.normal(size=shape).astype(dtype) for shape in shapes]


@every_row
def test_gradients_match_finite_differences(row):
    make, shapes = ROWS[row]
    layer = make(dtype="float64")
    layer.build([(None, *shape[1:]) for shape in shapes])
    xs = inputs(shapes)
    dy = np.random.default_rng(1).normal(size=layer.forward(xs).shape)
    layer.forward(xs, training=True)
    gradients = [dx.copy() for dx in layer.backward(dy.copy())]
    for i, x in enumerate(xs):
        assert_gradient(gradients[i], lambda: float(np.sum(layer.forward(xs) * dy)), x)


@every_row
def test_the_shape_is_known_before_the_numbers(row):
    make, shapes = ROWS[row]
    layer = make()
    y = layer(inputs(shapes, "float32"))
    assert y.dtype == np.float32
    assert layer.compute_output_shape([(None, *shape[1:]) for shape in shapes]) == (None, *y.shape[1:])
    assert layer([keras.Input(shape[1:]) for shape in shapes]).shape == (None, *y.shape[1:])


@every_row
def test_a_training_step_gives_the_same_and_leaves_its_inputs_alone(row):
    make, shapes = ROWS[row]
    layer, xs = make(), inputs(shapes, "float32")
    kept = [x.copy() for x in xs]
    np.testing.assert_array_equal(layer(xs), layer(xs, training=True))
    gradients = layer.backward(np.ones(layer(xs).shape, "float32"))
    assert [dx.shape for dx in gradients] == [x.shape for x in xs]
    for i, dx in enumerate(gradients):
        assert not any(np.shares_memory(dx, other) for other in gradients[i + 1 :])
        assert not any(np.shares_memory(dx, x) for x in xs)
    for x, before in zip(xs, kept, strict=True):
        np.testing.assert_array_equal(x, before)


@every_row
def test_a_config_makes_the_same_layer(row):
    make, shapes = ROWS[row]
    layer = make(name="merge")
    twin = layers.deserialize(layers.serialize(layer))
    assert twin.get_config() == layer.get_config()
    np.testing.assert_array_equal(twin(inputs(shapes)), layer(inputs(shapes)))


def test_the_functions_are_the_layers():
    xs = inputs(TWO, "float32")
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"):
        np.testing.assert_array_equal(getattr(layers, name)(xs), registry.lookup("layer", name)()(xs))


@pytest.mark.parametrize("name", ["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"])
def test_a_list_of_one_input_is_that_input_as_a_program_has_it_that_counts_its_branches(name):
    a = layers.Input((4,))
    model = keras.Model(a, layers.Dense(1)(getattr(layers, name)()([a])))
    alone = keras.Sequential([layers.Input((4,)), layers.Dense(1)])
    alone.set_weights(model.get_weights())
    x = np.arange(8.0, dtype="float32").reshape(2, 4)
    for one in (model, alone):
        one.compile("sgd", "mse")
        one.fit(x, x[:, :1], verbose=0)
    # Not to the bit: a BLAS library may sum up in another order where an array lies at another address.
    np.testing.assert_allclose(model.get_weights()[0], alone.get_weights()[0], rtol=1e-6)


@pytest.mark.parametrize(
    ("layer", "shapes", "message"),
    [
        (layers.Add(), [], "should be called on a list of at least 1 inputs"),
        (layers.Subtract(), [(None, 4)] * 3, "should be called on exactly 2 inputs"),
        (layers.Add(), (None, 4), "should be called on a list of inputs"),
        (layers.Add(), [(None, 4), (None, 3)], "incompatible shapes"),
        (layers.Concatenate(), [(None, 2, 4), (None, 3, 4)], "matching shapes except for the concatenation axis"),
        (layers.Concatenate(axis=3), [(None, 4), (None, 4)], "axis=3"),
        (layers.Concatenate(), [(None, 4), (None, 2, 4)], "matching shapes"),
        (layers.Dot(1), [(None, 4)], "on a list of 2 inputs"),
        (layers.Dot(1), [(None, 4), (None, 3)], r"axis values 4 \(at axis 1\) != 3"),
        (layers.Dot(0), [(None, 4), (None, 4)], "over axis 0, the batch"),
        (layers.Dot(2), [(None, 4), (None, 4)], "two inputs that have these axes"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(layer, shapes, message):
    with pytest.raises(ValueError, match=message):
        layer.build(shapes)


def test_the_batch_is_no_axis_to_concatenate():
    with pytest.raises(ValueError, match="other than 0, the batch"):
        layers.Concatenate(axis=0)


@pytest.mark.parametrize(
    ("axes", "error", "message"),
    [("1", TypeError, "a list or an int"), ((1, 2, 3), ValueError, "two elements"), ((1, 0.5), ValueError, "integers")],
)
def test_axes_of_a_product_are_one_or_two(axes, error, message):
    with pytest.raises(error, match=message):
        layers.Dot(axes)
