"""Keras' `preprocessing.sequence`: the function that brings sequences to one length, which `utils` has, too."""

from __future__ import annotations

from multilayer.utils.sequences import pad_sequences

__all__ = ["pad_sequences"]
