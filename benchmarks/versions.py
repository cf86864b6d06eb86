"""Two versions of this library beside each other: what a change costs or brings.

    python benchmarks/versions.py before=/path/to/python after=/path/to/python [--rounds 15] [--divisor 10]

Each version is installed for an interpreter of its own, works in a process of its own, and is asked in turn. The BLAS
is left free: OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE and settings of thread numbers do not reach the processes. Ratios are
those to the first version named. Beside the medians stand the best times, which other work on the machine leaves alone
where an epoch is cut short enough (a large divisor, many rounds).
"""

import argparse
import contextlib
import statistics

from multilayer.benchmark import engine_processes, engines, timing, workloads


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("versions", nargs="+", metavar="NAME=PYTHON", type=lambda text: text.split("=", 1))
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--divisor", type=int, default=10, help="take a fraction of an epoch each time")
    options = parser.parse_args()
    environment = engine_processes.environment()
    environment.pop("PYTHONPATH")  # each takes the version that is installed for it
    with contextlib.ExitStack() as stack:
        processes = {}
        for name, python in options.versions:
            command = [python, "-m", "multilayer.benchmark.worker", engines.OURS.module]
            processes[name] = stack.enter_context(engine_processes.EngineProcess(command, environment))
            print(name, processes[name].description)
        columns = [f"{kind}, {name}" for kind in ("median", "best") for name in processes]
        print("| us a step |", " | ".join(columns), "| median of ratios | ratio of the best |")
        for workload in (workloads.SMALL, workloads.TUTORIAL, workloads.MIDDLE):
            part = workload.scaled(options.divisor)
            epochs = {name: process.train(part) for name, process in processes.items()}
            for epoch in epochs.values():
                epoch()  # the first fills memory
            measures = {
                name: lambda epoch=epoch, steps=part.steps: epoch()[0] / steps for name, epoch in epochs.items()
            }
            seconds = timing.in_turn(measures, options.rounds, pause=0.02)
            times_us = [1e6 * statistics.median(times) for times in seconds.values()]
            times_us += [1e6 * min(times) for times in seconds.values()]
            last = list(timing.compare(seconds, options.versions[0][0]).values())[-1]
            ratios = f"{last.paired_ratio:.3f} | {times_us[-1] / times_us[-len(processes)]:.3f}"
            print(f"| {workload} |", " | ".join(f"{time_us:.1f}" for time_us in times_us), f"| {ratios} |", flush=True)


if __name__ == "__main__":
    main()
