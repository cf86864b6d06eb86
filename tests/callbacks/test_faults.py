"""Full disks, folders that cannot be written to, losses that explode, and signals: the last good file stays."""

import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import multilayer as keras
from multilayer import callbacks, layers
from multilayer._containers import npz
from multilayer.callbacks import BackupAndRestore, Callback, CSVLogger, ModelCheckpoint

X = np.linspace(0, 1, 24, dtype="float32").reshape(12, 2)
Y = X.sum(axis=1)


def compiled(rate=0.1):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), layers.Dense(40, "relu"), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse")
    return model


def fit(model, *watchers, epochs=4, **arguments):
    return model.fit(X, Y, batch_size=4, epochs=epochs, verbose=0, callbacks=[*watchers], **arguments)


WRITERS = {
    "ModelCheckpoint": lambda folder, **arguments: ModelCheckpoint(folder / "model.npz", **arguments),
    "BackupAndRestore": lambda folder, **arguments: BackupAndRestore(folder, delete_checkpoint=False, **arguments),
    "CSVLogger": lambda folder, **arguments: CSVLogger(folder / "log.csv", **arguments),
}


# --- Before the training ---


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_is_none_is_found_before_the_first_step(name, tmp_path):
    (tmp_path / "file").write_text("in the way")
    model = compiled()
    with pytest.raises(OSError, match=rf"{name} cannot write its .*file"):
        fit(model, WRITERS[name](tmp_path / "file"))
    assert model.optimizer.iterations == 0
    assert (tmp_path / "file").read_text() == "in the way"


def mounted(folder, options):
    """Whether a small file system of its own could be put there."""
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    return sys.platform == "linux" and subprocess.run(mount, capture_output=True, check=False).returncode == 0


@pytest.fixture
def read_only(tmp_path):
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        tmp_path.chmod(0o500)
        yield tmp_path
        tmp_path.chmod(0o700)
    elif mounted(tmp_path, "ro"):
        yield tmp_path
        subprocess.run(["umount", str(tmp_path)], check=True)
    else:
        pytest.skip("root may write everywhere, and cannot mount a file system to read only")


@pytest.mark.parametrize("name", WRITERS)
def test_a_folder_that_can_only_be_read_is_found_before_the_first_step(name, read_only):
    model = compiled()
    with pytest.raises(OSError, match="Make the folder writable, or choose another|can only be read: choose another"):
        fit(model, WRITERS[name](read_only))
    assert model.optimizer.iterations == 0


@pytest.mark.parametrize("name", WRITERS)
def test_what_to_do_about_errors_is_one_of_two(name, tmp_path):
    with pytest.raises(ValueError, match="Unknown on_error: 'ignore'"):
        WRITERS[name](tmp_path, on_error="ignore")


# --- On the way ---


class Fail(Callback):
    """From an epoch on, everything that is written fails with an error of the system."""

    def __init__(self, monkeypatch, epoch, number):
        self.monkeypatch, self.epoch, self.number = monkeypatch, epoch, number

    def on_epoch_begin(self, epoch, logs=None):
        def fails(*_):
            raise OSError(self.number, os.strerror(self.number))

        if epoch == self.epoch:
            self.monkeypatch.setattr(os, "fsync", fails)
            self.monkeypatch.setattr(CSVLogger, "_add", lambda log, _: fails())


