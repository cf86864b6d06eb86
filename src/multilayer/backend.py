"""Keras' older names for what is found in `config` and `utils`; programs of many years ask for it here."""

from __future__ import annotations

from typing import Any

from multilayer.config import backend, epsilon, floatx, set_epsilon, set_floatx
from multilayer.layers import KerasTensor
from multilayer.naming import reset_names as clear_session

__all__ = ["backend", "clear_session", "epsilon", "floatx", "is_keras_tensor", "set_epsilon", "set_floatx"]


def is_keras_tensor(x: Any) -> bool:
    """Whether x stands for what a layer will give, and has no numbers yet.

    Example:
        >>> from multilayer import Input
        >>> is_keras_tensor(Input((4,))), is_keras_tensor([1.0])
        (True, False)
    """
    return isinstance(x, KerasTensor)
