"""Configs and named arrays, to files and back. No model is known here, and no class is imported by a file's word."""

from multilayer.saving.npz import read, write

__all__ = ["read", "write"]
