"""The two-layer network in plain functions: its gradients are right, its slips are gone, and it learns."""

import numpy as np
import pytest

from multilayer import tutorial
from multilayer.functional import cross_entropy_error
from multilayer.tutorial import accuracy, init_params, predict, train, train_step, update_params

RNG = np.random.default_rng(1)


def small_problem():
    X, Y = RNG.normal(size=(6, 5)), np.array([0, 1, 2, 0, 1, 2])
    return X, Y, init_params(5, 4, 3, weight_init_std=0.5, rng=np.random.default_rng(2))


def test_parameters_start_small_and_biases_at_zero():
    W1, b1, W2, b2 = init_params(784, 50, 10)
    assert [p.shape for p in (W1, b1, W2, b2)] == [(784, 50), (50,), (50, 10), (10,)]
    assert W1.std() == pytest.approx(0.01, rel=0.05)
    assert not b1.any()
    assert not b2.any()


def test_a_step_moves_every_parameter_against_its_gradient():
    X, Y, params = small_problem()
    *stepped, loss = train_step(X, Y, *params, learning_rate=1.0)
    assert loss == pytest.approx(cross_entropy_error(predict(*params, X), Y))
    for index, (before, after) in enumerate(zip(params, stepped, strict=True)):
        for place in np.ndindex(before.shape):
            nudged = [p.copy() for p in params]
            nudged[index][place] += 1e-6
            above = cross_entropy_error(predict(*nudged, X), Y)
            nudged[index][place] -= 2e-6
            slope = (above - cross_entropy_error(predict(*nudged, X), Y)) / 2e-6
            assert before[place] - after[place] == pytest.approx(slope, rel=1e-5, abs=1e-9)


def test_the_update_subtracts_the_gradients_and_not_the_weights():
    W1, b1, W2, b2 = np.ones((2, 2)), np.ones(2), np.ones((2, 2)), np.ones(2)
    zero = np.zeros((2, 2))
    updated = update_params(W1, b1, W2, b2, zero, np.zeros(2), zero, np.zeros(2), 0.1)
    for before, after in zip((W1, b1, W2, b2), updated, strict=True):
        np.testing.assert_array_equal(before, after)


def test_the_arrays_passed_in_are_left_alone():
    X, Y, params = small_problem()
    copies = [p.copy() for p in params]
    train_step(X, Y, *params)
    for before, after in zip(copies, params, strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_verbose_step_prints_prediction_target_and_loss(capsys):
    X, Y, params = small_problem()
    train_step(X, Y, *params, verbose=True)
    printed = capsys.readouterr().out
    assert printed.startswith("---------\n")
    assert "Loss: " in printed


def test_accuracy_is_the_share_of_labels_met():
    X, Y, params = small_problem()
    guesses = predict(*params, X).argmax(axis=1)
    assert accuracy(*params, X, guesses) == 1.0
    assert accuracy(*params, X, (guesses + 1) % 3) == 0.0
    assert accuracy(*params, X, Y) == np.mean(guesses == Y)


def test_figures_are_taken_once_an_epoch_whatever_the_batch_size(capsys):
    x, y = RNG.normal(size=(10, 3)), RNG.integers(0, 2, 10)
    record = train(x, y, x, y, hidden_size=3, iters_num=12, batch_size=3, seed=0)
    assert len(record.train_loss_list) == 12
    assert len(record.train_acc_list) == len(record.test_acc_list) == 4  # 3 steps an epoch: 0, 3, 6, 9
    assert capsys.readouterr().out.count("train acc, test acc | ") == 4


def test_the_learning_rate_is_heeded():
    x, y = RNG.normal(size=(10, 3)), RNG.integers(0, 2, 10)
    still = train(x, y, x, y, iters_num=5, batch_size=3, learning_rate=0.0, seed=0, verbose=False)
    start = init_params(3, 50, int(y.max()) + 1, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(still.params[0], start[0])


def test_the_same_seed_gives_the_same_run():
    x, y = RNG.normal(size=(10, 3)), RNG.integers(0, 2, 10)
    runs = [train(x, y, x, y, iters_num=5, batch_size=3, seed=3, verbose=False) for _ in range(2)]
    assert runs[0].train_loss_list == runs[1].train_loss_list


def test_it_learns():
    x = np.concatenate([RNG.normal(-2, 1, (100, 4)), RNG.normal(2, 1, (100, 4))])
    y = np.repeat([0, 1], 100)
    record = train(x, y, x, y, hidden_size=8, iters_num=400, batch_size=20, seed=0, verbose=False)
    assert record.test_acc_list[-1] > 0.97
    assert record.train_loss_list[-1] < 0.3 < record.train_loss_list[0]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y_train": [0, 1]}, "one label a sample; got 10 and 2"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(change, message):
    x, y = RNG.normal(size=(10, 3)), RNG.integers(0, 2, 10)
    arguments = {"x_train": x, "y_train": y, "x_test": x, "y_test": y, **change}
    with pytest.raises(ValueError, match=message):
        train(**arguments)


def test_every_function_is_documented():
    for name in ("init_params", "update_params", "train_step", "predict", "accuracy", "train"):
        assert getattr(tutorial, name).__doc__
