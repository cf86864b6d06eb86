"""How a model's loss, or an output, changes with its inputs: saliency, sensitivities, adversarial examples."""

from __future__ import annotations

import copy
from typing import Any, Protocol

import numpy as np

from multilayer._core.tape import Recording, Tensor, backpropagate
from multilayer._language import tr
from multilayer._training import Trainer
from multilayer._training.protocols import Network
from multilayer.functional import Array
from multilayer.layers.symbolic import flatten


class Differentiated(Network, Protocol):
    """A model, as its gradients see it. `models.Model` says what each is."""

    def __call__(self, x: Any, training: bool | None = None) -> Any:
        """The output for a batch."""

    def compiled_trainer(self, method: str) -> Trainer:
        """What trains it."""

    def checked_batch(self, x: Any, y: Any) -> Any:
        """All samples as one batch of its types."""

    def packed_inputs(self, arrays: list[Any]) -> Any:
        """One thing for each input, in the form in which the model is called."""


def input_gradients(model: Differentiated, x: Any, y: Any = None, output: Any = None) -> Any:
    """The gradient of each sample's loss, or of an output, with respect to the sample. See `Model.gradients`.

    Raises:
        ValueError: Targets and `output` are given both, or the data does not fit.
    """
    if y is not None and output is not None:
        raise ValueError(
            tr("Give targets `y` for the gradient of the loss, or `output` for that of an output, not both.")
        )
    if y is None:
        xs, ys = model.checked_inputs(x), []
    else:
        xs, ys, _ = model.checked_batch(x, y)
    with Recording() as recording:
        watched = [recording.watch(Tensor(np.array(one))) for one in xs]
        outputs = flatten(model(model.packed_inputs(watched), training=False))
        if y is None:
            ends = [_chosen(outputs[0], output)]
        else:
            heads = model.compiled_trainer("gradients").heads
            pairs = [(head, t, z) for head, t, z in zip(heads, ys, outputs, strict=True) if head.loss is not None]
            ends = [np.sum(_unreduced(head.loss)(t, z)) * head.weight for head, t, z in pairs]
    nodes = [one.node for one in watched]
    seeds = [np.ones(one.shape, one.dtype) for one in ends]
    found = backpropagate(ends, seeds, nodes)  # type: ignore[arg-type]
    gradients: list[Array] = [np.zeros_like(a) if g is None else np.asarray(g) for a, g in zip(xs, found, strict=True)]
    return model.packed_inputs(gradients)


def _unreduced(loss: Any) -> Any:
    """The same loss, which gives one number for each sample: none of them hangs on how many others there are."""
    each = copy.copy(loss)
    each.reduction = "none"
    return each


def _chosen(y: Any, output: Any) -> Any:
    """The output that is asked for: all of them, one by its number, or one a sample."""
    if output is None:
        return y
    chosen = np.asarray(output)
    if chosen.ndim == 0:
        return y[..., int(chosen)]
    if chosen.shape != y.shape[:1]:
        raise ValueError(
            tr(
                "`output` is a number, or one for each of the {shape} samples; got {got}.",
                shape=y.shape[0],
                got=chosen.shape,
            )
        )
    return np.take_along_axis(y, chosen.reshape(-1, *[1] * (y.ndim - 1)), axis=-1)
