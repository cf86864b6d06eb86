"""Rows that come in parts: keys, samples and buckets."""

import os
import shutil

import numpy as np
import pytest

from multilayer._core.hashes import splitmix64
from multilayer.tabular.streaming import (
    Buckets,
    Reservoir,
    epochs_of,
    keys_of_rows,
    options_for,
    rows_of,
)


def encoded(count):
    numbers = np.arange(2.0 * count).reshape(count, 2)
    codes = np.arange(count).reshape(count, 1) % 3
    return rows_of(numbers, codes, np.arange(count) % 2, np.ones(count), keys_of_rows(numbers, codes))


def test_keys_are_spread_and_go_by_what_stands_in_a_row():
    shares = np.bincount((splitmix64(np.arange(10_000), 3) % np.uint64(5)).astype(int)) / 10_000
    np.testing.assert_allclose(shares, 0.2, atol=0.02)
    numbers, codes = np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]]), np.array([[1], [1], [1]])
    one, same, other = keys_of_rows(numbers, codes)
    assert one == same != other
    assert keys_of_rows(numbers[:1], codes[:1] + 1)[0] != one


def test_every_row_has_the_same_chance_to_be_kept():
    counts = np.zeros(100)
    for seed in range(200):
        reservoir, kept = Reservoir(10, np.random.default_rng(seed)), np.zeros(0, int)
        for part in np.split(np.arange(100), [5, 30, 90]):
            stay, join = reservoir.kept(len(part))
            kept = np.concatenate([kept[stay], part[join]])
        assert len(kept) == 10
        counts[kept] += 1
    assert abs(counts[:30].mean() - counts[-30:].mean()) < 2
    assert counts.max() < 45


def test_buckets_hold_all_rows_and_each_is_of_all_of_them(tmp_path):
    rows = encoded(1000)
    buckets = Buckets(tmp_path, 1000, rows.dtype, 1000 * rows.dtype.itemsize // 4, np.random.default_rng(0))
    for part in np.split(rows, 10):
        buckets.add(part)
    assert os.name == "nt" or not list(tmp_path.iterdir())  # nor is there anything to be left behind
    for _ in range(2):  # as often as wanted
        parts = list(buckets)
        assert len(parts) == 4
        assert all(abs(part["numbers"][:, 0].mean() - 999) < 150 for part in parts)
        assert np.array_equal(np.sort(np.concatenate(parts), order="numbers"), np.sort(rows, order="numbers"))
    buckets.close()


def test_too_little_space_is_said_before(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(OSError, match="has 0.0 GB of free space.*TMPDIR"):
        Buckets(tmp_path, 10**9, encoded(1).dtype, 10**6, np.random.default_rng(0))


def test_large_tables_are_gone_through_once():
    assert [epochs_of(rows) for rows in (100, 10**6, 10**8)] == [20, 3, 1]


def test_members_are_divided_as_in_memory():
    assert [(one.folds, one.repeats) for one in map(options_for, (None, 2, 20))] == [(5, None), (2, 1), (5, 2)]
