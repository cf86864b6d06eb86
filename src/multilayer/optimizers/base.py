"""What an optimizer is: a rule that moves one vector of parameters against its gradient."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.arguments import listed
from multilayer._checks.scalars import is_real, is_whole, real_number
from multilayer._core import kernels
from multilayer._core.arena import Arena, Variable
from multilayer._core.number import Number
from multilayer._language import tr
from multilayer._names import naming, registry, remembered
from multilayer._names.custom_objects import custom_object_scope
from multilayer._names.functions import described, name_of
from multilayer._names.qualified import named_after_class
from multilayer._names.reprs import config_repr
from multilayer._tracebacks import filter_traceback
from multilayer.config import floatx
from multilayer.functional import Array
from multilayer.optimizers.by_weight import ByWeightMixin
from multilayer.optimizers.kept import KeptMixin, Segment, segments_of
from multilayer.optimizers.schedules import LearningRateSchedule

# A mean that keeps 9 tenths a step shrinks to a thousandth over this many steps: less than what is flushed leaves room
# for, so that it never gets subnormal on the way.
_FLUSH_EVERY = 64


class LearningRate(Number):
    """A learning rate, which is a number and also does what programs for Keras ask of it."""

    _optimizer: Optimizer

    @property
    def value(self) -> float:
        """The number itself."""
        return float(self)

    def assign(self, value: float) -> None:
        """Sets the optimizer's learning rate."""
        self._optimizer.learning_rate = value


class Steps(int):
    """A number of steps, which is a number and also does what programs for Keras ask of it."""

    def numpy(self) -> np.int64:
        """The number as NumPy has it."""
        number: np.int64 = np.int64(self)
        return number


