"""Derivatives of what you write: in NumPy, with `ops`, or with layers and models.

Two ways to ask. A function that computes a number has a gradient, which is a function, too:

    >>> import numpy as np
    >>> slope = gradient(lambda x: np.sum(x ** 2))
    >>> slope(np.array([1.0, 2.0]))
    array([2., 4.])

Or, as in TensorFlow, a tape watches what is computed and is asked afterwards (`GradientTape`).

Gradients are exact up to rounding: the chain rule is applied to each step that was recorded (reverse mode). Source:
Griewank and Walther, "Evaluating Derivatives", 2008; Baydin et al., "Automatic Differentiation in Machine Learning: a
Survey", 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from multilayer._core.arena import Variable
from multilayer._core.tape import (
    Node,
    Recording,
    StoodFor,
    Tensor,
    as_results,
    backpropagate,
    not_recording,
    seed_like,
    tracked,
    users_line,
    watched,
)
from multilayer._core.tape.eager import EagerArray
from multilayer._tracebacks import filter_traceback
from multilayer.layers.symbolic import flatten, pack_like

__all__ = [
    "GradientTape",
    "Tensor",
    "gradient",
    "hessian_vector_product",
    "jacobian",
    "value_and_gradient",
]


class GradientTape:
    """Records what is computed while it is entered, and gives derivatives afterwards, as TensorFlow's does.

    Trained variables, such as layers' weights, are watched by themselves; anything else by `watch`. Tapes can be
    nested: a gradient that is asked for within another tape is recorded by that one, which gives second derivatives.

    Arrays that are computed with are not copied: whoever writes into one (`batch[...] = x`, or into a `variable.value`)
    does so before the tape is entered, or after the gradient was asked for.

    Args:
        persistent: Whether gradients can be asked for more than once.
        watch_accessed_variables: Whether variables that are trained are watched by themselves.

    Example:
        >>> from multilayer import Variable
        >>> w = Variable(np.array([3.0]))
        >>> with GradientTape() as tape:
        ...     y = np.sum(w * w)
        >>> tape.gradient(y, w)
        array([6.])
    """

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = persistent
        self._watches_variables = watch_accessed_variables
        self._watched: dict[int, Any] = {}
        self._recording = Recording(copies=persistent)
        self._open = False
        self._spent = False

    def __enter__(self) -> GradientTape:
        if self._open:
            raise ValueError("Tape is still recording: it cannot be entered twice.")
        if self._spent and not self.persistent:
            self.reset()
        self._recording.__enter__()
        self._open = True
        return self

    def __exit__(self, *_: object) -> None:
        self._recording.__exit__()
        self._open = False

    def watch(self, tensor: Any) -> Any:
        """Has the tape record what is computed of a tensor, a variable, or a list of such, from here on.

        Returns:
            What was given; for a plain NumPy array, on which nothing can be noted down, a tensor of its values to
            compute with: `x = tape.watch(x)`. What layers, `ops` and `random` give can be noted down on.

        Raises:
            ValueError: The tape is not entered, the values are whole numbers, or a variable is not trained.
        """
        if not self._open:
            raise ValueError(
                "`watch` belongs into the block of the tape: `with GradientTape() as tape: tape.watch(x)`."
            )
        if isinstance(tensor, (list, tuple, dict)):
            return pack_like(tensor, [self.watch(one) for one in flatten(tensor)])
        if isinstance(tensor, Variable):
            if not tensor.trainable:
                raise ValueError(
                    f"`watch` was given '{tensor.path}', which is not trained. Set `trainable = True`, or compute with "
                    "`tape.watch(variable.numpy())`."
                )
            self._watched[id(tensor)] = tensor
            return tensor
        known = isinstance(tensor, (Tensor, EagerArray))
        tensor = tensor if known else Tensor(np.array(tensor))
        if tensor.dtype.kind != "f":
            raise ValueError(
                f"There are derivatives by real numbers alone; `watch` was given an array of type {tensor.dtype}. "
                "Convert it first: `x.astype('float32')`."
            )
        if type(tensor) is Tensor:
            return self._recording.watch(tensor)
        self._watched[id(tensor)] = watched(tensor)
        return tensor

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Within it, nothing is recorded."""
        with not_recording():
            yield

    def reset(self) -> None:
        """Forgets what was recorded."""
        opened = self._open
        if opened:
            self._recording.__exit__()
        self._recording, self._watched, self._spent = Recording(copies=self.persistent), {}, False
        if opened:
            self._recording.__enter__()

    def watched_variables(self) -> tuple[Variable, ...]:
        """The variables that were met, in the order of that."""
        session = self._recording.session
        leaves = () if session is None else session.leaves.values()
        return tuple(variable for variable, leaf in leaves if leaf.node is not None and self._watches(variable))

    @filter_traceback
    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """The derivative of a target, of the sum of its elements, by each source.

        Args:
            target: A tensor, or a structure of tensors, whose gradients are added up.
            sources: A variable, a watched tensor, or a list or dict of such.
            output_gradients: The gradient at the target, of its shape; by default ones.
            unconnected_gradients: What a source gets that the target does not depend on: 'none' or 'zero'.

        Returns:
            Arrays in the form of `sources`; tensors, where another tape is recording.

        Raises:
            RuntimeError: The tape was asked before, and is not `persistent`.
            TypeError: A source is an array that cannot have been watched, or the target is None.
            ValueError: What was given has shapes or numbers that do not fit.
        """
        targets = flatten(target)
        if any(one is None for one in targets):
            raise TypeError(f"The target is None: a tensor is wanted. Is there a `return`?{users_line()}")
        seeds = [None] * len(targets) if output_gradients is None else flatten(output_gradients)
        if len(seeds) != len(targets):
            raise ValueError(f"There are {len(targets)} targets and {len(seeds)} `output_gradients`.")
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(f"`unconnected_gradients` must be 'none' or 'zero'. Received: {unconnected_gradients!r}")
        nodes = [self._node(source) for source in flatten(sources)]
        self._spend()
        ends = [self._recording.leaf(one) if isinstance(one, StoodFor) else one for one in targets]
        recorded = [
            (one, seed) for one, seed in zip(ends, seeds, strict=True) if type(one) is Tensor and one.node is not None
        ]
        known = list(dict.fromkeys(node for node in nodes if node is not None))
        found = dict(
            zip(
                known,
                backpropagate(
                    [one for one, _ in recorded],
                    [seed_like(one, seed) for one, seed in recorded],
                    known,
                    self._recording.start,
                ),
                strict=True,
            )
        )
        gradients = as_results([None if node is None else found[node] for node in nodes], seeds)
        if unconnected_gradients == "zero":
            gradients = [
                np.zeros(source.shape, source.dtype) if one is None else one
                for one, source in zip(gradients, flatten(sources), strict=True)
            ]
        return pack_like(sources, gradients)

    @filter_traceback
    def jacobian(
        self,
        target: Any,
        sources: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: int | None = None,  # noqa: ARG002 - TensorFlow's
        experimental_use_pfor: bool = True,  # noqa: ARG002 - TensorFlow's
    ) -> Any:
        """The derivative of each element of a target by each source, shape `(*target.shape, *source.shape)`."""
        if type(target) is not Tensor:
            raise ValueError(
                f"`jacobian` wants one tensor that was recorded as its target; got {type(target).__name__}."
            )
        self._spend()
        if not target.size:
            sides = [np.zeros((*target.shape, *source.shape), source.dtype) for source in flatten(sources)]
            return pack_like(sources, sides)
        rows = []
        for i in range(target.size):
            seed = np.zeros(target.size, target.dtype)
            seed[i] = 1.0
            rows.append(flatten(self._again(target, sources, seed.reshape(target.shape), unconnected_gradients)))
        stacked = [
            None
            if any(one is None for one in column)
            else np.reshape(np.stack(column), (*target.shape, *column[0].shape))
            for column in zip(*rows, strict=True)
        ]
        return pack_like(sources, stacked)

    @filter_traceback
    def batch_jacobian(
        self,
        target: Any,
        source: Any,
        unconnected_gradients: str = "none",
        parallel_iterations: int | None = None,  # noqa: ARG002 - TensorFlow's
        experimental_use_pfor: bool = True,  # noqa: ARG002 - TensorFlow's
    ) -> Any:
        """The derivative of each sample's target by the same sample's source: (n, target's axes, source's axes).

        Samples must not depend on each other, as they do in a layer that normalizes over the batch.
        """
        if target.shape[:1] != source.shape[:1] or target.ndim < 1:
            raise ValueError(
                f"`batch_jacobian` wants as many rows in the target as in the source; got {target.shape} and "
                f"{source.shape}."
            )
        self._spend()
        width = target.size // max(len(target), 1)
        columns = []
        for i in range(width):
            seed = np.zeros((len(target), width), target.dtype)
            seed[:, i] = 1.0
            columns.append(self._again(target, source, seed.reshape(target.shape), unconnected_gradients))
        if any(one is None for one in columns):
            return None
        return np.reshape(np.stack(columns, axis=1), (*target.shape, *source.shape[1:]))

    def _again(self, target: Any, sources: Any, seed: Any, unconnected: str) -> Any:
        spent, self._spent = self._spent, False
        try:
            return self.gradient(target, sources, seed, unconnected)
        finally:
            self._spent = spent

    def _spend(self) -> None:
        if self._spent and not self.persistent:
            raise RuntimeError(
                "A non-persistent GradientTape can only be used to compute one set of gradients (or jacobians). Ask "
                "for all of them at once, `tape.gradient(loss, [w, b])`, or make the tape with `persistent=True`."
            )
        self._spent = True

    def _watches(self, variable: StoodFor) -> bool:
        return (self._watches_variables and isinstance(variable, Variable)) or id(variable) in self._watched

    def _node(self, source: Any) -> Node | None:
        """What the gradient at a source is found by; None where nothing was computed of it."""
        if isinstance(source, StoodFor):
            return self._recording.node(source) if self._watches(source) else None
        if type(source) is Tensor:
            return source.node
        raise TypeError(
            f"A gradient was asked for by {_described(source)}, of which nothing can have been recorded. A source is a "
            "variable, such as `model.trainable_variables`, or a tensor that the tape watched: "
            f"`x = tape.watch(x)`, and compute with what it returns.{users_line()}"
        )


