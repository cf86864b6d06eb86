"""`multilayer compare`: trains a network for every combination of settings, and draws the runs side by side."""

from __future__ import annotations

import functools
import importlib
import math
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from multilayer import callbacks, utils
from multilayer.callbacks import Callback, History, Logs
from multilayer.cli import comparison_results, digits, grid, performance, run_folder
from multilayer.cli.common_options import (
    AsJson,
    Data,
    Epochs,
    OptionsFile,
    Output,
    Quiet,
    Samples,
    checked_by,
    names_of,
)
from multilayer.cli.grid import Trial
from multilayer.cli.multi_value import parse_values
from multilayer.cli.output import outlast_readers
from multilayer.cli.terminal import can_redraw, failing_on, note, reason, reporting, say, say_json, stamped

_PROBED = 500  # test digits that dead units are counted with


def _values(
    convert: Callable[[str], Any],
    text: str,
    metavar: str = "X ...",
    show_default: bool | str = True,
    completed: Callable[[str], list[str]] | None = None,
) -> Any:
    check = functools.partial(parse_values, convert=convert)
    return typer.Option(
        metavar=metavar, callback=checked_by(check), help=text, show_default=show_default, autocompletion=completed
    )


def compare(
    activation: Annotated[
        str, _values(grid.activation, "Of the hidden layers.", "NAME ...", completed=names_of("activation"))
    ] = "sigmoid",
    initializer: Annotated[
        str, _values(grid.initializer, "Where weights start.", "NAME ...", completed=names_of("initializer"))
    ] = "glorot_uniform",
    optimizer: Annotated[
        str, _values(grid.optimizer, "How they are moved.", "NAME ...", completed=names_of("optimizer"))
    ] = "adam",
    learning_rate: Annotated[
        str | None, _values(grid.learning_rate, "Size of a step.", show_default="the optimizer's own")
    ] = None,
    layers: Annotated[str, _values(grid.layer_count, "Number of hidden layers.", "N ...")] = "1",
    width: Annotated[str, _values(grid.positive_integer, "Neurons of each.", "N ...")] = "50",
    batch_size: Annotated[str, _values(grid.positive_integer, "Digits in a step.", "N ...")] = "32",
    dropout: Annotated[str, _values(grid.dropout_rate, "Share of each hidden layer's outputs to drop.")] = "0",
    epochs: Epochs = 5,
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Where every network starts from.")] = 0,
    data: Data = None,
    samples: Samples = None,
    output: Output = None,
    options_from: OptionsFile = None,  # noqa: ARG001 - read before all others, see `options_file`
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a network for every combination of settings, and draw them side by side.

    The settings take several values each: `multilayer compare --activation sigmoid tanh relu --layers 8`. All networks
    see the same digits in the same order, from the same seed. One that fails is reported, and the others go on. Ctrl-C
    ends the comparison early and keeps what there is. The tables are in the folder from the first network on.
    """
    if not quiet:
        performance.advise()
    importlib.import_module("matplotlib")  # if it is missing, then before the training

    trials = grid.grid(
        {
            "activation": parse_values(activation, grid.activation),
            "initializer": parse_values(initializer, grid.initializer),
            "optimizer": parse_values(optimizer, grid.optimizer),
            "learning_rate": [None] if learning_rate is None else parse_values(learning_rate, grid.learning_rate),
            "layers": parse_values(layers, grid.layer_count),
            "width": parse_values(width, grid.positive_integer),
            "batch_size": parse_values(batch_size, grid.positive_integer),
            "dropout": parse_values(dropout, grid.dropout_rate),
        }
    )
    outlast_readers()
    with run_folder.new_folder(output, comparison_results.CONTENTS) as folder:
        with reporting(quiet):
            loaded = digits.load(data, samples)
            say(f"Data: {loaded}\n")
            with failing_on(OSError, doing="Cannot begin the comparison"):
                comparison_results.save_tables(folder, trials)
            with stamped():
                finished = run_all(trials, loaded, folder, epochs=epochs, seed=seed)
        if as_json:
            found = [
                {**row, **trial.settings} for row, trial in zip(comparison_results.rows(trials), trials, strict=True)
            ]
            say_json({"comparison": str(folder), "complete": finished, "networks": found})
        else:
            comparison_results.print_table(trials)
        with failing_on(OSError, doing="Cannot save the comparison, which is printed above"):
            comparison_results.save(folder, trials)
        if not as_json:
            say(f"The comparison is in {folder}:")
            run_folder.print_contents(folder, comparison_results.CONTENTS)
    if not finished:
        raise typer.Exit(128 + signal.SIGINT)  # as shells report a program that Ctrl-C has ended


class _Guard(Callback):
    """Ends a training whose loss is no longer a finite number, and shows how far it is.

    Attributes:
        diverged: The epoch in which that happened, counted from 1; 0 where it did not.
    """

    def __init__(self, progress: Progress | None, task: Any) -> None:
        self.progress, self.task = progress, task
        self.epoch = self.diverged = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        """Takes note of the epoch."""
        super().on_epoch_begin(epoch, logs)
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            self.diverged = self.epoch + 1
            self.model.stop_training = True
        if self.progress is not None and batch % 50 == 0:
            done = self.epoch + batch / max(1, self.params["steps"] or 1)
            self.progress.update(self.task, completed=done, loss=f"loss {loss:.3f}")


def run(trial: Trial, loaded: digits.Digits, guard: _Guard, *, epochs: int, seed: int) -> None:
    """Trains one network, and keeps what came of it in its trial; what goes wrong is noted there, too.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the trial has what the whole epochs before brought.
    """
    begin = time.perf_counter()
    history = History()
    try:
        utils.set_random_seed(seed)
        model = grid.network(trial.settings)
        (x, y), (x_test, y_test) = loaded.train, loaded.test
        given = digits.as_input(x_test, model)
        with np.errstate(all="ignore"):  # a network that blows up is reported by its loss
            model.fit(
                digits.as_input(x, model),
                y,
                batch_size=trial.settings["batch_size"],
                epochs=epochs,
                validation_data=(given, y_test),
                verbose=0,
                callbacks=[history, trial.record, guard],
            )
        shares = callbacks.dead_units(model, given[:_PROBED])
        trial.dead_units = float(np.mean(list(shares.values()))) if shares else 0.0
        trial.status = f"diverged in epoch {guard.diverged}" if guard.diverged else "ok"
    except (ValueError, MemoryError) as error:  # the user's settings; the others go on
        trial.status = f"failed: {reason(error) or type(error).__name__}"
    except KeyboardInterrupt:
        trial.status = "interrupted"
        raise
    finally:
        trial.history = history.history
        trial.seconds = time.perf_counter() - begin


def run_all(trials: Sequence[Trial], loaded: digits.Digits, folder: Path, *, epochs: int, seed: int) -> bool:
    """Trains one network after the other, from the same seed and on the same data; whether Ctrl-C has not ended it.

    What there is of the tables is in the folder while the next one trains.
    """
    width = max(len(trial.name) for trial in trials)
    with _progress(len(trials)) as (progress, overall):
        for number, trial in enumerate(trials, start=1):
            task = None
            if progress is not None:
                task = progress.add_task(escape(trial.name), total=epochs, loss="", unit="epochs")
            try:
                run(trial, loaded, _Guard(progress, task), epochs=epochs, seed=seed)
            except KeyboardInterrupt:
                return False
            finally:
                line = f"{number}/{len(trials)}  {trial.name:<{width}}  {_outcome(trial)}"
                if progress is None:
                    say(line)
                else:
                    assert task is not None  # made above
                    progress.remove_task(task)
                    progress.update(overall, completed=number)
                    progress.console.print(escape(line), highlight=False)
            try:
                comparison_results.save_tables(folder, trials)
            except OSError as error:
                note(f"Cannot write the tables: {reason(error)}. The comparison goes on.")
    return True


def _outcome(trial: Trial) -> str:
    if trial.status != "ok":
        return trial.status
    return f"test accuracy {trial.last('val_accuracy'):.4f}  ({trial.seconds:.1f} s)"


@contextmanager
def _progress(total: int) -> Iterator[tuple[Progress | None, Any]]:
    """A bar for all networks, where it can be redrawn in place."""
    if not can_redraw():
        yield None, None
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[loss]}"), transient=True) as progress:
        yield progress, progress.add_task("[bold]all", total=total, loss="", unit="networks")
