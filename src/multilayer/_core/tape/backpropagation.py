"""The way back: from the gradient at a tensor to those at what it was computed from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from multilayer._core.tape.eager import eager
from multilayer._core.tape.tensor import Node, Rule, Tensor, fitted, tracked

# A node with its number, which says when it is its turn, and the places and nodes of the operands to go back to.
Step: TypeAlias = tuple[int, Node, Sequence[tuple[int, Node]]]


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
    plain = None if recorded else Rule  # most steps are plain rules, of which this is what `backward` comes to
    for _, node, ways in _way_back(list(gradients), asked, start):
        g = gradients[node] if node in asked else gradients.pop(node)  # its memory is free at once
        rule: Any = node.rule
        values = node.values
        given = None if type(rule) is plain else iter(rule.backward(node, g, [i for i, _ in ways], recorded))
        for position, parent in ways:
            if given is None:
                gradient = rule.vjps[position](g, node.value, *values, **node.kwargs)
            else:
                gradient = next(given)
            x = values[position]
            if gradient.shape != x.shape or gradient.dtype is not x.dtype:
                gradient = fitted(gradient, x)
            known = gradients.get(parent)
            gradients[parent] = gradient if known is None else known + gradient
    return list(map(gradients.get, sources))


def _way_back(order: list[Node], asked: frozenset[Node], start: int) -> list[Step]:
    """The steps from these nodes on, the last one first, with the operands that lead to what is asked for."""
    met = set(order)
    steps: list[Step] = []
    beginnings = False  # whether something begins that was not asked for
    for node in order:  # which grows on the way
        ways = node.ways
        if not ways or node.number <= start:
            beginnings = beginnings or node not in asked
            node.check()
            continue
        steps.append((node.number, node, ways))
        for _, parent in ways:
            if parent not in met:
                met.add(parent)
                order.append(parent)
    steps.sort(reverse=True)  # by their numbers, which differ
    return _leading_to(asked, steps) if beginnings else steps


def _leading_to(asked: frozenset[Node], steps: Sequence[Step]) -> list[Step]:
    """Those of the steps that lead to what is asked for."""
    leads = set(asked)
    leading: list[Step] = []
    for number, node, ways in reversed(steps):
        ways = [one for one in ways if one[1] in leads]
        if ways:
            leads.add(node)
            leading.append((number, node, ways))
    return leading[::-1]


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
            one = eager(one)
        results.append(one)
    return results


def _memory(x: Any) -> Any:
    """Whose memory an array lies in."""
    return x if getattr(x, "base", None) is None else x.base
