"""Optimizers as Keras writes them: a rule for one weight at a time, with running means that are variables."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from multilayer import initializers
from multilayer._core.arena import Variable
from multilayer._core.tape import not_recording
from multilayer.functional import Array
from multilayer.optimizers.kept import Segment

_ASSIGNMENTS = frozenset(("assign", "assign_add", "assign_sub"))


class ByWeightMixin:
    """What an optimizer has whose class was written for Keras.

    Attributes:
        weight_by_weight: Whether `update_step` gets each weight for itself, a `Variable`, as in Keras, and not the one
            vector of all weights. A class says so by a `build` of its own, or an `update_step` that assigns to
            variables; or by this attribute.
    """

    name: str
    weight_by_weight = False
    built: bool
    state: dict[str, Array]
    update_step: Callable[..., None]
    _added: tuple[Variable, ...] = ()
    _added_before: tuple[Variable, ...] = ()  # before it was built, in its constructor
    _trained: list[Variable] | None
    _segments: list[Segment]
    _work: Array

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own = vars(cls).get("update_step")
        if cls.__module__.startswith("multilayer."):
            if own is not None:
                cls.update_step = _for_weights_too(own)
        elif "weight_by_weight" not in vars(cls):
            users = [one for one in cls.__mro__[:-1] if not one.__module__.startswith("multilayer.")]
            if not any("update_step" in vars(one) for one in users):
                cls.weight_by_weight = False  # the rule is the library's, whatever is built beside it
            elif any("build" in vars(one) for one in users) or _assigns(own):
                cls.weight_by_weight = True

    # --- What a class for Keras can use ---

    def add_variable(
        self,
        shape: Sequence[int],
        initializer: Any = "zeros",
        dtype: str | None = None,
        aggregation: str | None = "none",  # noqa: ARG002 - Keras'
        layout: Any = None,  # noqa: ARG002
        name: str | None = None,
    ) -> Variable:
        """A variable that the optimizer keeps from step to step, and that files and backups hold.

        Args:
            shape: Its shape.
            initializer: Where its values start: a name, a config or an `Initializer`.
            dtype: Its type; by default `config.floatx()`.
            aggregation: Accepted as Keras does: there is one device.
            layout: The same.
            name: Its name.
        """
        variable = Variable(initializers.get(initializer), tuple(shape), dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{variable.name}"
        self._added = (*self._added, variable)
        return variable

    def add_variable_from_reference(
        self, reference_variable: Variable, name: str | None = None, initializer: Any = "zeros"
    ) -> Variable:
        """Such a variable of a weight's shape and type.

        Args:
            reference_variable: The weight.
            name: What it is of the weight, such as 'momentum'.
            initializer: Where its values start.
        """
        full = f"{reference_variable.path.replace('/', '_')}_{name or 'var'}"
        return self.add_variable(reference_variable.shape, initializer, reference_variable.dtype, name=full)

    def add_optimizer_variables(
        self, trainable_variables: Sequence[Variable], name: str | Sequence[str], initializer: Any = "zeros"
    ) -> Any:
        """A variable for each weight, as a list; for several names a tuple of such lists.

        Args:
            trainable_variables: The weights.
            name: What the variables are of the weights, or a list of such.
            initializer: Where they start, or a list with one for each name.

        Raises:
            ValueError: There are not as many initializers as names.
        """
        names = [name] if isinstance(name, str) else list(name)
        starts = list(initializer) if isinstance(initializer, (list, tuple)) else [initializer] * len(names)
        if len(names) != len(starts):
            raise ValueError(
                "The number of provided names must match the number of provided initializers. Received: "
                f"name={name!r}, initializer={initializer!r}"
            )
        each = [
            [self.add_variable_from_reference(v, one, start) for one, start in zip(names, starts, strict=True)]
            for v in trainable_variables
        ]
        lists = tuple([of_one[i] for of_one in each] for i in range(len(names)))
        return lists[0] if isinstance(name, str) else lists

    def assign(self, variable: Variable, value: ArrayLike) -> None:
        """`variable.assign(value)`.

        Raises:
            TypeError: It is the vector of all weights.
        """
        self._require_variable(variable)
        variable.assign(value)

    def assign_add(self, variable: Variable, value: ArrayLike) -> None:
        """`variable.assign_add(value)`."""
        self._require_variable(variable)
        variable.assign_add(value)

    def assign_sub(self, variable: Variable, value: ArrayLike) -> None:
        """`variable.assign_sub(value)`."""
        self._require_variable(variable)
        variable.assign_sub(value)

    def _require_variable(self, variable: Any) -> None:
        if not isinstance(variable, Variable):
            raise TypeError(
                f"`update_step` of {type(self).__name__} was given the vector of all weights, which is changed in "
                "place. To be given each weight for itself, as in Keras, the class says `weight_by_weight = True`."
            )

    def _get_variable_index(self, variable: Variable) -> int:
        """Which of the weights it is that the steps move."""
        return (self._trained or []).index(variable)

    def first_variables(self) -> list[Variable]:
        """Those of its own variables that it had before it was built, and which come first in Keras' order."""
        return list(self._added_before if self.built else self._added)

    def own_variables(self) -> list[Variable]:
        """The variables that a class of the user's keeps: those that it added, and others among its attributes."""
        held = (value for value in vars(self).values() if isinstance(value, Variable))
        return list(dict.fromkeys([*self._added, *held]))

    def memory(self) -> dict[str, Array]:
        """All arrays that it keeps from step to step: its slots, and its own variables' values."""
        own = {f"variables/{i}": variable.value for i, variable in enumerate(self.own_variables())}
        return {**self.state, **own}

    def built_for(self, variables: Sequence[Variable]) -> Any:
        """Itself where it is built; else a copy that is built for these weights, to see what it would keep."""
        if self.built:
            return self
        trial: Any = copy.copy(self)
        attributes = vars(trial)
        attributes.update({name: copy.copy(one) for name, one in attributes.items() if isinstance(one, (list, dict))})
        trial.unbuild()
        trial.build(list(variables))
        return trial

    # --- A step ---

    def _update_each(self, gradient: Array, vector: Array, learning_rate: float, left_alone: Sequence[slice]) -> None:
        """The rule for each weight that has a gradient."""
        with not_recording():
            for segment in self._segments:
                variable = segment.variable
                assert variable is not None  # `step` has followed one
                if segment.part in left_alone:
                    continue
                part = vector[segment.part].reshape(segment.shape)
                apart = not np.may_share_memory(part, variable.value)  # the vector may be a copy of weights elsewhere
                if apart:
                    variable.assign(part)
                self.update_step(gradient[segment.part].reshape(segment.shape), variable, learning_rate)
                if apart:
                    np.copyto(part, variable.value)

    def _update_one(
        self, update_step: Callable[..., None], gradient: Any, variable: Variable, learning_rate: Any
    ) -> None:
        """A rule of the library's for one weight, whose part of each slot stands in for the whole."""
        segment = next(one for one in self._segments if one.variable is variable)
        part, everything = segment.part, dict(vars(self))
        vars(self).update(
            _segments=[segment._replace(part=slice(0, variable.size))],
            state={slot: vector[part] for slot, vector in self.state.items()},
            _work=self._work[part],
        )
        try:
            flat = np.ascontiguousarray(gradient, variable.dtype).reshape(-1)
            update_step(self, flat, variable.value.reshape(-1), float(learning_rate))
        finally:
            vars(self).update({name: everything[name] for name in ("_segments", "state", "_work")})
            variable.version += 1


def _for_weights_too(update_step: Callable[..., None]) -> Callable[..., None]:
    """A rule for the vector, which a class that is derived from its own may ask for one weight, as in Keras."""

    @functools.wraps(update_step)
    def update(self: Any, gradient: Any, variable: Any, learning_rate: Any) -> None:
        if isinstance(variable, Variable):
            self._update_one(update_step, gradient, variable, learning_rate)
        else:
            update_step(self, gradient, variable, learning_rate)

    return update


def _assigns(function: Any) -> bool:
    """Whether a function calls something's `assign`, `assign_add` or `assign_sub`."""
    code = getattr(function, "__code__", None)
    return code is not None and not _ASSIGNMENTS.isdisjoint(code.co_names)
