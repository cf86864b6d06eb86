"""The weights of a layer: its own and those of the layers that it holds, in an order that freezing does not change."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from numpy.typing import ArrayLike

from multilayer._core.arena import Variable
from multilayer._language import tr
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.layers.holding import held


class WeightsMixin:
    """What a layer says of its weights, and how they are read and set."""

    name: str
    built: bool
    _holds_layers: bool
    _variables: list[Variable]
    _always_frozen: set[Variable]

    def sublayers(self) -> Sequence[Any]:
        """The layers that it holds."""
        raise NotImplementedError

    def _adopt(self, variable: Variable, trainable: bool) -> None:
        """Counts a variable among the layer's own weights, in the order in which they come."""
        if variable not in self._variables:
            self._variables = [*self._variables, variable]  # new lists: see `undone_on_error`
            if not trainable:
                self._always_frozen = {*self._always_frozen, variable}

    def own_variables(self) -> list[Variable]:
        """The weights that are no inner layer's; those declared `trainable=False` come last."""
        if self._holds_layers:
            for variable in held(self, Variable):  # lists and dicts get theirs without being asked
                self._adopt(variable, variable.trainable)
        if not self._always_frozen:
            return list(self._variables)
        changing = [v for v in self._variables if v not in self._always_frozen]
        return [*changing, *(v for v in self._variables if v in self._always_frozen)]

    @property
    def weights(self) -> list[Variable]:
        """All weights, in the same order whatever is frozen just now: those declared `trainable=False` come last."""
        own, inner = self.own_variables(), self.sublayers()
        return list(dict.fromkeys([*own, *(v for layer in inner for v in layer.weights)])) if inner else own

    @property
    def variables(self) -> list[Variable]:
        """The same as `weights`."""
        return self.weights

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable]

    @property
    def trainable_variables(self) -> list[Variable]:
        """The same as `trainable_weights`."""
        return self.trainable_weights

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.weights if not v.trainable]

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The same as `non_trainable_weights`."""
        return self.non_trainable_weights

    def get_weights(self) -> list[Array]:
        """Copies of all weights' values, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    @filter_traceback
    def set_weights(self, weights: Sequence[ArrayLike]) -> None:
        """Sets all weights' values, in the order of `weights`.

        Raises:
            ValueError: Their number or a shape differs; then none is set.
        """
        assign_all(self.weights, weights, f"layer '{self.name}'")

    def count_params(self) -> int:
        """Number of weights.

        Raises:
            ValueError: The layer is not built yet.
        """
        if not self.built:
            raise ValueError(
                tr(
                    "You tried to call `count_params` on layer '{name}', but the layer isn't built. You can "
                    "build it manually via: `layer.build(input_shape)`.",
                    name=self.name,
                )
            )
        return sum(v.value.size for v in self.weights)


def assign_all(variables: Sequence[Variable], values: Sequence[ArrayLike], owner: str) -> None:
    """Sets every variable, or, where anything does not fit, none.

    Raises:
        ValueError: The number of values or the shape of one does not fit, or one does not hold real numbers.
    """
    if len(variables) != len(values):
        raise ValueError(
            tr(
                "You called `set_weights(weights)` on {owner} with a weight list of length {count}, but it was "
                "expecting {expected} weights.",
                owner=owner,
                count=len(values),
                expected=len(variables),
            )
        )
    arrays = [variable.real(value) for variable, value in zip(variables, values, strict=True)]
    for variable, array in zip(variables, arrays, strict=True):
        if variable.shape != array.shape:
            raise ValueError(
                tr(
                    "Weight {path} of {owner} has shape {shape}, but the value given for it has shape {got}.",
                    path=variable.path,
                    owner=owner,
                    shape=variable.shape,
                    got=array.shape,
                )
            )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
