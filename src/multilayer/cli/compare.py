"""`multilayer compare`: trains a network for every combination of settings, and draws the runs side by side."""

from __future__ import annotations

import functools
import importlib
import signal
from collections.abc import Callable
from typing import Annotated, Any

import typer

from multilayer._language import tr
from multilayer._system import calls
from multilayer.cli import comparison_results, comparison_runs, digits, grid, performance, run_folder
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
from multilayer.cli.multi_value import parse_values
from multilayer.cli.output import outlast_readers
from multilayer.cli.terminal import failing_on, reporting, say, say_json, stamped


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
    jobs: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="How many networks to train at once, each on a core.", show_default="one a core"
        ),
    ] = None,
    data: Data = None,
    samples: Samples = None,
    output: Output = None,
    options_from: OptionsFile = None,  # noqa: ARG001 - read before all others, see `options_file`
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a network for every combination of settings, and draw them side by side.

    The settings take several values each: `multilayer compare --activation sigmoid tanh relu --layers 8`. All networks
    see the same digits in the same order, from the same seed, and come to the same weights however many are trained at
    once. One that fails is reported, and the others go on. Ctrl-C ends the comparison early and keeps what there is.
    The tables are in the folder from the first network on.
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
            say(tr("Data: {loaded}\n", loaded=loaded))
            with failing_on(OSError, doing=tr("Cannot begin the comparison")):
                comparison_results.save_tables(folder, trials)
            at_once = calls.number_of(jobs)
            with stamped():
                finished = comparison_runs.run_all(
                    trials,
                    loaded,
                    folder,
                    epochs=epochs,
                    seed=seed,
                    jobs=min(at_once, len(trials)) if at_once > 0 else at_once,
                )
        if as_json:
            found = [
                {**row, **trial.settings} for row, trial in zip(comparison_results.rows(trials), trials, strict=True)
            ]
            say_json({"comparison": str(folder), "complete": finished, "networks": found})
        else:
            comparison_results.print_table(trials)
        with failing_on(OSError, doing=tr("Cannot save the comparison, which is printed above")):
            comparison_results.save(folder, trials)
        if not as_json:
            say(tr("The comparison is in {folder}:", folder=folder))
            run_folder.print_contents(folder, comparison_results.CONTENTS)
    if not finished:
        raise typer.Exit(128 + signal.SIGINT)  # as shells report a program that Ctrl-C has ended