FAULTS = {
    "full disk": (errno.ENOSPC, "Free space on that disk"),
    "failing disk": (errno.EIO, "The disk fails: look to it"),
    "read-only disk": (errno.EROFS, "The disk can only be read: choose another folder"),
    "largest file": (errno.EFBIG, "Raise the largest size that a file may have here"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", WRITERS)
def test_training_stops_with_a_remedy_and_the_last_file_is_whole(name, fault, monkeypatch, tmp_path):
    number, remedy = FAULTS[fault]
    with pytest.raises(OSError, match=remedy) as raised:
        fit(compiled(), WRITERS[name](tmp_path), Fail(monkeypatch, 2, number))
    monkeypatch.undo()
    assert raised.value.errno == number
    assert str(raised.value).startswith(f"[Errno {number}] {name} cannot ")
    assert "with `on_error='warn'` training goes on all the same" in str(raised.value)
    assert_whole(name, tmp_path)


@pytest.mark.parametrize("name", WRITERS)
def test_or_training_goes_on_where_that_was_asked_for(name, monkeypatch, tmp_path):
    model = compiled()
    watchers = [WRITERS[name](tmp_path, on_error="warn"), Fail(monkeypatch, 2, errno.ENOSPC)]
    with pytest.warns(UserWarning, match=f"{name} cannot .*No space left on device.*Training goes on") as said:
        assert fit(model, *watchers).epoch == [0, 1, 2, 3]
    monkeypatch.undo()
    assert len(said) == 2
    assert_whole(name, tmp_path)


def assert_whole(name, folder):
    """The file is that of the second epoch, and there is none beside it."""
    (path,) = folder.iterdir()
    if name == "CSVLogger":
        assert [row.split(",")[0] for row in path.read_text().splitlines()] == ["epoch", "0", "1"]
    elif name == "ModelCheckpoint":
        reached = compiled()
        fit(reached, epochs=2)
        for ours, theirs in zip(keras.models.load_model(path).get_weights(), reached.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
    else:
        assert_goes_on(folder)


def assert_goes_on(folder):
    """The run in this folder goes on, and comes to what one came to that nothing has disturbed."""
    whole = compiled()
    history = fit(whole).history
    went_on = compiled()
    assert fit(went_on, BackupAndRestore(folder)).history == history
    for ours, theirs in zip(went_on.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_log_of_before_is_whole_where_the_first_line_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "log.csv").write_text("of before")
    with pytest.raises(OSError, match="No space left on device"):
        fit(compiled(), CSVLogger(tmp_path / "log.csv"), Fail(monkeypatch, 0, errno.ENOSPC))
    assert (tmp_path / "log.csv").read_text() == "of before"


def test_a_best_model_that_could_not_be_saved_is_not_the_best(monkeypatch, tmp_path):
    best = ModelCheckpoint(tmp_path / "best.npz", "loss", save_best_only=True, on_error="warn")
    with pytest.warns(UserWarning, match="ModelCheckpoint cannot save the model"):
        fit(compiled(), best, Fail(monkeypatch, 0, errno.ENOSPC), epochs=1)
    assert best.best is None


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, OSError, SystemExit])
def test_whatever_ends_a_training_the_last_backup_is_whole(error, tmp_path):
    def end(batch, logs):
        if model.optimizer.iterations == 8:
            raise error("the end")

    model = compiled()
    with pytest.raises(error, match="the end"):
        fit(model, BackupAndRestore(tmp_path, save_freq=1), callbacks.LambdaCallback(on_train_batch_end=end))
    assert [path.name for path in tmp_path.iterdir()] == ["latest.npz"]
    assert_goes_on(tmp_path)


# --- A disk that is really full ---

PROGRAM = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_faults as t
from multilayer.callbacks import Callback

folder, kind, on_error = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

class Fill(Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if epoch != 2:
            return
        if kind == "limit":
            import resource
            resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
            return
        with (folder / "filler").open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(512))
            except OSError:
                pass

for name in t.WRITERS:
    (folder / name).mkdir()
t.fit(t.compiled(), Fill(), *(make(folder / name, on_error=on_error) for name, make in t.WRITERS.items()))
"""


@pytest.fixture(params=["limit", "tmpfs"])
def full(request, tmp_path):
    """A folder whose disk gets full in the third epoch, and how."""
    if request.param == "limit":
        pytest.importorskip("resource")
        yield tmp_path, "limit"
        return
    if not mounted(tmp_path, "size=64k"):
        pytest.skip("needs to mount a small file system")
    yield tmp_path, "tmpfs"
    subprocess.run(["umount", str(tmp_path)], check=True)


@pytest.mark.parametrize("on_error", ["raise", "warn"])
def test_a_disk_that_is_full_leaves_everything_whole(full, on_error):
    folder, kind = full
    program = PROGRAM.format(tests=str(Path(__file__).parent))
    command = [sys.executable, "-c", program, str(folder), kind, on_error]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    said = "File too large" if kind == "limit" else "No space left on device"
    assert said in done.stderr
    assert (done.returncode == 0) == (on_error == "warn")
    for name in WRITERS:
        assert_whole_of_any_epoch(name, folder / name)


def assert_whole_of_any_epoch(name, folder):
    (path,) = folder.iterdir()
    if name == "CSVLogger":
        header, *rows = path.read_text().splitlines()
        assert all(row.count(",") == header.count(",") for row in rows)
        assert len(rows) >= 2
    else:
        npz.read(path)


# --- A loss that is no number any more ---


def test_weights_that_are_no_numbers_take_no_good_ones_place(tmp_path):
    class Explode(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                self.model.optimizer.learning_rate = 1e30

    model = compiled()
    watchers = [Explode(), ModelCheckpoint(tmp_path / "model.npz"), BackupAndRestore(tmp_path / "backup")]
    with np.errstate(all="ignore"), pytest.warns(UserWarning, match="NaN or infinity") as said:
        fit(model, *watchers)
    messages = [str(warning.message) for warning in said]
    assert sum("the model is not saved to" in message for message in messages) == 2
    (backup,) = (message for message in messages if "backed up" in message)
    assert "(epoch 3, step 3): they are not backed up, and the last good backup stays in" in backup
    assert "A smaller learning rate or `clipnorm` may help." in backup
    good = keras.models.load_model(tmp_path / "model.npz").get_weights()
    went_on = compiled()
    fit(went_on, *watchers[1:], epochs=2)  # as far as it was good
    assert all(np.array_equal(one, other) for one, other in zip(good, went_on.get_weights(), strict=True))
    assert all(np.isfinite(weight).all() for weight in good)


def test_a_training_that_ends_for_nan_keeps_its_backup(tmp_path):
    class Explode(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                self.model.optimizer.learning_rate = 1e30

    watchers = [Explode(), callbacks.TerminateOnNaN(), BackupAndRestore(tmp_path / "backup", save_freq=3)]
    with np.errstate(all="ignore"):
        fit(compiled(), *watchers)
    assert (tmp_path / "backup" / "latest.npz").exists()


# --- Signals ---


class Raise(Callback):
    """Raises a signal in a step, from 1, of an epoch, from 0, so often."""

    def __init__(self, number, epoch=1, step=2, times=1):
        self.number, self.at, self.times = number, (epoch, step), times

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch + 1) == self.at:
            for _ in range(self.times):
                signal.raise_signal(self.number)


class TakenAwayError(Exception):
    pass


@pytest.fixture
def sigterm():
    """SIGTERM raises an exception, as a program may have it."""

    def handler(number, frame):
        raise TakenAwayError

    previous = signal.signal(signal.SIGTERM, handler)
    yield signal.SIGTERM
    signal.signal(signal.SIGTERM, previous)


def handlers():
    return [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("save_freq", ["epoch", 100])
def test_a_signal_waits_for_the_step_and_its_backup(number, save_freq, sigterm, tmp_path):
    before = handlers()
    backup = BackupAndRestore(tmp_path / "backup", save_freq, save_before_preemption=True)
    seen = []
    with pytest.raises(KeyboardInterrupt if number == signal.SIGINT else TakenAwayError):
        fit(compiled(), backup, Raise(number), callbacks.LambdaCallback(on_train_batch_end=lambda b, _: seen.append(b)))
    assert seen == [0, 1, 2, 0, 1]
    assert handlers() == before
    assert_goes_on(tmp_path / "backup")


def test_the_second_signal_comes_at_once_and_the_last_backup_is_whole(sigterm, tmp_path):
    backup = BackupAndRestore(tmp_path / "backup", save_before_preemption=True)
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), backup, Raise(signal.SIGINT, times=2))
    assert npz.read(tmp_path / "backup" / "latest.npz")[0]["state"]["step"] == 0
    assert_goes_on(tmp_path / "backup")


def test_handlers_are_put_back_however_a_training_ends(tmp_path):
    class Break(Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise RuntimeError("broken")

    before = handlers()
    fit(compiled(), BackupAndRestore(tmp_path, save_before_preemption=True))
    assert handlers() == before
    with pytest.raises(RuntimeError, match="broken"):
        fit(compiled(), BackupAndRestore(tmp_path, save_before_preemption=True), Break())
    assert handlers() == before


def test_without_being_asked_no_handler_is_touched(tmp_path):
    before, seen = handlers(), []
    look = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: seen.append(handlers()))
    fit(compiled(), BackupAndRestore(tmp_path), look, epochs=1)
    assert seen == [before]
    with pytest.raises(KeyboardInterrupt):
        fit(compiled(), BackupAndRestore(tmp_path), Raise(signal.SIGINT))
    assert_goes_on(tmp_path)


def test_a_signal_that_is_ignored_stays_ignored(tmp_path):
    previous = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = fit(compiled(), BackupAndRestore(tmp_path, save_before_preemption=True), Raise(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, previous)
    assert history.epoch == [0, 1, 2, 3]


def test_a_thread_that_no_signals_come_to_is_refused(tmp_path):
    caught = []

    def run():
        try:
            fit(compiled(), BackupAndRestore(tmp_path, save_before_preemption=True))
        except ValueError as error:
            caught.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert caught == [
        "`save_before_preemption=True` needs `fit` to be called in the main thread: signals come to no other."
    ]


def test_what_a_killed_process_left_half_written_is_cleared_away(tmp_path):
    (tmp_path / ".latest.npz.0123456789abcdef.part").write_bytes(b"half")
    (tmp_path / "mine.part").write_bytes(b"mine")
    fit(compiled(), BackupAndRestore(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.part"]


def test_outside_of_fit_there_is_nothing_to_back_up(tmp_path):
    everyone = callbacks.CallbackList(BackupAndRestore(tmp_path), model=compiled())
    with pytest.raises(RuntimeError, match="BackupAndRestore works within `Model.fit`"):
        everyone.on_train_begin()
