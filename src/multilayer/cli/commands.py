"""The commands: what each takes, checks, does and prints."""

from __future__ import annotations

import csv
import secrets
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

import multilayer as ml
from multilayer.cli import digits, performance, pictures, runs, training
from multilayer.cli import inspect as inspection
from multilayer.cli.compare import compare
from multilayer.cli.interruption import terminable
from multilayer.cli.options import Options, check_rate, flag, layer_sizes
from multilayer.cli.output import outlast_readers
from multilayer.cli.parameters import Data, Samples, checked_by
from multilayer.cli.several import CommandOfSeveral
from multilayer.cli.terminal import fail, failing_on, note

Array: TypeAlias = NDArray[Any]

app = typer.Typer(
    help="Train multilayer perceptrons that read handwritten digits, and use them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"multilayer {ml.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file: a run's model.npz, or one of Keras.")]


@app.command()
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
            metavar="X", callback=checked_by(check_rate), help="Size of a step.", show_default="the optimizer's own"
        ),
    ] = None,
    epochs: Annotated[int, typer.Option(metavar="N", min=1, help="How often every digit is seen.")] = 10,
    batch_size: Annotated[int, typer.Option(metavar="N", min=1, help="Digits in a step.")] = 32,
    seed: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=0, max=2**32 - 1, help="Makes the run repeatable.", show_default="another one each time"
        ),
    ] = None,
    samples: Samples = None,
    output: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="The run folder.", show_default="runs/DATE_TIME")
    ] = None,
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
    import matplotlib  # noqa: F401 - if it is missing, then before the training

    outlast_readers()
    options = Options(data, samples, hidden, activation, optimizer, learning_rate, epochs, batch_size, seed)
    if resume is not None:
        options = _options_of(resume, output, _given(context, options))
        if runs.is_complete(resume):
            print(
                f"The run in {resume} is complete: all {options.epochs} epochs are trained, and nothing is left to do."
            )
            return
    folder_of_run = runs.new_folder(output) if resume is None else runs.folder_to_go_on_in(resume)
    with folder_of_run as folder, terminable():
        loaded = digits.load(options.data, options.samples)
        num_train, num_test = len(loaded.train[0]), len(loaded.test[0])
        print(f"Data: {loaded.name}, {num_train:,} digits to train on, {num_test:,} to test with\n")
        if resume is None:
            options = options._replace(data=loaded.name, seed=secrets.randbelow(2**32) if seed is None else seed)
            with failing_on(OSError, doing="Cannot begin the run"):
                runs.write_run(options, folder)
        stop = training.run(options, loaded, folder)
    if stop is not None:
        print(f"\nTo go on: multilayer train --resume {shlex.quote(str(folder))}")
        raise typer.Exit(128 + stop.signal)


def _given(context: typer.Context, options: Options) -> dict[str, Any]:
    """The options that stand on the command line, without those that have their default."""
    source = context.get_parameter_source
    return {name: value for name, value in options._asdict().items() if getattr(source(name), "name", "") != "DEFAULT"}


def _options_of(folder: Path, output: Path | None, given: dict[str, Any]) -> Options:
    """The options that a run was begun with, where those that are given again do not contradict them."""
    if output is not None and output.resolve() != folder.resolve():
        raise fail(f"A run goes on in its own folder: {folder}. Leave out --output {output}.")
    with failing_on(OSError, ValueError):
        options = runs.read_run(folder)
    for name, value in given.items():
        begun_with = getattr(options, name)
        if value != begun_with:
            was = f"without {flag(name)}" if begun_with is None else f"with {flag(name)} {begun_with}"
            raise fail(
                f"The run in {folder} was begun {was}, and cannot go on with {flag(name)} {value}. Leave it out, or "
                "begin a new run without --resume."
            )
    return options


def _load_model(path: Path) -> ml.Model:
    with failing_on(OSError, ValueError):
        return ml.models.load_model(path)


@app.command()
def evaluate(model_file: ModelFile, data: Data = None, samples: Samples = None) -> None:
    """Test a network on test digits.

    Without an option these are the test digits of what it was trained on, which its run folder knows.
    """
    model = _load_model(model_file)
    if data is None:
        with failing_on(OSError, ValueError):
            trained_on = runs.read_trained_on(model_file.parent)
        if trained_on is not None:
            data, samples = trained_on[0], samples or trained_on[1]
    loaded = digits.load(data, samples)
    print(f"Data: {loaded.name}, {len(loaded.test[0]):,} digits to test with\n")
    with failing_on(ValueError):
        training.evaluate(model, loaded.test)


