"""Regularizers and constraints: a table of each, and the tests that each entry has to pass."""

import json

import numpy as np
import pytest

import multilayer as keras
from helpers.gradients import assert_gradient
from multilayer import constraints, layers, regularizers
from multilayer._names import registry

REGULARIZERS = {
    "L1": regularizers.L1(0.3),
    "L2": regularizers.L2(0.2),
    "L1L2": regularizers.L1L2(l1=0.1, l2=0.2),
    "OrthogonalRegularizer": regularizers.OrthogonalRegularizer(0.5),
    "OrthogonalRegularizer, columns": regularizers.OrthogonalRegularizer(0.5, mode="columns"),
}
CONSTRAINTS = {
    "MaxNorm": constraints.MaxNorm(1.0),
    "MaxNorm, rows": constraints.MaxNorm(0.5, axis=1),
    "MaxNorm, both": constraints.MaxNorm(0.5, axis=[0, 1]),
    "MinMaxNorm": constraints.MinMaxNorm(0.5, 1.0),
    "MinMaxNorm, by and by": constraints.MinMaxNorm(0.5, 1.0, rate=0.3, axis=1),
    "NonNeg": constraints.NonNeg(),
    "UnitNorm": constraints.UnitNorm(),
    "UnitNorm, rows": constraints.UnitNorm(axis=1),
}
W = np.random.default_rng(0).normal(size=(4, 3))
X, Y = np.random.default_rng(1).normal(size=(5, 4)), np.ones((5, 1))


def test_every_registered_one_has_a_row():
    assert {type(one) for one in REGULARIZERS.values()} == registry.registered("regularizer")
    assert {type(one) for one in CONSTRAINTS.values()} == registry.registered("constraint")


@pytest.mark.parametrize("name", REGULARIZERS)
def test_the_gradient_of_a_penalty(name):
    regularizer, x = REGULARIZERS[name], W.copy()
    assert_gradient(regularizer.gradient(x), lambda: regularizer(x), x)
    assert regularizer.gradient(x.astype("float32")).dtype == "float32"


@pytest.mark.parametrize("module", [regularizers, constraints])
def test_a_config_makes_the_same_one(module):
    for one in (REGULARIZERS if module is regularizers else CONSTRAINTS).values():
        twin = module.deserialize(json.loads(json.dumps(module.serialize(one))))
        assert type(twin) is type(one)
        assert twin.get_config() == one.get_config()
    assert module.get(None) is None
    assert module.serialize(None) is None


def test_names_of_keras():
    for name in ("l1", "l2", "l1_l2", "L1L2", "orthogonal_regularizer"):
        assert isinstance(regularizers.get(name), regularizers.Regularizer)
    for name in ("max_norm", "MaxNorm", "min_max_norm", "non_neg", "unit_norm"):
        assert isinstance(constraints.get(name), constraints.Constraint)
    assert regularizers.l2(0.5).get_config() == {"l2": 0.5}


@pytest.mark.parametrize("name", CONSTRAINTS)
def test_a_constraint_keeps_shape_and_type_and_then_changes_little(name):
    constraint = CONSTRAINTS[name]
    w = constraint(W.astype("float32"))
    assert (w.shape, w.dtype) == (W.shape, np.float32)
    if "by and by" not in name:
        np.testing.assert_allclose(constraint(w), w, atol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: regularizers.L2(-1.0), "Invalid value for argument l2: expected a non-negative float"),
        (lambda: regularizers.L1(float("nan")), "argument l1"),
        (lambda: regularizers.OrthogonalRegularizer(mode="diagonal"), "Received: mode=diagonal"),
        (lambda: regularizers.OrthogonalRegularizer()(np.ones(3)), "must have rank 2"),
        (lambda: regularizers.get("l3"), "Unknown regularizer: 'l3'"),
        (lambda: constraints.get(5), "Could not interpret constraint identifier: 5"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def model_with(**arguments):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3, **arguments), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("where", ["kernel_regularizer", "bias_regularizer", "activity_regularizer"])
def test_a_penalty_is_part_of_the_loss_and_of_its_gradient(where):
    model = model_with(**{where: regularizers.L1L2(l1=0.1, l2=0.3)})
    assert max(keras.utils.check_gradients(model, X, Y, inputs=True).values()) < 1e-6


def test_frozen_weights_are_not_penalized():
    model = model_with(kernel_regularizer="l2")
    penalized = model.evaluate(X, Y, verbose=0)
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    assert model.evaluate(X, Y, verbose=0) < penalized