@named_after_class(ByWeightMixin, KeptMixin)
class Optimizer(ByWeightMixin, KeptMixin, remembered.Remembering):
    """Base class of all optimizers.

    One of your own names its running vectors in `slots` and overrides `update_step`. All parameters of a model are one
    vector, so a rule is written once and without a loop over layers.

    Args:
        learning_rate: Size of a step, at least 0: a number, a `schedules.LearningRateSchedule`, or a function without
            arguments. `optimizer.learning_rate = 0.01` changes a number at any time.
        weight_decay: Before every step w <- w - learning_rate weight_decay w; None for no decay.
        clipnorm: The largest norm that the gradient of a single weight may have; longer ones are scaled back.
        clipvalue: The largest size that a number of the gradient may have.
        global_clipnorm: The largest norm that the whole gradient may have. Only one of the three can be given.
        use_ema: Whether a running mean of the weights is kept, which takes their place when training ends.
        ema_momentum: Share of that mean that is kept from step to step.
        ema_overwrite_frequency: Number of steps after which the mean takes the weights' place during training.
        loss_scale_factor: Accepted as Keras does; loss and gradient would be scaled up and down again.
        gradient_accumulation_steps: Number of batches whose mean gradient makes one step, at least 2.
        name: Its name.

    Attributes:
        iterations: Number of steps taken.
        state: The slots: named vectors, each as long as the parameters.

    Raises:
        ValueError: An argument is out of range or unknown.

    Example:
        >>> class SignDescent(Optimizer):
        ...     "w <- w - learning_rate sign(g)"
        ...     def update_step(self, gradient, variable, learning_rate):
        ...         variable -= learning_rate * np.sign(gradient)
        >>> w = np.array([1.0, -1.0])
        >>> SignDescent(0.25).step(np.array([3.0, -8.0]), w)
        >>> w
        array([ 0.75, -0.75])
    """

    slots: tuple[str, ...] = ()
    side_by_side: tuple[str, ...] = ()  # the slots that Keras keeps weight by weight; all others one after another
    full_batch = False  # whether `minimize` takes the place of steps on batches
    # The attributes that change from step to step beside the slots; a file that training goes on from holds them.
    numbers: tuple[str, ...] = ("_batches",)

    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        **unknown: Any,
    ) -> None:
        if unknown.pop("decay", None) is not None:
            warnings.warn(
                tr(
                    "Argument `decay` is no longer supported and will be ignored: pass a schedule such as "
                    "`schedules.InverseTimeDecay` as the learning rate."
                ),
                stacklevel=3,
            )
        if unknown:
            raise ValueError(tr("Argument(s) not recognized: {unknown}", unknown=unknown))
        self._learning_rate: Any = None
        self.learning_rate = (
            _schedule(registry.resolved("schedule", learning_rate)) if _is_config(learning_rate) else learning_rate
        )
        self.name = naming.checked(name) or naming.auto_name(type(self).__name__)
        self.weight_decay = None if weight_decay is None else real_number("weight_decay", weight_decay)
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        _check_limits(clipnorm=clipnorm, clipvalue=clipvalue, global_clipnorm=global_clipnorm)
        self.use_ema = use_ema
        if use_ema:
            _check_ema(ema_momentum, ema_overwrite_frequency)
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = (
            None if loss_scale_factor is None else real_number("loss_scale_factor", loss_scale_factor)
        )
        if gradient_accumulation_steps is not None and not is_whole(gradient_accumulation_steps, 2):
            raise ValueError(
                tr(
                    "`gradient_accumulation_steps` must be an integer >= 2. Received: "
                    "gradient_accumulation_steps={gradient_accumulation_steps}",
                    gradient_accumulation_steps=gradient_accumulation_steps,
                )
            )
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._batches = 0
        self.mean_is_in_place = False  # whether weights and running mean have changed places (`SwapEMAWeights`)
        self.state: dict[str, Array] = {}
        self.built = False
        self._trained: list[Variable] | None = None
        self._segments: list[Segment] = []
        self._not_decayed: tuple[list[Variable], list[str]] = ([], [])

    # --- Learning rate and steps ---

    @property
    def learning_rate(self) -> LearningRate:
        """Size of the next step."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = rate(self._batches)
        elif callable(rate):
            function, rate = rate, rate()
            if rate is None:
                raise ValueError(
                    tr("The learning rate `{function}` returned None: is there a `return`?", function=name_of(function))
                )
        number = LearningRate(rate)
        number._optimizer = self
        return number

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if isinstance(value, LearningRateSchedule) or callable(value):
            self._learning_rate = value
            return
        if isinstance(self._learning_rate, LearningRateSchedule):
            raise TypeError(
                tr(
                    "This optimizer was created with a `LearningRateSchedule` object as its `learning_rate` "
                    "constructor argument, hence its learning rate is not settable. If you need the learning "
                    "rate to be settable, you should instantiate the optimizer with a float `learning_rate` "
                    "argument."
                )
            )
        number = value.item() if isinstance(value, (np.ndarray, np.generic)) and np.ndim(value) == 0 else value
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 <= float(number) < math.inf:
            raise ValueError(
                tr("`learning_rate` must be a number of at least 0. Received: learning_rate={value!r}", value=value)
            )
        self._learning_rate = float(number)

    @property
    def iterations(self) -> Steps:
        """Number of steps taken."""
        return Steps(self._batches // (self.gradient_accumulation_steps or 1))

    @iterations.setter
    def iterations(self, value: int) -> None:
        self._batches = int(value) * (self.gradient_accumulation_steps or 1)

    # --- What an optimizer defines ---

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        """Moves `variable` in place by one step; `iterations` counts the steps before this one."""
        raise NotImplementedError(
            tr(
                "Optimizer {kind} does not define `update_step(self, gradient, variable, learning_rate)`.",
                kind=type(self).__name__,
            )
        )

    def build(self, variables: Array | Sequence[Variable]) -> None:
        """Makes the slots for a vector of parameters, once; or, as in Keras, for a list of weights to be moved."""
        if not isinstance(variables, np.ndarray):
            self.follow(variables)
            if self.built:
                return
            variables = _vector_of(self.trained)
        self._added_before = self._added
        self.state = {slot: self.initial_values(slot, variables) for slot in self._slots()}
        self._work = np.empty_like(variables)
        self._changed = np.empty_like(variables) if self._changes_gradients else None
        self.built = True

    def _slots(self) -> list[str]:
        wanted = {"average": self.use_ema, "accumulated_gradient": self.gradient_accumulation_steps}
        return [*self.slots, *(slot for slot, needed in wanted.items() if needed)]

    def initial_value(self, slot: str) -> float:  # noqa: ARG002
        """What a slot is filled with at the start."""
        return 0.0

    def initial_values(self, slot: str, values: Array) -> Array:
        """What a slot holds at the start for parameters of these values."""
        return np.full_like(values, self.initial_value(slot))

    def stored(self, slot: str, segment: Segment) -> Segment:  # noqa: ARG002 - all slots are as long as the vector
        """Where in a slot the numbers of a weight lie, and their shape: where the weight lies in the vector."""
        return segment

    def unbuild(self) -> None:
        """Forgets the slots, and the weights that they belong to."""
        self._added = tuple(self.first_variables())
        self.state, self.built, self._trained, self._segments = {}, False, None, []

    @property
    def trained(self) -> list[Variable]:
        """The weights that the steps move, in the order in which they lie in the vector; empty before training."""
        return list(self._trained or ())

    def follow(self, variables: Iterable[Variable]) -> None:
        """Takes note of the weights that the steps to come will move; an optimizer follows the same ones for life.

        Its running vectors belong to them, place by place: on other weights they would be means of somebody else's
        gradients, and where the length is the same nothing else would tell.

        Raises:
            ValueError: It has taken steps on others.
        """
        variables = list(variables)
        if self.built and self._trained != variables:
            raise ValueError(
                tr(
                    "Optimizer '{name}' has trained other weights than the model now has: it belongs to "
                    "another model, or this one's layers, or what of them is trainable, have changed. Compile "
                    "the model again with a new optimizer.",
                    name=self.name,
                )
            )
        if self._trained is None:
            self._segments = segments_of(variables)
        self._trained = variables

    def step(self, gradient: Array, variable: Array, left_alone: Sequence[slice] = ()) -> None:
        """One step on the vector of all parameters, or, with accumulation, one batch on the way to it.

        Args:
            gradient: The gradient, as long as the vector.
            variable: The vector.
            left_alone: Parts of it that have no gradient in this step: neither they nor their running means change.

        Raises:
            ValueError: The vector has another length than at the first step.
        """
        if not self.built:
            self._build_for(variable)
        if self._work.shape != variable.shape:
            raise ValueError(
                tr(
                    "Optimizer '{name}' was built for {size} trainable parameters and now gets {got}: the "
                    "model, or what of it is trainable, has changed. Compile the model again with a new "
                    "optimizer.",
                    name=self.name,
                    size=self._work.size,
                    got=variable.size,
                )
            )
        # A plain number, the usual case, is read without the property, which would make a `LearningRate` of it.
        rate = self._learning_rate if type(self._learning_rate) is float else float(self.learning_rate)
        if self._changes_gradients:
            gradient = self._accumulated(gradient) if self.gradient_accumulation_steps else gradient
            if gradient is None:
                if self.use_ema:  # as Keras does: a batch that only adds its gradient counts in the mean, too
                    self._average(variable)
                self._batches += 1
                return
            gradient = self._clipped(gradient)
        kept = []
        if left_alone:
            kept = [(a, part, a[part].copy()) for part in left_alone for a in (variable, *self.state.values())]
        self.decay(variable, rate)
        if self.weight_by_weight:
            self._update_each(gradient, variable, rate, left_alone)
        else:
            self.update_step(gradient, variable, rate)
        for array, part, values in kept:
            array[part] = values
        if self.use_ema:
            self._average(variable)
        self._batches += 1
        if self._batches % _FLUSH_EVERY == 0:
            for slot in self.state.values():
                kernels.flush_subnormals(slot, self._work)

    def _build_for(self, vector: Array) -> None:
        """Builds it for the weights that it follows, whose values lie in the vector, or for a vector alone."""
        if self._trained is None and self.weight_by_weight:
            self.follow([Variable(vector)])
        self.build(vector if self._trained is None else self._trained)
        self._segments = self._segments or [Segment(slice(None), vector.shape, "", None)]

    def finalize(self, variable: Array) -> None:
        """Ends a training: the running mean of the weights takes their place, where one is kept."""
        if not (self.use_ema and self.built):
            return
        if self.mean_is_in_place:
            np.copyto(self.state["average"], variable)
            self.mean_is_in_place = False
        else:
            np.copyto(variable, self.state["average"])

    # --- What comes before and after the rule ---

    @property
    def _changes_gradients(self) -> bool:
        return not (
            self.clipnorm is None
            and self.clipvalue is None
            and self.global_clipnorm is None
            and self.gradient_accumulation_steps is None
        )

    def _accumulated(self, gradient: Array) -> Any:
        """The mean gradient of several batches, or None where more are to come."""
        total = self.state["accumulated_gradient"]
        if (self._batches + 1) % cast(int, self.gradient_accumulation_steps):
            total += gradient
            return None
        assert self._changed is not None
        np.add(gradient, total, out=self._changed)
        self._changed /= self.gradient_accumulation_steps
        total.fill(0.0)
        return self._changed

    def _clipped(self, gradient: Array) -> Array:
        """The gradient within its limit; the caller's own is left alone."""
        if self._changed is None:  # the limit was set after the first step
            self._changed = np.empty_like(gradient)
        out = self._changed
        if self.clipvalue is not None:
            return np.clip(gradient, -self.clipvalue, self.clipvalue, out=out)
        if self.global_clipnorm is not None:
            norm = math.sqrt(float(np.dot(gradient, gradient)))
            return np.multiply(gradient, min(1.0, self.global_clipnorm / norm) if norm else 1.0, out=out)
        if self.clipnorm is not None:
            for segment in self._segments:
                g = gradient[segment.part]
                norm = math.sqrt(float(np.dot(g, g)))
                np.multiply(g, self.clipnorm / max(norm, self.clipnorm), out=out[segment.part])  # by 1 if short
            return out
        return gradient

    def decay(self, variable: Array, learning_rate: float) -> None:
        """Draws the weights towards 0, all but those excluded."""
        if not self.weight_decay:
            return
        factor = 1.0 - self.weight_decay * learning_rate
        if not any(self._not_decayed):
            variable *= factor
            return
        for segment in self._segments:
            if self.is_decayed(segment):
                variable[segment.part] *= factor

    def is_decayed(self, segment: Segment) -> bool:
        """Whether weight decay is meant for a weight."""
        variables, patterns = self._not_decayed
        name = segment.variable.name if segment.variable is not None else ""
        excluded = any(segment.variable is v for v in variables) or any(re.search(p, name) for p in patterns)
        return not excluded

    def exclude_from_weight_decay(
        self, var_list: Sequence[Variable] | None = None, var_names: Sequence[str] | None = None
    ) -> None:
        """Excludes weights from weight decay.

        Args:
            var_list: The weights.
            var_names: Patterns of their names, such as 'bias'.

        Raises:
            ValueError: The optimizer has taken steps.
        """
        if self.built:
            raise ValueError(tr("`exclude_from_weight_decay()` can only be configured before the optimizer is built."))
        self._not_decayed = (list(var_list or ()), list(var_names or ()))

    def _average(self, variable: Array) -> None:
        average = self.state["average"]
        momentum = self.ema_momentum if self.iterations else 0.0  # the first mean is the weights, not 1 % of them
        np.multiply(variable, 1.0 - momentum, out=self._work)
        average *= momentum
        average += self._work
        if self.ema_overwrite_frequency and (self.iterations + 1) % self.ema_overwrite_frequency == 0:
            np.copyto(variable, average)

    # --- For those who have gradients of their own ---

    def apply(self, grads: Sequence[ArrayLike | None], trainable_variables: Sequence[Variable] | None = None) -> None:
        """One step on separate weights with gradients of one's own.

        Args:
            grads: A gradient for each weight; None leaves a weight, and its running means, as they are.
            trainable_variables: The weights: those of the first step, or some of them. None for those of the steps
                before.

        Raises:
            ValueError: There are no weights, no gradient at all, or they do not fit: then nothing changes.
        """
        variables = self._trained if trainable_variables is None else list(trainable_variables)
        if variables is None:
            raise ValueError(
                tr(
                    "When passing `grads` without `variables`, the optimizer must already be built on a list "
                    "of variables."
                )
            )
        grads = listed("grads", grads)
        if len(grads) != len(variables):
            raise ValueError(
                tr("Received {count} gradients for {variables} variables.", count=len(grads), variables=len(variables))
            )
        if not variables:
            return
        arrays = _checked_gradients(grads, variables)
        if self.built and self._trained is not None and set(variables) <= set(self._trained):
            of_each = dict(zip(variables, arrays, strict=True))
            variables, arrays = self._trained, [of_each.get(v) for v in self._trained]
        self.follow(variables)
        arena = _arena_of(variables)
        vector = _vector_of(variables) if arena is None else arena.parameters
        gradient = np.zeros_like(vector) if arena is None else arena.gradients
        if not self.built:
            self._build_for(vector)
        pairs = list(zip(self._segments, arrays, strict=True))
        for segment, array in pairs:
            gradient[segment.part] = 0.0 if array is None else array.reshape(-1)
        self.step(gradient, vector, [segment.part for segment, array in pairs if array is None])
        for (segment, array), variable in zip(pairs, variables, strict=True):
            value = vector[segment.part].reshape(variable.shape)
            if variable.constraint is not None and array is not None:
                variable.assign(variable.constraint(value))
            elif arena is None:
                variable.assign(value)
            else:
                variable.version += 1  # it was changed where it lies

    def apply_gradients(self, grads_and_vars: Iterable[tuple[ArrayLike | None, Variable]]) -> int:
        """`apply` for pairs of a gradient and a weight; returns the number of steps taken."""
        pairs = list(grads_and_vars)
        self.apply([gradient for gradient, _ in pairs], [variable for _, variable in pairs])
        return self.iterations

    def finalize_variable_values(self, var_list: Sequence[Variable]) -> None:
        """Ends a training by `apply`: the running mean of these weights takes their place, where one is kept."""
        if not (self.use_ema and self._trained):
            return
        vector = _vector_of(self._trained)
        self.finalize(vector)
        for segment in self._segments:
            if segment.variable is not None and segment.variable in var_list:
                segment.variable.assign(vector[segment.part].reshape(segment.shape))

    # --- As plain data ---

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        rate = self._learning_rate
        if isinstance(rate, LearningRateSchedule):
            rate = registry.serialize(rate)
        elif callable(rate):
            rate = described(rate)
        config = {
            "name": self.name,
            "learning_rate": rate,
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "global_clipnorm": self.global_clipnorm,
            "clipvalue": self.clipvalue,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }
        return remembered.described(self, config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """The optimizer with these constructor arguments, and no steps taken."""
        return remembered.made(cls, config)

    __repr__ = config_repr


def _vector_of(variables: Sequence[Variable]) -> Array:
    """The weights end to end; of no weights, of none."""
    return np.concatenate([v.value.reshape(-1) for v in variables]) if variables else np.zeros(0, floatx())


def _arena_of(variables: Sequence[Variable]) -> Arena | None:
    """The arena that holds these weights as its parameters and no others, in which a step copies nothing.

    Weights that are in none yet get one; where they lie otherwise, somebody else trains them, too.
    """
    arena = variables[0].arena
    if arena is None and all(v.arena is None and v.trainable for v in variables):
        if len({v.value.dtype for v in variables}) > 1:
            return None
        arena = Arena(variables)
    if arena is None or len(arena.parameters) != sum(v.value.size for v in variables):
        return None
    return arena if all(s.variable is v for s, v in zip(arena.segments, variables, strict=False)) else None


def _checked_gradients(grads: Sequence[ArrayLike | None], variables: Sequence[Variable]) -> list[Array | None]:
    """The gradients as arrays of their weights' shapes, and None for those that do not exist.

    Raises:
        ValueError: There is none at all, or one has another shape, or does not hold real numbers.
    """
    missing = [v.path for gradient, v in zip(grads, variables, strict=True) if gradient is None]
    if len(missing) == len(variables):
        raise ValueError(
            tr(
                "No gradients provided for any variable: those of {missing} are None. Was the loss computed of "
                "them, by a model, within the `with` of the tape?",
                missing=", ".join(missing),
            )
        )
    arrays: list[Array | None] = []
    for gradient, variable in zip(grads, variables, strict=True):
        array = None if gradient is None else np.asarray(gradient)
        if array is not None and (array.shape != variable.shape or array.dtype.kind not in "fiub"):
            raise ValueError(
                tr(
                    "The gradient of {path} must be an array of real numbers of the weight's shape, {shape}. "
                    "Received shape {got} of type {dtype}.",
                    path=variable.path,
                    shape=variable.shape,
                    got=array.shape,
                    dtype=array.dtype,
                )
            )
        arrays.append(array)
    if missing:
        warnings.warn(
            tr(
                "Gradients do not exist for variables {missing}: they stay as they are. If that is meant, "
                "leave them out of the list.",
                missing=missing,
            ),
            stacklevel=4,
        )
    return arrays


def _is_config(value: Any) -> bool:
    return isinstance(value, dict) and "class_name" in value


def _schedule(described: Any) -> Any:
    return registry.deserialize("schedule", described) if isinstance(described, dict) else described


def _check_limits(**limits: float | None) -> None:
    """Raises ValueError where a limit of gradients is none, or where there are several."""
    given = {name: limit for name, limit in limits.items() if limit is not None}
    if len(given) > 1:
        raise ValueError(
            tr(
                "Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set. Received: {limits}",
                limits=", ".join((f"{name}={limit}" for name, limit in limits.items())),
            )
        )
    for name, limit in given.items():
        real_number(name, limit, above=0, infinite=True)


def _check_ema(momentum: float, overwrite_frequency: int | None) -> None:
    """Raises ValueError where a running mean of the weights cannot be taken so."""
    real_number("ema_momentum", momentum, least=0, most=1)
    if overwrite_frequency and not is_whole(overwrite_frequency, 1):
        raise ValueError(
            tr(
                "`ema_overwrite_frequency` must be an integer >= 1 or None. Received: "
                "ema_overwrite_frequency={overwrite_frequency}",
                overwrite_frequency=overwrite_frequency,
            )
        )


def checked_decay_rate(name: str, value: float) -> float:
    """What share of a running mean is kept from step to step; raises ValueError where it is not in [0, 1)."""
    if not is_real(value) or not 0 <= value < 1:
        raise ValueError(
            tr("`{name}` must be at least 0 and less than 1. Received: {name}={value!r}", name=name, value=value)
        )
    return float(value)


def checked_epsilon(epsilon: float, name: str = "epsilon") -> float:
    """A small number that keeps a quotient finite; raises ValueError where it is negative."""
    if not is_real(epsilon) or not epsilon >= 0:
        raise ValueError(tr("`{name}` must be at least 0. Received: {name}={epsilon!r}", name=name, epsilon=epsilon))
    return float(epsilon)


@filter_traceback
def get(identifier: str | dict[str, Any] | Optimizer | type[Optimizer] | None) -> Any:
    """The optimizer for a name, a config, a class or an instance; None stays None.

    Raises:
        ValueError: An unknown name; the message names the nearest known one.

    Example:
        >>> from multilayer import optimizers
        >>> optimizers.get("adam").learning_rate
        0.001
    """
    return None if identifier is None else registry.get("optimizer", identifier, Optimizer)


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """The optimizer as a config that `deserialize` reads; its state is not part of it."""
    return registry.serialize(optimizer)


@filter_traceback
def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Optimizer:
    """The optimizer that `serialize` described, with classes of your own by name."""
    with custom_object_scope(custom_objects):
        optimizer: Optimizer = registry.deserialize("optimizer", config)
        return optimizer
