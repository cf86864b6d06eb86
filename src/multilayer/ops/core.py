"""Operations on tensors as such, and the control of what is computed: branches and loops, which are Python's here."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from multilayer._core import tape
from multilayer._core.tape import Node, Operand, Recording, Rule, Tensor, backpropagate, not_recording, plain, record
from multilayer.ops.operands import as_type, operand, operation

# --- Tensors and arrays ---


@operation
def convert_to_tensor(x: Any, dtype: Any = None, sparse: bool | None = None, ragged: bool | None = None) -> Any:
    """The numbers as a `Tensor`, which a tape can watch.

    Args:
        x: Numbers, an array, a variable or a tensor, which stays itself.
        dtype: Their type; by default that of an array, `floatx` for Python's real numbers and int32 for whole ones.
        sparse: For Keras' sake: tensors are dense.
        ragged: For Keras' sake: all rows are of one length.

    Example:
        >>> convert_to_tensor([1.0, 2.0])
        <Tensor shape=(2,), dtype=float32, value=[1. 2.]>
    """
    if sparse or ragged:
        raise ValueError("Tensors are dense here, and all their rows of one length: no `sparse` and no `ragged`.")
    x = operand(x)
    x = x if dtype is None else as_type(x, dtype)
    if isinstance(x, Operand):
        x = x if type(x) is Tensor else np.positive(x)  # a variable, or the tensor that stands for it on a tape
    return x if type(x) is Tensor else Tensor(np.array(x))


def convert_to_numpy(x: Any) -> Any:
    """The numbers as an array, a constant from here on.

    Raises:
        ValueError: It is a tensor of a model, which has none.
    """
    return np.array(plain(operand(x)))


def is_tensor(x: Any) -> bool:
    """Whether x is a tensor or an array.

    Example:
        >>> is_tensor(np.zeros(2)), is_tensor([0.0])
        (True, False)
    """
    return isinstance(x, (Tensor, np.ndarray, np.generic))


def shape(x: Any) -> tuple[int | None, ...]:
    """The shape, None for a side that is not known yet."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(operand(x))


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def size(x: Any) -> Any:
    """The number of numbers; None where it is not known yet."""
    sides = shape(x)
    known = [side for side in sides if side is not None]
    return math.prod(known) if len(known) == len(sides) else None


def dtype(x: Any) -> str:
    """The name of the type.

    Example:
        >>> dtype([1.0])
        'float32'
    """
    return str(x.dtype) if hasattr(x, "dtype") else str(operand(x).dtype)


@operation
def cast(x: Any, dtype: Any) -> Any:
    """The numbers in another type.

    Example:
        >>> cast([1.9, -1.9], "int32").tolist()
        [1, -1]
    """
    return as_type(operand(x), np.dtype(dtype))


@operation
def stop_gradient(variable: Any) -> Any:
    """The numbers as a constant: nothing is learned through it."""
    return plain(variable if isinstance(variable, (list, tuple, dict)) else operand(variable))


# --- Branches ---


@operation
def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """true_fn() where the condition is true, else false_fn().

    Example:
        >>> cond(2 > 1, lambda: "yes", lambda: "no")
        'yes'
    """
    return true_fn() if bool(plain(pred)) else false_fn()


@operation
def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """`branches[index](*operands)`, the index kept within the branches."""
    return branches[min(max(int(plain(index)), 0), len(branches) - 1)](*operands)


# --- Loops ---


def _mapped(function: Callable[..., Any], first: Any, *others: Any) -> Any:
    """A function of what stands in the same place of structures of lists, tuples and dicts, in such a structure."""
    if isinstance(first, dict):
        return {key: _mapped(function, first[key], *(one[key] for one in others)) for key in first}
    if isinstance(first, (list, tuple)):
        inner = [_mapped(function, *places) for places in zip(first, *others, strict=True)]
        return type(first)(*inner) if hasattr(first, "_fields") else type(first)(inner)
    return None if first is None else function(first, *others)


def _leaf(structure: Any) -> Any:
    """The first array of a structure."""
    while isinstance(structure, (list, tuple, dict)):
        structure = next(iter(structure.values() if isinstance(structure, dict) else structure))
    return structure


