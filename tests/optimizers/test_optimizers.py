"""Optimizers: one table with every rule, each against its published formula in plain Python, number by number."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import multilayer as keras
from multilayer import optimizers
from multilayer._core.arena import Variable
from multilayer._names import registry

# --- The published formulas, for a single parameter: each takes w and the gradients and yields w after every step ---


def sgd(w, gradients, learning_rate=0.01, momentum=0.0, nesterov=False):
    m = 0.0
    for g in gradients:
        m = momentum * m - learning_rate * g
        w += momentum * m - learning_rate * g if nesterov else m
        yield w


def adam(w, gradients, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        alpha = learning_rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t)
        w -= alpha * m / (math.sqrt(v) + epsilon)
        yield w


def rmsprop(w, gradients, learning_rate=0.001, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    v = mean = m = 0.0
    for g in gradients:
        v = rho * v + (1 - rho) * g * g
        mean = rho * mean + (1 - rho) * g
        m = momentum * m + learning_rate * g / math.sqrt(v - (mean * mean if centered else 0.0) + epsilon)
        w -= m
        yield w


def amsgrad(w, gradients, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=True):
    m = v = most = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        most = max(most, v)
        w -= learning_rate * math.sqrt(1 - beta_2**t) / (1 - beta_1**t) * m / (math.sqrt(most) + epsilon)
        yield w


def adamw(w, gradients, learning_rate=0.001, weight_decay=0.004):
    m = v = 0.0
    for t, g in enumerate(gradients, start=1):
        w -= learning_rate * weight_decay * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
        w -= learning_rate * math.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (math.sqrt(v) + 1e-7)
        yield w


def adamax(w, gradients, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = u = 0.0
    for t, g in enumerate(gradients, start=1):
        m = beta_1 * m + (1 - beta_1) * g
        u = max(beta_2 * u, abs(g))
        w -= learning_rate / (1 - beta_1**t) * m / (u + epsilon)
        yield w


def nadam(w, gradients, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = v = 0.0
    product = 1.0
    for t, g in enumerate(gradients, start=1):
        mu, mu_next = (beta_1 * (1 - 0.5 * 0.96**i) for i in (t, t + 1))
        product *= mu
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)
        w -= learning_rate * m_hat / (math.sqrt(v / (1 - beta_2**t)) + epsilon)
        yield w


def adagrad(w, gradients, learning_rate=0.001, initial_accumulator_value=0.1, epsilon=1e-7):
    v = initial_accumulator_value
    for g in gradients:
        v += g * g
        w -= learning_rate * g / math.sqrt(v + epsilon)
        yield w


def adadelta(w, gradients, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    v = d = 0.0
    for g in gradients:
        v = rho * v + (1 - rho) * g * g
        u = g * math.sqrt(d + epsilon) / math.sqrt(v + epsilon)
        d = rho * d + (1 - rho) * u * u
        w -= learning_rate * u
        yield w


def lion(w, gradients, learning_rate=0.001, beta_1=0.9, beta_2=0.99):
    m = 0.0
    for g in gradients:
        direction = beta_1 * m + (1 - beta_1) * g
        w -= learning_rate * ((direction > 0) - (direction < 0))
        m = beta_2 * m + (1 - beta_2) * g
        yield w


def ftrl(
    w,
    gradients,
    learning_rate=0.001,
    learning_rate_power=-0.5,
    initial_accumulator_value=0.1,
    l1_regularization_strength=0.0,
    l2_regularization_strength=0.0,
    l2_shrinkage_regularization_strength=0.0,
    beta=0.0,
):
    n, z = initial_accumulator_value, 0.0
    for g in gradients:
        before, n = n**-learning_rate_power, n + g * g
        z += g + 2 * l2_shrinkage_regularization_strength * w - (n**-learning_rate_power - before) / learning_rate * w
        below = max(-l1_regularization_strength, min(z, l1_regularization_strength)) - z
        w = below / ((n**-learning_rate_power + beta) / learning_rate + 2 * l2_regularization_strength)
        yield w


def schedule_free(w, gradients, learning_rate=0.0025, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    z, x, v = w, w, 0.0
    for t, g in enumerate(gradients, start=1):
        rate = learning_rate * (min(t / warmup_steps, 1.0) if warmup_steps else 1.0)
        v = beta_2 * v + (1 - beta_2) * g * g
        z -= rate * g / (math.sqrt(v / (1 - beta_2**t)) + epsilon)
        x = (1 - 1 / t) * x + z / t
        yield (1 - beta_1) * z + beta_1 * x


# Each row: the class, the formula, and the arguments of both.
ROWS = {
    "SGD": (optimizers.SGD, sgd, {}),
    "SGD, momentum": (optimizers.SGD, sgd, {"learning_rate": 0.1, "momentum": 0.9}),
    "SGD, Nesterov": (optimizers.SGD, sgd, {"learning_rate": 0.1, "momentum": 0.8, "nesterov": True}),
    "SGD, Nesterov without momentum": (optimizers.SGD, sgd, {"nesterov": True}),
    "Adam": (optimizers.Adam, adam, {}),
    "Adam, other numbers": (
        optimizers.Adam,
        adam,
        {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3},
    ),
    "RMSprop": (optimizers.RMSprop, rmsprop, {}),
    "RMSprop, other numbers": (optimizers.RMSprop, rmsprop, {"learning_rate": 0.1, "rho": 0.5, "epsilon": 1e-3}),
    "RMSprop, momentum": (optimizers.RMSprop, rmsprop, {"momentum": 0.7}),
    "RMSprop, centered": (optimizers.RMSprop, rmsprop, {"centered": True}),
    "RMSprop, centered, momentum": (optimizers.RMSprop, rmsprop, {"centered": True, "momentum": 0.7}),
    "Adam, amsgrad": (optimizers.Adam, amsgrad, {"amsgrad": True, "beta_2": 0.5}),
    "AdamW": (optimizers.AdamW, adamw, {"learning_rate": 0.1, "weight_decay": 0.2}),
    "Adamax": (optimizers.Adamax, adamax, {}),
    "Adamax, other numbers": (optimizers.Adamax, adamax, {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.7}),
    "Nadam": (optimizers.Nadam, nadam, {}),
    "Nadam, other numbers": (optimizers.Nadam, nadam, {"learning_rate": 0.1, "beta_1": 0.5, "epsilon": 1e-3}),
    "Adagrad": (optimizers.Adagrad, adagrad, {}),
    "Adagrad, other numbers": (optimizers.Adagrad, adagrad, {"learning_rate": 0.1, "initial_accumulator_value": 1.0}),
    "Adadelta": (optimizers.Adadelta, adadelta, {"learning_rate": 1.0}),
    "Adadelta, other numbers": (optimizers.Adadelta, adadelta, {"rho": 0.5, "epsilon": 1e-3}),
    "Lion": (optimizers.Lion, lion, {}),
    "Lion, other numbers": (optimizers.Lion, lion, {"learning_rate": 0.1, "beta_1": 0.3, "beta_2": 0.5}),
    "Ftrl": (optimizers.Ftrl, ftrl, {}),
    "Ftrl, other numbers": (
        optimizers.Ftrl,
        ftrl,
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.01,
            "l2_regularization_strength": 0.02,
            "l2_shrinkage_regularization_strength": 0.03,
            "beta": 0.5,
        },
    ),
    "ScheduleFreeAdamW": (optimizers.ScheduleFreeAdamW, schedule_free, {}),
    "ScheduleFreeAdamW, other numbers": (
        optimizers.ScheduleFreeAdamW,
        schedule_free,
        {"learning_rate": 0.1, "beta_1": 0.5, "beta_2": 0.9, "epsilon": 1e-3, "warmup_steps": 4},
    ),
}
every_row = pytest.mark.parametrize("row", ROWS)


def run(optimizer, w, gradients):
    """The parameters after every step, one a row."""
    path = []
    for g in gradients:
        optimizer.step(g, w)
        path.append(w.copy())
    return np.array(path)


def by_formula(row, w, gradients, **changed):
    """The same, one parameter after the other."""
    _, formula, arguments = ROWS[row]
    return np.array(
        [list(formula(a, g, **arguments | changed)) for a, g in zip(w, gradients.T.tolist(), strict=True)]
    ).T


def test_every_registered_optimizer_has_a_row():
    # On weights as a whole, and on the whole data set: see test_descent.py.
    others = {optimizers.Muon, optimizers.Lamb, optimizers.Adafactor, optimizers.LBFGS}
    assert {cls for cls, *_ in ROWS.values()} | others == registry.registered("optimizer")


# --- The rules ---


@every_row
@settings(max_examples=15, deadline=None)
@given(
    w=hnp.arrays(np.float64, 3, elements=st.floats(-2, 2)),
    gradients=hnp.arrays(np.float64, (20, 3), elements=st.floats(-3, 3)),
)
def test_every_parameter_goes_the_way_of_the_formula(row, w, gradients):
    cls, _, arguments = ROWS[row]
    expected = by_formula(row, w.tolist(), gradients)
    np.testing.assert_allclose(run(cls(**arguments), w.copy(), gradients), expected, rtol=1e-8, atol=1e-9)


@every_row
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 1e-3)])
def test_many_steps_stay_on_the_way_in_the_type_they_began(row, dtype, tolerance):
    cls, _, arguments = ROWS[row]
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=4).astype(dtype), rng.normal(size=(500, 4)).astype(dtype)
    expected = by_formula(row, w.tolist(), gradients)
    optimizer = cls(**arguments)
    path = run(optimizer, w, gradients)
    np.testing.assert_allclose(path, expected, rtol=tolerance, atol=tolerance)
    assert path.dtype == dtype
    assert all(slot.dtype == dtype for slot in optimizer.state.values())
    assert optimizer.iterations == 500


@every_row
def test_one_vector_is_many_parameters(row):
    cls, _, arguments = ROWS[row]
    rng = np.random.default_rng(0)
    w, gradients = rng.normal(size=6), rng.normal(size=(30, 6))
    whole = run(cls(**arguments), w.copy(), gradients)
    parts = [run(cls(**arguments), w[part].copy(), gradients[:, part]) for part in (slice(0, 2), slice(2, 6))]
    np.testing.assert_array_equal(np.hstack(parts), whole)


@every_row
def test_a_step_changes_the_parameters_in_place_and_leaves_the_gradient(row):
    cls, _, arguments = ROWS[row]
    w, g = np.ones(3), np.array([1.0, -2.0, 3.0])
    optimizer = cls(**arguments)
    assert optimizer.state == {}
    optimizer.step(g, w)
    np.testing.assert_array_equal(g, [1.0, -2.0, 3.0])
    if cls is not optimizers.Ftrl:  # whose first step draws every weight towards 0
        np.testing.assert_array_equal(np.sign(w - 1.0), [-1.0, 1.0, -1.0])
    assert set(optimizer.state) == set(optimizer.slots)
    assert all(slot.shape == w.shape for slot in optimizer.state.values())


@every_row
def test_the_learning_rate_can_be_changed_at_any_time(row):
    cls, _, arguments = ROWS[row]
    optimizer = cls(**arguments)
    w = np.ones(3)
    run(optimizer, w, np.ones((5, 3)))
    optimizer.learning_rate = 0
    before = w.copy()
    if "momentum" not in optimizer.slots:  # what is rolling goes on rolling
        run(optimizer, w, np.ones((5, 3)))
        np.testing.assert_array_equal(w, before)
    optimizer.learning_rate = np.float32(0.5)
    assert optimizer.learning_rate == 0.5
    other = cls(**arguments | {"learning_rate": 0.5})
    np.testing.assert_array_equal(
        run(cls.from_config({**cls(**arguments).get_config(), "learning_rate": 0.5}), np.ones(3), np.ones((5, 3))),
        run(other, np.ones(3), np.ones((5, 3))),
    )


def ending():
    """Parameters and their gradients, which are 0 after a while, so that every slot decays."""
    gradients = np.zeros((1500, 3), "float32")
    gradients[:20] = np.random.default_rng(0).normal(size=(20, 3))
    return np.ones(3, "float32"), gradients


@pytest.mark.parametrize("row", ["SGD, momentum", "Adam, other numbers", "RMSprop, centered, momentum"])
def test_what_is_flushed_was_too_small_to_matter(row):
    cls, _, arguments = ROWS[row]
    w, gradients = ending()
    expected = by_formula(row, w.tolist(), gradients)
    optimizer = cls(**arguments)
    np.testing.assert_allclose(run(optimizer, w, gradients), expected, rtol=1e-4)
    assert all((slot == 0).all() for slot in optimizer.state.values())


def test_what_is_small_but_not_about_to_vanish_is_kept():
    w, optimizer = np.zeros(1, "float32"), optimizers.SGD(learning_rate=1.0, momentum=1.0)
    run(optimizer, w, np.array([[1e-25], *[[0.0]] * 199], "float32"))
    assert w.item() == pytest.approx(-200e-25, rel=1e-4)


@pytest.mark.parametrize("row", ["SGD, momentum", "RMSprop, centered"])
def test_a_slot_is_never_subnormal_where_arithmetic_is_slow(row):
    cls, _, arguments = ROWS[row]
    w, gradients = ending()
    optimizer = cls(**arguments)
    for g in gradients:
        optimizer.step(g, w)
        for slot in optimizer.state.values():
            assert ((slot == 0) | (np.abs(slot) >= np.finfo("float32").tiny)).all()


@pytest.mark.parametrize("g", [24.0, 97.3, 1000.0])
def test_a_variance_never_gets_negative(g):
    """The mean square of a constant gradient less the square of its mean is 0 up to rounding, on either side."""
    w = np.zeros(50, "float32")
    run(optimizers.RMSprop(centered=True), w, np.broadcast_to(np.linspace(g, 2 * g, 50, dtype="float32"), (400, 50)))
    assert np.isfinite(w).all()


# --- Configs and names ---


@every_row
def test_a_config_is_json_and_makes_the_same_optimizer(row):
    cls, _, arguments = ROWS[row]
    optimizer = cls(**arguments, name="mine")
    optimizer.learning_rate = 0.03
    copy = optimizers.get(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert type(copy) is cls
    assert (copy.name, copy.learning_rate, copy.iterations) == ("mine", 0.03, 0)
    assert copy.get_config() == optimizer.get_config()
    gradients = np.random.default_rng(0).normal(size=(9, 3))
    np.testing.assert_array_equal(run(copy, np.ones(3), gradients), run(optimizer, np.ones(3), gradients))


@pytest.mark.parametrize(
    ("identifier", "cls"),
    [
        ("sgd", optimizers.SGD),
        ("SGD", optimizers.SGD),
        ("adam", optimizers.Adam),
        ("rmsprop", optimizers.RMSprop),
        ("RMSprop", optimizers.RMSprop),
        (optimizers.Adam, optimizers.Adam),
    ],
)
def test_an_optimizer_goes_by_several_names(identifier, cls):
    assert type(optimizers.get(identifier)) is cls


# --- An optimizer of one's own ---


def test_an_optimizer_of_ones_own_trains_a_model():
    class Signs(keras.Optimizer):
        """Steps of one size, in the direction that most of the last gradients had."""

        slots = ("mean",)

        def update_step(self, gradient, variable, learning_rate):
            mean = self.state["mean"]
            mean += 0.5 * (gradient - mean)
            variable -= learning_rate * np.sign(mean)

    optimizer = Signs(0.25)
    assert optimizer.name == "signs"
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizer, "mse")
    model.fit([[1.0]], [[8.0]], epochs=4, verbose=0)
    assert [weight.item() for weight in model.get_weights()] == [1.0, 1.0]


def test_an_optimizer_without_its_rule_says_so():
    with pytest.raises(NotImplementedError, match=r"Optimizer Optimizer does not define `update_step\(self, gradient"):
        optimizers.Optimizer().step(np.ones(1), np.ones(1))


# --- Bad arguments ---


@every_row
@pytest.mark.parametrize("rate", [-0.1, float("nan"), float("inf"), "0.1", None])
def test_a_learning_rate_is_a_number_of_at_least_zero(row, rate):
    cls, _, arguments = ROWS[row]
    message = f"`learning_rate` must be a number of at least 0. Received: learning_rate={rate!r}"
    with pytest.raises(ValueError, match=message):
        cls(**arguments | {"learning_rate": rate})
    optimizer = cls(**arguments)
    with pytest.raises(ValueError, match=message):
        optimizer.learning_rate = rate


@pytest.mark.parametrize("momentum", [-0.1, 1.1, "0.9", None])
def test_momentum_is_a_share(momentum):
    with pytest.raises(ValueError, match="`momentum` must be a float between"):
        optimizers.SGD(momentum=momentum)


@every_row
def test_another_number_of_parameters_is_refused_before_anything_changes(row):
    cls, _, arguments = ROWS[row]
    optimizer = cls(**arguments, name="mine")
    optimizer.step(np.ones(3), np.ones(3))
    w = np.ones(4)
    with pytest.raises(
        ValueError, match=r"'mine' was built for 3 trainable parameters and now gets 4.*Compile the mod"
    ):
        optimizer.step(np.ones(4), w)
    np.testing.assert_array_equal(w, np.ones(4))
    assert optimizer.iterations == 1


def test_unknown_names_come_with_the_nearest_known_one():
    with pytest.raises(ValueError, match="Unknown optimizer: 'adan'. Did you mean 'adam'"):
        optimizers.get("adan")
    with pytest.raises(ValueError, match="Could not interpret optimizer identifier: 3"):
        optimizers.get(3)
    assert optimizers.get(None) is None  # as in Keras


def test_an_optimizer_has_variables_in_keras_order():
    kernel, bias = Variable(np.ones((2, 1)), name="kernel"), Variable(np.zeros(1), name="bias")
    adam = optimizers.Adam(0.5, use_ema=True, amsgrad=True)
    assert [one.name for one in adam.variables] == ["iteration", "learning_rate"]
    adam.build([kernel, bias])
    adam.apply_gradients([(np.full((2, 1), 3.0), kernel), (np.ones(1), bias)])
    assert [one.name for one in adam.variables] == [
        "iteration",
        "learning_rate",
        "kernel_average",
        "bias_average",
        "kernel_momentum",
        "kernel_velocity",
        "bias_momentum",
        "bias_velocity",
        "kernel_velocity_hat",
        "bias_velocity_hat",
    ]
    assert adam.variables[0] == 1
    np.testing.assert_allclose(adam.variables[4].numpy(), [[0.3], [0.3]])  # (1 - beta_1) 3
    again = optimizers.Adam(use_ema=True, amsgrad=True)
    with pytest.raises(ValueError, match="You are calling `set_weights"):
        again.set_weights(adam.variables)
    again.build([kernel, bias])
    with pytest.raises(ValueError, match="takes 10 arrays"):
        again.set_weights(adam.variables[:3])
    again.set_weights(adam.variables)
    assert (again.iterations, again.learning_rate) == (1, 0.5)
    for ours, theirs in zip(again.variables, adam.variables, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    again.variables[4].assign(np.zeros((2, 1)))  # the way to start an optimizer anew
    assert again.state["momentum"].tolist()[:2] == [0.0, 0.0]


def test_an_optimizer_on_a_schedule_keeps_no_learning_rate():
    adam = optimizers.Adam(0.001)
    adam.learning_rate = optimizers.schedules.PolynomialDecay(adam.learning_rate, 4)
    assert [one.name for one in adam.variables] == ["iteration"]


def test_the_mean_of_the_weights_can_be_put_in_their_place():
    w = Variable(np.array([2.0]))
    sgd = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        sgd.apply_gradients([(np.ones(1), w)])
    sgd.finalize_variable_values([w])
    assert w.numpy().tolist() == [0.5]  # the mean of 1 and 0
