"""What is done with a network for tables: predict new rows, measure on them, show what it is, export it."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from multilayer import export as exporting
from multilayer import tabular
from multilayer._containers import npz
from multilayer._containers.stored import parse_json
from multilayer._language import tr
from multilayer._system.atomic import replaced
from multilayer._tables import Table, read_in_chunks, read_table
from multilayer._tables.chunks import read_names
from multilayer._tables.forms import listed, missing, places, plain
from multilayer.cli import run_folder, table_printing
from multilayer.cli.table_command import RESULT
from multilayer.cli.table_options import real_separator
from multilayer.cli.table_training import numbers_of, said_by
from multilayer.cli.terminal import escaped, note, say, say_json
from multilayer.functional import Array
from multilayer.tabular.figures import classification_figures, regression_figures

_ROWS = 20_000  # that are predicted at once
_FEW = 5
_MOST_LISTED = 12  # names in a message


class TableModel:
    """A trained network for tables, and what its run folder knows of it.

    Args:
        file: The model file.
        estimator: What is in it.
        options: The options that it was trained with, as far as the run folder has them.
    """

    def __init__(self, file: Path, estimator: Any, options: dict[str, Any]) -> None:
        self.file, self.estimator, self.options = file, estimator, options

    @property
    def target(self) -> str:
        """The column that it predicts."""
        return str(self.options.get("target") or "prediction")

    @property
    def classes(self) -> list[str]:
        """The classes of a classifier."""
        return [plain(one) for one in getattr(self.estimator, "classes_", ())]

    @property
    def identifiers(self) -> list[str]:
        """The columns that say which row is which."""
        found = [one.name for one in self.estimator.columns_ if one.kind == "identifier"]
        group = self.options.get("group")
        return [group, *found] if group and group not in found else found

    @property
    def forms(self) -> dict[str, str]:
        """The form of each column that is predicted from."""
        return dict(self.estimator.preprocessing_.forms)

    def read_with(self, separator: str | None, encoding: str | None) -> tuple[str | None, str | None]:
        """How a file is read: as wanted, else as that which was trained on, where it was said."""
        separator = separator or self.options.get("separator")
        return (separator and real_separator(separator)), encoding or self.options.get("encoding")


def model_in(path: Path) -> TableModel | None:
    """The network for tables in a run folder or a file, or None where it is of another kind.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged.
    """
    file = run_folder.model_in(path)
    if file.suffix != ".npz" or not _is_of_table(file):
        return None
    return TableModel(file, tabular.load(file), _options_beside(file))


def _is_of_table(file: Path) -> bool:
    try:
        with npz.opened(file) as (config, _):
            return "table" in config
    except (OSError, ValueError):  # no file of this library: whoever reads it says so
        return False


def _options_beside(file: Path) -> dict[str, Any]:
    path = file.parent / run_folder.RUN
    if not path.exists():
        return {}
    content = parse_json(run_folder.text_of(path), str(path))
    options = content.get("options") if isinstance(content, dict) and content.get("kind") == "table" else None
    if not isinstance(options, dict):
        return {}
    wrong = [name for name in _TEXTS if not isinstance(options.get(name), (str, type(None)))]
    if wrong:
        raise ValueError(tr("{path} is damaged: {wrong} of its options are no text.", path=path, wrong=listed(wrong)))
    return options


_TEXTS = ("target", "group", "separator", "encoding")  # options that are used afterwards


# --- Predicting ---


def predict(
    model: TableModel, table: Path, output: Path | None, as_json: bool, separator: str | None, encoding: str | None
) -> None:
    """Writes what the network says of each row: its identifiers, the prediction, and each class's probability.

    Raises:
        OSError: A file cannot be read or written.
        ValueError: The table lacks columns, or holds what they cannot be.
    """
    if output is not None and output.exists() and table.exists() and output.samefile(table):
        raise ValueError(
            tr(
                "{output} is the table to predict from. Expected another file to write to: it would be lost.",
                output=output,
            )
        )
    separator, encoding = model.read_with(separator, encoding)
    names = read_names(table, separator, encoding)
    _check_columns(model, names)
    identifiers = [one for one in model.identifiers if one in names]
    # What is not predicted from is read as it stands there, so that identifiers keep their zeros.
    types = {name: model.forms.get(name, "text") for name in names}
    unseen: Counter[str] = Counter()
    parts = read_in_chunks(table, _ROWS, separator, encoding, types)
    if as_json:
        rows = [
            dict(zip(_header(model, identifiers), row, strict=True)) for row in _rows(model, parts, identifiers, unseen)
        ]
        say_json({"model": str(model.file), "table": str(table), "rows": rows})
    else:
        with _opened(output) as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(map(run_folder.inert, _header(model, identifiers)))
            count = 0
            for row in _rows(model, parts, identifiers, unseen):
                writer.writerow(map(run_folder.inert, row))
                count += 1
        if output is not None:
            say(tr("{count:,} rows predicted: {output}", count=count, output=output))
    _note_unseen(unseen)


def _note_unseen(unseen: Counter[str]) -> None:
    """Says which categories training did not have, and in how many rows they stand."""
    for text, rows_with in unseen.items():
        note(tr("{text}, in {rows_with:,} row{s}.", text=text, rows_with=rows_with, s="s" if rows_with > 1 else ""))


@contextmanager
def _opened(output: Path | None) -> Iterator[TextIO]:
    if output is None:
        yield sys.stdout
        return
    with replaced(output) as file:
        yield _Encoded(file)  # type: ignore[misc]


class _Encoded:
    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Writes a text as UTF-8."""
        self._file.write(text.encode())
        return len(text)


