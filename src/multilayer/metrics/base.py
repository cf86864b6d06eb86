"""What a metric is, and running sums and means."""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike

from multilayer import initializers, losses
from multilayer._checks.arguments import function
from multilayer._checks.states import (
    ANYTHING,
    FINITE,
    NUMBER,
    SUMS,
    Kind,
    is_own,
    require_arrays_like,
    require_entries,
)
from multilayer._checks.tables import as_array
from multilayer._core.arena import Variable
from multilayer._core.masks import mask_of
from multilayer._core.number import Number
from multilayer._core.tape import not_recording, plain, recording
from multilayer._core.tape.eager import EagerArray
from multilayer._language import tr
from multilayer._names import functions as plain_functions
from multilayer._names import naming, registry, remembered
from multilayer._tracebacks import shorten
from multilayer.config import floatx
from multilayer.functional import Array
from multilayer.losses.base import weight_of_steps


class Metric(remembered.Remembering):
    """Base class: `update_state` with each batch, `result` at any time, `reset_state` between epochs.

    A metric of your own overrides these three, and may keep its state in variables that `add_variable` makes, which
    `reset_state` sets to 0. In training, the targets and predictions it is given lie in memory that
    the next step writes over: keep numbers that you compute from them, or copies (`y_pred.copy()`), but not the arrays
    themselves or views of them such as `y_pred[:, 0]`. And change nothing in them, as other metrics read them too.

    Args:
        name: Name in logs; by default the class name in snake case, numbered.
        dtype: Accepted as Keras does: sums are kept in float64 anyhow.

    Example:
        >>> class Largest(Metric):
        ...     "The largest error of all."
        ...     def __init__(self, name="largest", **kwargs):
        ...         super().__init__(name=name, **kwargs)
        ...         self.largest = self.add_variable((), name="largest")
        ...     def update_state(self, y_true, y_pred, sample_weight=None):
        ...         error = np.max(np.abs(np.subtract(y_pred, y_true)))
        ...         self.largest.assign(np.maximum(self.largest, error))
        ...     def result(self):
        ...         return float(self.largest)
        >>> largest = Largest()
        >>> largest([[1.0], [2.0]], [[1.5], [4.0]])
        2.0
    """

    # Whether more is better ('up') or less ('down'), for callbacks that look for improvement; None where nobody knows.
    direction: str | None = None
    # The attributes that a metric of this library keeps what it gathers in, under the names that Keras has for them.
    _variable_names: tuple[str, ...] = ()

    _gathered: ClassVar[Mapping[str, Kind]] = {}  # what `update_state` changes, beside variables, and what it can be

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Lets every class's `update_state` take tensors, where that is called while a tape records."""
        super().__init_subclass__(**kwargs)
        if "update_state" in vars(cls):
            cls.update_state = _of_numbers(cls.update_state)  # type: ignore[method-assign]

    def __init__(self, dtype: str | None = None, name: str | None = None) -> None:
        self.dtype = floatx() if dtype is None else _checked_type(dtype)
        self.name = naming.checked(name) or naming.auto_name(type(self).__name__)
        self._variables: list[Variable] = []

    @property
    def variables(self) -> list[Variable]:
        """What it keeps: variables of its own, those of metrics that it holds, and what it gathers, to be read."""
        of_others = [variable for metric in self._metrics for variable in metric.variables]
        gathered = [Variable(np.asarray(getattr(self, name), "float64"), name=name) for name in self._variable_names]
        return [*self._variables, *of_others, *gathered]

    @property
    def _metrics(self) -> list[Metric]:
        """The metrics that it holds, as attributes or in lists, tuples and dicts."""
        return _metrics_in(vars(self))

    def add_variable(
        self, shape: Sequence[int] = (), initializer: Any = "zeros", dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """Makes a variable of the metric's own: `assign` and `assign_add` change it, and it reckons like an array.

        Args:
            shape: Its shape.
            initializer: Where its values start.
            dtype: Its type, float64 by default.
            name: Its name.
        """
        variable = Variable(
            initializers.get(initializer)(tuple(shape), dtype or "float64"), name=name or "variable", trainable=False
        )
        self._variables.append(variable)
        return variable

    def add_weight(
        self, shape: Sequence[int] = (), initializer: Any = "zeros", dtype: str | None = None, name: str | None = None
    ) -> Variable:
        """The older name of `add_variable`."""
        return self.add_variable(shape, initializer, dtype, name)

    def update_state(self, *args: Any, **kwargs: Any) -> None:
        """Takes a batch into account: `y_true`, `y_pred` and `sample_weight`, or what else the metric is of."""
        raise NotImplementedError(tr("Metric {kind} does not define `update_state`.", kind=type(self).__name__))

    def result(self) -> Any:
        """The value for everything since the last reset."""
        raise NotImplementedError(tr("Metric {kind} does not define `result`.", kind=type(self).__name__))

    def reset_state(self) -> None:
        """Forgets everything: sets all variables to 0, and resets the metrics that it holds."""
        for variable in self._variables:
            variable.value.fill(0)
        for metric in self._metrics:
            metric.reset_state()

    def get_state(self) -> dict[str, Any]:
        """What it has seen since the last reset, for a run that goes on in another process (`BackupAndRestore`).

        These are the variables, all attributes that are numbers, arrays, or lists, tuples and dicts of such, and the
        states of the metrics that it holds. A metric that keeps what it has seen in anything else overrides this and
        `set_state`.
        """
        plain = {name: value for name, value in vars(self).items() if name not in _NAMES and _is_plain(value)}
        state = {"variables": [variable.value for variable in self._variables], "attributes": plain}
        return {**state, "metrics": [one.get_state() for one in self._metrics]} if self._metrics else state

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from what `get_state` gave.

        Raises:
            ValueError: It can have given nothing of that kind; nothing is changed.
        """
        self._check_state(state)
        for variable, value in zip(self._variables, state["variables"], strict=True):
            variable.assign(value)
        self._take(state["attributes"])
        for metric, of_it in zip(self._metrics, state.get("metrics", ()), strict=True):
            metric.set_state(of_it)

    def _take(self, attributes: dict[str, Any]) -> None:
        """Sets the attributes that `get_state` gave."""
        for name, value in attributes.items():
            setattr(self, name, value)

    def _check_state(self, state: Any) -> None:
        """Raises ValueError where this is nothing that `get_state` can have given."""
        who = f"metric '{self.name}'"
        held = self._metrics
        require_entries(
            state, who, {"variables": ANYTHING, "attributes": ANYTHING, **({"metrics": ANYTHING} if held else {})}
        )
        if held and (not isinstance(state["metrics"], (list, tuple)) or len(state["metrics"]) != len(held)):
            raise ValueError(
                tr("a state of {who} has not those of the {count} metrics that it holds", who=who, count=len(held))
            )
        for metric, of_it in zip(held, state.get("metrics", ()), strict=True):
            metric._check_state(of_it)
        require_arrays_like(state["variables"], [one.value for one in self._variables], f"the variables of {who}")
        attributes, own = state["attributes"], is_own(type(self))
        require_entries(attributes, who, self._gathered if own else {})
        for name, value in attributes.items():
            if not isinstance(name, str) or name in _NAMES or callable(getattr(self, name, None)):
                raise ValueError(
                    tr("a state of {who} has {name!r}, which is no state of it", who=who, name=str(name)[:100])
                )
            if name in self._gathered and own:
                continue
            # What is the same in every run of a program is an argument; of a user's own nobody else knows which.
            present = vars(self).get(name, _ABSENT)
            if not (_same(value, present) if own else _alike(value, present)):
                raise ValueError(
                    tr(
                        "of {who} it says {name}={given}, which here is {present}",
                        who=who,
                        name=name,
                        given=str(value)[:100],
                        present=str(present)[:100],
                    )
                )
        if own:
            self._try(attributes)

    def _try(self, attributes: dict[str, Any]) -> None:
        """Has a copy say its result from there: what it cannot reckon with would end the first step."""
        trial = copy.copy(self)
        try:
            trial._take(attributes)
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                trial.result()
        except Exception as error:
            raise ValueError(
                tr("metric '{name}' has no result from the state that it holds: {error}", name=self.name, error=error)
            ) from error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Takes what `update_state` takes into account, and returns the result so far."""
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self) -> dict[str, Any]:
        """The constructor's arguments."""
        return remembered.described(self, {"name": self.name, "dtype": self.dtype})

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric with these constructor arguments."""
        return remembered.made(cls, config)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}>"


def _metrics_in(value: Any) -> list[Metric]:
    """The metrics in a value: itself, or what lists, tuples and dicts hold."""
    if isinstance(value, Metric):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (list, tuple)) else ()
    return [metric for part in parts for metric in _metrics_in(part)]


_NAMES = ("name", "dtype", "_variables", remembered.MADE_WITH)


# What a step of training gives: it makes few calls, and is not to make more to find that out.
_NO_TABLES = {np.ndarray, EagerArray, type(None)}


def _of_numbers(update: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(update)
    def updated(self: Metric, *args: Any, **kwargs: Any) -> None:
        try:
            if not {*map(type, args), *map(type, kwargs.values())} <= _NO_TABLES:
                args = tuple(map(as_array, args, _argument_names(update, len(args))))
                kwargs = {name: as_array(one, name) for name, one in kwargs.items()}
            if not recording():
                return update(self, *args, **kwargs)
            with not_recording():  # what is measured has no part in the loss
                return update(self, *map(plain, args), **{name: plain(value) for name, value in kwargs.items()})
        except Exception as error:
            shorten(error)
            raise error

    return updated


def _argument_names(update: Callable[..., None], number: int) -> tuple[str, ...]:
    """What the first arguments behind `self` are called."""
    code = getattr(update, "__code__", None)
    names = code.co_varnames[1 : code.co_argcount] if code else ()
    return (*names, *["values"] * number)[:number]


def _checked_type(dtype: Any) -> str:
    """The name of a type of numbers, which results are asked for in; raises ValueError where it is none."""
    try:
        name = str(np.dtype(dtype))
    except TypeError:
        name = ""
    if name.rstrip("0123456789") not in ("float", "int", "uint", "bool"):
        raise ValueError(
            tr("`dtype` of a metric is a type of numbers, such as 'float32'. Received: dtype={dtype!r}", dtype=dtype)
        )
    return name


_ABSENT = object()


def _same(value: Any, present: Any) -> bool:
    """Whether two plain values are equal, part by part."""
    if isinstance(value, (list, tuple)) and isinstance(present, (list, tuple)):
        return len(value) == len(present) and all(map(_same, value, present))
    if isinstance(value, dict) and isinstance(present, dict):
        return set(value) == set(present) and all(_same(value[key], present[key]) for key in value)
    if isinstance(value, np.ndarray) or isinstance(present, np.ndarray):
        return bool(np.array_equal(value, present))
    return bool(value == present)


def _alike(value: Any, present: Any) -> bool:
    """Whether one can have become the other in training: numbers and arrays from numbers, text from text."""
    if present is _ABSENT or present is None:
        return True
    if isinstance(present, (bool, int, float, np.number, np.bool_, np.ndarray)):
        return isinstance(value, (bool, int, float, np.number, np.bool_, np.ndarray))
    return value is None or isinstance(
        value, next(kind for kind in (str, list, tuple, dict, object) if isinstance(present, kind))
    )


def _is_plain(value: Any) -> bool:
    """Whether a file can hold it."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    if isinstance(value, dict):
        return all(map(_is_plain, (*value, *value.values())))
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiub"
    return value is None or isinstance(value, (bool, int, float, str, np.number, np.bool_))


