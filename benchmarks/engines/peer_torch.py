"""PyTorch as it runs by default, step by step: fused optimizers, gradients set to None, subnormals flushed.

The losses are summed without waiting for any of them; accuracy is not tracked.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch.nn import functional as F

from multilayer.benchmark.engines import Calls, Epoch
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("torch",)


def build(workload: Workload) -> Any:
    """The network up to its logits."""
    torch.set_flush_denormal(True)
    activation = {"sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU}[workload.activation]
    layers: list[Any] = []
    for d, h in pairwise(workload.sizes):
        layers += [torch.nn.Linear(d, h), activation()]
    model = torch.nn.Sequential(*layers[:-1])
    weights = workload.weights()
    with torch.no_grad():
        for layer, W, b in zip(model[::2], weights[0::2], weights[1::2], strict=True):
            layer.weight.copy_(torch.from_numpy(W.T))
            layer.bias.copy_(torch.from_numpy(b))
    return model


def optimizer_of(workload: Workload, model: Any) -> Any:
    """The fused optimizer: one loop over all parameters, in C++."""
    kind = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[workload.optimizer]
    return kind(model.parameters(), lr=workload.learning_rate, fused=True)


def prepare_training(workload: Workload) -> Epoch:
    """The usual loop."""
    model = build(workload)
    optimizer = optimizer_of(workload, model)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    return loop(workload, step)


def loop(workload: Workload, step: Callable[[Any, Any], Any]) -> Epoch:
    """An epoch of `step` over shuffled batches."""
    x, y = map(torch.from_numpy, workload.data())

    def epoch() -> tuple[float, float]:
        start = time.perf_counter()
        total = torch.zeros(())
        for rows in torch.randperm(workload.rows).split(workload.batch):
            total += step(x[rows], y[rows])
        loss = total.item() / workload.steps
        return time.perf_counter() - start, loss

    epoch()
    return epoch


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """The model in inference mode."""
    model = build(workload).eval()
    x = workload.data()[0][:rows]

    @torch.inference_mode()
    def predict() -> Any:
        return torch.softmax(model(torch.from_numpy(x)), dim=1).numpy()

    return {"inference_mode": predict}
