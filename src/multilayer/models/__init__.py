"""Models, under Keras' names."""

from multilayer.models.base import Model
from multilayer.models.loading import load_model
from multilayer.models.sequential import Sequential

__all__ = ["Model", "Sequential", "load_model"]
