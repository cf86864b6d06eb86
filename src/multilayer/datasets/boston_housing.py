"""Boston housing: the prices of 506 houses, by which regression was long taught, and what is wrong with it."""

from __future__ import annotations

from multilayer._checks.scalars import real_number
from multilayer._tracebacks import filter_traceback
from multilayer.datasets import whole
from multilayer.datasets.arrays import Splits
from multilayer.datasets.description import as_keras_has_it

_BOSTON = as_keras_has_it(
    "boston_housing",
    "boston_housing.npz",
    size=100_000,
    digest="f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
)


@filter_traceback
def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int | None = 113) -> Splits:
    """Loads Boston housing: 506 places around Boston in the 1970s, 13 figures on each, and the median price of a house.

    **Warning: this data set has an ethical problem.** One of its columns, "B", is computed from the share of Black
    residents in the belief that segregation of itself raises prices. Do not use it, but to show how such a thing gets
    into data and models; `california_housing.load_data("small")` takes its place.

    It looks for `boston_housing.npz`, as Keras publishes it, in

    1. `$MULTILAYER_DATASETS/boston_housing`,
    2. the cache, `$MULTILAYER_HOME/datasets/boston_housing` (`~/.multilayer/datasets/boston_housing` by default),
    3. Keras' own cache, `$KERAS_HOME/datasets` (`~/.keras/datasets` by default),

    and downloads it into the cache where none of them has it. The order of the samples is that of Keras.

    Args:
        path: Name of the file to look for in each of these places; an absolute path is looked at first of all. Unlike
            Keras', a download never writes it: it goes to the cache.
        test_split: Share of the samples to test on, less than 1.
        seed: Seed of the order in which they are split.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: float64, x of shape (n, 13), y of shape (n,), in 1000 dollars.

    Raises:
        DatasetCorruptError: A file is there whose SHA-256 is not that of the published one.
        DatasetUnavailableError: It is in none of these places and cannot be downloaded.
        ValueError: `test_split` is no number from 0 to 1.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, x_test.shape  # doctest: +SKIP
        ((404, 13), (102, 13))

    Source: Harrison, Rubinfeld, "Hedonic housing prices and the demand for clean air", 1978; by StatLib,
    http://lib.stat.cmu.edu/datasets/boston.
    """
    real_number("test_split", test_split, least=0, below=1)
    x, y = whole.load_arrays(_BOSTON, path, ("x", "y"))
    return whole.split(x, y, test_split, seed)
