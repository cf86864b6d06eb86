"""`multilayer train`: its options, and the run that it begins or goes on with."""

from __future__ import annotations

import importlib
import secrets
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

import multilayer as ml
from multilayer._language import tr
from multilayer.cli import digits, performance, run_folder, table_command, training
from multilayer.cli.common_options import (
    MOST,
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
from multilayer.cli.interruption import terminable
from multilayer.cli.output import outlast_readers
from multilayer.cli.table_options import (
    Budget,
    Drop,
    Encoding,
    Folds,
    Group,
    Members,
    Memory,
    Recipe,
    Separator,
    TableFile,
    TableOptions,
    Target,
    TaskName,
    Time,
    Types,
    Validation,
)
from multilayer.cli.terminal import fail, failing_on, reporting, say, say_json
from multilayer.cli.train_options import TrainOptions, check_learning_rate, flag, layer_sizes


def train(
    context: typer.Context,
    table: TableFile = None,
    target: Target = None,
    task: TaskName = None,
    types: Types = None,
    drop: Drop = None,
    group: Group = None,
    time: Time = None,
    validation: Validation = 0.2,
    folds: Folds = None,
    recipe: Recipe = "default",
    members: Members = None,
    budget: Budget = None,
    separator: Separator = None,
    encoding: Encoding = None,
    memory: Memory = None,
    data: Data = None,
    hidden: Annotated[
        str,
        typer.Option(
            metavar="SIZES",
            callback=checked_by(layer_sizes),
            help="Neurons of the hidden layer, or of several: 512,256.",
        ),
    ] = "50",
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=checked_by(ml.activations.get),
            autocompletion=names_of("activation"),
            help="Of the hidden layers: sigmoid, tanh, relu, gelu, or any other that `activations` has.",
        ),
    ] = "sigmoid",
    optimizer: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=checked_by(ml.optimizers.get),
            autocompletion=names_of("optimizer"),
            help="adam, rmsprop, sgd, or any other that `optimizers` has.",
        ),
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="X",
            callback=checked_by(check_learning_rate),
            help="Size of a step.",
            show_default="the optimizer's own",
        ),
    ] = None,
    epochs: Epochs = 10,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, max=MOST, help="Digits in a step.")] = 32,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=2**32 - 1, help="Makes the run repeatable.", show_default="another one each time"
        ),
    ] = None,
    samples: Samples = None,
    output: Output = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Go on with the run in this folder: one that was killed or stopped, or with more --epochs.",
        ),
    ] = None,
    options_from: OptionsFile = None,  # noqa: ARG001 - read before all others, see `options_file`
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Train a network, and leave it in a run folder with its history and pictures.

    With a table, such as `multilayer train data.csv --target churn`, it learns to predict one of its columns from the
    others: it says what it took each column for, measures on rows that were not trained on, beside a linear model and a
    constant, and leaves a report, `report.html`, in the run folder.

    Without one it learns to read digits. Without an option this is the tutorial's network: 784-50-10, sigmoid, softmax,
    Adam. Ctrl-C or SIGTERM end the training early and keep what there is; a second one stops at once. Where nobody
    reads what is printed any more, the training goes on.

    A backup is kept in the run folder: a new one every 10 seconds, or less often, where that would take more than a
    hundredth of the time. After a crash, a kill or Ctrl-C, `--resume FOLDER` goes on from there with all the options
    that the run was begun with, and comes to the same network, bit for bit, as a run that was never interrupted. So it
    does with more `--epochs` than before, for a run that is complete, too. The model and `history.csv` are in the run
    folder from the first epoch on.

    The result (test loss and metrics, the run folder) goes to stdout, all else to stderr.
    """
    if not quiet:
        performance.advise()
    importlib.import_module("matplotlib")  # if it is missing, then before the training

    outlast_readers()
    given = _given_names(context)
    _check_belong_together(table, given)
    if table is not None:
        seed = secrets.randbelow(2**32) if seed is None else seed
        of_table = TableOptions(
            str(table), target, task, types, drop, group, time, validation, folds, recipe, members, budget, seed,
            separator, encoding, memory,
        )  # fmt: skip
        table_command.train(of_table, output, quiet, as_json)
        return
    options = TrainOptions(data, samples, hidden, activation, optimizer, learning_rate, epochs, batch_size, seed)
    begun_with = None
    if resume is not None:
        begun_with = _begun_with(resume, output)
        options = _go_on_with(begun_with, _given(context, options), resume)
        if options == begun_with and run_folder.is_complete(resume):
            if as_json:
                say_json({"run": str(resume), "complete": True, "options": options._asdict(), "epochs": options.epochs})
            else:
                say(
                    tr(
                        "The run in {resume} is complete: all {epochs} epochs are trained, and nothing is left to do.",
                        resume=resume,
                        epochs=options.epochs,
                    )
                )
            return
    folder_of_run = run_folder.new_folder(output) if resume is None else run_folder.folder_to_go_on_in(resume)
    with folder_of_run as folder, terminable():
        with reporting(quiet):
            loaded = digits.load(options.data, options.samples)
            say(tr("Data: {loaded}\n", loaded=loaded))
            if resume is None:
                options = options._replace(data=loaded.name, seed=secrets.randbelow(2**32) if seed is None else seed)
            model = training.build(options)
            if options != begun_with:
                with failing_on(OSError, doing=tr("Cannot begin the run")):
                    run_folder.write_run(options, folder)
                    run_folder.write_trained_on(loaded.name, len(loaded.train[0]), folder)
            outcome = training.run(model, options, loaded, folder)
        if as_json:
            say_json(_described(options, outcome, folder))
        else:
            training.print_tested(outcome.tested)
            say(tr("\nThe run is in {folder}:", folder=folder))
            run_folder.print_contents(folder)
    if outcome.stop is not None:
        with reporting(quiet):
            say(tr("\nTo go on: multilayer train --resume {folder}", folder=shlex.quote(str(folder))))
        raise typer.Exit(128 + outcome.stop.signal)  # as shells report a program that a signal has ended


def _described(options: TrainOptions, outcome: training.Outcome, folder: Path) -> dict[str, Any]:
    """The result of a training, for programs."""
    return {
        "run": str(folder),
        "complete": outcome.stop is None,
        "stopped": None if outcome.stop is None else str(outcome.stop),
        "options": options._asdict(),
        "epochs": len(outcome.history.get("loss", ())),
        "history": outcome.history,
        "test": outcome.tested,
        "files": [name for name in run_folder.CONTENTS if (folder / name).exists()],
    }


_OF_BOTH = {"table", "seed", "output", "options_from", "quiet", "as_json"}


def _given_names(context: typer.Context) -> set[str]:
    """The names of the options that stand on the command line, or in a file of options."""
    source = context.get_parameter_source
    return {name for name in context.params if getattr(source(name), "name", "DEFAULT") != "DEFAULT"}


def _check_belong_together(table: Path | None, given: set[str]) -> None:
    """Ends the command where options for tables are given without one, or those for digits with one."""
    names = given - _OF_BOTH
    strange = names - set(TableOptions._fields) if table is not None else names & set(TableOptions._fields)
    if strange:
        flags = ", ".join(sorted(map(flag, strange)))
        what = (
            tr("for digits, not for a table")
            if table is not None
            else tr("for a table, and there is none: name its file first")
        )
        raise typer.BadParameter(f"{flags}: {what}.")


def _given(context: typer.Context, options: TrainOptions) -> dict[str, Any]:
    """The options that stand on the command line, without those that have their default."""
    source = context.get_parameter_source
    return {name: value for name, value in options._asdict().items() if getattr(source(name), "name", "") != "DEFAULT"}


def _begun_with(folder: Path, output: Path | None) -> TrainOptions:
    """The options that the run to go on with was begun with."""
    if output is not None and output.resolve() != folder.resolve():
        raise fail(
            tr("A run goes on in its own folder: {folder}. Leave out --output {output}.", folder=folder, output=output)
        )
    with failing_on(OSError, ValueError):
        return run_folder.read_run(folder)


def _go_on_with(begun_with: TrainOptions, given: dict[str, Any], folder: Path) -> TrainOptions:
    """The options that a run goes on with: those that are given again contradict none, but may ask for more epochs."""
    for name, value in given.items():
        was = getattr(begun_with, name)
        if name == "epochs" and value > was:
            if run_folder.is_complete(folder) and not (folder / run_folder.BACKUP).exists():
                raise fail(
                    tr(
                        "The run in {folder} is complete, and holds no {backup}, which more epochs would go on "
                        "from. Begin a new run without --resume.",
                        folder=folder,
                        backup=run_folder.BACKUP,
                    )
                )
            begun_with = begun_with._replace(epochs=value)
        elif value != was:
            how = (
                tr("without {name}", name=flag(name))
                if was is None
                else tr("with {name} {was}", name=flag(name), was=was)
            )
            advice = tr("More epochs can be asked for, fewer not. ") if name == "epochs" else ""
            raise fail(
                tr(
                    "The run in {folder} was begun {how}, and cannot go on with {name} {value}. {advice}Leave "
                    "it out, or begin a new run without --resume.",
                    folder=folder,
                    how=how,
                    name=flag(name),
                    value=value,
                    advice=advice,
                )
            )
    return begun_with