@app.command()
def predict(
    model_file: ModelFile,
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Images: PNG, or IDX as MNIST's own files.")],
    invert: Annotated[bool, typer.Option("--invert", help="For dark ink on light paper.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values instead of a table.")] = False,
) -> None:
    """Read digits from images.

    A network that was trained on MNIST expects one digit in an image, light ink on dark, filling most of it.
    """
    model = _load_model(model_file)
    with failing_on(OSError, ValueError):
        side = digits.side_of(model)
        found = [picture for file in files for picture in pictures.read(file)]
        pixels = pictures.fit(found, side, invert)
        probabilities = model.predict(digits.as_input(pixels, model), verbose=0)
        if probabilities.ndim != 2 or probabilities.shape[1] < 2:
            raise ValueError(f"The model's output has the shape {model.output_shape}: no probability for each digit.")
    names = [picture.name for picture in found]
    named = list(zip(names, pixels, strict=True))
    _note_blank([name for name, image in named if pictures.is_blank(image)])
    _note_light(
        [name for name, image in named if pictures.background(image) > 127 and not pictures.is_blank(image)], invert
    )
    (_print_csv if as_csv else _print_table)(names, probabilities)


def _note_blank(names: list[str]) -> None:
    """Says in which pictures there is nothing to read: a network answers all the same."""
    if names:
        note(f"{_first_of(names)}: no ink, nothing to read. What is printed for it means nothing.")


def _note_light(names: list[str], inverted: bool) -> None:
    """Says which pictures have a light background, unlike what networks are trained on here."""
    if not names:
        return
    how, remedy = ("after --invert", "without") if inverted else ("to the network", "with")
    note(f"{_first_of(names)}: dark ink on light paper {how}. Light ink on dark is read better; try {remedy} --invert.")


def _first_of(names: list[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _print_csv(names: list[str], probabilities: Array) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["image", "digit", *range(probabilities.shape[1])])
    for name, row in zip(names, probabilities, strict=True):
        writer.writerow([name, row.argmax(), *row])


def _print_table(names: list[str], probabilities: Array) -> None:
    """A row for each image, its digit's probability in bold."""
    table = Table(Column("image", overflow="fold"), Column("digit", style="bold"), box=SIMPLE_HEAD, padding=0)
    for digit in range(probabilities.shape[1]):
        table.add_column(str(digit), justify="right")
    for name, row in zip(names, probabilities, strict=True):
        best = row.argmax()
        table.add_row(
            escape(name), str(best), *(Text(f"{p:.2f}", "bold" if i == best else "dim") for i, p in enumerate(row))
        )
    Console(highlight=False).print(table)


@app.command()
def summary(model_file: ModelFile) -> None:
    """Print a network's layers and their numbers of parameters."""
    _load_model(model_file).summary()


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model file: .keras, .h5, .npz, .safetensors, .onnx.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.")] = False,
    read: Annotated[
        bool, typer.Option("--finite", help="Read all arrays, and say whether their numbers are finite.")
    ] = False,
) -> None:
    """Show what is in a model file, whoever made it, without building or running anything of it."""
    with failing_on(OSError, ValueError):
        inspection.print_contents(file, as_json, read)


@app.command()
def plot(folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="A folder that train made.")]) -> None:
    """Draw a run's plots again, from its history.csv."""
    with failing_on(OSError, ValueError):
        for path in runs.draw_history(runs.read_history(folder), folder):
            print(path)


app.command(cls=CommandOfSeveral)(compare)


@app.command()
def info() -> None:
    """Print what computes here: kernels, BLAS library, threads, CPU, versions."""
    performance.advise()
    performance.print_info()


@app.command()
def benchmark(
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="How often each is measured, in turn.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="A twentieth of the steps: a rough idea in seconds.")] = False,
) -> None:
    """Measure a training step here, beside the bare matrix products and the tutorial's NumPy.

    Every engine works in a process of its own and is asked in turn; medians, and times what this library takes.
    """
    performance.advise()
    performance.print_benchmark(rounds, 20 if quick else 4)
