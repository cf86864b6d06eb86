"""Trainings of the command line that are broken off, and go on."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import multilayer as ml
from helpers.commands import FILES, SMALL, call, rows, start
from multilayer.cli import interruption, run_folder
from multilayer.cli.interruption import Backups
from multilayer.cli.train_options import TrainOptions
from multilayer.datasets import synthetic_digits


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The folder of a small run that nothing has disturbed."""
    folder = tmp_path_factory.mktemp("runs") / "whole"
    call("train", *SMALL, "--output", folder)
    return folder


# --- Ctrl-C ---


class PressCtrlC(ml.callbacks.Callback):
    """Presses Ctrl-C after a step of an epoch, both counted from 1."""

    def __init__(self, epoch, step):
        self.at = epoch, step

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch + 1) == self.at:
            signal.raise_signal(signal.SIGINT)


@pytest.fixture
def press_ctrl_c(monkeypatch):
    """`press_ctrl_c(epoch, step)` makes every `fit` press Ctrl-C there."""
    fit = ml.Sequential.fit

    def press(epoch, step):
        def interrupted(self, *data, callbacks, **arguments):
            return fit(self, *data, callbacks=[PressCtrlC(epoch, step), *callbacks], **arguments)

        monkeypatch.setattr(ml.Sequential, "fit", interrupted)

    return press


def epochs_in(folder):
    return [row["epoch"] for row in rows((folder / "history.csv").read_text())]


def test_ctrl_c_ends_the_training_and_saves_what_there_is(press_ctrl_c, tmp_path):
    folder = tmp_path / "run"
    press_ctrl_c(epoch=2, step=3)
    stdout, stderr = call("train", *SMALL, "--epochs", "9", "--output", folder, code=130)
    assert "Stopped by Ctrl-C after step 3 of 19 in epoch 2 of 9." in stderr
    assert f"The run is in {folder}:" in stdout
    assert f"To go on: multilayer train --resume {folder}" in stderr
    assert {path.name for path in folder.iterdir()} == FILES
    assert epochs_in(folder) == ["1"]  # of the second only a part was seen


def test_ctrl_c_in_the_first_epoch_leaves_no_history(press_ctrl_c, tmp_path):
    press_ctrl_c(epoch=1, step=3)
    stdout, _ = call("train", *SMALL, "--output", tmp_path / "run", code=130)
    assert {path.name for path in (tmp_path / "run").iterdir()} == FILES - {
        "history.csv",
        "accuracy.png",
        "loss.png",
    }
    assert "model.npz" in stdout
    assert "history.csv" not in stdout


def test_the_second_ctrl_c_stops_at_once_and_leaves_the_backup(press_ctrl_c, monkeypatch, tmp_path):
    press_ctrl_c(epoch=2, step=3)
    monkeypatch.setattr(ml.Sequential, "evaluate", lambda *_, **__: signal.raise_signal(signal.SIGINT))
    call("train", *SMALL, "--output", tmp_path / "run", code=130)
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        "run.json",
        "trained_on.json",
        "backup",
        "model.npz",  # of the first epoch
        "history.csv",
    }
    monkeypatch.undo()
    call("train", "--resume", tmp_path / "run")
    assert epochs_in(tmp_path / "run") == ["1", "2"]


def test_ctrl_c_during_the_validation_ends_the_training_after_it(tmp_path):
    class DuringValidation(ml.callbacks.Callback):
        def on_test_begin(self, logs=None):
            signal.raise_signal(signal.SIGINT)

    model = ml.Sequential([ml.Input((2,)), ml.layers.Dense(1)])
    model.compile(loss="mse")
    x, y = np.zeros((4, 2)), np.zeros((4, 1))
    backups, before = Backups(tmp_path), signal.getsignal(signal.SIGINT)
    callbacks = [DuringValidation(), backups]
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=2, epochs=5, validation_data=(x, y), verbose=0, callbacks=callbacks)
    assert model.history.epoch == [0]
    assert str(backups.stop) == "Stopped by Ctrl-C after step 2 of 2 in epoch 1 of 5."
    assert signal.getsignal(signal.SIGINT) is before


