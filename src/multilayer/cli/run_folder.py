"""A run's folder: made before the training, filled after it."""

from __future__ import annotations

import csv
import errno
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from io import StringIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import multilayer as ml
from multilayer import plotting
from multilayer._containers.stored import parse_json
from multilayer._language import later, tr
from multilayer._system.atomic import replaced
from multilayer.cli import digits
from multilayer.cli.terminal import fail, say
from multilayer.cli.train_options import TrainOptions

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MODEL, TRAINED_ON, HISTORY = "model.npz", "trained_on.json", "history.csv"
RUN, BACKUP = "run.json", "backup"
ACCURACY, LOSS, MISTAKES = "accuracy.png", "loss.png", "mistakes.png"
CONTENTS = {
    MODEL: later("the network, for: multilayer predict MODEL IMAGE.png"),
    TRAINED_ON: later("what it was trained on, for: multilayer evaluate MODEL"),
    HISTORY: later("loss and accuracy of every whole epoch"),
    ACCURACY: later("accuracy of train and test by epoch"),
    LOSS: later("loss of train and test by epoch"),
    MISTAKES: later("test digits that it got wrong"),
    RUN: later("the options that it was trained with"),
    BACKUP: later("what --resume goes on from: after a kill, or to train on with more --epochs"),
}
_RUNS = Path("runs")
_LONGEST = 200  # letters of a path that a message repeats
_LARGEST = 4 * 2**20  # bytes of run.json, of history.csv (forty thousand epochs) and of trained_on.json
_LABELS = (later("train"), later("test"))


@contextmanager
def new_folder(output: Path | None, contents: Iterable[str] = tuple(CONTENTS)) -> Iterator[Path]:
    """A folder that a run can be written to, found out before anything costs time; left empty, it goes again.

    Args:
        output: Where; None is a folder under `runs/` named after the date and the time.
        contents: The files that the run will leave there, none of which may exist.
    """
    made: list[Path] = []
    try:
        try:
            folder = _make(output, made)
            _try(folder)
        except OSError as error:
            shown = str(output or _RUNS)
            shown = shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}…"
            raise fail(
                tr(
                    "Cannot write to the run folder {shown}: {strerror}. Choose another with --output.",
                    shown=shown,
                    strerror=error.strerror,
                )
            ) from error
        with _alone(folder):
            for name in contents:
                if (folder / name).exists():
                    raise fail(
                        tr(
                            "{folder} already holds a {name}. Choose another folder with --output, go on with "
                            "that run by --resume, or remove it.",
                            folder=folder,
                            name=name,
                        )
                    )
            yield folder
    finally:
        for one in reversed(made):
            with suppress(OSError):  # something is in it
                one.rmdir()


@contextmanager
def folder_to_go_on_in(folder: Path) -> Iterator[Path]:
    """The folder of a run that was begun; that it can be written to is found out before anything costs time."""
    try:
        _try(folder)
    except OSError as error:
        raise fail(
            tr(
                "Cannot write to the run folder {folder}: {strerror}. Make it writable.",
                folder=folder,
                strerror=error.strerror,
            )
        ) from error
    with _alone(folder):
        yield folder


def _try(folder: Path) -> None:
    """Tries whether files can be written to a folder, with a name as long as any that a run writes there.

    Raises:
        OSError: They cannot.
    """
    with tempfile.NamedTemporaryFile(prefix=f".{'try':_<60}", dir=folder.resolve()) as file:
        file.write(b"\0")


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """While entered, no other process writes a run to the folder; ends the command where one does already.

    The lock is the system's: it goes with the process, however that ends.
    """
    with ExitStack() as held:
        if not _lock(folder, held):
            raise fail(
                tr(
                    "Another process is writing a run to {folder}. Choose another folder with --output, or "
                    "wait until it has ended.",
                    folder=folder,
                )
            )
        yield


