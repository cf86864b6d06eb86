"""Keras' `preprocessing`: another place for what `utils` has for sequences, where many programs look for it."""

from __future__ import annotations

from multilayer.preprocessing import sequence
from multilayer.utils.timeseries import timeseries_dataset_from_array

__all__ = ["sequence", "timeseries_dataset_from_array"]