def _stacked(results: Sequence[Any]) -> Any:
    return _mapped(lambda *leaves: np.stack([operand(one) for one in leaves]), results[0], *results[1:])


def _arrays(structure: Any) -> Any:
    """A structure whose lists are of arrays, rather than of numbers."""
    return operand(structure) if isinstance(structure, list) and not _holds_arrays(structure) else structure


def _holds_arrays(structure: list[Any]) -> bool:
    return bool(structure) and isinstance(structure[0], (np.ndarray, Operand, dict, tuple))


@operation
def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """f of each slice along the first axis, the results stacked.

    Example:
        >>> map(lambda x: x ** 2, np.array([1.0, 2.0])).tolist()
        [1.0, 4.0]
    """
    xs = _arrays(xs)
    return _stacked([f(_mapped(lambda x, i=i: operand(x)[i], xs)) for i in range(len(_leaf(xs)))])


@operation
def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """A function of each slice along the first axis, the results stacked: `map`."""
    return map(function, elements)


@operation
def scan(
    f: Callable[[Any, Any], Any],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: Any = 1,
) -> Any:
    """carry, y = f(carry, x) for each slice x along the first axis: the last carry, and the ys stacked.

    Args:
        f: The function.
        init: The first carry.
        xs: Arrays, or a structure of arrays; None for a loop of so many turns.
        length: How many turns; by default as many as there are slices.
        reverse: Whether to begin at the last slice; the ys stay in the order of the slices.
        unroll: Without a meaning here.

    Example:
        >>> carry, ys = scan(lambda total, x: (total + x, total), 0, np.array([1, 2, 3]))
        >>> int(carry), ys.tolist()
        (6, [0, 1, 3])
    """
    xs = None if xs is None else _arrays(xs)
    turns = len(_leaf(xs)) if length is None and xs is not None else int(length or 0)
    carry, ys = init, []
    for i in reversed(range(turns)) if reverse else range(turns):
        carry, y = f(carry, None if xs is None else _mapped(lambda x, i=i: operand(x)[i], xs))
        ys.append(y)
    if reverse:
        ys.reverse()
    return carry, _stacked(ys) if ys else None


@operation
def associative_scan(f: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """The first slice along an axis, f of the first two, f of that and the third, and so on; f is associative.

    Example:
        >>> associative_scan(lambda a, b: a + b, np.array([1, 2, 3])).tolist()
        [1, 3, 6]
    """
    elems = _arrays(elems)
    count = np.shape(_leaf(elems))[axis]
    order = list(reversed(range(count))) if reverse else list(range(count))
    slices = [_mapped(lambda x, i=i: np.take(operand(x), [i], axis=axis), elems) for i in order]
    results = slices[:1]
    for one in slices[1:]:
        results.append(f(results[-1], one))
    if reverse:
        results.reverse()
    return _mapped(lambda *parts: np.concatenate([operand(one) for one in parts], axis=axis), *results)


@operation
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """value = body_fun(i, value) for i from `lower` up to `upper`, which is not among them.

    Example:
        >>> fori_loop(0, 4, lambda i, total: total + i, 0)
        6
    """
    value = init_val
    for i in range(int(plain(lower)), int(plain(upper))):
        value = body_fun(i, value)
    return value


@operation
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, maximum_iterations: int | None = None
) -> Any:
    """`loop_vars = body(*loop_vars)` as long as `cond(*loop_vars)`.

    Example:
        >>> while_loop(lambda i: i < 10, lambda i: i + 3, (0,))
        (12,)
    """
    several = isinstance(loop_vars, (list, tuple))
    values = tuple(loop_vars) if several else (loop_vars,)
    turns = 0
    while (maximum_iterations is None or turns < maximum_iterations) and bool(plain(cond(*values))):
        made = body(*values)
        values = tuple(made) if isinstance(made, (list, tuple)) else (made,)
        turns += 1
    return values if several else values[0]


def vectorize(pyfunc: Callable[..., Any], *, excluded: Any = None, signature: str | None = None) -> Any:
    """A function of numbers as one of arrays: called number by number, with constants."""
    function = np.vectorize(pyfunc, excluded=excluded, signature=signature)
    return operation(lambda *args, **kwargs: function(*(plain(operand(one)) for one in args), **plain(kwargs)))