def test_ctrl_c_before_the_training_leaves_nothing(monkeypatch, tmp_path):
    def load_data(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(synthetic_digits, "load_data", load_data)
    call("train", *SMALL, "--output", tmp_path / "run", code=130)
    assert list(tmp_path.iterdir()) == []


SIGNALS = {"Ctrl-C": signal.SIGINT, "SIGTERM": signal.SIGTERM}


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals for another process")
@pytest.mark.parametrize("name", SIGNALS)
def test_a_real_signal_ends_a_real_training(name, tmp_path):
    folder = tmp_path / "run"
    process = start("train", *SMALL, "--epochs", "1000000", "--output", folder)
    for line in process.stderr:
        if "  Epoch 3/" in line:
            process.send_signal(SIGNALS[name])
            break
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 128 + SIGNALS[name]
    assert re.search(rf"^Stopped by {name} after step \d+ of 19 in epoch \d+ of 1000000\.", stderr, re.MULTILINE)
    assert f"The run is in {folder}:" in stdout
    assert {path.name for path in folder.iterdir()} == FILES


# --- Going on ---


def weights_in(folder):
    return ml.models.load_model(folder / "model.npz").get_weights()


def assert_same_run(one, other):
    assert all(np.array_equal(a, b) for a, b in zip(weights_in(one), weights_in(other), strict=True))
    assert (one / "history.csv").read_bytes() == (other / "history.csv").read_bytes()
    assert {path.name for path in one.iterdir()} == {path.name for path in other.iterdir()} == FILES
    names = {ml.models.load_model(folder / "model.npz").optimizer.name for folder in (one, other)}
    assert names == {"adam"}


@pytest.mark.parametrize("at", [(1, 1), (1, 19), (2, 7), (2, 19)])
def test_a_run_that_goes_on_is_the_same_as_one_that_was_never_stopped(at, run, press_ctrl_c, monkeypatch, tmp_path):
    press_ctrl_c(*at)
    call("train", *SMALL, "--output", tmp_path / "run", code=130)
    monkeypatch.undo()
    _, stderr = call("train", "--resume", tmp_path / "run")
    assert f"Going on after step {at[1]} of 19 in epoch {at[0]}" in stderr
    assert f"Epoch {at[0]}/2" in stderr
    assert_same_run(tmp_path / "run", run)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs a signal that nobody can catch")
@pytest.mark.parametrize("backups", ["of every step", "none yet"])
def test_a_run_that_was_killed_goes_on(backups, run, tmp_path):
    folder = tmp_path / "run"
    seconds = "0" if backups == "of every step" else "1000"
    program = (
        "import multilayer.cli.interruption as i, os, signal, multilayer as ml\n"
        f"i.BACKUP_SECONDS, i._SHARE = {seconds}, 1e9\n"
        "def kill(self, batch, logs=None):\n"
        "    if self.model.optimizer.iterations == 30: os.kill(os.getpid(), signal.SIGKILL)\n"
        "i.Divergence.on_train_batch_end = kill\n"
        "from multilayer.cli import main; main()"
    )
    command = [sys.executable, "-c", program, "train", *SMALL, "--output", folder]
    assert subprocess.run(command, capture_output=True, check=False).returncode == -signal.SIGKILL
    assert (folder / "backup" / "latest.npz").exists() == (backups == "of every step")
    _, stderr = call("train", "--resume", folder)
    assert ("Epoch 1/2" in stderr) == (backups == "none yet")
    assert_same_run(folder, run)


def test_a_run_that_nobody_gave_a_seed_goes_on_with_its_own(press_ctrl_c, monkeypatch, tmp_path):
    small = ["--data", "synthetic_digits", "--samples", "60", "--epochs", "2"]
    press_ctrl_c(epoch=1, step=1)
    call("train", *small, "--output", tmp_path / "run", code=130)
    monkeypatch.undo()
    call("train", "--resume", tmp_path / "run")
    seed = json.loads((tmp_path / "run" / "run.json").read_text())["options"]["seed"]
    call("train", *small, "--seed", seed, "--output", tmp_path / "whole")
    assert_same_run(tmp_path / "run", tmp_path / "whole")


def test_a_complete_run_has_nothing_left_to_do(run):
    before = (run / "model.npz").read_bytes()
    stdout, _ = call("train", "--resume", run)
    assert f"The run in {run} is complete: all 2 epochs are trained, and nothing is left to do." in stdout
    assert (run / "model.npz").read_bytes() == before


@pytest.mark.parametrize("interrupted", [False, True])
def test_more_epochs_come_to_the_same_as_if_they_had_been_asked_for_at_once(
    interrupted, press_ctrl_c, monkeypatch, tmp_path
):
    if interrupted:
        press_ctrl_c(2, 7)
    call("train", *SMALL, "--output", tmp_path / "run", code=130 if interrupted else 0)
    monkeypatch.undo()
    call("train", "--resume", tmp_path / "run", "--epochs", "4")
    call("train", *SMALL, "--epochs", "4", "--output", tmp_path / "whole")
    assert_same_run(tmp_path / "run", tmp_path / "whole")
    assert "all 4 epochs are trained" in call("train", "--resume", tmp_path / "run")[0]


def test_more_epochs_need_the_backup_of_a_complete_run(tmp_path):
    call("train", *SMALL, "--output", tmp_path / "run")
    (tmp_path / "run" / "backup" / "latest.npz").unlink()
    (tmp_path / "run" / "backup").rmdir()
    _, stderr = call("train", "--resume", tmp_path / "run", "--epochs", "3", code=1)
    assert "is complete, and holds no backup, which more epochs would go on from" in stderr


def test_model_and_history_are_there_while_training_runs(monkeypatch, tmp_path):
    seen = []

    def look(self, epoch, logs=None):
        seen.append([(tmp_path / "run" / name).exists() for name in ("model.npz", "history.csv")])

    monkeypatch.setattr(interruption.Divergence, "on_epoch_begin", look)
    monkeypatch.setattr(interruption.Divergence, "epoch", 0, raising=False)
    call("train", *SMALL, "--output", tmp_path / "run")
    assert seen == [[False, False], [True, True]]


@pytest.mark.parametrize("first", ["train", "--resume"])
@pytest.mark.parametrize("second", ["train", "--resume", "compare"])
def test_whoever_comes_second_to_a_folder_is_refused_before_any_work(first, second, monkeypatch, tmp_path):
    folder = tmp_path / "run"
    if first == "--resume":
        call("train", *SMALL, "--output", folder)
        monkeypatch.setattr("multilayer.cli.run_folder.is_complete", lambda *_: False)
    with run_folder.folder_to_go_on_in(folder) if first == "--resume" else run_folder.new_folder(folder):
        if first == "train":
            run_folder.write_run(TrainOptions("synthetic_digits", 6, "5", "relu", "adam", None, 1, 32, 1), folder)
        monkeypatch.setattr(synthetic_digits, "load_data", lambda *_: pytest.fail("loaded"))
        arguments = ["train", "--resume", folder] if second == "--resume" else [second, "--output", folder]
        _, stderr = call(*arguments, code=1)
        assert f"Another process is writing a run to {folder}." in stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--epochs", "1"],
            "was begun with --epochs 2, and cannot go on with --epochs 1. More epochs can be asked for, fewer not.",
        ),
        (["--learning-rate", "0.5"], "was begun without --learning-rate, and cannot go on with --learning-rate 0.5."),
        (["--hidden", "12"], "was begun with --hidden 50, and cannot go on with --hidden 12."),
        (["--data", "mnist"], "was begun with --data synthetic_digits, and cannot go on with --data mnist."),
        (["--output", "elsewhere"], "Leave out --output elsewhere."),
    ],
)
def test_options_that_contradict_the_run_are_refused(options, message, run, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    _, stderr = call("train", "--resume", run, *options, code=1)
    assert message in stderr
    assert list(tmp_path.iterdir()) == []


def test_options_that_agree_with_the_run_are_not(run):
    assert "is complete" in call("train", "--resume", run, *SMALL, "--hidden", "50", "--output", run)[0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "holds no run to go on with: there is no run.json in it."),
        ("", "run.json does not say what the run was begun with: "),
        ("[]", "it does not say whether the run is complete."),
        ('{"complete": false, "options": {"epochs": 3}}', "expected the options data, samples, hidden, "),
        ("epochs", "--epochs is 0 (expected a whole number of at least 1)."),
        ("hidden", "--hidden is 0 (expected text)."),
        ("data", "--data is 0 (expected text)."),
    ],
)
def test_a_folder_without_a_run_is_refused(content, message, run, tmp_path):
    path = tmp_path / "run.json"
    if content in ("epochs", "hidden", "data"):
        found = json.loads((run / "run.json").read_text())
        found["options"][content] = 0
        content = json.dumps(found)
    if content is not None:
        path.write_text(content)
    _, stderr = call("train", "--resume", tmp_path, code=1)
    assert message in stderr