if sys.platform == "win32":

    def _lock(folder: Path, held: ExitStack) -> bool:
        """Locks a file in the folder: Windows has no locks of folders."""
        import msvcrt

        path = folder / ".lock"
        held.callback(path.unlink, missing_ok=True)
        file = held.enter_context(path.open("a+b"))
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            held.pop_all().callback(file.close)
            return False
        return True

else:

    def _lock(folder: Path, held: ExitStack) -> bool:
        """Locks the folder itself, so that no file for it is left behind."""
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
        held.callback(os.close, descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:  # some network file systems have no locks: there, as good as can be
            return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)
        return True


def _make(output: Path | None, made: list[Path]) -> Path:
    """Makes the folder, and notes what was made."""
    if output is not None:
        missing = []
        for folder in (output, *output.parents):
            if folder.exists():
                break
            missing.append(folder)
        for folder in reversed(missing):
            with suppress(FileExistsError):  # another process was faster
                folder.mkdir()
                made.append(folder)
        output.mkdir(exist_ok=True)
        return output
    _RUNS.mkdir(exist_ok=True)
    now = datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    name, numbers = now, count(2)
    while True:
        with suppress(FileExistsError):  # another run of this second
            (_RUNS / name).mkdir()
            made.append(_RUNS / name)
            return _RUNS / name
        name = f"{now}_{next(numbers)}"


def write_run(options: TrainOptions, folder: Path, complete: bool = False) -> None:
    """Writes `run.json`: what a run was begun with, and whether it has come to its end."""
    content = {"version": ml.__version__, "complete": complete, "options": options._asdict()}
    _write(folder / RUN, json.dumps(content, indent=2) + "\n")


def read_run(folder: Path) -> TrainOptions:
    """The options that a run was begun with.

    Raises:
        OSError: There is no such folder, or it cannot be read.
        ValueError: It holds no run of this command.
    """
    return TrainOptions.read(_content(folder)["options"])


def is_complete(folder: Path) -> bool:
    """Whether a run has come to its end."""
    return bool(_content(folder)["complete"])


def text_of(path: Path) -> bytes:
    """What a file of a run, or of options, says: a plain file, and no larger than any is.

    Raises:
        OSError: It cannot be read.
        ValueError: It is something else.
    """
    if path.exists() and not path.is_file():
        raise ValueError(tr("it is no plain file"))
    with path.open("rb") as file:
        text = file.read(_LARGEST + 1)
    if len(text) > _LARGEST:
        raise ValueError(tr("it has more than {largest:,} bytes", largest=_LARGEST))
    return text


def _content(folder: Path) -> dict[str, Any]:
    path = folder / RUN
    if not folder.exists():
        raise ValueError(
            tr(
                "There is no folder {folder}. Expected the folder of a run: what `multilayer train` names last.",
                folder=folder,
            )
        )
    if folder.is_dir() and not path.exists():
        raise ValueError(tr("{folder} holds no run to go on with: there is no {run} in it.", folder=folder, run=RUN))
    try:
        content = parse_json(text_of(path), "it")
        if isinstance(content, dict) and content.get("kind") == "table":
            raise ValueError(tr("it is a run on a table, which is trained again and not gone on with"))
        if not isinstance(content, dict) or not isinstance(content.get("complete"), bool):
            raise ValueError(tr("it does not say whether the run is complete"))
        TrainOptions.read(content.get("options"))
    except ValueError as error:
        raise ValueError(
            tr("{path} does not say what the run was begun with: {error}.", path=path, error=error)
        ) from error
    return content


def _write(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode())


def model_in(path: Path) -> Path:
    """The model file that is meant by a path: the file itself, or the model of a run's folder.

    Raises:
        ValueError: It is a folder without a model.
    """
    if not path.is_dir():
        return path
    if not (path / MODEL).exists():
        raise ValueError(
            tr(
                "There is no {model} in the folder {path}. Expected a model file, or the folder of a run that "
                "has come to the end of its first epoch.",
                model=MODEL,
                path=path,
            )
        )
    return path / MODEL


