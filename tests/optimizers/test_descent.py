"""What optimizers do beside their rule: limits, decay, means, schedules; and rules on matrices and whole data sets."""

import json

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers, optimizers
from multilayer._core.arena import Arena, Variable
from multilayer.functional import orthogonalized
from multilayer.optimizers import schedules

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3)).astype("float32")
Y = (X @ [[1.0], [-2.0], [0.5]] + 0.3).astype("float32")

SCHEDULES = {
    "ExponentialDecay": schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
    "InverseTimeDecay": schedules.InverseTimeDecay(0.1, 10, 0.5),
    "PiecewiseConstantDecay": schedules.PiecewiseConstantDecay([1, 5], [0.1, 0.05, 0.01]),
    "PolynomialDecay": schedules.PolynomialDecay(0.1, 10, power=2.0, cycle=True),
    "CosineDecay": schedules.CosineDecay(0.0, 10, alpha=0.1, warmup_target=0.1, warmup_steps=5),
    "CosineDecayRestarts": schedules.CosineDecayRestarts(0.1, 10, t_mul=1.5, m_mul=0.9),
    "OneCycle": schedules.OneCycle(0.1, 50, anneal="linear"),
}


def network():
    return keras.Sequential([keras.Input((3,)), layers.Dense(4, "tanh"), layers.Dense(1)])


# --- Schedules ---


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_comes_back_from_its_config(name):
    schedule = SCHEDULES[name]
    twin = schedules.deserialize(json.loads(json.dumps(schedules.serialize(schedule))))
    assert [twin(step) for step in range(60)] == [schedule(step) for step in range(60)]
    optimizer = optimizers.Adam(schedule)
    copy = optimizers.deserialize(json.loads(json.dumps(optimizers.serialize(optimizer))))
    assert copy.learning_rate == schedule(0)


def test_one_cycle_rises_and_falls_far_below_its_start():
    rate = schedules.OneCycle(1.0, total_steps=100, pct_start=0.25, div_factor=10.0, final_div_factor=100.0)
    rates = [rate(step) for step in range(100)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[24] == pytest.approx(1.0)
    assert rates[:25] == sorted(rates[:25])
    assert rates[24:] == sorted(rates[24:], reverse=True)
    assert rates[-1] == pytest.approx(0.001)
    assert rate(1000) == rates[-1]


def test_a_step_takes_the_rate_of_its_number():
    optimizer = optimizers.SGD(schedules.PiecewiseConstantDecay([0, 1], [1.0, 0.5, 0.25]))
    w = np.array([0.0])
    for _ in range(3):
        optimizer.step(np.array([1.0]), w)
    assert w[0] == -1.75
    with pytest.raises(TypeError, match="its learning rate is not settable"):
        optimizer.learning_rate = 0.1


def test_a_rate_may_be_a_function_which_a_config_names():
    def half():
        return 0.5

    optimizer = optimizers.SGD(half)
    assert optimizer.learning_rate == 0.5
    assert optimizer.get_config()["learning_rate"]["config"] == "half"
    with pytest.warns(UserWarning, match="`lambda` is described by a name that nothing can find it by"):
        optimizers.SGD(lambda: 0.5).get_config()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: schedules.ExponentialDecay(0.1, 0, 0.5), "`decay_steps` must be a finite number more than 0"),
        (lambda: schedules.PiecewiseConstantDecay([1, 2], [0.1]), "1 less than the length of values"),
        (lambda: schedules.OneCycle(0.1, 10, anneal="steps"), "Unknown anneal"),
        (lambda: schedules.OneCycle(0.1, 10, pct_start=2.0), "`pct_start` must be"),
        (lambda: optimizers.Adam(clipnorm=1.0, clipvalue=1.0), "Only one of `clipnorm`"),
        (lambda: optimizers.Adam(clipnorm=-1.0), "`clipnorm` must be a number more than 0"),
        (lambda: optimizers.Adam(gradient_accumulation_steps=1), "must be an integer >= 2"),
        (lambda: optimizers.Adam(use_ema=True, ema_momentum=2.0), "`ema_momentum` must be"),
        (lambda: optimizers.Adam(use_ema=True, ema_overwrite_frequency=0.5), "must be an integer >= 1"),
        (lambda: optimizers.Adam(speed=3), r"Argument\(s\) not recognized: {'speed': 3}"),
        (lambda: optimizers.AdamW(weight_decay=None), "`weight_decay` must be a float"),
        (lambda: optimizers.Lion(beta_1=0.0), "`beta_1` must be"),
    ],
)
def test_arguments_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


# --- Limits and means ---


def test_the_callers_gradient_is_left_alone():
    gradient = np.array([3.0, 4.0])
    for option in ({"clipnorm": 1.0}, {"clipvalue": 1.0}, {"global_clipnorm": 1.0}, {"gradient_accumulation_steps": 2}):
        optimizers.SGD(0.1, **option).step(gradient, np.zeros(2))
        np.testing.assert_array_equal(gradient, [3.0, 4.0])


