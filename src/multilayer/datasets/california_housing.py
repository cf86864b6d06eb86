"""California housing: what houses cost in 20,640 districts, a table of eight numbers each to predict it from."""

from __future__ import annotations

from multilayer._checks.scalars import real_number
from multilayer._tracebacks import filter_traceback
from multilayer.datasets import whole
from multilayer.datasets.arrays import Splits
from multilayer.datasets.description import as_keras_has_it

_CALIFORNIA = as_keras_has_it(
    "california_housing",
    "california_housing.npz",
    size=4_000_000,
    digest="1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
)
_SMALL = 600  # samples


@filter_traceback
def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int | None = 113
) -> Splits:
    """Loads California housing: the median price of a house in 20,640 districts, with eight figures on each, in 1990.

    The figures are those that scikit-learn's data set of the name has: median income, median age of the houses, rooms
    and bedrooms a household, people in the district, people a household, latitude and longitude. Where nobody lives but
    on holiday, there are very many rooms a household.

    It looks for `california_housing.npz`, as Keras publishes it, in

    1. `$MULTILAYER_DATASETS/california_housing`,
    2. the cache, `$MULTILAYER_HOME/datasets/california_housing` (`~/.multilayer/datasets/california_housing` by
       default),
    3. Keras' own cache, `$KERAS_HOME/datasets` (`~/.keras/datasets` by default),

    and downloads it into the cache where none of them has it. The order of the samples is that of Keras.

    Args:
        version: "large", or "small", the first 600 samples: about as many as Boston housing has, whose place they take.
        path: Name of the file to look for in each of these places; an absolute path is looked at first of all. Unlike
            Keras', a download never writes it: it goes to the cache.
        test_split: Share of the samples to test on, less than 1.
        seed: Seed of the order in which they are split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x of shape (n, 8), y of shape (n,), in dollars.

    Raises:
        DatasetCorruptError: A file is there whose SHA-256 is not that of the published one.
        DatasetUnavailableError: It is in none of these places and cannot be downloaded.
        ValueError: `version` is neither of the two, or `test_split` no number from 0 to 1.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data("small")  # doctest: +SKIP
        >>> x_train.shape, x_test.shape  # doctest: +SKIP
        ((480, 8), (120, 8))

    Source: Pace, Barry, "Sparse spatial autoregressions", 1997; by StatLib,
    https://www.dcc.fc.up.pt/~ltorgo/Regression/cal_housing.html.
    """
    real_number("test_split", test_split, least=0, below=1)
    if version not in ("small", "large"):
        raise ValueError(f"Argument `version` must be one of 'small', 'large'. Received: version={version!r}")
    x, y = whole.load_arrays(_CALIFORNIA, path, ("x", "y"))
    kept = _SMALL if version == "small" else len(x)
    return whole.split(x[:kept], y[:kept], test_split, seed)