def _check_columns(model: TableModel, names: Sequence[str]) -> None:
    known = list(model.estimator.preprocessing_.names)
    lacking = [name for name in model.forms if name not in names]
    if lacking:
        raise ValueError(
            tr(
                "The table lacks {count} of the {all} columns that are predicted from: {lacking}. It has {names}.",
                count=len(lacking),
                all=len(model.forms),
                lacking=listed(lacking, _MOST_LISTED),
                names=listed(names, _MOST_LISTED),
            )
        )
    others = [name for name in names if name not in known and name not in (model.target, *model.identifiers)]
    if others:
        note(tr("Columns that are not predicted from are ignored: {others}.", others=listed(others, _MOST_LISTED)))


def _header(model: TableModel, identifiers: Sequence[str]) -> list[str]:
    return [*identifiers, model.target, *(f"probability {one}" for one in model.classes)]


def _rows(
    model: TableModel, parts: Iterator[Table], identifiers: Sequence[str], unseen: Counter[str]
) -> Iterator[list[Any]]:
    for part in parts:
        _count_unseen(model, part, unseen)
        said = said_by(model.estimator, part, model.classes)
        kept = [["" if one is None else one for one in part[name]] for name in identifiers]
        if model.classes:
            guesses = [model.classes[i] for i in said.argmax(axis=1)]
            yield from map(list, zip(*kept, guesses, *said.round(6).T.tolist(), strict=True))
        else:
            yield from map(list, zip(*kept, said.tolist(), strict=True))


def _count_unseen(model: TableModel, part: Table, unseen: Counter[str]) -> None:
    for encoding in model.estimator.preprocessing_.encodings:
        if hasattr(encoding, "unseen"):
            new = encoding.unseen(part.select([encoding.name]).as_types(model.forms)[encoding.name])
            for one in new:
                text = tr("`{name}` holds {one!r}, which training did not have", name=encoding.name, one=one[:60])
                unseen[text] += int(sum(value == one for value in part[encoding.name].tolist()))


# --- Measuring ---


def evaluate(model: TableModel, table: Path, as_json: bool, separator: str | None, encoding: str | None) -> None:
    """Prints the figures of the network on the rows of a table that has the target.

    Raises:
        OSError: The table cannot be read.
        ValueError: It lacks columns or the target, or holds what they cannot be.
    """
    separator, encoding = model.read_with(separator, encoding)
    names = read_names(table, separator, encoding)
    _check_columns(model, names)
    if model.target not in names:
        raise ValueError(
            tr(
                "The table lacks the target {target!r}. It has {names}.",
                target=model.target,
                names=listed(names, _MOST_LISTED),
            )
        )
    types = {name: model.forms.get(name, "text") for name in names if name != model.target}
    found = read_table(table, separator, encoding, types)
    absent = missing(found[model.target])
    if absent.all():
        raise ValueError(
            tr(
                "The target {target!r} is missing in every row. Expected a value where it is known.",
                target=model.target,
            )
        )
    if absent.any():
        note(tr("{count:,} rows without a value of `{target}` are left out.", count=absent.sum(), target=model.target))
        found = found.rows(~absent)
    unseen: Counter[str] = Counter()
    _count_unseen(model, found, unseen)
    said = said_by(model.estimator, found, model.classes)
    counts = None
    if model.classes:
        truth = numbers_of(_labels(model, found), model.classes)
        figures = classification_figures(truth, said)
        size = len(model.classes)
        counts = np.bincount(truth * size + said.argmax(axis=1), minlength=size * size).reshape(size, size)
    else:
        figures = regression_figures(found.as_types({model.target: "number"})[model.target], said)
    _note_unseen(unseen)
    if as_json:
        more = {} if counts is None else {"classes": model.classes, "confusion": counts.tolist()}
        say_json({"model": str(model.file), "table": str(table), "rows": len(found), "figures": figures, **more})
        return
    say(tr("{name}: {count:,} rows", name=table.name, count=len(found)))
    table_printing.print_figures({"network": figures}, {})
    if counts is not None:
        table_printing.print_confusion(counts, model.classes)


