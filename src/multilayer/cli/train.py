"""`multilayer train`: its options, and the run that it begins or goes on with."""

from __future__ import annotations

import importlib
import secrets
import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

import multilayer as ml
from multilayer.cli import digits, performance, run_folder, training
from multilayer.cli.common_options import Data, Epochs, Output, Samples, checked_by
from multilayer.cli.interruption import terminable
from multilayer.cli.output import outlast_readers
from multilayer.cli.terminal import fail, failing_on
from multilayer.cli.train_options import TrainOptions, check_learning_rate, flag, layer_sizes


def train(
    context: typer.Context,
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
            help="Of the hidden layers: sigmoid, tanh, relu, gelu, or any other that `activations` has.",
        ),
    ] = "sigmoid",
    optimizer: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=checked_by(ml.optimizers.get),
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
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Digits in a step.")] = 32,
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
        typer.Option(metavar="FOLDER", help="Go on with the run in this folder, which was killed or stopped."),
    ] = None,
) -> None:
    """Train a network, and leave it in a run folder with its history and pictures.

    Without an option this is the tutorial's network: 784-50-10, sigmoid, softmax, Adam. Ctrl-C or SIGTERM end the
    training early and keep what there is; a second one stops at once. Where nobody reads what is printed any more, the
    training goes on.

    A backup is kept in the run folder: a new one every 10 seconds, or less often, where that would take more than a
    hundredth of the time. After a crash, a kill or Ctrl-C, `--resume FOLDER` goes on from there with all the options
    that the run was begun with, and comes to the same network, bit for bit, as a run that was never interrupted.
    """
    performance.advise()
    importlib.import_module("matplotlib")  # if it is missing, then before the training

    outlast_readers()
    options = TrainOptions(data, samples, hidden, activation, optimizer, learning_rate, epochs, batch_size, seed)
    if resume is not None:
        options = _options_of(resume, output, _given(context, options))
        if run_folder.is_complete(resume):
            print(
                f"The run in {resume} is complete: all {options.epochs} epochs are trained, and nothing is left to do."
            )
            return
    folder_of_run = run_folder.new_folder(output) if resume is None else run_folder.folder_to_go_on_in(resume)
    with folder_of_run as folder, terminable():
        loaded = digits.load(options.data, options.samples)
        print(f"Data: {loaded}\n")
        if resume is None:
            options = options._replace(data=loaded.name, seed=secrets.randbelow(2**32) if seed is None else seed)
            with failing_on(OSError, doing="Cannot begin the run"):
                run_folder.write_run(options, folder)
        stop = training.run(options, loaded, folder)
    if stop is not None:
        print(f"\nTo go on: multilayer train --resume {shlex.quote(str(folder))}")
        raise typer.Exit(128 + stop.signal)  # as shells report a program that a signal has ended


def _given(context: typer.Context, options: TrainOptions) -> dict[str, Any]:
    """The options that stand on the command line, without those that have their default."""
    source = context.get_parameter_source
    return {name: value for name, value in options._asdict().items() if getattr(source(name), "name", "") != "DEFAULT"}


def _options_of(folder: Path, output: Path | None, given: dict[str, Any]) -> TrainOptions:
    """The options that a run was begun with, where those that are given again do not contradict them."""
    if output is not None and output.resolve() != folder.resolve():
        raise fail(f"A run goes on in its own folder: {folder}. Leave out --output {output}.")
    with failing_on(OSError, ValueError):
        options = run_folder.read_run(folder)
    for name, value in given.items():
        begun_with = getattr(options, name)
        if value != begun_with:
            was = f"without {flag(name)}" if begun_with is None else f"with {flag(name)} {begun_with}"
            raise fail(
                f"The run in {folder} was begun {was}, and cannot go on with {flag(name)} {value}. Leave it out, or "
                "begin a new run without --resume."
            )
    return options