def _weighted(values: Array, weight: Array, reduce: Callable[..., Array]) -> tuple[Array, Array]:
    """Values times their weights, and the weights, one of each a sample; several of a sample are put together.

    Raises:
        ValueError: The weights cannot be repeated to the values' shape.
    """
    values, weight = losses.align(values, weight)
    if values.ndim > weight.ndim:
        values = reduce(values, axis=tuple(range(weight.ndim, values.ndim)))
    try:
        weight = np.broadcast_to(weight, values.shape)
    except ValueError:
        raise ValueError(
            tr(
                "`sample_weight` of shape {shape} does not fit values of shape {got}.",
                shape=weight.shape,
                got=values.shape,
            )
        ) from None
    inner = tuple(range(1, values.ndim))
    return reduce(values * weight, axis=inner), reduce(weight, axis=inner)


def but_for_padding(y_pred: Any, sample_weight: Any) -> Any:
    """The weights of samples or steps, 0 for the steps that a mask of the predictions leaves out."""
    mask = mask_of(y_pred)
    return sample_weight if mask is None else weight_of_steps(mask, sample_weight)


@registry.register("metric")
class Mean(Metric):
    """The weighted mean of the values it is given: sum(w v) / sum(w).

    Example:
        >>> mean = Mean()
        >>> mean.update_state([1.0, 3.0])
        >>> mean.update_state([5.0], sample_weight=[2.0])
        >>> mean.result()
        3.5
        >>> mean(8.0)
        4.4
    """

    _gathered: ClassVar[Mapping[str, Kind]] = {"total": NUMBER, "count": FINITE}  # a total is infinite where a loss was
    _variable_names = ("total", "count")

    def __init__(self, name: str | None = "mean", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Takes values into account, each with its weight or with weight 1."""
        batch: Array = np.asarray(values)
        if sample_weight is None:
            total = float(np.count_nonzero(batch) if batch.dtype == bool else batch.sum())
            count = batch.shape[0] if batch.ndim else 1  # what a sample has several values of is averaged first
            self.total += total * count / batch.size if batch.size else 0.0
            self.count += count
            return
        batch, weight = _weighted(batch, np.asarray(sample_weight), np.mean)
        self.total += float(batch.sum())
        self.count += float(weight.sum())

    def result(self) -> Number:
        return Number(self.total / self.count if self.count else 0.0)

    def reset_state(self) -> None:
        self.total = 0.0
        self.count = 0.0


@registry.register("metric")
class Sum(Metric):
    """The weighted sum of the values it is given: sum(w v).

    Example:
        >>> total = Sum()
        >>> total.update_state([1.0, 3.0])
        >>> total.result()
        4.0
    """

    _gathered: ClassVar[Mapping[str, Kind]] = {"total": NUMBER}
    _variable_names = ("total",)

    def __init__(self, name: str | None = "sum", dtype: str | None = None) -> None:
        super().__init__(dtype, name)
        self.reset_state()

    def update_state(self, values: ArrayLike, sample_weight: ArrayLike | None = None) -> None:
        """Takes values into account, each with its weight or with weight 1."""
        batch: Array = np.asarray(values)
        if sample_weight is not None:
            batch = _weighted(batch, np.asarray(sample_weight), np.sum)[0]
        self.total += float(batch.sum())

    def result(self) -> Number:
        return Number(self.total)

    def reset_state(self) -> None:
        self.total = 0.0


class RowSums(Metric):
    """A metric that is made of several sums, each of all or of each output: the rows of one array.

    The rows have the names of `_variable_names`, which are Keras'.
    """

    _gathered: ClassVar[Mapping[str, Kind]] = {"_sums": SUMS}

    def __getattr__(self, name: str) -> Any:
        if name in self._variable_names:
            return self._sums[self._variable_names.index(name)] if np.ndim(self._sums) else self._sums
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def reset_state(self) -> None:
        self._sums: Any = 0.0  # the number of outputs is known with the first batch


def pair(y_true: ArrayLike, y_pred: ArrayLike, metric: str) -> tuple[Array, Array]:
    """Targets and predictions of one shape; a last axis of length 1 may be too many or too few.

    Raises:
        ValueError: They have different shapes, which NumPy would repeat along whatever axis happens to be as long.
    """
    t, y = losses.align(np.asarray(y_true), np.asarray(y_pred))
    if t.shape != y.shape and t.ndim and y.ndim:
        labels = "accuracy" in metric and (t.ndim < y.ndim or t.shape[-1] == 1)
        raise ValueError(
            tr(
                "Metric '{metric}' expects targets of the shape of the predictions, {shape}; got {got}.",
                metric=metric,
                shape=y.shape,
                got=t.shape,
            )
            + (tr(" For class labels there is 'sparse_categorical_accuracy'.") if labels else "")
        )
    return t, y


class MeanMetricWrapper(Mean):
    """The mean of a function of targets and predictions.

    Args:
        fn: `fn(y_true, y_pred, **kwargs)` gives the values to average.
        name: Name in logs.
        **kwargs: Passed to `fn`.
    """

    def __init__(
        self, fn: Callable[..., Array], name: str | None = None, dtype: str | None = None, **kwargs: Any
    ) -> None:
        own = getattr(fn, "name", None) or getattr(fn, "__name__", None)  # a loss's name, or a function's
        super().__init__(name or naming.snake_case(own or type(self).__name__), dtype)
        self._fn = function("fn", fn)
        self._fn_kwargs = kwargs

    def update_state(self, y_true: ArrayLike, y_pred: ArrayLike, sample_weight: ArrayLike | None = None) -> None:  # type: ignore[override]
        """Takes a batch into account."""
        values = self._fn(y_true, y_pred, **self._fn_kwargs)
        if values is None:
            raise ValueError(
                tr(
                    "Metric '{name}' returned None: it must return a number, or one for each sample. Is there "
                    "a `return`?",
                    name=self.name,
                )
            )
        super().update_state(values, but_for_padding(y_pred, sample_weight))

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), **self._fn_kwargs}
        return {**config, "fn": plain_functions.described(self._fn)} if type(self) is MeanMetricWrapper else config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Metric:
        """The metric with these constructor arguments; a function is one of `losses`, or has been registered."""
        described = config.get("fn")
        if described is None:
            return super().from_config(config)
        name = described.get("config") if isinstance(described, dict) else described
        ours = {function.__name__: function for function in losses._FUNCTIONS}  # and no other attribute of the module
        found = (ours.get(name) if isinstance(name, str) else None) or registry.resolved("metric", described)
        if not callable(found):
            raise ValueError(
                tr(
                    "The function {found!r} of the metric {metric!r} is not known here: enter it by "
                    "`@saving.register_keras_serializable()`.",
                    found=found,
                    metric=config.get("name"),
                )
            )
        return super().from_config({**config, "fn": found})
