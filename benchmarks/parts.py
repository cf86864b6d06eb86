"""Where the time of a training step goes: its parts in the course of training, in microseconds.

    python benchmarks/parts.py [--rounds 5]

The parts are wrapped in clocks, which cost about a microsecond each. The medians over all steps are shown, but of
whole steps the mean, which is what an epoch's time is made of.
"""

import argparse
import statistics
import time

from multilayer._training.data import Batches
from multilayer._training.heads import Head
from multilayer._training.passes import Passes
from multilayer.benchmark import workloads
from multilayer.benchmark.engines import ours
from multilayer.optimizers import Optimizer

PARTS = {
    "hidden layers forward": (Passes, "forward"),
    "output layer's loss, with its gradient": (Head, "value_and_gradient"),
    "accuracy and loss added up": (Head, "track"),
    "layers backward": (Passes, "backward"),
    "the optimizer's step": (Optimizer, "step"),
}


def clocked(function, times):
    """The same function, whose times are noted down."""

    def call(*args, **kwargs):
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            times.append(time.perf_counter() - start)

    return call


def clocked_batches(iterate, times):
    """The same batches, with the times that it took to come by each."""

    def batches(self):
        iterator = iterate(self)
        while True:
            start = time.perf_counter()
            batch = next(iterator, None)
            times.append(time.perf_counter() - start)
            if batch is None:
                return
            yield batch

    return batches


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    times = {"taking the batch": [], **{name: [] for name in PARTS}}
    Batches.__iter__ = clocked_batches(Batches.__iter__, times["taking the batch"])
    for name, (owner, method) in PARTS.items():
        setattr(owner, method, clocked(getattr(owner, method), times[name]))
    for workload in (workloads.SMALL, workloads.TUTORIAL, workloads.MIDDLE, workloads.LARGE):
        part = workload.scaled(10)
        epoch = ours.prepare_training(part)
        epoch()
        for measured in times.values():
            measured.clear()
        whole = statistics.median(epoch()[0] / part.steps for _ in range(options.rounds))
        print(workload)
        for name, measured in times.items():
            print(f"  {name:40} {1e6 * statistics.median(measured):10,.1f}")
        print(f"  {'the whole step':40} {1e6 * whole:10,.1f}", flush=True)


if __name__ == "__main__":
    main()
