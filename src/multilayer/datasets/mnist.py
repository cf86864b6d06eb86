"""MNIST: 70,000 handwritten digits, the data set that the tutorial learns from."""

from __future__ import annotations

from multilayer._tracebacks import filter_traceback
from multilayer.datasets import files
from multilayer.datasets.description import mnist_like

_MNIST = mnist_like(
    "mnist",
    digests=(
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
    mirrors=(
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://raw.githubusercontent.com/fgnt/mnist/master/",
    ),
    torch_folder="MNIST",
)


@filter_traceback
def load_data(path: str = "mnist.npz") -> files.Splits:
    """Loads MNIST: 60,000 digits to train on and 10,000 to test on, 28x28 grey values with their labels 0 to 9.

    It looks for the four IDX files (raw or `.gz`) or for Keras' `mnist.npz` in

    1. `$MULTILAYER_DATASETS/mnist`, or `$MULTILAYER_DATASETS/MNIST/raw`, where torchvision puts it,
    2. the cache, `$MULTILAYER_HOME/datasets/mnist` (`~/.multilayer/datasets/mnist` by default),
    3. Keras' own cache, `$KERAS_HOME/datasets` (`~/.keras/datasets` by default),

    also under the names that others give them (`train-images.idx3-ubyte`, a folder of the file's name around it, a
    folder `raw` around all), and downloads the IDX files into the cache where none of them has it.

    Args:
        path: Name of the `.npz` archive to look for in each of these places, before the IDX files; an absolute path
            is looked at first of all. Unlike Keras', a download never writes it: it goes to the cache.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of uint8 of shape (60000, 28, 28), (60000,), (10000, 28, 28)
        and (10000,). Ink is light (255) on dark (0).

    Raises:
        DatasetCorruptError: A file is there, but truncated or otherwise broken.
        DatasetUnavailableError: MNIST is in none of these places and cannot be downloaded.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train[:5]  # doctest: +SKIP
        ((60000, 28, 28), array([5, 0, 4, 1, 9], dtype=uint8))

    Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits", http://yann.lecun.com/exdb/mnist/;
    Creative Commons Attribution-Share Alike 3.0.
    """
    return files.load(_MNIST, path)


@filter_traceback
def find_data(path: str = "mnist.npz") -> files.Splits | None:
    """MNIST as `load_data` gives it where it lies on this machine, and None where it would have to be downloaded.

    Args:
        path: As for `load_data`.

    Raises:
        DatasetCorruptError: A file is there, but truncated or otherwise broken.

    Example:
        >>> found = find_data()
        >>> found is None or found[0][0].shape == (60000, 28, 28)
        True
    """
    return files.find(_MNIST, path)
