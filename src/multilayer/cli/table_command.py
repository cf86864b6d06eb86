"""`multilayer train TABLE`: from a file to a run folder with a network, its figures and a report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import multilayer as ml
from multilayer._language import later, tr
from multilayer._system.atomic import replaced
from multilayer._system.machine import peak_memory
from multilayer._tables.forms import normal
from multilayer.cli import run_folder, table_data, table_parts, table_printing, table_report, table_training
from multilayer.cli.interruption import terminable
from multilayer.cli.table_options import TableOptions
from multilayer.cli.table_training import Result
from multilayer.cli.terminal import escaped, failing_on, finite, note, reporting, say, say_json

REPORT, RESULT, PREDICTIONS = "report.html", "result.json", "predictions.csv"
CONTENTS = {
    run_folder.MODEL: later("the network with all that is done with the columns, for: multilayer predict"),
    REPORT: later("the report: one page that needs nothing else"),
    RESULT: later("the same for programs"),
    PREDICTIONS: later("what the network says of the rows that it was measured by"),
    table_report.CONFUSION: later("how often each class was taken for each"),
    table_report.CALIBRATION: later("whether its confidence can be believed"),
    table_report.RESIDUALS: later("predicted over true values"),
    table_report.IMPORTANCE: later("how much each column matters"),
    run_folder.RUN: later("the options that it was trained with, for --options"),
}


def train(options: TableOptions, output: Path | None, quiet: bool, as_json: bool) -> None:
    """Trains on a table, and leaves a run folder; the result goes to stdout, all else to stderr."""
    # As the readers have names, however the terminal writes its letters.
    names = {one: getattr(options, one) for one in ("target", "types", "drop", "group", "time")}
    written: dict[str, Any] = {key: one and normal(one) for key, one in names.items()}
    options = options._replace(**written)
    with run_folder.new_folder(output, CONTENTS) as folder, terminable():
        with reporting(quiet), failing_on(OSError, ValueError, ModuleNotFoundError, MemoryError):
            result = _result(options, quiet)
            learnable = result.learnable
            if not quiet:
                for text in result.notes:
                    if text not in _warnings(learnable):
                        note(text)
        found = table_report.described(result, folder)
        with failing_on(OSError, doing=tr("Cannot save the run")):
            _save(result, options, folder, found)
        if as_json:
            files = [name for name in CONTENTS if (folder / name).exists()]
            say_json({**found, "peak_memory": peak_memory(), "options": options._asdict(), "files": files})
            return
        print_result(result)
        if (most := peak_memory()) is not None:
            say(tr("Memory: {most:,.0f} MB at most.", most=most / 1e6))
        say(tr("The run is in {folder}:", folder=folder))
        run_folder.print_contents(folder, CONTENTS)


def _result(options: TableOptions, quiet: bool) -> Result:
    if options.group is not None and options.time is not None:
        raise ValueError(tr("--group and --time choose the rows in two ways. Give one of them."))
    memory = table_parts.memory_for(options)
    if memory is None:
        learnable = table_data.load(options)
        _say_what_it_is(options, learnable, quiet)
        return table_training.run(options, learnable)
    whole = table_parts.surveyed(options, memory)
    _say_what_it_is(options, whole.sample, quiet)
    return table_parts.run(options, whole, memory)


def _say_what_it_is(options: TableOptions, learnable: table_data.Learnable, quiet: bool) -> None:
    count = len(learnable.features.names)
    say(
        tr(
            "Data: {name}, {total:,} rows, {count:,} columns to predict from",
            name=Path(options.table).name,
            total=learnable.total,
            count=count,
        )
    )
    table_printing.print_columns(learnable.columns)
    say(tr("Task: {task}: {reason}.", task=tr(learnable.task), reason=escaped(learnable.reason)))
    for text in [] if quiet else [*learnable.notes, *_warnings(learnable)]:
        note(text)


def _warnings(learnable: table_data.Learnable) -> list[str]:
    return [one.warning for one in learnable.columns if one.warning]


def print_result(result: Result) -> None:
    """The figures, what was taken for what, and what matters."""
    say(f"{result.split.capitalize()}.".replace("`", ""))
    table_printing.print_figures(result.figures(), result.deviations())
    if result.classes:
        table_printing.print_confusion(table_report.confusion(result), result.classes)
    table_printing.print_importance(result.importance, tr(table_report.loss_name(result)))


def _save(result: Result, options: TableOptions, folder: Path, found: dict[str, Any]) -> None:
    result.estimator.save(folder / run_folder.MODEL)
    _save_predictions(result, folder)
    table_report.draw(result, folder)
    _write(folder / REPORT, table_report.page(result, options.table, folder))
    _write(folder / RESULT, json.dumps(finite(found), indent=2, default=str) + "\n")
    content = {"version": ml.__version__, "kind": "table", "complete": True, "options": options._asdict()}
    _write(folder / run_folder.RUN, json.dumps(content, indent=2) + "\n")


def _save_predictions(result: Result, folder: Path) -> None:
    """A row for each that was measured by: its line in the file, what is true and what was predicted."""
    learnable, measured = result.learnable, result.measured
    lines = learnable.features.lines
    places = measured.rows if lines is None else lines[measured.rows]
    said = measured.said["network"]
    header = ["row" if lines is None else "line", learnable.name]
    if result.classes:
        header += [f"predicted {learnable.name}", *(f"probability {one}" for one in result.classes)]
        guesses = [result.classes[i] for i in said.argmax(axis=1)]
        rows = zip(places, measured.truth, guesses, *said.T, strict=True)
    else:
        header += [f"predicted {learnable.name}"]
        rows = zip(places, measured.truth, said, strict=True)
    run_folder.write_csv(folder / PREDICTIONS, header, rows)


def _write(path: Path, text: str) -> None:
    with replaced(path) as file:
        file.write(text.encode())