def test_a_penalty_on_what_no_loss_reaches_is_not_added_up():
    x = keras.Input((4,))
    aside = layers.Dense(2, kernel_regularizer="l2", name="aside")
    model = keras.Model(x, [layers.Dense(1)(x), aside(x)])
    model.compile(keras.optimizers.SGD(1.0), loss=["mse", None])
    before = aside.kernel.numpy()
    model.fit(X, Y, epochs=3, verbose=0)
    np.testing.assert_allclose(aside.kernel.numpy(), before * 0.98**3, rtol=1e-5)


def test_a_constraint_holds_after_every_step():
    model = model_with(kernel_constraint="unit_norm", bias_constraint="non_neg")
    model.fit(X, Y, verbose=0)
    kernel, bias, *_ = model.get_weights()
    np.testing.assert_allclose(np.linalg.norm(kernel, axis=0), 1.0, atol=1e-6)
    assert (bias >= 0).all()


# --- Functions, and penalties on a tape ---


def cubes(x):
    return 0.1 * np.sum(np.abs(x) ** 3)


def no_more_than_a_half(w):
    return np.clip(w, -0.5, 0.5)


class Cubes(regularizers.Regularizer):
    """The same as a class, without a gradient of its own."""

    def __call__(self, x):
        return cubes(x)


@pytest.mark.parametrize("given", [cubes, Cubes(), Cubes])
def test_the_gradient_of_a_penalty_of_ones_own_is_found_by_a_tape(given):
    regularizer, x = regularizers.get(given), W.copy()
    assert regularizer(x) == pytest.approx(cubes(x))
    assert_gradient(regularizer.gradient(x), lambda: regularizer(x), x)
    assert regularizer.gradient(x.astype("float32")).dtype == "float32"


@pytest.mark.parametrize(("argument", "share"), [("kernel_regularizer", 1.0), ("activity_regularizer", 1 / len(X))])
def test_a_function_penalizes_weights_and_outputs_in_training(argument, share):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, **{argument: cubes})])
    model.compile(keras.optimizers.SGD(0.1), "mse")
    w, b = (weight.astype("float64") for weight in model.get_weights())
    y = X @ w + b
    model.fit(X, Y, batch_size=5, verbose=0)
    penalized = w if argument == "kernel_regularizer" else y
    slope = share * 0.3 * penalized * np.abs(penalized)
    dw = X.T @ (2 * (y - Y) / len(X)) + (slope if argument == "kernel_regularizer" else X.T @ slope)
    np.testing.assert_allclose(model.get_weights()[0], w - 0.1 * dw, rtol=1e-5)
    assert model.evaluate(X, Y, verbose=0) > np.mean((model.predict(X, verbose=0) - Y) ** 2)


@pytest.mark.parametrize("name", [*REGULARIZERS, "cubes"])
def test_penalties_of_a_model_are_tensors_while_a_tape_records(name):
    regularizer = REGULARIZERS.get(name, cubes)
    layer = layers.Dense(3, kernel_regularizer=regularizer, activity_regularizer=cubes, dtype="float64")
    layer.build((None, 4))
    with keras.GradientTape(persistent=True) as tape:
        y = layer(X)
        of_activity, of_weights = layer.losses
    kernel = layer.kernel
    np.testing.assert_allclose(
        tape.gradient(of_weights, kernel), regularizers.get(regularizer).gradient(kernel.value), atol=1e-12
    )
    expected = X.T @ (0.3 * y.numpy() * np.abs(y.numpy())) / len(X)
    np.testing.assert_allclose(tape.gradient(of_activity, kernel), expected)
    assert [float(one) for one in layer.losses] == pytest.approx(
        [float(of_activity.numpy()), float(of_weights.numpy())]
    )


def test_a_function_holds_weights_to_what_it_allows():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, kernel_constraint=no_more_than_a_half)])
    model.compile(keras.optimizers.SGD(10.0), "mse")
    model.fit(X, Y, verbose=0)
    kernel = model.get_weights()[0]
    assert np.abs(kernel).max() == 0.5


@pytest.mark.parametrize(
    ("returned", "what"), [(None, "None"), (np.ones(3), r"an array of shape \(3,\): take its sum")]
)
def test_a_penalty_is_one_number(returned, what):
    if returned is None:  # where no gradient is asked for, too
        with pytest.raises(
            ValueError, match="`<lambda>` must return one number, the penalty; it returned None. Is there"
        ):
            regularizers.get(lambda w: returned)(W)
    with pytest.raises(ValueError, match=f"must return one number, the penalty; it returned {what}"):
        regularizers.get(lambda w: returned).gradient(W)
    with pytest.raises(ValueError, match=r"must return values of the weight's shape, \(4, 3\); it returned"):
        constraints.get(lambda w: returned)(W)


def test_a_penalty_that_is_always_the_same_has_no_slope():
    np.testing.assert_array_equal(regularizers.get(lambda w: 1.0).gradient(W), np.zeros_like(W))
