"""The commands: what each takes, checks, does and prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

import multilayer as ml
from multilayer import _pictures as pictures
from multilayer._language import tr
from multilayer.cli import digits, performance, predictions, run_folder, table_use, training
from multilayer.cli import inspect as inspection
from multilayer.cli.common_options import AsJson, Data, ModelFile, Quiet, Samples
from multilayer.cli.compare import compare
from multilayer.cli.exporting import export
from multilayer.cli.multi_value import MultiValueCommand
from multilayer.cli.serving import serve
from multilayer.cli.table_options import Encoding, Separator
from multilayer.cli.terminal import failing_on, reporting, say, say_json
from multilayer.cli.train import train
from multilayer.models.summary import summarized

app = typer.Typer(
    help="Train multilayer perceptrons that read handwritten digits, and use them.",
    epilog="Exit codes: 0 all is done; 1 it failed, and stderr says why; 2 the command line is wrong; 130 Ctrl-C and "
    "143 SIGTERM ended it early. Results go to stdout, all else to stderr.",
    no_args_is_help=True,
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


app.command()(train)  # the order of these is that of the help page


def _load_model(path: Path) -> tuple[ml.Model, Path]:
    """The model in a file or a run's folder, and the file."""
    with failing_on(OSError, ValueError):
        file = run_folder.model_in(path)
        return ml.models.load_model(file), file


@app.command()
def evaluate(
    model_file: ModelFile,
    table: Annotated[
        Path | None,
        typer.Argument(metavar="TABLE", help="For a network for tables: one with the target.", show_default=False),
    ] = None,
    data: Data = None,
    samples: Samples = None,
    separator: Separator = None,
    encoding: Encoding = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> None:
    """Test a network: on test digits, or, one for tables, on the rows of a table.

    Without an option these are the test digits of what it was trained on, which its run folder knows.
    """
    with failing_on(OSError, ValueError, ModuleNotFoundError):
        of_table = table_use.model_in(model_file)
        if of_table is not None:
            if table is None:
                raise typer.BadParameter(
                    tr("{model_file} is a network for tables: name a table to measure by.", model_file=model_file)
                )
            table_use.evaluate(of_table, table, as_json, separator, encoding)
            return
    if table is not None:
        raise typer.BadParameter(
            tr("{model_file} reads digits, and takes no table. Leave out {table}.", model_file=model_file, table=table)
        )
    model, file = _load_model(model_file)
    if data is None:
        with failing_on(OSError, ValueError):
            trained_on = run_folder.read_trained_on(file.parent)
        if trained_on is not None:
            data, samples = trained_on[0], samples or trained_on[1]
    with reporting(quiet):
        loaded = digits.load(data, samples)
        say(tr("Data: {name}, {count:,} digits to test with\n", name=loaded.name, count=len(loaded.test[0])))
    with failing_on(ValueError):
        tested = training.test(model, loaded.test)
    if as_json:
        say_json({"model": str(file), "data": loaded.name, "samples": len(loaded.test[0]), "test": tested})
    else:
        training.print_tested(tested)


@app.command()
def predict(
    model_file: ModelFile,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="Pictures: PNG, JPEG, BMP, GIF, TIFF, WebP; or IDX as MNIST's own files. For a network for "
            "tables: one table.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Of tables: where to write the CSV.", show_default="stdout"
        ),
    ] = None,
    invert: Annotated[
        bool | None,
        typer.Option(
            "--invert/--no-invert", help="Whether ink is darker than its paper.", show_default="look at the border"
        ),
    ] = None,
    as_is: Annotated[bool, typer.Option("--as-is", help="Only resize pictures: no cropping, no centring.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print comma-separated values instead of a table.")] = False,
    separator: Separator = None,
    encoding: Encoding = None,
    as_json: AsJson = False,
) -> None:
    """Read digits from pictures, or predict the rows of a table.

    Of a table a row is written for each of its rows, in their order: the columns that identify it, what is predicted,
    and the probability of each class.

    Each picture is prepared as MNIST's were: turned upright as its EXIF data say, the light of a photograph evened out,
    light ink on dark, cropped to the ink, scaled into 20 x 20 pixels, centred by mass. Several digits in a picture are
    read one by one, line by line, from left to right, and named NAME[0], NAME[1] and so on. What was done is said on
    stderr, as is when something cannot be a digit. Images in IDX files are taken as they are, and so are all pictures
    where the network was trained on something else (fashion_mnist).
    """
    if as_csv and as_json:
        raise typer.BadParameter(tr("--csv and --json are two forms of one result: give one of them."))
    with failing_on(OSError, ValueError, ModuleNotFoundError):
        of_table = table_use.model_in(model_file)
        if of_table is not None:
            if len(files) != 1 or invert is not None or as_is:
                raise typer.BadParameter(
                    tr(
                        "{model_file} is a network for tables: name one table, and no option of pictures.",
                        model_file=model_file,
                    )
                )
            table_use.predict(of_table, files[0], output, as_json, separator, encoding)
            return
    if output is not None:
        raise typer.BadParameter(tr("--output is for tables; what is read from pictures goes to stdout."))
    model, model_file = _load_model(model_file)
    with failing_on(OSError, ValueError):
        side = pictures.side_of(model)
        trained_on = run_folder.read_trained_on(model_file.parent)
        found = [image for file in files for image in pictures.read(file)]
        if as_is or (trained_on is not None and trained_on[0] == "fashion_mnist"):
            read = [[pictures.Prepared(pixels)] for pixels in pictures.fit(found, side, bool(invert))]
        else:
            read = [pictures.prepare(image, side, invert) for image in found]
        ready = [one for digits_of_image in read for one in digits_of_image]
        probabilities = model.predict(pictures.as_input(np.stack([one.pixels for one in ready]), model), verbose=0)
        if probabilities.ndim != 2 or probabilities.shape[1] < 2:
            raise ValueError(
                tr(
                    "The model's output has the shape {output_shape}: no probability for each digit.",
                    output_shape=model.output_shape,
                )
            )
    pictured = [image.name for image in found]
    names = [name for one, parts in zip(pictured, read, strict=True) for name in predictions.names_of(one, parts)]
    predictions.note_prepared(names, ready)
    predictions.note_several(pictured, read)
    predictions.note_light(names, ready, invert)
    if as_json:
        say_json({"model": str(model_file), "images": predictions.described(names, ready, probabilities)})
    else:
        (predictions.print_csv if as_csv else predictions.print_table)(names, probabilities)


