"""Configs and named arrays, to files and back. No model is known here, and no class is imported by a file's word."""

from multilayer.saving.names import check_free, check_model_name, check_suffix, check_weights_name
from multilayer.saving.npz import read, write

__all__ = ["check_free", "check_model_name", "check_suffix", "check_weights_name", "read", "write"]
