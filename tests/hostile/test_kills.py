"""A save that is killed at any of its steps, or finds the disk full at any byte, leaves the old file or the new one."""

import json
import resource
import signal
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest

import multilayer as ml
from helpers.paths import TESTS
from hostile.whole import MODELS, WEIGHTS, network


@pytest.mark.parametrize("name", [*MODELS, *WEIGHTS])
def test_a_save_killed_at_any_step_leaves_the_old_file_or_the_new_one(tmp_path, name):
    answer = subprocess.run(
        [sys.executable, "-m", "hostile.kills", tmp_path, name],
        env={"PYTHONPATH": str(TESTS), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert answer.returncode == 0, answer.stderr
    found = json.loads(answer.stdout)
    assert found["steps"] >= 8  # it was opened, written to, synchronized, renamed, and its folder synchronized
    assert found["old"] + found["new"] == found["steps"]
    assert found["old"] >= 4
    assert found["new"] >= 3


@contextmanager
def disk_of(size):
    """Within it, files can have no more than so many bytes: those of the test run itself, too, so that it is short."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("name", [*MODELS, *WEIGHTS])
def test_a_disk_that_is_full_at_any_byte_leaves_the_old_file_alone(tmp_path, name):
    old, new = network(), network()
    new.set_weights([weight + 1 for weight in new.get_weights()])
    path = tmp_path / name

    def save(model):
        (model.save if name in MODELS else model.save_weights)(path)

    save(old)
    before = path.read_bytes()
    for part in range(8):
        with pytest.raises(OSError, match="nothing was written") as error, disk_of(len(before) * part // 8):
            save(new)
        assert error.value.filename == str(path)
        assert path.read_bytes() == before
        assert list(tmp_path.iterdir()) == [path]
    save(new)
    assert path.read_bytes() != before


def test_what_a_full_disk_leaves_can_be_loaded(tmp_path):
    model, path = network(), tmp_path / "model.npz"
    model.save(path)
    with pytest.raises(OSError, match="File too large"), disk_of(100):
        model.save(path)
    np.testing.assert_array_equal(ml.models.load_model(path).get_weights()[0], model.get_weights()[0])
