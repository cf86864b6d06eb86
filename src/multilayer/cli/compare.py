"""`multilayer compare`: trains a network for every combination of settings, and draws the runs side by side."""

from __future__ import annotations

import math
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
from multilayer.cli import digits, grid, performance, results, runs
from multilayer.cli.grid import Cell
from multilayer.cli.output import outlast_readers
from multilayer.cli.parameters import Data, Samples
from multilayer.cli.several import checked_each, each
from multilayer.cli.terminal import can_redraw, failing_on, reason

_PROBED = 500  # test digits that dead units are counted with


def _several(convert: Callable[[str], Any], text: str, metavar: str = "X ...") -> Any:
    return typer.Option(metavar=metavar, callback=checked_each(convert), help=text)


def compare(
    activation: Annotated[str, _several(grid.activation, "Of the hidden layers.", "NAME ...")] = "sigmoid",
    initializer: Annotated[str, _several(grid.initializer, "Where weights start.", "NAME ...")] = "glorot_uniform",
    optimizer: Annotated[str, _several(grid.optimizer, "How they are moved.", "NAME ...")] = "adam",
    learning_rate: Annotated[
        str | None,
        typer.Option(
            metavar="X ...",
            callback=checked_each(grid.rate),
            help="Size of a step.",
            show_default="the optimizer's own",
        ),
    ] = None,
    layers: Annotated[str, _several(grid.layer_count, "Number of hidden layers.", "N ...")] = "1",
    width: Annotated[str, _several(grid.whole, "Neurons of each.", "N ...")] = "50",
    batch_size: Annotated[str, _several(grid.whole, "Digits in a step.", "N ...")] = "32",
    dropout: Annotated[str, _several(grid.share, "Share of each hidden layer's outputs to drop.")] = "0",
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="How often every digit is seen.")] = 5,
    seed: Annotated[int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Where every network starts from.")] = 0,
    data: Data = None,
    samples: Samples = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The run folder.", show_default="runs/DATE_TIME")
    ] = None,
) -> None:
    """Train a network for every combination of settings, and draw them side by side.

    The settings take several values each: `multilayer compare --activation sigmoid tanh relu --layers 8`. All networks
    see the same digits in the same order, from the same seed. One that fails is reported, and the others go on. Ctrl-C
    ends the comparison early and keeps what there is.
    """
    performance.advise()
    import matplotlib  # noqa: F401 - if it is missing, then before the training

    cells = grid.grid(
        {
            "activation": each(activation, grid.activation),
            "initializer": each(initializer, grid.initializer),
            "optimizer": each(optimizer, grid.optimizer),
            "learning_rate": [None] if learning_rate is None else each(learning_rate, grid.rate),
            "layers": each(layers, grid.layer_count),
            "width": each(width, grid.whole),
            "batch_size": each(batch_size, grid.whole),
            "dropout": each(dropout, grid.share),
        }
    )
    outlast_readers()
    with runs.new_folder(output, results.CONTENTS) as folder:
        loaded = digits.load(data, samples)
        num_train, num_test = len(loaded.train[0]), len(loaded.test[0])
        print(f"Data: {loaded.name}, {num_train:,} digits to train on, {num_test:,} to test with\n")
        finished = run_all(cells, loaded, epochs=epochs, seed=seed)
        results.print_table(cells)
        with failing_on(OSError, doing="Cannot save the comparison"):
            results.save(folder, cells)
        print(f"The comparison is in {folder}:")
        for name, what in results.CONTENTS.items():
            if (folder / name).exists():
                print(f"  {name:<15}  {what}")
    if not finished:
        raise typer.Exit(130)


class _Guard(Callback):
    """Ends a training whose loss is no longer a finite number, and shows how far it is.

    Attributes:
        diverged: The epoch in which that happened, counted from 1; 0 where it did not.
    """

    def __init__(self, progress: Progress | None, task: Any) -> None:
        self.progress, self.task = progress, task
        self.epoch = self.diverged = 0

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:  # noqa: ARG002
        """Takes note of the epoch."""
        self.epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        """Looks at the loss."""
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            self.diverged = self.epoch + 1
            self.model.stop_training = True
        if self.progress is not None and batch % 50 == 0:
            done = self.epoch + batch / max(1, self.params["steps"] or 1)
            self.progress.update(self.task, completed=done, figures=f"loss {loss:.3f}")


def run(cell: Cell, loaded: digits.Digits, guard: _Guard, *, epochs: int, seed: int) -> None:
    """Trains one network, and keeps what came of it in its cell; what goes wrong is noted there, too.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed; the cell has what the whole epochs before brought.
    """
    begin = time.perf_counter()
    history = History()
    try:
        utils.set_random_seed(seed)
        model = grid.network(cell.settings)
        (x, y), (x_test, y_test) = loaded.train, loaded.test
        given = digits.as_input(x_test, model)
        with np.errstate(all="ignore"):  # a network that blows up is reported by its loss
            model.fit(
                digits.as_input(x, model),
                y,
                batch_size=cell.settings["batch_size"],
                epochs=epochs,
                validation_data=(given, y_test),
                verbose=0,
                callbacks=[history, cell.record, guard],
            )
        shares = callbacks.dead_units(model, given[:_PROBED])
        cell.dead_units = float(np.mean(list(shares.values()))) if shares else 0.0
        cell.status = f"diverged in epoch {guard.diverged}" if guard.diverged else "ok"
    except (ValueError, MemoryError) as error:  # the user's settings; the others go on
        cell.status = f"failed: {reason(error) or type(error).__name__}"
    except KeyboardInterrupt:
        cell.status = "interrupted"
        raise
    finally:
        cell.history = history.history
        cell.seconds = time.perf_counter() - begin


def run_all(cells: Sequence[Cell], loaded: digits.Digits, *, epochs: int, seed: int) -> bool:
    """Trains one network after the other, from the same seed and on the same data; whether Ctrl-C has not ended it."""
    width = max(len(cell.name) for cell in cells)
    with _progress(len(cells)) as (progress, overall):
        for number, cell in enumerate(cells, start=1):
            task = None
            if progress is not None:
                task = progress.add_task(escape(cell.name), total=epochs, figures="", unit="epochs")
            try:
                run(cell, loaded, _Guard(progress, task), epochs=epochs, seed=seed)
            except KeyboardInterrupt:
                return False
            finally:
                line = f"{number}/{len(cells)}  {cell.name:<{width}}  {_outcome(cell)}"
                if progress is None:
                    print(line)
                else:
                    assert task is not None  # made above
                    progress.remove_task(task)
                    progress.update(overall, completed=number)
                    progress.console.print(escape(line), highlight=False)
    return True


def _outcome(cell: Cell) -> str:
    if cell.status != "ok":
        return cell.status
    return f"test accuracy {cell.last('val_accuracy'):.4f}  ({cell.seconds:.1f} s)"


@contextmanager
def _progress(total: int) -> Iterator[tuple[Progress | None, Any]]:
    """A bar for all networks, where it can be redrawn in place."""
    if not can_redraw():
        yield None, None
        return
    columns = ("{task.description}", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[unit]}"))
    with Progress(*columns, TimeElapsedColumn(), TextColumn("{task.fields[figures]}"), transient=True) as progress:
        yield progress, progress.add_task("[bold]all", total=total, figures="", unit="networks")