def test_a_weights_gradient_is_clipped_by_itself():
    a, b = Variable(np.zeros(2)), Variable(np.zeros(2))
    arena, sgd = Arena([a, b]), optimizers.SGD(1.0, clipnorm=1.0)
    sgd.follow([a, b])
    sgd.step(np.array([3.0, 4.0, 0.3, 0.4]), arena.parameters)
    np.testing.assert_allclose(arena.parameters, [-0.6, -0.8, -0.3, -0.4])


def test_several_batches_make_one_step():
    w, optimizer = np.zeros(1), optimizers.SGD(1.0, gradient_accumulation_steps=3)
    for g, expected in ((1.0, 0.0), (2.0, 0.0), (6.0, -3.0), (1.0, -3.0)):
        optimizer.step(np.array([g]), w)
        assert w[0] == expected
    assert optimizer.iterations == 1


def test_the_running_mean_takes_the_place_of_the_weights_in_the_end():
    model = network()
    model.compile(optimizers.SGD(0.05, use_ema=True, ema_momentum=0.9), "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    vector = np.concatenate([w.ravel() for w in model.get_weights()])
    np.testing.assert_array_equal(vector, model.optimizer.state["average"])


def test_weights_are_excluded_by_name_or_by_themselves():
    kernel, bias = Variable(np.ones(2), name="kernel"), Variable(np.ones(2), name="bias")
    for exclusion, expected in (({"var_names": ["bias"]}, [0.5, 1.0]), ({"var_list": [kernel]}, [1.0, 0.5])):
        arena, sgd = Arena([kernel, bias]), optimizers.SGD(1.0, weight_decay=0.5)
        arena.parameters[...] = 1.0
        sgd.exclude_from_weight_decay(**exclusion)
        sgd.follow([kernel, bias])
        sgd.step(np.zeros(4), arena.parameters)
        np.testing.assert_array_equal(arena.parameters[[0, 2]], expected)
        with pytest.raises(ValueError, match="before the optimizer is built"):
            sgd.exclude_from_weight_decay(var_names=["bias"])


def test_gradients_of_ones_own_can_be_applied():
    a, b = Variable(np.ones((2, 2))), Variable(np.ones(2))
    b.constraint = keras.constraints.NonNeg()
    sgd = optimizers.SGD(1.0)
    assert sgd.apply_gradients([(np.full((2, 2), 0.5), a), (np.full(2, 3.0), b)]) == 1
    np.testing.assert_array_equal(a.value, np.full((2, 2), 0.5))
    np.testing.assert_array_equal(b.value, [0.0, 0.0])
    with pytest.raises(ValueError, match="Received 1 gradients for 2 variables"):
        sgd.apply([np.ones(2)])
    with pytest.raises(ValueError, match="must already be built"):
        optimizers.SGD().apply([np.ones(2)])


# What Keras 3.15.1 (JAX) gives after gradients for both weights, for the first alone, and for the second alone.
@pytest.mark.parametrize(
    ("optimizer", "first", "second"),
    [
        (optimizers.SGD(0.1, momentum=0.9), [0.855, 2.29], [2.71, -4.29]),
        (optimizers.Adam(0.1), [0.8000027537, 2.1999976635], [2.8141553402, -4.1858448982]),
        (optimizers.AdamW(0.1, weight_decay=0.1), [0.7811027765, 2.1591978073], [2.7554552555, -4.1052451134]),
        (optimizers.SGD(0.1, momentum=0.9, global_clipnorm=0.5), [0.9512910843, 2.0974178314], [2.9119482, -4.0880523]),
    ],
    ids=["momentum", "Adam", "AdamW", "clipped"],
)
def test_weights_without_a_gradient_stay_as_they_are(optimizer, first, second):
    a, b = (Variable(np.array(values, "float32"), name=name) for name, values in (("a", [1, 2]), ("b", [3, -4])))
    optimizer.apply([[0.5, -1.0], [1.0, 1.0]], [a, b])
    with pytest.warns(UserWarning, match=r"Gradients do not exist for variables \['b'\]"):
        optimizer.apply([[0.5, -1.0], None], [a, b])
    assert optimizer.apply_gradients([([1.0, 1.0], b)]) == 3  # some of the weights of the first step
    np.testing.assert_allclose(a.value, first, rtol=1e-5)
    np.testing.assert_allclose(b.value, second, rtol=1e-5)


def test_a_running_mean_of_the_weights_goes_on_without_a_gradient():
    a, b = Variable(np.ones(1)), Variable(np.ones(1))
    sgd = optimizers.SGD(0.5, weight_decay=0.1, use_ema=True, ema_momentum=0.5)
    sgd.apply([[0.0], [0.0]], [a, b])
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        sgd.apply([[0.0], None])
    np.testing.assert_allclose([a.value[0], b.value[0]], [0.95**2, 0.95])  # weight decay passes over b as well
    np.testing.assert_allclose(sgd.state["average"], [0.5 * 0.95 + 0.5 * 0.95**2, 0.95])


@pytest.mark.parametrize(
    ("gradients", "message"),
    [
        ([None, None], "No gradients provided for any variable.*within the `with`"),
        ([np.ones((1, 2)), np.ones(2)], r"weight's shape, \(2, 1\). Received shape \(1, 2\)"),
        ([np.ones((2, 1)), np.ones(1)], r"weight's shape, \(2,\). Received shape \(1,\)"),
        ([np.ones((2, 1)), 1.0], r"weight's shape, \(2,\). Received shape \(\)"),
        ([np.ones((2, 1)), ["a", "b"]], "must be an array of real numbers"),
    ],
)
def test_gradients_that_do_not_fit_change_nothing(gradients, message):
    a, b = Variable(np.ones((2, 1))), Variable(np.ones(2))
    sgd = optimizers.SGD(1.0)
    with pytest.raises(ValueError, match=message):
        sgd.apply(gradients, [a, b])
    assert sgd.iterations == 0
    assert not sgd.built
    assert a.value.all()
    assert b.value.all()


# --- Matrices, and the whole data set ---


@pytest.mark.parametrize("shape", [(4, 4), (3, 7), (7, 3)])
def test_singular_values_are_brought_near_to_one(shape):
    x = np.random.default_rng(0).normal(size=shape)
    found = np.linalg.svd(orthogonalized(x, 5, 3.4445, -4.775, 2.0315), compute_uv=False)
    assert found.min() > 0.3
    assert found.max() < 1.3


def test_lbfgs_finds_the_least_squares():
    pytest.importorskip("scipy")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    model.compile(optimizers.LBFGS(), "mse", metrics=["mae"])
    history = model.fit(X, Y, epochs=50, batch_size=7, verbose=0, validation_data=(X, Y))
    np.testing.assert_allclose(model.get_weights()[0], [[1.0], [-2.0], [0.5]], atol=1e-3)
    assert 1 < len(history.epoch) < 50  # it was content before
    assert history.history["val_loss"][-1] < 1e-6
    assert set(history.history) == {"loss", "mae", "val_loss", "val_mae"}


def test_lbfgs_heeds_penalties_callbacks_and_the_number_of_epochs():
    pytest.importorskip("scipy")
    model = network()
    model.compile("lbfgs", "mse")
    losses = model.fit(X, Y, epochs=4, verbose=0).history["loss"]
    assert len(losses) == 4
    assert losses == sorted(losses, reverse=True)

    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    assert len(model.fit(X, Y, epochs=9, verbose=0, callbacks=[Stop()]).epoch) == 2


@pytest.mark.parametrize("name", ["sgd", "adamw", "nadam", "lion", "muon", "adadelta"])
def test_float64_stays_float64(name):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2, dtype="float64"), layers.Dense(1, dtype="float64")])
    model.compile(name, "mse")
    model.fit(X, Y, verbose=0)
    assert {w.dtype for w in model.get_weights()} == {np.dtype("float64")}


