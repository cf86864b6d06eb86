"""A batch as `fit` takes it, in one piece and in parts: for training steps of one's own."""

from __future__ import annotations

from typing import Any

from multilayer._training.streams import unpacked


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """The parts of a batch, as a `train_step` of one's own is given it: x, y and sample weights.

    Args:
        data: x, or a tuple or list `(x,)`, `(x, y)` or `(x, y, sample_weight)`.

    Returns:
        (x, y, sample_weight), with None for what is not there.

    Raises:
        ValueError: It has none, or more than three parts.

    Example:
        >>> unpack_x_y_sample_weight(([1.0, 2.0], [0, 1]))
        ([1.0, 2.0], [0, 1], None)
    """
    return unpacked(data)


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """A batch in the form in which `fit` takes it; without targets x alone, in a tuple where it is a list or tuple.

    Args:
        x: Inputs.
        y: Targets.
        sample_weight: What each sample counts; without targets, nothing.

    Example:
        >>> pack_x_y_sample_weight([1.0, 2.0], [0, 1])
        ([1.0, 2.0], [0, 1])
        >>> pack_x_y_sample_weight([1.0, 2.0])
        ([1.0, 2.0],)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)
