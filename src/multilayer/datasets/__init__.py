"""Data sets to learn from: those of Keras that a perceptron can learn, and digits that the library draws itself."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

from multilayer.datasets.errors import DatasetCorruptError, DatasetUnavailableError

if TYPE_CHECKING:
    from multilayer.datasets import (
        boston_housing,
        california_housing,
        fashion_mnist,
        imdb,
        mnist,
        reuters,
        synthetic_digits,
    )

__all__ = [
    "DatasetCorruptError",
    "DatasetUnavailableError",
    "boston_housing",
    "california_housing",
    "fashion_mnist",
    "imdb",
    "mnist",
    "reuters",
    "synthetic_digits",
]


def __getattr__(name: str) -> ModuleType:
    """Imports a data set's module when it is first used: what reads archives would slow down every import."""
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """The names there are, imported or not yet."""
    return __all__