def _labels(model: TableModel, table: Table) -> Array:
    """The true classes as they were written in training; `Yes` is `yes` where there is no other."""
    labels = table.as_types({model.target: "text"})[model.target]
    by_letters = {one.lower(): one for one in model.classes}
    labels = np.array([one if one in model.classes else by_letters.get(one.lower(), one) for one in labels], object)
    strange = np.flatnonzero([one not in model.classes for one in labels])
    if len(strange):
        examples = listed(list(dict.fromkeys(labels[strange].tolist())), _FEW)
        raise ValueError(
            tr(
                "The target {target!r} holds classes that training did not have: {examples}, in {where}. "
                "Expected {classes}.",
                target=model.target,
                examples=examples,
                where=places(strange, table.place),
                classes=listed(model.classes, _MOST_LISTED),
            )
        )
    return labels


# --- Exporting ---


def export(model: TableModel, file: Path, **options: Any) -> Any:
    """Writes the network to a file of the kind that its ending says, and gives what its writer has to say.

    As ONNX it is written with what is done with the columns, where the estimator can write that.

    Raises:
        OSError: The file cannot be written.
        ValueError: The ending is not known, or the network or an option does not fit it.
    """
    form = exporting.format_of(file)
    if form.name != "onnx" or options:
        try:
            return exporting.export(model.estimator.model_, file, verbose=False, **options)
        except ValueError as error:
            if form.name == "onnx":
                raise
            other = tr(", and `multilayer serve` opens a page for it") if form.name == "html" else ""
            raise ValueError(
                tr(
                    "A network for tables is not written as {title}. {error} ONNX takes it, with what is done "
                    "with the columns: name a file that ends in '.onnx'{other}.",
                    title=form.title,
                    error=error,
                    other=other,
                )
            ) from None
    dates = [one.name for one in model.estimator.columns_ if one.kind == "date"]
    if not dates:
        model.estimator.export(file)
        return None
    model.estimator.model_.export(file)
    note(
        tr(
            "ONNX has no operators for the parts of dates ({dates}): the file takes numbers and codes, and "
            "what is done with the columns before is not in it.",
            dates=", ".join(dates),
        )
    )
    return None


# --- Showing ---


def described(model: TableModel) -> dict[str, Any]:
    """What a network for tables is, as plain data."""
    path = model.file.parent / RESULT
    result = parse_json(run_folder.text_of(path), str(path)) if path.exists() else {}
    result = result if isinstance(result, dict) else {}
    return {
        "target": model.target,
        "task": "classification" if model.classes else "regression",
        "classes": model.classes or None,
        "columns": [one._asdict() for one in model.estimator.columns_],
        "figures": result.get("figures"),
        "options": model.options or None,
    }


def print_described(model: TableModel) -> None:
    """Prints what a network for tables is."""
    found = described(model)
    classes = tr(" of {classes}", classes=escaped(found["classes"])) if found["classes"] else ""
    say(
        tr(
            "Predicts {target!r}: {task}{classes}",
            target=escaped(model.target),
            task=tr(found["task"]),
            classes=classes,
        )
    )
    table_printing.print_columns(model.estimator.columns_)
    figures = found["figures"]
    if _are_figures(figures):
        say(tr("On rows that were not trained on:"))
        table_printing.print_figures(figures, {})


def _are_figures(figures: Any) -> bool:
    """Whether a file says figures as this release writes them."""
    return (
        isinstance(figures, dict)
        and "network" in figures
        and all(
            isinstance(of_model, dict)
            and list(of_model) == list(figures["network"])
            and all(name in table_printing.NAMES and isinstance(one, (int, float)) for name, one in of_model.items())
            for of_model in figures.values()
        )
    )
