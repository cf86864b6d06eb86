"""The multilayer perceptron, done completely: Keras' API on NumPy alone.

A Keras program for a fully connected network runs with `import multilayer as keras`.
"""

import importlib
from types import ModuleType

# isort: split
from multilayer import (
    activations,
    autodiff,
    backend,
    callbacks,
    config,
    constraints,
    datasets,
    functional,
    glass,
    initializers,
    layers,
    losses,
    metrics,
    models,
    ops,
    optimizers,
    preprocessing,
    random,
    regularizers,
    saving,
    tabular,
    tree,
    tutorial,
    utils,
)
from multilayer._core.arena import Variable
from multilayer._core.tape import Tensor
from multilayer._names import scope
from multilayer._version import __version__
from multilayer.autodiff import GradientTape, gradient, hessian_vector_product, jacobian, value_and_gradient
from multilayer.initializers import Initializer
from multilayer.layers import Input, KerasTensor, Layer
from multilayer.losses import Loss
from multilayer.metrics import Metric
from multilayer.models import Model, Sequential
from multilayer.optimizers import Optimizer
from multilayer.regularizers import Regularizer

__all__ = [
    "GradientTape",
    "Initializer",
    "Input",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Tensor",
    "Variable",
    "__version__",
    "activations",
    "autodiff",
    "backend",
    "callbacks",
    "config",
    "constraints",
    "datasets",
    "functional",
    "glass",
    "gradient",
    "hessian_vector_product",
    "initializers",
    "jacobian",
    "layers",
    "losses",
    "metrics",
    "models",
    "ops",
    "optimizers",
    "plotting",
    "preprocessing",
    "random",
    "regularizers",
    "saving",
    "tabular",
    "tree",
    "tutorial",
    "utils",
    "value_and_gradient",
    "version",
]


def version() -> str:
    """The version of this library."""
    return __version__


def __getattr__(name: str) -> ModuleType:
    """Imports what needs other libraries, which are slow to import or need not be there, when it is first used."""
    if name in ("plotting", "wrappers"):
        return importlib.import_module(f"multilayer.{name}")
    raise AttributeError(f"module 'multilayer' has no attribute {name!r}")


scope.explain(__name__)
