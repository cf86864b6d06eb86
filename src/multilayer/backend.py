"""Keras' older names for what is found in `config` and `utils`; programs of many years ask for it here."""

from __future__ import annotations

from multilayer._names.naming import reset_names as clear_session
from multilayer.config import backend, epsilon, floatx, set_epsilon, set_floatx
from multilayer.layers.symbolic import is_keras_tensor

__all__ = ["backend", "clear_session", "epsilon", "floatx", "is_keras_tensor", "set_epsilon", "set_floatx"]
