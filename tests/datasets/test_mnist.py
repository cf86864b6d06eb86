"""The real MNIST, where it can be had without a network."""

import hashlib
import os
from pathlib import Path

import pytest

from multilayer.datasets import mnist

FOLDER = os.environ.get("MULTILAYER_DATASETS")
needs_mnist = pytest.mark.skipif(
    not (FOLDER and Path(FOLDER, "mnist").is_dir()), reason="set MULTILAYER_DATASETS to a folder that holds mnist/"
)


@pytest.fixture(scope="module")
def splits():
    return mnist.load_data()


@needs_mnist
def test_mnist_has_keras_shapes(splits):
    (x_train, y_train), (x_test, y_test) = splits
    assert [array.shape for array in (x_train, y_train, x_test, y_test)] == [
        (60000, 28, 28),
        (60000,),
        (10000, 28, 28),
        (10000,),
    ]
    assert {str(array.dtype) for array in (x_train, y_train, x_test, y_test)} == {"uint8"}
    assert y_train[:5].tolist() == [5, 0, 4, 1, 9]


@needs_mnist
def test_mnist_has_the_published_bytes(splits, idx_bytes):
    (x_train, y_train), (x_test, y_test) = splits
    digests = [hashlib.sha256(idx_bytes(array)).hexdigest() for array in (x_train, y_train, x_test, y_test)]
    assert digests == [file.sha256 for file in mnist._MNIST.files]


@needs_mnist
def test_mnist_has_the_known_mean_and_deviation(splits):
    pixels = splits[0][0] / 255
    assert pixels.mean() == pytest.approx(0.1306604762738429, rel=1e-12)
    assert pixels.std() == pytest.approx(0.30810780385646264, rel=1e-12)
