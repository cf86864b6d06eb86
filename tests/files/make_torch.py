"""Writes the files that PyTorch made for the tests: modules of small whole weights, and what they compute.

Run where torch and safetensors are installed:

    python tests/files/make_torch.py
"""

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent


def main() -> None:
    """Writes `torch_*.safetensors` and `torch_outputs.npz`."""
    torch.manual_seed(0)
    x = torch.linspace(-2, 2, 12).reshape(3, 4)
    networks = {
        # Eleven modules and more, so that the order of their names as text is not that of their numbers.
        "linear": torch.nn.Sequential(
            *(module for _ in range(5) for module in (torch.nn.Linear(4, 4), torch.nn.Tanh())),
            torch.nn.Linear(4, 2, bias=False),
        ),
        "mixed": torch.nn.Sequential(
            torch.nn.Linear(4, 6),
            torch.nn.BatchNorm1d(6),
            torch.nn.PReLU(6),
            torch.nn.Dropout(0.5),
            torch.nn.Linear(6, 3),
            torch.nn.LayerNorm(3),
            torch.nn.Softmax(dim=-1),
        ),
    }
    outputs = {"x": x.numpy()}
    for name, network in networks.items():
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.uniform_(-1, 1)
            network.train()
            network(torch.randn(16, 4))  # running means that are not 0 and 1
            network.eval()
            outputs[name] = network(x).numpy()
        save_file(network.state_dict(), HERE / f"torch_{name}.safetensors")
    halves = {name: value.to(torch.bfloat16) for name, value in networks["linear"].state_dict().items()}
    save_file(halves, HERE / "torch_bfloat16.safetensors")
    np.savez(HERE / "torch_outputs.npz", **outputs)


if __name__ == "__main__":
    main()