def test_a_folder_that_is_missing_is_named(tmp_path):
    _, stderr = call("train", "--resume", tmp_path / "none", code=1)
    assert f"There is no folder {tmp_path / 'none'}. Expected the folder of a run" in stderr


def test_a_backup_of_another_run_is_refused(press_ctrl_c, monkeypatch, tmp_path):
    press_ctrl_c(epoch=1, step=2)
    call("train", *SMALL, "--output", tmp_path / "run", code=130)
    monkeypatch.undo()
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace('"hidden": "50"', '"hidden": "51"'))
    _, stderr = call("train", "--resume", tmp_path / "run", code=1)
    assert "does not fit this run: weights[0]: 784 x 50 then, 784 x 51 now" in stderr


# --- Faults ---


def test_a_loss_that_explodes_ends_the_training_with_advice(tmp_path):
    options = ["--optimizer", "sgd", "--learning-rate", "1e30", "--activation", "relu"]
    with np.errstate(all="ignore"):
        _, stderr = call("train", *SMALL, *options, "--output", tmp_path / "run", code=1)
    assert "The loss is nan after step" in stderr
    assert "Train again with a smaller --learning-rate." in stderr
    assert not (tmp_path / "run" / "model.npz").exists()


def test_a_disk_that_is_full_from_the_beginning_is_said_before_the_training(monkeypatch, tmp_path):
    def fsync(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", fsync)
    monkeypatch.setattr(ml.Sequential, "fit", lambda *_, **__: pytest.fail("trained"))
    _, stderr = call("train", *SMALL, "--output", tmp_path / "run", code=1)
    assert f"Cannot begin the run: {tmp_path / 'run' / 'run.json'}: No space left on device" in stderr
    assert not (tmp_path / "run").exists()


def test_a_backup_that_cannot_be_written_does_not_end_the_training(monkeypatch, tmp_path):
    def write(path, *_):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("multilayer._containers.npz.write", write)
    monkeypatch.setattr(ml.Sequential, "save", lambda self, path: Path(path).write_bytes(b""))
    monkeypatch.setattr(interruption, "BACKUP_SECONDS", 0.0)
    monkeypatch.setattr(interruption, "_SHARE", 1e9)
    _, stderr = call("train", *SMALL, "--epochs", "1", "--output", tmp_path / "run")
    assert stderr.count("Note: BackupAndRestore cannot write its backup: ") == 20  # after each step, and at the end
    assert "No space left on device. Free space on that disk, or write to another one. Training goes on." in stderr
