"""What an optimizer keeps, as variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from multilayer._core.arena import Variable
from multilayer.functional import Array


class Kept(Variable):
    """A number or running mean of an optimizer, as it is now; with what is assigned to it, the optimizer goes on.

    Unlike a weight, which is one of many and equal to itself alone, it compares like its value.

    Args:
        value: What it is now; copied, as the optimizer's own memory is one vector for all weights.
        name: Its name.
        take: Puts an array in its place.
    """

    def __init__(self, value: ArrayLike, name: str, take: Callable[[Array], None]) -> None:
        super().__init__(value, name=name, trainable=False)
        self._take = take

    def assign(self, value: ArrayLike) -> None:
        super().assign(value)
        self._take(self.value)

    def __eq__(self, other: object) -> Any:
        return self.value == np.asarray(other)

    __hash__ = Variable.__hash__
