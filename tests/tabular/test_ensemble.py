"""The ensemble: members that are judged by what they did not see."""

import numpy as np
import pytest

from multilayer import autodiff
from multilayer.functional import softmax
from multilayer.tabular.ensemble import Options, Pinball, Score, _folds, _power, _shares, fit_ensemble

stream = np.random.default_rng(0)


def test_every_row_is_held_out_by_as_many_members_as_there_are_repeats():
    held_out = _folds(stream.integers(3, size=61), 61, None, None, 4, 3, stream)
    assert held_out.shape == (61, 12)
    assert (held_out.sum(axis=1) == 3).all()


def test_folds_have_as_many_of_each_class():
    labels = np.repeat([0, 1], [40, 10])
    held_out = _folds(labels, 50, None, None, 5, 2, stream)
    assert (held_out[labels == 1].sum(axis=0) == 2).all()
    assert (held_out[labels == 0].sum(axis=0) == 8).all()


def test_rows_of_a_group_are_held_out_together():
    groups = np.repeat(np.arange(10), 5)
    held_out = _folds(None, 50, groups, None, 5, 2, stream)
    assert all(len(np.unique(held_out[groups == one], axis=0)) == 1 for one in range(10))


def test_a_power_undoes_confidence_that_is_too_high():
    true = softmax(stream.normal(size=(4000, 3)))
    labels = (true.cumsum(axis=1) < stream.random((4000, 1))).sum(axis=1)
    too_sure = true**2 / (true**2).sum(axis=1, keepdims=True)
    assert _power(too_sure, labels, np.ones(4000)) == pytest.approx(0.5, abs=0.05)


def test_what_is_said_of_rows_that_were_not_seen_is_that_of_members_without_them():
    x = stream.normal(size=(60, 2)).astype(np.float32)
    noise = stream.integers(2, size=60)  # nothing tells these labels: only who has seen them knows them
    found = fit_ensemble(x, np.zeros((60, 0), int), [], noise, 2, seed=0, options=Options(epochs=20))
    assert found.loss > 0.6
    assert found.loss <= min(found.losses)


def test_the_pinball_loss_has_its_derivative_and_its_minimum_at_the_quantile():
    y = np.arange(11.0)[:, None].astype(np.float32)
    loss = Pinball([0.2])
    values = [float(loss(y, np.full_like(y, guess))) for guess in range(11)]
    assert int(np.argmin(values)) == 2
    gradient = autodiff.gradient(lambda p: loss(y, p))(np.full_like(y, 5.5))
    assert np.allclose(gradient[:, 0] * len(y), np.where(y[:, 0] > 5.5, -0.2, 0.8))


def test_what_kinds_of_members_count_is_chosen_by_what_they_did_not_see():
    y = np.zeros((50, 1), np.float32)
    score = Score(y, None, (), np.ones(50))
    good, bad = y + 0.1, y + 5.0
    assert _shares([bad, good], score) == [0, 1]
    assert _shares([y + 1, y - 1], score) == [0.5, 0.5]


def test_members_that_see_quantiles_find_a_jump():
    x = stream.uniform(-1, 1, size=(300, 1)).astype(np.float32)
    y = (x > 0.1).astype(np.float32)
    found = {
        bins: fit_ensemble(x, np.zeros((300, 0), int), [], y, None, seed=0, options=Options(bins=bins, epochs=30)).loss
        for bins in (0, 16)
    }
    assert found[16] < found[0]
