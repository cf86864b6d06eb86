"""Fashion-MNIST: 70,000 pictures of clothes in the form of MNIST, and harder."""

from __future__ import annotations

from multilayer._tracebacks import filter_traceback
from multilayer.datasets import files
from multilayer.datasets.description import mnist_like

_FASHION_MNIST = mnist_like(
    "fashion_mnist",
    # Published are digests of the gzip files alone. These are of what is in them, computed from files that had the
    # published digests (346e55b9…, 67da17c7…, 3aede38d…, a04f1713…), because a mirror may pack the same bytes anew.
    digests=(
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    ),
    mirrors=(
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    ),
    keras_folder="fashion-mnist",
    torch_folder="FashionMNIST",
)


@filter_traceback
def load_data() -> files.Splits:
    """Loads Fashion-MNIST: 60,000 pictures to train on and 10,000 to test on, 28x28 grey values with their labels.

    The labels: 0 T-shirt/top, 1 trouser, 2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag,
    9 ankle boot.

    It looks for the four IDX files (raw or `.gz`), or for an archive `fashion_mnist.npz` in the layout of Keras'
    `mnist.npz`, in

    1. `$MULTILAYER_DATASETS/fashion_mnist`,
    2. the cache, `$MULTILAYER_HOME/datasets/fashion_mnist` (`~/.multilayer/datasets/fashion_mnist` by default),
    3. Keras' own cache, `$KERAS_HOME/datasets/fashion-mnist` (`~/.keras/datasets/fashion-mnist` by default),

    and downloads the IDX files into the cache where none of them has it.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of uint8 of shape (60000, 28, 28), (60000,), (10000, 28, 28)
        and (10000,).

    Raises:
        DatasetCorruptError: A file is there, but truncated or otherwise broken.
        DatasetUnavailableError: Fashion-MNIST is in none of these places and cannot be downloaded.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP
        >>> x_train.shape, y_train[:5]  # doctest: +SKIP
        ((60000, 28, 28), array([9, 0, 0, 3, 0], dtype=uint8))

    Source: Xiao, Rasul, Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms", 2017, https://arxiv.org/abs/1708.07747; MIT license.
    """
    return files.load(_FASHION_MNIST, "fashion_mnist.npz")
