"""Writes the tables and plots of docs/performance.md from what peers.py measured.

python benchmarks/report.py results.json [another_processor.json ...]

The page is about the first file's machine; the others fill further rows of the table of processors.
"""

import json
import re
import statistics
import sys
from pathlib import Path

from matplotlib.figure import Figure

from multilayer.benchmark import timing

DOCS = Path(__file__).parents[1] / "docs"
OURS = "multilayer"
PRODUCTS = "bare products"
INK, GRID = "#57606a", "#d0d7de"
COLORS = {
    "multilayer": "#0969da",
    "bare products": "#8c959f",
    "JAX, epoch in one jitted scan": "#bf8700",
    "PyTorch": "#cf222e",
}


def table(header, rows):
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def us(seconds):
    """Microseconds, to three digits."""
    value = seconds * 1e6
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def training(results):
    """Microseconds a step, and how many times ours that is."""
    found = [timing.compare(workload["seconds"], OURS) for workload in results]
    header = ["us a step (times ours)", *[workload["title"].replace(", ", "<br>", 1) for workload in results]]
    names = list(dict.fromkeys(name for one in found for name in one))
    rows = []
    for name in names:
        cells = [
            f"{us(one[name].seconds / workload['steps'])} ({one[name].paired_ratio:.2f})" if name in one else "–"
            for one, workload in zip(found, results, strict=True)
        ]
        rows.append([f"**{name}**" if name == OURS else name, *cells])
    return table(header, rows)


def predicting(results):
    """Microseconds a call."""
    header = ["us a call (times ours)", *[f"{int(rows):,} row{'s' * (rows != '1')}" for rows in results]]
    found = [timing.compare(one["seconds"], f"{OURS}: model(x)") for one in results.values()]
    names = list(dict.fromkeys(name for one in found for name in one))
    rows = [
        [name, *[f"{us(one[name].seconds)} ({one[name].paired_ratio:.2f})" if name in one else "–" for one in found]]
        for name in names
    ]
    return table(header, rows)


def processes(results):
    """Whole programs."""
    own = statistics.median(results["seconds"][OURS])
    rows = []
    for name, seconds in results["seconds"].items():
        median = statistics.median(seconds)
        peak = results["peak_bytes"].get(name)
        rows.append(
            [
                name,
                f"{median:.2f}",
                f"{median / own:.1f}",
                f"{results['accuracy'][name]:.3f}",
                "–" if peak is None else f"{peak / 1e6:,.0f}",
            ]
        )
    return table(["", "seconds", "times ours", "test accuracy", "peak memory, MB (pixels as uint8)"], rows)


def processors(all_results):
    """How many times ours a step of some others takes, by machine."""
    names = (PRODUCTS, "JAX, epoch in one jitted scan", "PyTorch")
    titles = [workload["title"].replace(", ", "<br>", 1) for workload in all_results[0]["train"]]
    rows = []
    for results in all_results:
        here = results["machine"]
        machine = f"{here['cpu']}, {here['cores']} cores, kernels {here['kernels']}; {'; '.join(here['blas'])}"
        compared = [timing.compare(workload["seconds"], OURS) for workload in results["train"]]
        ratios = [[f"{one[name].paired_ratio:.2f}" if name in one else "–" for name in names] for one in compared]
        rows.append([machine, *map(" / ".join, ratios)])
    return table([f"{' / '.join(names)}, times ours", *titles], rows)


def busy(results):
    """A step beside a process that keeps one core busy: microseconds, and how many times the quiet machine's."""
    found = [workload["microseconds"] for workload in results]
    header = ["us a step (times quiet)", *[workload["title"].replace(", ", "<br>", 1) for workload in results]]
    names = list(dict.fromkeys(name for one in found for name in one))
    rows = [
        [name, *[f"{us(1e-6 * one[name]['busy'])} ({one[name]['ratio']:.2f})" if name in one else "–" for one in found]]
        for name in names
    ]
    return table(header, rows)


