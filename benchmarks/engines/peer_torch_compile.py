"""PyTorch with forward pass, loss and backward pass compiled by torch.compile; the optimizer is the fused one."""

import peer_torch
import torch
from torch.nn import functional as F

from multilayer.benchmark.engines import Calls, Epoch, UnsupportedError
from multilayer.benchmark.workloads import Workload

DISTRIBUTIONS = ("torch",)


def prepare_training(workload: Workload) -> Epoch:
    """The usual loop with a compiled loss."""
    model = peer_torch.build(workload)
    optimizer = peer_torch.optimizer_of(workload, model)

    @torch.compile
    def loss_of(x, y):
        return F.cross_entropy(model(x), y)

    def step(x, y):
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(x, y)
        loss.backward()
        optimizer.step()
        return loss.detach()

    try:
        return peer_torch.loop(workload, step)
    except Exception as error:  # its compiler's own kinds of errors, of which there are many
        raise UnsupportedError(f"torch.compile fails here: {type(error).__name__}") from error


def prepare_predicting(workload: Workload, rows: int) -> Calls:
    """The compiled model in inference mode."""
    model = torch.compile(peer_torch.build(workload).eval())
    x = workload.data()[0][:rows]

    @torch.inference_mode()
    def predict():
        return torch.softmax(model(torch.from_numpy(x)), dim=1).numpy()

    try:
        predict()
    except Exception as error:
        raise UnsupportedError(f"torch.compile fails here: {type(error).__name__}") from error
    return {"compiled": predict}
