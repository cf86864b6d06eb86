"""What worker processes are given to do: functions that they can import."""

import itertools
import os
import time
import warnings

import numpy as np

from multilayer import Sequential, config, layers
from multilayer._core.kernels import threads


class UnportableError(Exception):
    """An error that cannot be made again from what pickle keeps of it."""

    def __init__(self, one, two):
        super().__init__(f"{one} and {two}")


def act(item, tell):
    """Does what the item says."""

    class OwnWarning(UserWarning):
        """Known in this function alone."""

    what, _, value = item.partition(" ")
    if what == "return":
        return value
    if what == "tell":
        tell(value)
        return os.getpid()
    if what == "raise":
        raise ValueError(value)
    if what == "wait":
        time.sleep(30)
    if what == "warn":
        warnings.warn(value, RuntimeWarning, stacklevel=1)
    if what == "warn_as_ones_own":
        warnings.warn(value, OwnWarning, stacklevel=1)
    if what == "die":
        os._exit(int(value))
    return (threads.available(), config.floatx()) if what == "setting" else None


def until_stopped(item, tell):
    """Has no end of its own."""
    try:
        for number in itertools.count():
            tell(number)
            time.sleep(0.01)
    except KeyboardInterrupt:
        return "stopped"


def trained(width, x):
    """The weights of a small network after a training in which all that draws at random takes part."""
    model = Sequential(
        [layers.Input((8,)), layers.Dense(width, "relu"), layers.Dropout(0.3), layers.Dense(1)], name="member"
    )
    model.compile("adam", "mse")
    model.fit(x, x[:, :1] * np.random.rand(), epochs=3, verbose=0)  # noqa: NPY002 - which programs use, too
    return model.get_weights()


def failing_at(number, item):
    """Fails with one item."""
    if item == number:
        raise ZeroDivisionError(f"{item} is not to be had")
    return item


def interrupted(item):
    """Does as if the user had pressed Ctrl-C."""
    raise KeyboardInterrupt


def dying(item):
    """Takes its process along."""
    os._exit(9)


def train_or_die(trial, tell):
    """Does as if it trained a network of `multilayer compare`; of one it dies."""
    if trial.name == "die":
        os._exit(9)
    trial.status = "ok"
    return trial


def process(item):
    """The process that it is called in."""
    return os.getpid()