def test_a_decay_of_older_programs_is_left_out_with_a_warning():
    with pytest.warns(UserWarning, match="Argument `decay` is no longer supported and will be ignored"):
        optimizer = optimizers.SGD(0.1, decay=1e-6)
    assert optimizer.learning_rate == 0.1


# --- Rules on each weight as a whole ---


def steps_on_two_weights(optimizer, gradients):
    """Three steps on a matrix and a vector; what they come to."""
    W, b = Variable(np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]])), Variable(np.array([0.1, -0.2]))
    arena = Arena([W, b])
    optimizer.follow([W, b])
    for g in gradients:
        optimizer.step(g, arena.parameters)
    return W.numpy(), b.numpy()


def lamb(w, gradients, rate, beta_1, beta_2, epsilon):
    w, m, v = w.copy(), 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g * g
        u = m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)
        w -= rate * np.linalg.norm(w) / np.linalg.norm(u) * u
    return w


def adafactor(w, gradients, rate, decay, epsilon_2, threshold):
    w, r, c, v = w.copy(), 0.0, 0.0, 0.0
    for t, g in enumerate(gradients, start=1):
        beta = 1 - t**decay
        if w.ndim == 2:
            r = beta * r + (1 - beta) * (g * g).mean(axis=1)
            c = beta * c + (1 - beta) * (g * g).mean(axis=0)
            v = np.outer(r, c) / r.mean()
        else:
            v = beta * v + (1 - beta) * g * g
        u = g / np.sqrt(v)
        size = min(rate, t**-0.5) * max(epsilon_2, np.sqrt((w * w).mean()))
        w -= size * u / max(1.0, np.sqrt((u * u).mean()) / threshold)
    return w


