"""What tests share: MNIST, where it can be had without the network; and how they are spread over the cores."""

import dataclasses
import os
from pathlib import Path

import hypothesis
import pytest
import threadpoolctl

from multilayer.datasets import DatasetUnavailableError, mnist
from multilayer.random import set_random_seed

os.environ["MULTILAYER_LANG"] = "en"  # whatever language this machine speaks
os.environ["MULTILAYER_ADVICE"] = "0"  # what this machine lacks is not what the tests are about

# A deadline would measure the machine: where it is busy, an example takes ten times as long.
hypothesis.settings.register_profile("multilayer", deadline=None)
hypothesis.settings.load_profile("multilayer")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config):
    """No workers for files and single tests, which are over before workers have started, nor where output is wanted.

    For the rest a worker for each core: None leaves the number to pytest-xdist.
    """
    folders = all(Path(argument).is_dir() for argument in config.args)
    return None if folders and config.option.capture != "no" else 0


def pytest_configure(config):
    """A worker has one core, so it multiplies matrices with one thread: more of them would wait for each other.

    The environment is left as it is, since it would be that of the processes that tests start, and a choice of the
    user's that the library heeds; tests about threads set their own number.
    """
    if hasattr(config, "workerinput"):
        threadpoolctl.threadpool_limits(1, user_api="blas")


@pytest.fixture(autouse=True)
def same_seed():
    """What a test draws does not depend on the tests before it, which are others in every worker."""
    set_random_seed(0)


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
