"""What a training on a table leaves to look at: one page of HTML, pictures, and the same as plain data."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import multilayer as ml
from multilayer import plotting
from multilayer._language import later, tr
from multilayer.cli import report_page as html
from multilayer.cli import run_folder
from multilayer.cli.table_printing import HIGHER_IS_BETTER, MODELS, NAMES, best_of, number, signed
from multilayer.cli.table_training import Result, numbers_of
from multilayer.cli.terminal import escaped
from multilayer.functional import Array
from multilayer.tabular.figures import Bin, calibration

CONFUSION, CALIBRATION, RESIDUALS, IMPORTANCE = "confusion.png", "calibration.png", "residuals.png", "importance.png"
_MOST_CLASSES = 30  # of a matrix that can be read
_MOST_POINTS = 800
_UNUSED = ("identifier", "constant", "duplicate")


def confusion(result: Result) -> Array:
    """How often each true class was predicted as each class (C, C)."""
    count = len(result.classes)
    truth, guess = _truth_and_guess(result)
    return np.bincount(truth * count + guess, minlength=count * count).reshape(count, count)


def _truth_and_guess(result: Result) -> tuple[Array, Array]:
    measured = result.measured
    return numbers_of(measured.truth, result.classes), measured.said["network"].argmax(axis=1)


def loss_name(result: Result) -> str:
    """What the loss is called by which columns are judged."""
    return later("log loss") if result.classes else "RMSE"


def described(result: Result, folder: Path) -> dict[str, Any]:
    """A result as plain data, for programs."""
    learnable, measured = result.learnable, result.measured
    found: dict[str, Any] = {
        "run": str(folder),
        "version": ml.__version__,
        "target": learnable.name,
        "task": learnable.task,
        "reason": learnable.reason,
        "rows": learnable.total,
        "split": result.split,
        "measured_rows": len(measured.rows),
        "columns": [one._asdict() for one in result.estimator.columns_],
        "notes": notes(result),
        "figures": result.figures(),
        "folds": len(result.parts) if len(result.parts) > 1 else None,
        "deviations": result.deviations(),
        "importance": [one._asdict() for one in result.importance],
        "seconds": result.seconds,
    }
    if result.classes:
        truth, _ = _truth_and_guess(result)
        found["classes"] = result.classes
        found["confusion"] = confusion(result).tolist()
        found["calibration"] = [one._asdict() for one in calibration(truth, measured.said["network"])]
    return found


def notes(result: Result) -> list[str]:
    """What was noticed of table and columns, each once."""
    return list(dict.fromkeys([*result.learnable.notes, *result.notes]))


# --- Pictures ---


def draw(result: Result, folder: Path) -> None:
    """Draws the result into files of the folder.

    Raises:
        OSError: They cannot be written.
    """
    measured = result.measured
    said = measured.said["network"]
    if result.classes:
        truth, guess = _truth_and_guess(result)
        if len(result.classes) <= _MOST_CLASSES:
            names = [_drawn(one) for one in result.classes]
            figure = plotting.plot_confusion_matrix(truth, guess, classes=names)
            run_folder.save_figure(figure, folder / CONFUSION)
        run_folder.save_figure(plotting.plot_calibration(truth, np.clip(said, 0, 1)), folder / CALIBRATION)
    else:
        run_folder.save_figure(plotting.plot_residuals(measured.truth, said), folder / RESIDUALS)
    if result.importance:
        importance = {escaped(one.name): (one.mean, one.deviation) for one in result.importance}
        run_folder.save_figure(plotting.plot_importance(importance, loss=loss_name(result)), folder / IMPORTANCE)


def _drawn(name: str) -> str:
    """A name as matplotlib takes it, to which a dollar means mathematics."""
    return escaped(name).replace("$", r"\$")


# --- The page ---


def page(result: Result, table: str, folder: Path) -> str:
    """The report as one page of HTML, which loads nothing from elsewhere."""
    learnable = result.learnable
    parts = [
        html.title(learnable.name),
        html.paragraph(
            tr(
                "A network that predicts “{name}” from {count} columns of {file}, {total:,} rows: {headline}.",
                name=learnable.name,
                count=len(_used(result)),
                file=Path(table).name,
                total=learnable.total,
                headline=_headline(result),
            ),
            "lead",
        ),
        html.paragraph(f"{tr(learnable.task).capitalize()}: {learnable.reason}. {result.split.capitalize()}.", "quiet"),
        html.heading(tr("Figures")),
        _figures(result),
        html.paragraph(
            tr("The linear model has the same columns; the constant knows none of them, and says ")
            + (tr("how frequent each class is.") if result.classes else tr("the mean.")),
            "quiet",
        ),
        *(_of_classes(result) if result.classes else _of_values(result)),
        html.heading(tr("What matters")),
        _importance(result),
        html.heading(tr("Columns")),
        _columns(result),
    ]
    if notes(result):
        parts += [html.heading(tr("Noticed")), html.items(notes(result))]
    parts += [html.heading(tr("To go on")), html.code(_commands(folder, Path(table)))]
    return html.page(f"{learnable.name} – {Path(table).name}", parts)


def _used(result: Result) -> list[str]:
    return [one.name for one in result.estimator.columns_ if one.kind not in _UNUSED]


def _headline(result: Result) -> str:
    figures, rows = result.figures(), len(result.measured.rows)
    network, constant = figures["network"], figures["constant"]
    if result.classes:
        return tr(
            "it is right on {network:.1%} of {rows:,} rows that it had not seen, where always saying the "
            "most frequent class would be on {constant:.1%}",
            network=network["accuracy"],
            rows=rows,
            constant=constant["accuracy"],
        )
    return tr(
        "on {rows:,} rows that it had not seen it is off by {network} on average, where always saying the "
        "mean would be by {constant}",
        rows=rows,
        network=number(network["mae"]),
        constant=number(constant["mae"]),
    )


def _figures(result: Result) -> str:
    figures, deviations = result.figures(), result.deviations()
    names = list(figures["network"])
    rows = []
    for model, of_model in figures.items():
        cells = []
        for name in names:
            best = of_model[name] == best_of([one[name] for one in figures.values()], name)
            text = number(of_model[name])
            if model == "network" and name in deviations:
                text += f" ± {number(deviations[name])}"
            cells.append(html.cell(text, "n best" if best else "n"))
        rows.append([tr(MODELS[model]), *cells])
    folds = tr(", means of {count} folds ± their standard deviation", count=len(result.parts)) if deviations else ""
    headings = [("", "")] + [(f"{tr(NAMES[name])} {'↑' if name in HIGHER_IS_BETTER else '↓'}", "n") for name in names]
    return html.table(
        tr("On rows that were not trained on{folds}; ↑ higher is better, ↓ lower", folds=folds), headings, rows
    )


def _of_classes(result: Result) -> list[str]:
    parts = []
    counts, classes = confusion(result), result.classes
    if len(classes) <= _MOST_CLASSES:
        shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
        rows = [
            [
                name,
                *(
                    html.cell(f"{counts[i, j]:,}", "cell", html.shade(shares[i, j], warm=i != j))
                    for j in range(len(classes))
                ),
            ]
            for i, name in enumerate(classes)
        ]
        headings = [(tr("true ↓  predicted →"), ""), *((name, "n") for name in classes)]
        parts += [
            html.heading(tr("Right and wrong")),
            html.table(tr("Rows of each true class, by the class that was predicted"), headings, rows),
        ]
    truth, _ = _truth_and_guess(result)
    bins = calibration(truth, result.measured.said["network"])
    parts += [html.heading(tr("Can its confidence be believed?")), _calibration(bins)]
    return parts


def _calibration(bins: Sequence[Bin]) -> str:
    error = sum(one.share * abs(one.right - one.confidence) for one in bins)
    chart = html.Chart((0, 1), (0, 1), (tr("confidence"), tr("share of right answers")))
    chart.diagonal()
    points = [(one.confidence, one.right) for one in bins]
    chart.line(points)
    largest = max(one.share for one in bins)
    chart.points(points, [3 + 7 * (one.share / largest) ** 0.5 for one in bins], 0.9)
    says = "; ".join(
        tr(
            "confidence {confidence:.2f}: {right:.0%} right of {share:.0%} of the rows",
            confidence=one.confidence,
            right=one.right,
            share=one.share,
        )
        for one in bins
    )
    return chart.html(
        tr("Calibration. {says}", says=says),
        tr(
            "On the dashed line a confidence is as large as the share of right answers; below it the network "
            "is too sure. A point is the larger the more rows it stands for. Expected calibration error: "
            "{error:.3f}.",
            error=error,
        ),
    )


def _of_values(result: Result) -> list[str]:
    measured = result.measured
    truth, said = measured.truth, measured.said["network"]
    low, high = float(min(truth.min(), said.min())), float(max(truth.max(), said.max()))
    some = np.linspace(0, len(truth) - 1, min(len(truth), _MOST_POINTS)).astype(int)
    beyond = 0.03 * (high - low)  # a point at the edge is seen whole
    ends = (low - beyond, high + beyond)
    chart = html.Chart(ends, ends, ("true", "predicted"))
    chart.diagonal()
    chart.points([(float(truth[i]), float(said[i])) for i in some], 3, 0.5)
    away = np.abs(said - truth)
    within = [
        tr("{share:.0%} of the rows by at most {away}", share=share, away=number(float(np.quantile(away, share))))
        for share in (0.5, 0.9)
    ]
    return [
        html.heading(tr("Predicted and true")),
        chart.html(
            tr(
                "Predicted over true values of {count:,} rows, from {low} to {high}.",
                count=len(some),
                low=number(low),
                high=number(high),
            ),
            tr(
                "On the dashed line both are the same. Off are {within}; the mean of predicted - true is {mean}.",
                within=tr(" and ").join(within),
                mean=number(float((said - truth).mean())),
            ),
        ),
    ]


def _importance(result: Result) -> str:
    if not result.importance:
        return html.paragraph(tr("There is no column to shuffle."))
    largest = max(result.importance[0].mean, 1e-300)
    rows = [
        [one.name, html.cell(f"{signed(one.mean)} ± {number(one.deviation)}", "n"), html.bar(one.mean / largest)]
        for one in result.importance
    ]
    caption = tr(
        "By how much the {loss} rises when a column is shuffled. Of two columns that tell the same "
        "neither seems to matter.",
        loss=tr(loss_name(result)),
    )
    return html.table(caption, [(tr("column"), ""), (tr("rise"), "n"), ("", "")], rows, "bars")


def _columns(result: Result) -> str:
    rows = [
        [one.name, html.cell(tr(one.kind), "off" if one.kind in _UNUSED else ""), html.cell(one.reason)]
        for one in result.estimator.columns_
    ]
    return html.table(
        tr("What each column was taken for"),
        [(tr("column"), ""), (tr("taken for"), ""), (tr("because"), "")],
        rows,
        "wide",
    )


def _commands(folder: Path, table: Path) -> str:
    name, data = shlex.quote(str(folder)), shlex.quote(f"new{table.suffix}")
    return (
        f"multilayer predict {name} {data} --output predictions.csv\n"
        f"multilayer evaluate {name} {data}\n"
        f"multilayer inspect {name}\n"
        f"multilayer export {name} network.onnx"
    )