# --- Derivatives of one's own, and forwards ---


class _OwnRule(Rule):
    """One call of a function that came with its own gradient."""

    __slots__ = ("gradient",)

    def __init__(self, name: str, y: Any, gradient: Callable[..., Any]) -> None:
        super().__init__(lambda *_: y, name=name)
        self.gradient = gradient

    def differentiable(self, position: int) -> bool:
        return True

    def backward(self, node: Node, g: Any, positions: Sequence[int], recorded: bool) -> list[Any]:
        if recorded:
            given = self.gradient(g)
        else:
            with not_recording():
                given = plain(self.gradient(g))
        gradients = list(given) if isinstance(given, (list, tuple)) else [given]
        if len(gradients) < len(node.values):
            raise ValueError(
                f"The gradient of `{self.name}` gave {len(gradients)} for its {len(node.values)} arguments: it must "
                "give one for each."
            )
        return [operand(gradients[position]) for position in positions]


def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with a gradient of its own.

    Args:
        f: Gives its value, and a function that takes the gradient at the value, named `upstream` where it names it, to
            those at the arguments: one, or a tuple.

    Example:
        >>> @custom_gradient
        ... def log1pexp(x):
        ...     e = np.exp(x)
        ...     def grad(*args, upstream=None):
        ...         return (args[0] if upstream is None else upstream) * (1 - 1 / (1 + e))
        ...     return np.log(1 + e), grad
        >>> from multilayer import gradient
        >>> gradient(log1pexp)(np.array(100.0))
        array(1.)
    """

    def called(*args: Any, **kwargs: Any) -> Any:
        args = tuple(operand(one) for one in args)
        with not_recording():
            y, gradient = f(*args, **kwargs)
            y = plain(y)
        if isinstance(y, (list, tuple)):
            raise TypeError("A function under `custom_gradient` gives one array; this one gave several.")
        return record(_OwnRule(getattr(f, "__name__", "custom_gradient"), np.asarray(y), gradient), args, {})

    called.__name__, called.__doc__ = getattr(f, "__name__", "called"), f.__doc__
    return operation(called)


def jvp(fun: Callable[..., Any], primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of a function, and its derivative along given tangents: the product of the Jacobian with them.

    Args:
        fun: The function.
        primals: Its arguments, a list or tuple.
        tangents: Along what, for each argument.
        has_aux: Whether it gives a pair, of whose second part no derivative is asked.

    Example:
        >>> y, slope = jvp(np.sin, (np.array(0.0),), (np.array(2.0),))
        >>> float(slope)
        2.0
    """
    # The product with the Jacobian's transpose is linear in its seed v; its derivative by v is what is asked for.
    outer = tape.recording()
    with Recording() as recording:
        given = [_watched(recording, operand(one)) for one in primals]
        made = fun(*given)
        y, aux = made if has_aux else (made, None)
        slope = _slope(recording, given, y, tangents)
    y, slope = (y, slope) if outer else (plain(y), plain(slope))
    return (y, slope, aux) if has_aux else (y, slope)


def _watched(recording: Recording, x: Any) -> Tensor:
    x = np.positive(x)  # a step of its own, so that the way back to it ends at it, and goes on for an outer tape
    return x if tape.tracked(x) else recording.watch(Tensor(np.array(plain(x))))


def _slope(recording: Recording, given: Sequence[Tensor], y: Any, tangents: Any) -> Any:
    if not tape.tracked(y):
        return np.zeros_like(plain(operand(y)))
    v = recording.watch(Tensor(np.zeros(y.shape, y.dtype)))
    assert v.node is not None  # it is watched
    found = backpropagate([y], [v], [one.node for one in given if one.node is not None], recording.start)
    pairs = [(g, as_type(operand(t), g.dtype)) for g, t in zip(found, tangents, strict=True) if g is not None]
    slope = backpropagate([g for g, _ in pairs], [t for _, t in pairs], [v.node])[0] if pairs else None
    return np.zeros(y.shape, y.dtype) if slope is None else slope
