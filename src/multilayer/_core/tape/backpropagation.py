"""The way back: from the gradient at a tensor to those at what it was computed from."""

from __future__ import annotations

import operator
from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from multilayer._core.tape.tensor import Node, Rule, Tensor, fitted, tracked


def backpropagate(
    targets: Sequence[Tensor], seeds: Sequence[Any], sources: Sequence[Node], start: int = 0
) -> list[Any]:
    """The gradients at sources, for gradients at targets: the chain rule, node by node, the last one first.

    Where the targets are being recorded at the time, so are the gradients, which can then be differentiated again.

    Args:
        targets: What to go back from.
        seeds: The gradient at each target, of its shape.
        sources: Where to go.
        start: Nodes of numbers below are not passed through: they were made before the recording began.

    Returns:
        A gradient for each source; None for one that no target depends on.
    """
    recorded = any(map(tracked, targets))
    asked = frozenset(sources)
    gradients: dict[Node, Any] = {}
    for target, seed in zip(targets, seeds, strict=True):
        if target.node is not None:
            known = gradients.get(target.node)
            gradients[target.node] = seed if known is None else known + seed
    steps, leading = _way_back(list(gradients), asked, start)
    for node in steps:
        g = gradients[node] if node in asked else gradients.pop(node)  # its memory is free at once
        rule, values, positions, parents = node.rule, node.values, node.positions, node.parents
        assert rule is not None  # it has parents
        y, kwargs = node.value, node.kwargs
        if type(rule) is Rule and not recorded:  # as most are: this is what `backward` comes to
            vjps, given = rule.vjps, None
        else:
            wanted = [i for i, parent in zip(positions, parents, strict=True) if parent in leading]
            given = iter(rule.backward(node, g, wanted, recorded))
        for position, parent in zip(positions, parents):  # noqa: B905 - as long as each other
            if parent not in leading:
                continue
            gradient: Any = vjps[position](g, y, *values, **kwargs) if given is None else next(given)  # type: ignore[misc]
            x = values[position]
            if gradient.shape != x.shape or gradient.dtype is not x.dtype:
                gradient = fitted(gradient, x)
            known = gradients.get(parent)
            gradients[parent] = gradient if known is None else known + gradient
    return list(map(gradients.get, sources))


def _way_back(order: list[Node], asked: frozenset[Node], start: int) -> tuple[list[Node], Container[Node]]:
    """The nodes to pass through from these on, the last one first; and those that lead to what is asked for."""
    met = set(order)
    steps: list[Node] = []
    every = True  # whether all that is met leads there
    for node in order:  # which grows on the way
        if not node.parents or node.number <= start:
            every = every and node in asked
            node.check()
            continue
        steps.append(node)
        for parent in node.parents:
            if parent not in met:
                met.add(parent)
                order.append(parent)
    steps.sort(key=_NUMBER, reverse=True)
    if every:
        return steps, met
    leading = set(asked)
    for node in reversed(steps):
        if not leading.isdisjoint(node.parents):
            leading.add(node)
    return [node for node in steps if not leading.isdisjoint(node.parents)], leading


_NUMBER = operator.attrgetter("number")


def seed_like(target: Tensor, given: Any = None) -> Any:
    """The gradient at a target: ones, or what is given, in the target's shape and type.

    Raises:
        ValueError: What is given has another shape.
    """
    if given is None:
        seed = np.empty(target.shape, target.dtype)
        seed.fill(1.0)
        return seed
    if np.shape(given) != target.shape:
        raise ValueError(
            f"The gradient given for a target of shape {target.shape} has shape {np.shape(given)}: they must be equal."
        )
    return given if type(given) is Tensor else np.asarray(given, target.dtype)


def as_results(gradients: Sequence[Any], seeds: Sequence[Any] = ()) -> list[Any]:
    """Gradients as they are handed out: arrays, also of a single number, each in memory of its own.

    On the way back one array serves several operands, as a sum gives each of its terms the same gradient; whoever
    scales what was handed out in place, to clip it say, must not scale it twice. Tensors stay what they are.
    """
    known = {id(_memory(seed)) for seed in seeds}
    results = []
    for one in gradients:
        if one is not None and type(one) is not Tensor:
            one = np.asarray(one)
            if id(_memory(one)) in known or not one.flags.writeable:
                one = one.copy()
            known.add(id(_memory(one)))
        results.append(one)
    return results


def _memory(x: Any) -> Any:
    """Whose memory an array lies in."""
    return x if getattr(x, "base", None) is None else x.base
