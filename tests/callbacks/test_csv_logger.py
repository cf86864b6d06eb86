"""Figures in a CSV file."""

import copy
import csv
import os
import pickle
import stat
import threading

import numpy as np
import pytest

from helpers.line import compiled
from multilayer.callbacks import CSVLogger

X, Y = np.linspace(0, 1, 10, dtype="float32").reshape(5, 2), np.arange(5.0, dtype="float32")[:, None]


def test_the_file_holds_what_the_history_holds(tmp_path):
    path = tmp_path / "log.csv"
    history = compiled().fit(X, Y, epochs=3, verbose=0, validation_data=(X, Y), callbacks=[CSVLogger(path)])
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == history.epoch
    for name in ("loss", "mae", "val_loss", "val_mae"):
        assert [float(row[name]) for row in rows] == history.history[name]
    assert path.read_bytes().count(b"\r\n") == 4


def test_what_an_epoch_does_not_bring_is_not_available(tmp_path):
    path = tmp_path / "log.csv"
    data = {"validation_data": (X, Y), "validation_freq": 2}
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[CSVLogger(path, separator=";")], **data)
    header, first, second = path.read_text().splitlines()
    assert header == "epoch;loss;mae;val_loss;val_mae"
    assert first.split(";")[0] == "0"
    assert first.split(";")[3:] == ["NA", "NA"]
    assert "NA" not in second


def test_lines_are_added_or_the_file_is_replaced(tmp_path):
    path, model = tmp_path / "log.csv", compiled()
    for append, epochs in ((True, ["0"]), (True, ["0", "0"]), (False, ["0"])):
        model.fit(X, Y, verbose=0, callbacks=[CSVLogger(path, append=append)])
        header, *rows = path.read_text().splitlines()
        assert header == "epoch,loss,mae,val_loss,val_mae"
        assert [row.split(",")[0] for row in rows] == epochs
    path.write_text("")
    model.fit(X, Y, verbose=0, callbacks=[CSVLogger(path, append=True)])
    assert path.read_text().startswith("epoch,")


def test_one_object_serves_several_runs_and_can_be_copied(tmp_path):
    log = CSVLogger(tmp_path / "log.csv")
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[log])
    log = copy.deepcopy(log)
    compiled().fit(X, Y, epochs=1, verbose=0, callbacks=[log])
    assert len((tmp_path / "log.csv").read_text().splitlines()) == 2


def test_every_line_is_there_as_soon_as_its_epoch_is_over(tmp_path):
    log = CSVLogger(tmp_path / "log.csv")
    log.on_train_begin({})
    log.on_epoch_end(0, {"loss": 0.5, "several": np.array([1, 2]), "one": np.array(3), "text": "a"})
    assert (tmp_path / "log.csv").read_text().splitlines()[1].split(",", 5)[:3] == ["0", "0.5", "3"]
    with (tmp_path / "log.csv").open(newline="") as file:
        assert next(iter(csv.DictReader(file)))["several"] == '"[1, 2]"'
    log.on_epoch_end(1, {"loss": 0.25})
    assert (tmp_path / "log.csv").read_text().splitlines()[2].startswith("1,0.25,NA,")


def test_a_folder_that_is_missing_is_an_error_before_the_first_step(tmp_path):
    model = compiled()
    with pytest.raises(FileNotFoundError):
        model.fit(X, Y, verbose=0, callbacks=[CSVLogger(tmp_path / "none" / "log.csv")])
    assert model.optimizer.iterations == 0


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names here")
def test_a_pipe_gets_every_line_and_stays_a_pipe(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    found = []
    reader = threading.Thread(target=lambda: found.append(path.read_text()), daemon=True)
    reader.start()
    log = CSVLogger(path)
    compiled().fit(X, Y, epochs=3, verbose=0, callbacks=[log])
    reader.join(20)
    header, *lines = found[0].splitlines()
    assert header.startswith("epoch,loss")
    assert [line.split(",")[0] for line in lines] == ["0", "1", "2"]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert pickle.loads(pickle.dumps(log)).filename == str(path)


@pytest.mark.skipif(not hasattr(os, "mknod"), reason="there are no devices here")
def test_a_device_is_written_into_and_stays_one(tmp_path):
    path = tmp_path / "nothing"
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("the system's own user alone makes devices")
    compiled().fit(X, Y, epochs=2, verbose=0, callbacks=[CSVLogger(path)])
    assert stat.S_ISCHR(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]


def test_a_log_that_may_only_be_read_is_refused_before_training(tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("kept")
    path.chmod(0o444)
    model = compiled()
    with pytest.raises(PermissionError, match="CSVLogger cannot write its file: It may only be read"):
        model.fit(X, Y, epochs=2, verbose=0, callbacks=[CSVLogger(path)])
    assert path.read_text() == "kept"
    assert not model.optimizer.iterations
    path.chmod(0o644)
