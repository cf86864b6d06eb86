"""Networks, trees and a linear model on tables, each at its defaults.

    python benchmarks/tables.py [--quick] [--output tables.jsonl] [--models NAME ...] [--report]

The tables are those that come with scikit-learn and some that are generated, thirteen in all; five folds. What is not
installed is left out, and the report says so. A table's fold is a line of the output, which is taken up where it was
left: models that another interpreter has can be measured by that one into the same file. The tables of the report are
Markdown. Needs scikit-learn and pandas.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from multilayer._system import machine
from multilayer.benchmark import engine_processes
from report import table
from table_models import MODELS

HERE = Path(__file__).parent
# Processor time is compared, so nobody gains or loses by threads.
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "MULTILAYER_NUM_THREADS"), "1"
)


def measure(path, options):
    """Adds what the file lacks. Another process does it: threads are numbered before NumPy is imported."""
    command = [sys.executable, str(HERE / "table_models.py"), str(path), *options.models]
    subprocess.run(command + ["--quick"] * options.quick, env=engine_processes.environment(ONE_THREAD), check=True)


def read(path):
    """The lines, without the pairs of a table and a fold that some model lacks."""
    lines = pd.DataFrame(json.loads(line) for line in path.read_text().splitlines())
    everyone = lines["model"].nunique()
    return lines[lines.groupby(["table", "fold"])["model"].transform("nunique") == everyone]


def by_table(lines, column):
    """Mean over the folds: a row a table, in the file's order, and a column a model."""
    means = lines.pivot_table(index="table", columns="model", values=column)
    return means.loc[lines["table"].unique(), lines["model"].unique()]


def ranks(values):
    """Mean rank of each model, 1 the best, and the standard error of its distance from the best model's rank."""
    found = pd.DataFrame(rankdata(values.round(6), axis=1), values.index, values.columns)
    distance = found.sub(found[found.mean().idxmin()], axis=0)
    return found.mean(), distance.std() / np.sqrt(len(found))


def summary(lines):
    """A row a model."""
    errors, losses, fit, predict = (by_table(lines, name) for name in ("error", "log_loss", "fit_s", "predict_s"))
    tasks = lines.groupby("table")["task"].first()[errors.index]
    by_error, noise = ranks(errors)
    by_loss, loss_noise = ranks(losses)
    classes = tasks != "regression"
    rows = [
        [
            name,
            f"{by_error[name]:.1f} ± {noise[name]:.1f}",
            f"{by_loss[name]:.1f} ± {loss_noise[name]:.1f}",
            f"{errors.loc[classes, name].mean():.4f}",
            f"{losses.loc[classes, name].mean():.3f}",
            f"{errors.loc[~classes, name].mean():.3f}" if (~classes).any() else "–",
            f"{fit[name].mean():.2f}",
            f"{1e3 * predict[name].mean():.0f}",
        ]
        for name in by_error.sort_values().index
    ]
    header = ["", "rank by error", "by log loss", "1 - AUC", "log loss", "RMSE / std", "fit, CPU s", "predict, CPU ms"]
    return table(header, rows)


def each(lines, column, digits):
    """A row a table, the best figure bold."""
    values = by_table(lines, column)
    sizes = lines.groupby("table")["size"].first()
    rows = []
    for name, figures in values.iterrows():
        best = figures.round(digits) == figures.round(digits).min()
        texts = [f"{figure:.{digits}f}" for figure in figures]
        cells = [f"**{text}**" if is_best else text for text, is_best in zip(texts, best, strict=True)]
        rows.append([f"{name}, {sizes[name]}", *cells])
    return table(["", *values.columns], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three small tables and two folds")
    parser.add_argument("--output", type=Path, help="keep the measurements, and go on from those that are there")
    parser.add_argument(
        "--models", nargs="+", default=[], choices=MODELS, metavar="NAME", help=f"of: {', '.join(MODELS)}"
    )
    parser.add_argument("--report", action="store_true", help="measure nothing, report what the output has")
    options = parser.parse_args()
    if options.report and not (options.output and options.output.exists()):
        parser.error("--report is about a file that is there: --output tables.jsonl")
    with tempfile.TemporaryDirectory() as folder:
        path = options.output or Path(folder) / "tables.jsonl"
        if not options.report:
            measure(path, options)
        lines = read(path)
    folds = lines["fold"].nunique()
    here = machine.describe()
    print(f"{lines['table'].nunique()} tables, {folds} folds, one thread on {here.cpu}. Mean ranks, 1 the best, ± the")
    print("standard error of their distance from the best model's; means over the tables.\n")
    print(summary(lines), end="\n\n")
    print("1 - AUC, one class against the others where there are several; RMSE / std for regression:\n")
    print(each(lines, "error", 4), end="\n\n")
    print("Log loss:\n")
    print(each(lines[lines["task"] != "regression"], "log_loss", 3), end="\n\n")
    print("Processor seconds of a fit:\n")
    print(each(lines, "fit_s", 2))


if __name__ == "__main__":
    main()