def print_contents(folder: Path, contents: Mapping[str, str] = CONTENTS) -> None:
    """Prints which files lie in the folder, and what is in each."""
    for name, what in contents.items():
        if (folder / name).exists():
            say(f"  {name:<15}  {tr(what)}")


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a figure, whole or not at all."""
    with replaced(path) as file:
        figure.savefig(file, format="png")


def inert(value: Any) -> Any:
    """A value as a spreadsheet takes it for text: what begins as a formula does would be computed when it is opened.

    A quote before it is what common practice has (OWASP, "CSV Injection"). Numbers are left alone.

    Example:
        >>> inert("=1+2"), inert("-5.2"), inert("a=b"), inert(3)
        ("'=1+2", '-5.2', 'a=b', 3)
    """
    if not isinstance(value, str) or value[:1] not in _FORMULA:
        return value
    try:
        float(value)
    except ValueError:
        return f"'{value}"
    return value


_FORMULA = {"=", "+", "-", "@", "\t", "\r"}


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Writes a table, whole or not at all."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(map(inert, header))
    writer.writerows(map(inert, row) for row in rows)
    _write(path, text.getvalue())


def write_trained_on(data: str, samples: int, folder: Path) -> None:
    """Writes `trained_on.json`: the data set's name, and how many of its training digits were taken."""
    _write(folder / TRAINED_ON, json.dumps({"data": data, "samples": samples}) + "\n")


def read_trained_on(folder: Path) -> tuple[str, int] | None:
    """Reads what `write_trained_on` wrote, or returns None where there is no such file.

    Raises:
        OSError: It cannot be read.
        ValueError: It says something else.
    """
    path = folder / TRAINED_ON
    if not path.exists():
        return None
    try:
        content = parse_json(text_of(path), "it")
        digits.check_name(content["data"])
        if type(content["samples"]) is not int or not 0 < content["samples"] < 2**31:
            raise ValueError(tr("samples: {content}", content=str(content["samples"])[:100]))
        return content["data"], content["samples"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            tr("{path} does not say what the network was trained on ({error}). Pass --data.", path=path, error=error)
        ) from error


def write_history(history: Mapping[str, Sequence[float]], folder: Path) -> None:
    """Writes `history.csv`: a row for each epoch, counted from 1 as it is printed."""
    rows = ([epoch, *row] for epoch, row in enumerate(zip(*history.values(), strict=True), start=1))
    write_csv(folder / HISTORY, ["epoch", *history], rows)


def read_history(folder: Path) -> dict[str, list[float]]:
    """Reads what `write_history` wrote.

    Raises:
        OSError: There is no such file, or it cannot be read.
        ValueError: It is no such table.
    """
    path = folder / HISTORY
    if not path.exists():
        raise ValueError(
            tr(
                "There is no {history} in {folder}. Expected the folder of a run that `multilayer train` made.",
                history=HISTORY,
                folder=folder,
            )
        )
    try:
        names, *rows = csv.reader(StringIO(text_of(path).decode("utf-8"), newline=""))
        columns = zip(*[[float(value) for value in row] for row in rows], strict=True)
        history = dict(zip(names, map(list, columns), strict=True))
    except (ValueError, csv.Error) as error:
        raise ValueError(
            tr("{path} is not a table of numbers with a row for each epoch: {error}.", path=path, error=error)
        ) from error
    history.pop("epoch", None)
    return history


def draw_history(history: Mapping[str, Sequence[float]], folder: Path) -> list[Path]:
    """Draws the accuracy and the loss by epoch, and returns the files."""
    paths = []
    for metric, name in (("accuracy", ACCURACY), ("loss", LOSS)):
        paths.append(folder / name)
        save_figure(plotting.plot_history(history, metric, labels=(tr(_LABELS[0]), tr(_LABELS[1]))), paths[-1])
    return paths