@app.command()
def summary(model_file: ModelFile, as_json: AsJson = False) -> None:
    """Print a network's layers and their numbers of parameters."""
    model, file = _load_model(model_file)
    if as_json:
        say_json({"model": str(file), **summarized(model)})
    else:
        model.summary()


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A model file: .keras, .h5, .npz, .safetensors, .onnx.")],
    as_json: AsJson = False,
    read: Annotated[
        bool, typer.Option("--finite", help="Read all arrays, and say whether their numbers are finite.")
    ] = False,
) -> None:
    """Show what is in a model file, whoever made it, without building or running anything of it."""
    with failing_on(OSError, ValueError):
        of_table = table_use.model_in(file)
        if of_table is not None and not as_json:
            table_use.print_described(of_table)
        more = {} if of_table is None else {"table": table_use.described(of_table)}
        inspection.print_contents(run_folder.model_in(file), as_json, read, more)


app.command()(export)


@app.command()
def plot(
    folder: Annotated[Path, typer.Argument(metavar="RUN_FOLDER", help="A folder that train made.")],
    as_json: AsJson = False,
) -> None:
    """Draw a run's plots again, from its history.csv."""
    with failing_on(OSError, ValueError):
        paths = [str(path) for path in run_folder.draw_history(run_folder.read_history(folder), folder)]
    if as_json:
        say_json({"run": str(folder), "plots": paths})
    else:
        say("\n".join(paths))


app.command(cls=MultiValueCommand)(compare)
app.command()(serve)


@app.command()
def info(as_json: AsJson = False) -> None:
    """Print what computes here: kernels, BLAS library, threads, CPU, versions."""
    performance.advise()
    performance.warn_where_busy()
    if as_json:
        say_json(performance.described())
    else:
        performance.print_info()


@app.command()
def benchmark(
    rounds: Annotated[int, typer.Option(metavar="N", min=1, help="How often each is measured, in turn.")] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="A twentieth of the steps: a rough idea in seconds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure a training step here, beside the bare matrix products and the tutorial's NumPy.

    Every engine works in a process of its own and is asked in turn; medians, and times what this library takes.
    """
    performance.advise()
    performance.warn_where_busy()
    divisor = 20 if quick else 4
    if as_json:
        say_json({**performance.described(), "workloads": performance.measured(rounds, divisor)})
    else:
        performance.print_benchmark(rounds, divisor)
