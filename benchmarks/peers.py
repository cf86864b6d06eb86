"""This library beside its peers and beside the bare matrix products.

    python benchmarks/peers.py --output results.json [--python PyTorch=/path/to/python ...]
    python benchmarks/report.py results.json

Every engine works in a process of its own and is asked in turn. A peer is measured with the interpreter that
`--python NAME=PATH` names, by default the running one; peers that are not installed there are skipped, and the report
says so. The BLAS is left free: OPENBLAS_CORETYPE and settings of thread numbers do not reach the processes.
"""

import argparse
import contextlib
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np

from multilayer import datasets
from multilayer._system import machine
from multilayer.benchmark import engine_processes, engines, timing, workloads
from multilayer.benchmark.engines import Engine
from multilayer.benchmark.workloads import Workload

HERE = Path(__file__).parent
SOURCE = HERE.parent / "src"
OURS = engines.OURS
KERAS = [
    Engine(f"Keras on {name}", "peer_keras", {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"})
    for name, backend in (("TensorFlow", "tensorflow"), ("JAX", "jax"), ("PyTorch", "torch"))
]
JAX = Engine("JAX, epoch in one jitted scan", "peer_jax")
ENGINES = [
    OURS,
    engines.NUMPY_KERNELS,
    engines.PRODUCTS,
    JAX,
    Engine("PyTorch", "peer_torch"),
    Engine("PyTorch, torch.compile", "peer_torch_compile"),
    Engine("scikit-learn", "peer_sklearn"),
    *KERAS,
    Engine("onnxruntime", "peer_onnxruntime"),
    engines.TUTORIAL,
]
TRAIN = [workloads.TUTORIAL, workloads.SMALL, workloads.MIDDLE, workloads.LARGE]
ROWS = (1, 32, 1024)
GROWTH_ENGINES = (OURS.name, engines.PRODUCTS.name, JAX.name, "PyTorch")
DISTRIBUTIONS = {
    "multilayer": ("multilayer",),
    "PyTorch": ("torch",),
    "JAX": ("jax",),
    "scikit-learn": ("scikit-learn",),
    "Keras on TensorFlow": ("keras", "tensorflow-cpu"),
    "Keras on JAX": ("keras", "jax"),
}
MODULES = {
    "NumPy alone": "numpy",
    "multilayer": "multilayer",
    "PyTorch": "torch",
    "JAX": "jax",
    "scikit-learn": "sklearn.neural_network",
}


def growth_workloads(quick):
    """One quantity grows at a time, from the network with two hidden layers of 256 units and batches of 128."""
    step = 4 if quick else 1

    def workload(batch=128, width=256, depth=2):
        samples = min(max(batch * 20, 2560), 40_960) // (4 if quick else 1)
        return Workload((784, *[width] * depth, 10), "relu", "adam", batch=batch, rows=max(samples // batch, 2) * batch)

    return {
        "batch": {b: workload(batch=b) for b in (1, 4, 16, 64, 256, 1024, 4096)[::step]},
        "width": {w: workload(width=w) for w in (16, 64, 256, 1024, 4096)[::step]},
        "depth": {d: workload(depth=d) for d in (1, 2, 4, 8, 16, 32)[::step]},
    }


def train(launcher, chosen, workload, rounds):
    """Seconds of an epoch, with what was trained."""
    results = engine_processes.measure_training(launcher, chosen, workload, rounds)
    return {**results, "workload": workload.as_json(), "title": str(workload), "steps": workload.steps}


@contextlib.contextmanager
def one_core_busy():
    """Keeps a process at work that does nothing else, on whatever core the system gives it."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def busy(launcher, chosen, workload, rounds):
    """Each engine's median step with the machine to itself and with one core busy, in turn, and their ratio."""
    found = {}
    for engine in chosen:
        try:
            process = launcher.start(engine)
        except engines.UnsupportedError:
            continue
        with process:
            try:
                epoch = process.train(workload)
            except engines.UnsupportedError:
                continue
            quiet, disturbed = [], []
            epoch()
            for _ in range(rounds):
                quiet.append(epoch()[0])
                with one_core_busy():
                    disturbed.append(epoch()[0])
        alone, beside = (1e6 * statistics.median(times) / workload.steps for times in (quiet, disturbed))
        found[engine.name] = {"quiet": alone, "busy": beside, "ratio": beside / alone}
    return {"title": str(workload), "microseconds": found}


def predict(launcher, chosen, rows, rounds):
    """Seconds of a call."""
    workload = Workload((784, 50, 10), "sigmoid", "adam", batch=1024, rows=1024)
    return engine_processes.measure(launcher, chosen, lambda process: process.predict(workload, rows, 0.3), rounds)


def growth(launcher, chosen, quick, rounds):
    """Seconds of a step of each engine, as one quantity grows."""
    curves = {}
    for quantity, points in growth_workloads(quick).items():
        curves[quantity] = {}
        for value, workload in points.items():
            seconds = train(launcher, chosen, workload, rounds)["seconds"]
            for name, times in seconds.items():
                curves[quantity].setdefault(name, {})[value] = statistics.median(times) / workload.steps
            print(f"  {quantity} {value}", flush=True)
    return curves


def processes(launcher, rounds):
    """Whole programs on MNIST: seconds from start to end, test accuracy, the most memory held."""
    programs = {"multilayer": ("multilayer", OURS), **{engine.name: ("keras", engine) for engine in KERAS}}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mnist.npz"
        results = {"data": save_mnist(path), "seconds": {}, "accuracy": {}, "peak_bytes": {}, "skipped": {}}

        def run_if_installed(name):
            try:
                results["peak_bytes"][name] = run_program(launcher, *programs[name], path, "uint8")[1]["peak_bytes"]
            except RuntimeError as error:
                results["skipped"][name] = str(error)

        def run(name):
            seconds, said = run_program(launcher, *programs[name], path, "floats")
            results["accuracy"][name] = said["accuracy"]
            return seconds

        for name in programs:
            run_if_installed(name)
        measures = {name: partial(run, name) for name in results["peak_bytes"]}
        results["seconds"] = timing.in_turn(measures, rounds)
    return results


def save_mnist(path):
    """Writes MNIST, or, where it is not to be had, synthetic digits; returns which."""
    try:
        (x_train, y_train), (x_test, y_test) = datasets.mnist.load_data()
        name = "MNIST"
    except datasets.DatasetError:
        (x_train, y_train), (x_test, y_test) = datasets.synthetic_digits.load_data()
        name = "synthetic digits"
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return name


def run_program(launcher, package, engine, path, kind):
    """Seconds of the whole process, and what it said; RuntimeError where it failed."""
    command = [interpreter(launcher, engine.name), str(HERE / "programs" / "train_mnist.py"), package, str(path), kind]
    environment = engine_processes.environment(engine.environment, paths=[SOURCE])
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as installed: the peers' bytecode is written, too
    start = time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1][:200])
    return seconds, json.loads(done.stdout.splitlines()[-1])


def interpreter(launcher, name):
    """The Python that has a library: JAX is measured under the name of its best engine."""
    best = {"JAX": JAX.name}.get(name, name)
    return launcher.pythons.get(best, sys.executable)


def imports(launcher, rounds):
    """Seconds of an import, less those of Python's start."""
    commands = {"Python alone": (sys.executable, "pass", {})}
    names = {**MODULES, **{engine.name: "keras" for engine in KERAS}}
    environments = {engine.name: engine.environment for engine in KERAS}
    for name, module in names.items():
        commands[name] = (interpreter(launcher, name), f"import {module}", environments.get(name, {}))
    measures, skipped = {}, {}
    for name, (python, statement, extra) in commands.items():
        environment = engine_processes.environment(extra, paths=[SOURCE])
        environment.pop("PYTHONDONTWRITEBYTECODE", None)

        def measure(python=python, statement=statement, environment=environment):
            start = time.perf_counter()
            subprocess.run([python, "-c", statement], check=True, env=environment, capture_output=True)
            return time.perf_counter() - start

        try:
            measure()  # compiles, and fills the file cache
        except subprocess.CalledProcessError:
            skipped[name] = "not installed"
            continue
        measures[name] = measure
    seconds = timing.in_turn(measures, rounds)
    alone = statistics.median(seconds.pop("Python alone"))
    return {"seconds": {name: statistics.median(times) - alone for name, times in seconds.items()}, "skipped": skipped}


SIZE_PROGRAM = """
import importlib.metadata as m, json, re, sys
seen, todo, total = set(), list(sys.argv[1:]), 0
while todo:
    name = re.split(r"[^A-Za-z0-9._-]", todo.pop())[0].lower().replace("_", "-")
    if name in seen: continue
    seen.add(name)
    try: d = m.distribution(name)
    except m.PackageNotFoundError:
        if name in [a.lower() for a in sys.argv[1:]]: sys.exit(3)
        continue
    for f in d.files or []:
        try: total += f.locate().stat().st_size
        except OSError: pass
    todo += [r for r in d.requires or [] if "extra ==" not in r]
print(json.dumps(total))
"""


def sizes(launcher):
    """Bytes on disk of each distribution together with all that it requires."""
    found = {}
    for name, distributions in DISTRIBUTIONS.items():
        done = subprocess.run(
            [interpreter(launcher, name), "-c", SIZE_PROGRAM, *distributions],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            found[name] = json.loads(done.stdout)
    return found


def description():
    """What the times depend on."""
    here = machine.describe()
    return {**dataclasses.asdict(here), "blas": [str(library) for library in here.blas]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = ("train", "busy", "predict", "processes", "imports", "sizes", "growth")
    parser.add_argument("--tasks", nargs="+", choices=tasks, default=tasks)
    parser.add_argument("--engines", nargs="+", metavar="NAME", help="only these, by their names in the tables")
    parser.add_argument("--python", action="append", default=[], metavar="NAME=PATH", help="where a peer is installed")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="a twentieth of the samples: to see that it runs")
    parser.add_argument("--output", type=Path, help="JSON file; tasks that are not run keep what it has of them")
    options = parser.parse_args()
    pythons = dict(pair.split("=", 1) for pair in options.python)
    launcher = engine_processes.Launcher(pythons, paths=(HERE / "engines",))
    chosen = [engine for engine in ENGINES if options.engines is None or engine.name in options.engines]
    results = json.loads(options.output.read_text()) if options.output and options.output.exists() else {}
    results["machine"] = description()
    print(json.dumps(results["machine"], indent=2))
    for name in os.environ.keys() & {"OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"}:
        print(f"{name} is set here and does not reach the engines' processes.")

    def keep(task, found):
        results[task] = found
        if options.output:
            options.output.write_text(json.dumps(results, indent=1))

    if "train" in options.tasks:
        trained = []
        for workload in TRAIN:
            trained.append(train(launcher, chosen, workload.scaled(20) if options.quick else workload, options.rounds))
            show(trained[-1]["title"], trained[-1]["seconds"], trained[-1]["skipped"], 1e6 / trained[-1]["steps"])
            keep("train", trained)
    if "busy" in options.tasks:
        besides = []
        for workload in TRAIN:
            scaled = workload.scaled(20 if options.quick else 4)
            besides.append(busy(launcher, chosen, scaled, options.rounds))
            print(json.dumps(besides[-1]))
            keep("busy", besides)
    if "predict" in options.tasks:
        predicted = {}
        for rows in ROWS:
            predicted[rows] = predict(launcher, chosen, rows, options.rounds)
            show(f"predicting {rows} rows", predicted[rows]["seconds"], predicted[rows]["skipped"], 1e6)
        keep("predict", predicted)
    if "processes" in options.tasks:
        keep("processes", processes(launcher, 1 if options.quick else min(options.rounds, 3)))
        print(json.dumps(results["processes"], indent=1))
    if "imports" in options.tasks:
        keep("imports", imports(launcher, options.rounds))
        print(json.dumps(results["imports"], indent=1))
    if "sizes" in options.tasks:
        keep("sizes", sizes(launcher))
        print(json.dumps(results["sizes"], indent=1))
    if "growth" in options.tasks:
        growing = [engine for engine in chosen if engine.name in GROWTH_ENGINES]
        keep("growth", growth(launcher, growing, options.quick, 1 if options.quick else 3))


def show(title, seconds, skipped, factor):
    """A table on the way: microseconds a step or a call, and how many times ours that is."""
    print(f"\n{title}")
    reference = next(iter(seconds))
    for name, found in timing.compare(seconds, reference).items():
        print(f"  {name:40} {found.seconds * factor:10.1f} us  {found.ratio:6.2f}  paired {found.paired_ratio:6.2f}")
    for name, reason in skipped.items():
        print(f"  {name:40} skipped: {reason}")


if __name__ == "__main__":
    main()
