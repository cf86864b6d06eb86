"""Muon: steps on matrices, with all directions of one size."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.arguments import listed, text
from multilayer._checks.scalars import real_number, whole_number
from multilayer._core import kernels
from multilayer._names import registry
from multilayer.functional import Array, orthogonalized
from multilayer.optimizers.base import Optimizer, checked_decay_rate, checked_epsilon
from multilayer.optimizers.kept import Segment


@registry.register("optimizer")
class Muon(Optimizer):
    """Orthogonalizes the momentum of every matrix before stepping; vectors, and what is excluded, take AdamW steps.

    Args:
        learning_rate: Size of a step.
        adam_beta_1: `beta_1` of the Adam steps.
        adam_beta_2: `beta_2` of the Adam steps.
        adam_weight_decay: Weight decay of what takes Adam steps.
        epsilon: `epsilon` of the Adam steps.
        weight_decay: Weight decay of the matrices.
        exclude_layers: Patterns of the paths of weights that take Adam steps.
        exclude_embeddings: Whether embeddings take Adam steps.
        muon_a: Coefficient of the iterations, see `functional.orthogonalized`.
        muon_b: Coefficient of the iterations.
        muon_c: Coefficient of the iterations.
        adam_lr_ratio: Learning rate of the Adam steps, in units of `learning_rate`.
        momentum: Share of the momentum that is kept.
        ns_steps: Number of iterations.
        nesterov: Whether to look ahead.
        rms_rate: Factor of a step besides the root of the longer side; None for neither.
        **named: Further arguments of every `Optimizer`.

    Source: Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.

    Example:
        >>> import numpy as np
        >>> from multilayer._core.arena import Arena, Variable
        >>> W = Variable(np.zeros((2, 2)))
        >>> arena, muon = Arena([W]), Muon(learning_rate=0.1, rms_rate=None, weight_decay=None)
        >>> muon.follow([W])
        >>> muon.step(np.array([3.0, 0.0, 0.0, 0.5]), arena.parameters)
        >>> bool(np.allclose(np.abs(np.diag(W.value)), 0.1, atol=0.05))
        True
    """

    slots = side_by_side = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-7,
        weight_decay: float | None = 0.004,
        *,
        exclude_layers: Sequence[str] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        **named: Any,
    ) -> None:
        super().__init__(learning_rate, weight_decay=weight_decay, **named)
        self.adam_beta_1 = checked_decay_rate("adam_beta_1", adam_beta_1)
        self.adam_beta_2 = checked_decay_rate("adam_beta_2", adam_beta_2)
        self.adam_weight_decay = (
            None if adam_weight_decay is None else real_number("adam_weight_decay", adam_weight_decay)
        )
        self.epsilon = checked_epsilon(epsilon)
        self.exclude_layers = [text("exclude_layers", one) for one in listed("exclude_layers", exclude_layers or ())]
        self.exclude_embeddings = exclude_embeddings
        self.muon_a = real_number("muon_a", muon_a)
        self.muon_b = real_number("muon_b", muon_b)
        self.muon_c = real_number("muon_c", muon_c)
        self.adam_lr_ratio = real_number("adam_lr_ratio", adam_lr_ratio)
        self.momentum = real_number("momentum", momentum, least=0, most=1)
        self.ns_steps = whole_number("ns_steps", ns_steps, 0)
        self.nesterov = nesterov
        self.rms_rate = None if rms_rate is None else real_number("rms_rate", rms_rate)

    def _takes_adam_steps(self, segment: Segment) -> bool:
        if len(segment.shape) != 2 or (self.exclude_embeddings and "embedding" in segment.path.lower()):
            return True
        return any(re.search(pattern, segment.path) for pattern in self.exclude_layers)

    def has_slot(self, slot: str, segment: Segment) -> bool:
        return slot != "velocity" or self._takes_adam_steps(segment)

    def decay(self, variable: Array, learning_rate: float) -> None:
        for segment in self._segments:
            decay = self.adam_weight_decay if self._takes_adam_steps(segment) else self.weight_decay
            if decay and self.is_decayed(segment):
                variable[segment.part] *= 1.0 - decay * learning_rate

    def update_step(self, gradient: Array, variable: Array, learning_rate: float) -> None:
        for segment in self._segments:
            w, g, m = variable[segment.part], gradient[segment.part], self.state["momentum"][segment.part]
            if self._takes_adam_steps(segment):
                kernels.adam_step(
                    w,
                    g,
                    m,
                    self.state["velocity"][segment.part],
                    self._work[segment.part],
                    learning_rate=learning_rate * self.adam_lr_ratio,
                    beta_1=self.adam_beta_1,
                    beta_2=self.adam_beta_2,
                    epsilon=self.epsilon,
                    step=int(self.iterations) + 1,
                )
                continue
            m *= self.momentum
            m += g
            ahead = g + self.momentum * m if self.nesterov else m
            step = orthogonalized(ahead.reshape(segment.shape), self.ns_steps, self.muon_a, self.muon_b, self.muon_c)
            scale = 1.0 if self.rms_rate is None else math.sqrt(max(segment.shape)) * self.rms_rate
            w -= np.multiply(step, learning_rate * scale).reshape(-1)

    def get_config(self) -> dict[str, Any]:
        own = (
            "adam_beta_1 adam_beta_2 adam_weight_decay epsilon exclude_layers exclude_embeddings muon_a muon_b muon_c "
            "adam_lr_ratio momentum ns_steps nesterov rms_rate"
        )
        return {**super().get_config(), **{name: getattr(self, name) for name in own.split()}}
