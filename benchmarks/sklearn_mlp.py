"""scikit-learn's `MLPClassifier` and this library's, with scikit-learn's settings, on as many digits as MNIST has.

    python benchmarks/sklearn_mlp.py [--rounds 5] [--epochs 3] [--rows 60000] [--types float32 float64]

Both fit the same arrays from the same `random_state`, in turn, so that what disturbs the machine disturbs both; the
first round is not counted. Printed are, for inputs of float32 and of float64, seconds a fit (the least, the first
quartile and the median), in brackets how many times as long scikit-learn's takes, and the accuracy on the test images,
which must be the same. "dtype='float32'" is what this library makes of float64 inputs where it is asked to. The BLAS is
left free: call it without OPENBLAS_CORETYPE and its like.
"""

import argparse
import os
import statistics
import time
import warnings

import numpy as np
import sklearn
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier as Theirs

from multilayer import datasets
from multilayer._system import machine
from multilayer.sklearn import MLPClassifier as Ours

SIDES = {
    "float32": [("scikit-learn", Theirs, {}), ("multilayer", Ours, {})],
    "float64": [
        ("scikit-learn", Theirs, {}),
        ("multilayer", Ours, {}),
        ("multilayer, dtype='float32'", Ours, {"dtype": "float32"}),
    ],
}


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rows", type=int, default=60_000)
    parser.add_argument("--types", nargs="*", default=list(SIDES))
    options = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    (x, y), (x_test, y_test) = digits()
    print(f"{machine.cpu()}, {os.cpu_count()} cores; scikit-learn {sklearn.__version__}, numpy {np.__version__}")
    print(f"{options.rows:,} x {x.shape[1]}, {options.epochs} epochs, batch 200, hidden (100,), adam")
    for dtype in options.types:
        measure(dtype, x[: options.rows], y[: options.rows], x_test, y_test, options)


def digits() -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """MNIST, or, where it cannot be had, digits that are drawn."""
    try:
        training, test = datasets.mnist.load_data()
    except OSError:
        training, test = datasets.synthetic_digits.load_data()
    return tuple((x.reshape(len(x), -1), y) for x, y in (training, test))  # type: ignore[return-value]


def measure(dtype, x, y, x_test, y_test, options) -> None:
    """Fits in turn, and prints a line for each."""
    x, x_test = x.astype(dtype) / 255, x_test.astype(dtype) / 255
    seconds: dict[str, list[float]] = {name: [] for name, _, _ in SIDES[dtype]}
    accuracy = {}
    for number in range(options.rounds + 1):
        for name, kind, more in SIDES[dtype]:
            estimator = kind(max_iter=options.epochs, random_state=0, **more)
            start = time.perf_counter()
            estimator.fit(x, y)
            if number:
                seconds[name].append(time.perf_counter() - start)
            else:
                accuracy[name] = estimator.score(x_test, y_test)
    theirs = figures(seconds["scikit-learn"])
    for name, times in seconds.items():
        pairs = zip(figures(times), theirs, strict=True)
        least, quartile, median = (f"{one:.2f} s ({other / one:.2f})" for one, other in pairs)
        print(f"{dtype}  {name:28} least {least}  quartile {quartile}  median {median}  accuracy {accuracy[name]:.4f}")


def figures(times: list[float]) -> tuple[float, float, float]:
    """The least, the first quartile and the median."""
    return min(times), float(np.percentile(times, 25)), statistics.median(times)


if __name__ == "__main__":
    main()