def _described(x: Any) -> str:
    shape = f" of shape {x.shape}" if hasattr(x, "shape") else ""
    return f"an object of type {type(x).__name__}{shape}"


# --- Functions of functions ---


def value_and_gradient(
    function: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that gives the value of another one, and its gradient.

    Args:
        function: Takes arrays (or lists and dicts of them, or variables) and gives one number.
        argnums: Which arguments to differentiate by; a list of numbers gives a tuple of gradients.
        has_aux: Whether the function gives a pair: the number, and anything else, which is handed on.

    Raises:
        ValueError: The function gives no number, or one that does not depend on these arguments.

    Example:
        >>> value_and_gradient(lambda x: np.sum(np.exp(x)))(np.zeros(2))
        (np.float64(2.0), array([1., 1.]))
    """
    several = isinstance(argnums, (tuple, list))
    numbers: Sequence[int] = argnums if several else (argnums,)  # type: ignore[assignment]

    @filter_traceback
    def of(*args: Any, **kwargs: Any) -> Any:
        given = list(args)
        watched = []
        with Recording() as scope:
            for i in numbers:
                watched.append([_watched(scope, one) for one in flatten(args[i])])
                given[i] = pack_like(args[i], watched[-1])
            result = function(*given, **kwargs)
            value, aux = result if has_aux else (result, None)
        _require_a_number(value, function)
        gradients = iter(_gradients(scope, value, [one for some in watched for one in some]))
        packed = [pack_like(args[i], [next(gradients) for _ in some]) for i, some in zip(numbers, watched, strict=True)]
        value = value if tracked(value) else value.value
        return (value, aux) if has_aux else value, tuple(packed) if several else packed[0]

    return of


def _gradients(scope: Recording, value: Tensor, sources: Sequence[Any]) -> list[Any]:
    """The gradients of a value at what was watched, and zeros where it does not depend on it."""
    nodes = [scope.node(one) for one in sources]
    known = [node for node in nodes if node is not None]
    found = dict(zip(known, backpropagate([value], [seed_like(value)], known, scope.start), strict=True))
    gradients = [None if node is None else found[node] for node in nodes]
    return as_results([np.zeros(x.shape, x.dtype) if g is None else g for g, x in zip(gradients, sources, strict=True)])


def gradient(function: Callable[..., Any], argnums: int | Sequence[int] = 0) -> Callable[..., Any]:
    """A function that gives the gradient of another one, which gives one number. See `value_and_gradient`.

    It is a function that can be differentiated, too: `gradient(gradient(f))` is the second derivative of a function of
    one number.

    Example:
        >>> gradient(gradient(lambda x: x ** 3))(2.0)
        np.float64(12.0)
    """
    both = value_and_gradient(function, argnums)

    @filter_traceback
    def of(*args: Any, **kwargs: Any) -> Any:
        return both(*args, **kwargs)[1]

    return of


def jacobian(function: Callable[..., Any], argnum: int = 0) -> Callable[..., Any]:
    """A function that gives the derivative of each element of another one's result.

    Its shape is `(*result.shape, *argument.shape)`.

    Example:
        >>> jacobian(lambda x: x ** 2)(np.array([1.0, 2.0]))
        array([[2., 0.],
               [0., 4.]])
    """

    @filter_traceback
    def of(*args: Any, **kwargs: Any) -> Any:
        scope = Recording()
        with scope:
            given = list(args)
            x = given[argnum] = _watched(scope, args[argnum])
            y = function(*given, **kwargs)
        node = scope.node(x)
        assert node is not None  # it is watched
        if type(y) is not Tensor or y.node is None or not y.size:
            return np.zeros((*np.shape(y), *x.shape), x.dtype)
        rows = []
        for i in range(y.size):
            seed = np.zeros(y.size, y.dtype)
            seed[i] = 1.0
            found = backpropagate([y], [seed.reshape(y.shape)], [node], scope.start)[0]
            rows.append(np.zeros(x.shape, x.dtype) if found is None else found)
        return np.reshape(np.stack(rows), (*y.shape, *x.shape))

    return of


def hessian_vector_product(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function `(x, v)` that gives H v, with H the second derivatives of another function at x, without making H.

    It is the gradient of the sum of gradient(f)(x) v. Source: Pearlmutter, "Fast Exact Multiplication by the Hessian",
    1994.

    Example:
        >>> hessian_vector_product(lambda x: np.sum(x ** 3))(np.array([1.0, 2.0]), np.array([1.0, 1.0]))
        array([ 6., 12.])
    """
    slope = gradient(function)

    @filter_traceback
    def of(x: Any, v: Any, *args: Any, **kwargs: Any) -> Any:
        with Recording() as scope:
            watched = [_watched(scope, one) for one in flatten(x)]
            first = flatten(slope(pack_like(x, watched), *args, **kwargs))
            along = sum(np.sum(g * one) for g, one in zip(first, flatten(v), strict=True))
        if type(along) is not Tensor:  # the function is linear: its gradient is the same everywhere
            return pack_like(x, [np.zeros(one.shape, one.dtype) for one in watched])
        return pack_like(x, _gradients(scope, along, watched))

    return of


def _watched(scope: Recording, x: Any) -> Any:
    """An argument that is differentiated by: a variable as it is, numbers as a tensor."""
    if isinstance(x, Variable):
        return x
    if type(x) is Tensor and tracked(x):
        return np.positive(x)  # a node of its own: the same tensor may be met as another argument, or from outside
    array = np.asarray(x.value if type(x) is Tensor else x)
    return scope.watch(Tensor(array if array.dtype.kind == "f" else array.astype(float)))


def _require_a_number(value: Any, function: Callable[..., Any]) -> None:
    name = getattr(function, "__name__", "the function")
    if value is None:
        raise ValueError(f"`{name}` returned None: is there a `return`?")
    if type(value) is not Tensor or value.node is None:
        raise ValueError(
            f"What `{name}` gives does not depend on what it is to be differentiated by: it gave {_described(value)}. "
            "An `argmax`, a comparison, `ops.stop_gradient` or `.numpy()` on the way has no derivative."
        )
    if value.size != 1:
        raise ValueError(
            f"A gradient is that of one number; `{name}` gave a tensor of shape {value.shape}. Take its sum or mean, "
            "or ask for the `jacobian`."
        )