@pytest.mark.parametrize(
    ("optimizer", "formula", "numbers"),
    [
        (optimizers.Lamb(0.1, 0.8, 0.9, 1e-3), lamb, (0.1, 0.8, 0.9, 1e-3)),
        (optimizers.Adafactor(0.1, clip_threshold=0.5), adafactor, (0.1, -0.8, 1e-3, 0.5)),
        (optimizers.Adafactor(5.0, -0.5, epsilon_2=2.0), adafactor, (5.0, -0.5, 2.0, 1.0)),
    ],
)
def test_each_weight_goes_the_way_of_the_formula_as_a_whole(optimizer, formula, numbers):
    gradients = np.random.default_rng(3).normal(size=(3, 8))
    W, b = steps_on_two_weights(optimizer, gradients)
    of_W, of_b = (g[:6].reshape(2, 3) for g in gradients), (g[6:] for g in gradients)
    np.testing.assert_allclose(W, formula(np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]]), of_W, *numbers), rtol=1e-10)
    np.testing.assert_allclose(b, formula(np.array([0.1, -0.2]), of_b, *numbers), rtol=1e-10)


@pytest.mark.parametrize("name", ["lamb", "adafactor", "ftrl", "schedule_free_adam_w"])
def test_a_file_has_what_each_weight_has_gathered(tmp_path, name):
    model = network()
    model.compile(optimizers.get({"class_name": name, "config": {"learning_rate": 0.01}}), "mse")
    model.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    state = {slot: vector.copy() for slot, vector in model.optimizer.state.items()}
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert state.keys() == again.optimizer.state.keys()
    for slot, vector in state.items():
        np.testing.assert_array_equal(again.optimizer.state[slot], vector)
    for one in (model, again):
        one.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    for ours, theirs in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: optimizers.Adafactor(beta_2_decay=0.5), "`beta_2_decay` must be a finite number less than 0"),
        (lambda: optimizers.Adafactor(clip_threshold=0), "`clip_threshold` must be a number more than 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), "`learning_rate_power` needs to be negative or zero"),
        (lambda: optimizers.Ftrl(initial_accumulator_value=-1), "`initial_accumulator_value` needs to be positive or"),
        (lambda: optimizers.Ftrl(l1_regularization_strength=None), "`l1_regularization_strength` needs to be positive"),
        (lambda: optimizers.ScheduleFreeAdamW(beta_1=0.0), "`beta_1` must be more than 0"),
        (lambda: optimizers.ScheduleFreeAdamW(warmup_steps=-1), "`warmup_steps` must be a whole number of at least 0"),
    ],
)
def test_numbers_out_of_range_are_refused_before_a_step(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_leader_stays_where_it_is_at_the_end_of_a_schedule_and_is_0_without_gradients():
    ftrl = optimizers.Ftrl(0.5, initial_accumulator_value=0.0)
    w = np.array([1.0, 1.0])
    ftrl.step(np.array([2.0, 0.0]), w)
    np.testing.assert_allclose(w, [0.5, 0.0])
    ftrl.learning_rate = 0.0
    ftrl.step(np.array([3.0, 3.0]), w)
    np.testing.assert_allclose(w, [0.5, 0.0])


def test_the_mean_is_found_from_where_its_steps_were():
    """Against Keras 3.15.1 on JAX; on TensorFlow it takes z after its step for z before it."""
    w = Variable(np.array([0.5, -1.0, 2.0], "float32"))
    optimizer = optimizers.ScheduleFreeAdamW(
        0.05, beta_1=0.8, beta_2=0.9, epsilon=1e-3, warmup_steps=3, weight_decay=0.01
    )
    for g in ([1.0, -2.0, 0.5], [0.3, 0.7, -1.5], [-1.0, 0.1, 2.0], [0.2, -0.4, 0.6]):
        optimizer.apply([np.array(g, "float32")], [w])
    np.testing.assert_allclose(w.value, [0.50217384, -0.98993671, 1.96822953], rtol=1e-6)


def test_a_learning_rate_that_returns_nothing_says_so():
    def rate():
        pass

    with pytest.raises(ValueError, match="The learning rate `rate` returned None: is there a `return`"):
        optimizers.SGD(rate).apply([np.ones(2)], [Variable(np.ones(2))])


def test_of_no_epochs_no_average_takes_the_place_of_weights_as_in_keras():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile(optimizers.SGD(0.1, use_ema=True), "mse")
    model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0)
    model.set_weights([np.full((2, 1), 7.0), np.zeros(1)])
    model.fit(np.ones((4, 2)), np.ones((4, 1)), epochs=0, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], np.full((2, 1), 7.0))
