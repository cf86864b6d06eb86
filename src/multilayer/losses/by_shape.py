"""What the shapes decide: which loss `compile` means by 'crossentropy' or 'ce', and which metric by 'accuracy'."""

from __future__ import annotations

from typing import Literal

from multilayer.functional import Array
from multilayer.losses.base import Loss
from multilayer.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)

Kind = Literal["binary", "sparse", "categorical"]

_NAMES = ("crossentropy", "ce")
_CROSSENTROPIES: dict[Kind, type[Loss]] = {
    "binary": BinaryCrossentropy,
    "sparse": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy,
}


def kind_of(y_true: Array, output_shape: tuple[int | None, ...]) -> Kind:
    """How targets name their class: 'binary' for one output, 'sparse' by a number, 'categorical' by one-hot rows.

    Example:
        >>> import numpy as np
        >>> kind_of(np.array([0, 2]), (None, 3)), kind_of(np.eye(3), (None, 3)), kind_of(np.array([0, 1]), (None, 1))
        ('sparse', 'categorical', 'binary')
    """
    if output_shape[-1] == 1:
        return "binary"
    return "sparse" if y_true.ndim < len(output_shape) or y_true.shape[-1] == 1 else "categorical"


class UnknownYet(Loss):
    """Stands in for a cross-entropy until there are targets: `resolve` says which one they mean."""


def is_by_shape(identifier: object) -> bool:
    """Whether this name stands for another loss by the targets' shape.

    Example:
        >>> is_by_shape("CE"), is_by_shape("bce")
        (True, False)
    """
    return isinstance(identifier, str) and identifier.lower() in _NAMES


def resolve(loss: Loss, y_true: Array, output_shape: tuple[int | None, ...]) -> Loss:
    """The loss that is meant, by the same rule as the metric 'accuracy'.

    Example:
        >>> import numpy as np
        >>> resolve(UnknownYet(), np.array([0, 2]), (None, 3)).name
        'sparse_categorical_crossentropy'
    """
    return _CROSSENTROPIES[kind_of(y_true, output_shape)]() if isinstance(loss, UnknownYet) else loss
