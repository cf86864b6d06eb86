"""What Keras keeps globally: the default float type, the fuzz of logarithms, who computes, and how errors are shown."""

from __future__ import annotations

import math

from multilayer import _tracebacks
from multilayer._language import tr

enable_traceback_filtering = _tracebacks.enable_traceback_filtering
disable_traceback_filtering = _tracebacks.disable_traceback_filtering
is_traceback_filtering_enabled = _tracebacks.is_traceback_filtering_enabled

_FLOAT_TYPES = ("float32", "float64")
_state: dict[str, str | float] = {"floatx": "float32", "epsilon": 1e-7}


def floatx() -> str:
    """The default float type of weights and data, 'float32' unless `set_floatx` says otherwise."""
    return str(_state["floatx"])


def set_floatx(value: str) -> None:
    """Sets the default float type of everything that is built from now on.

    Args:
        value: 'float32' or 'float64'.

    Raises:
        ValueError: Any other value.
    """
    _state["floatx"] = checked_float_type(value)


def checked_float_type(value: object) -> str:
    """The name of a float type that networks can be trained in; raises ValueError for anything else."""
    name = getattr(value, "name", None) or getattr(value, "__name__", value)  # np.dtype("float32") and np.float32
    if name not in _FLOAT_TYPES:
        raise ValueError(
            tr(
                "Expected one of the types {float_types}. Received: {name}",
                float_types=" and ".join(_FLOAT_TYPES),
                name=name,
            )
        )
    return str(name)


def epsilon() -> float:
    """The fuzz factor that keeps a probability away from 0 and 1 inside a logarithm, 1e-7 by default."""
    return float(_state["epsilon"])


def set_epsilon(value: float) -> None:
    """Sets the fuzz factor used in numeric expressions."""
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(tr("`epsilon` must be a finite number of at least 0. Received: value={value!r}", value=value))
    _state["epsilon"] = float(value)


def backend() -> str:
    """What computes: always 'numpy'.

    Example:
        >>> backend()
        'numpy'
    """
    return "numpy"
