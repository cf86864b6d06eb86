"""The commands: what each takes, checks, does and prints."""

from __future__ import annotations

import csv
import math
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
from multilayer.cli.compare import compare
from multilayer.cli.interruption import Interruption
from multilayer.cli.output import outlast_readers
from multilayer.cli.parameters import Data, Samples
from multilayer.cli.parameters import checked_by as _checked_by
from multilayer.cli.several import CommandOfSeveral
from multilayer.cli.terminal import failing_on, note

Array: TypeAlias = NDArray[Any]

app = typer.Typer(
    help="Train multilayer perceptrons that read handwritten digits, and use them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _check_rate(rate: float) -> None:
    if not 0 < rate < math.inf:
        raise ValueError(f"{rate} is no size for a step: expected a number greater than 0.")


def _layer_sizes(text: str) -> list[int]:
    """'512,256' -> [512, 256]."""
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise ValueError(f"{text!r} are no layer sizes: expected numbers of neurons, at least 1 each, such as 512,256.")
    return [int(size) for size in sizes]


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


ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, such as a run's model.npz.")]


@app.command()
def train(
    data: Data = None,
    hidden: Annotated[
        str,
        typer.Option(
            metavar="SIZES",
            callback=_checked_by(_layer_sizes),
            help="Neurons of the hidden layer, or of several: 512,256.",
        ),
    ] = "50",
    activation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=_checked_by(ml.activations.get),
            help="Of the hidden layers: sigmoid, tanh, relu, linear or softmax.",
        ),
    ] = "sigmoid",
    optimizer: Annotated[
        str,
        typer.Option(metavar="NAME", callback=_checked_by(ml.optimizers.get), help="adam, rmsprop or sgd."),
    ] = "adam",
    learning_rate: Annotated[
        float | None,
        typer.Option(
            metavar="X", callback=_checked_by(_check_rate), help="Size of a step.", show_default="the optimizer's own"
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
) -> None:
    """Train a network, and leave it in a run folder with its history and pictures.

    Without an option this is the tutorial's network: 784-50-10, sigmoid, softmax, Adam. Ctrl-C ends the training early
    and keeps what there is; pressed twice, it stops at once. Where nobody reads what is printed any more, the training
    goes on.
    """
    performance.advise()
    import matplotlib  # noqa: F401 - if it is missing, then before the training

    outlast_readers()
    with runs.new_folder(output) as folder:
        loaded = digits.load(data, samples)
        num_train, num_test = len(loaded.train[0]), len(loaded.test[0])
        print(f"Data: {loaded.name}, {num_train:,} digits to train on, {num_test:,} to test with\n")
        if seed is not None:
            ml.utils.set_random_seed(seed)
        with (
            failing_on(MemoryError, doing="A network of this size does not fit into memory"),
            Interruption() as interruption,
        ):
            model = training.network(_layer_sizes(hidden), activation, optimizer, learning_rate)
            model.summary()
            history = training.fit(model, loaded, interruption, epochs=epochs, batch_size=batch_size)
            print()
            training.evaluate(model, loaded.test)
            training.save(folder, model, history, loaded)
    if interruption.requested:
        raise typer.Exit(130)


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