def installing(imports, sizes):
    """What it takes to have a library and to import it."""
    rows = [
        [
            name,
            f"{imports['seconds'][name] * 1e3:,.0f}" if name in imports["seconds"] else "–",
            f"{sizes[name] / 1e6:,.0f}" if name in sizes else "–",
        ]
        for name in dict.fromkeys([*imports["seconds"], *sizes])
    ]
    return table(["", "import, ms", "installed with all it requires, MB"], rows)


def setting(results):
    """The machine and the versions that were measured."""
    here = results["machine"]
    versions = {}
    for workload in results["train"]:
        for found in workload["versions"].values():
            versions |= found
    libraries = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    blas = "; ".join(here["blas"])
    return f"Measured on: {here['cpu']}, {here['cores']} cores. Kernels: {here['kernels']}. {blas}.\n{libraries}."


def plot_training(results, path):
    """Times a step of the bare products: one group of bars a network."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots(1, len(results), sharey=False)
    for ax, workload in zip(axes, results, strict=True):
        found = timing.compare(workload["seconds"], OURS)
        names = [name for name in found if name != "tutorial's NumPy"]
        values = [found[name].paired_ratio for name in names]
        ax.barh(names[::-1], values[::-1], color=[COLORS.get(name, GRID) for name in names[::-1]])
        ax.set_xscale("log")
        ax.set_xlim(0.25, 30)
        ax.set_xticks([0.25, 0.5, 1, 2, 5, 10, 20], ["¼", "½", "1", "2", "5", "10", "20"], minor=False)
        ax.set_xticks([], minor=True)
        ax.axvline(1.0, color=INK, linewidth=0.8)
        ax.set_title(workload["title"].replace(", ", "\n", 1), fontsize=6)
        ax.tick_params(labelsize=7, colors=INK)
        ax.set_xlabel("times multilayer's", fontsize=7)
        if ax is not axes[0]:
            ax.set_yticks([])
            ax.set_yticks(range(len(names)), [""] * len(names))
    figure.savefig(path, dpi=150)


def plot_growth(results, path):
    """Time of a step against one quantity each, on logarithmic axes."""
    figure = Figure(figsize=(8, 3), layout="constrained")
    for ax, (quantity, curves) in zip(figure.subplots(1, len(results), sharey=True), results.items(), strict=True):
        for name, points in curves.items():
            x = [int(value) for value in points]
            y = [seconds * 1e6 for seconds in points.values()]
            ax.plot(x, y, marker="o", markersize=3, label=name, color=COLORS.get(name, INK))
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.set_xlabel(quantity)
        ax.grid(color=GRID, linewidth=0.5)
    figure.axes[0].set_ylabel("us a step")
    figure.axes[0].legend(fontsize=7)
    figure.savefig(path, dpi=150)


def main():
    all_results = [json.loads(Path(name).read_text()) for name in sys.argv[1:]]
    results = all_results[0]
    parts = {
        "setting": setting(results),
        "training": training(results["train"]),
        "processors": processors(all_results),
    }
    # What was not measured this time stays as it is, with the machine that the page names for it.
    if "busy" in results:
        parts["busy"] = busy(results["busy"])
    if "predict" in results:
        parts["predicting"] = predicting(results["predict"])
    if "processes" in results:
        parts["processes"] = processes(results["processes"])
    if "imports" in results:
        parts["installing"] = installing(results["imports"], results["sizes"])
    page = DOCS / "performance.md"
    text = page.read_text(encoding="utf-8")
    for name, part in parts.items():
        start, end = f"<!-- {name} -->", f"<!-- /{name} -->"
        text, found = re.subn(f"{start}.*?{end}", lambda _, new=f"{start}\n{part}\n{end}": new, text, flags=re.DOTALL)
        if found != 1:
            sys.exit(f"{page} has no place for the {name} table: {start} … {end}")
    page.write_text(text, encoding="utf-8")
    plot_training(results["train"], DOCS / "images" / "performance_training.png")
    if "growth" in results:
        plot_growth(results["growth"], DOCS / "images" / "performance_growth.png")


if __name__ == "__main__":
    main()
