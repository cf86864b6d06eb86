"""What tests share: MNIST, where it can be had without the network."""

import dataclasses
import os

import pytest

from multilayer.datasets import DatasetUnavailableError, mnist

os.environ["MULTILAYER_ADVICE"] = "0"  # what this machine lacks is not what the tests are about


@pytest.fixture(scope="session")
def mnist_data():
    """MNIST as the tutorial prepares it: rows of 784 numbers from 0 to 1."""
    here_only = dataclasses.replace(mnist._MNIST, mirrors=())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mnist, "_MNIST", here_only)
        try:
            (x_train, y_train), (x_test, y_test) = mnist.load_data()
        except DatasetUnavailableError:
            pytest.skip("MNIST is not on this machine; set MULTILAYER_DATASETS to a folder that holds mnist/")
    return (x_train.reshape(-1, 784) / 255.0, y_train), (x_test.reshape(-1, 784) / 255.0, y_test)
