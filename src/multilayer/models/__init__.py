"""Models: networks of layers."""

from multilayer.models.base import Model
from multilayer.models.functional import Functional, clone_model
from multilayer.models.sequential import Sequential
from multilayer.saving.loading import load_model, load_weights, model_from_json, save_model, save_weights

__all__ = [
    "Functional",
    "Model",
    "Sequential",
    "clone_model",
    "load_model",
    "load_weights",
    "model_from_json",
    "save_model",
    "save_weights",
]
