"""The way back: from the gradient at a tensor to those at what it was computed from."""

from __future__ import annotations

import operator
from collections.abc import Sequence
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
    recorded = any(tracked(target) for target in targets)
    ends = [target.node for target in targets if target.node is not None]
    asked = frozenset(sources)
    gradients: dict[Node, Any] = {}
    for node, seed in zip(ends, seeds, strict=True):
        gradients[node] = gradients[node] + seed if node in gradients else seed
    for node, positions, parents in _way_back(ends, asked, start):
        g = gradients.get(node) if node in asked else gradients.pop(node, None)  # its memory is free at once
        if g is None:
            continue
        values, rule = node.values, node.rule
        if type(rule) is Rule and not recorded:  # what `backward` comes to, and most steps are
            given = [rule.vjps[i](g, node.value, *values, **node.kwargs) for i in positions]  # type: ignore[misc]
        else:
            given = rule.backward(node, g, positions, recorded)  # type: ignore[union-attr]
        for position, parent, gradient in zip(positions, parents, given):  # noqa: B905 - as long as each other
            x = values[position]
            if gradient.shape != x.shape or gradient.dtype is not x.dtype:
                gradient = fitted(gradient, x)
            known = gradients.get(parent)
            gradients[parent] = gradient if known is None else known + gradient
    return [gradients.get(source) for source in sources]


def _way_back(
    ends: Sequence[Node], asked: frozenset[Node], start: int
) -> list[tuple[Node, Sequence[int], Sequence[Node]]]:
    """The nodes between, the last one first, each with those of its operands that lead to what is asked for."""
    order = list(dict.fromkeys(ends))
    met = set(order)
    beginnings = False  # whether something begins that was not asked for
    for node in order:  # which grows on the way
        if node.number <= start or not node.parents:
            beginnings = beginnings or node not in asked
            node.check()
            continue
        for parent in node.parents:
            if parent not in met:
                met.add(parent)
                order.append(parent)
    order.sort(key=_number, reverse=True)
    if not beginnings:
        return [(node, node.positions, node.parents) for node in order if node.parents and node.number > start]
    steps: list[Any] = []
    leads = set(asked)
    for node in reversed(order):
        if node.number > start:
            ways = [one for one in zip(node.positions, node.parents, strict=True) if one[1] in leads]
            if ways:
                leads.add(node)
                steps.append((node, *zip(*ways, strict=True)))
    return steps[::-1]


_number = operator.attrgetter("number")


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
