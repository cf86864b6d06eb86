"""What goes wrong with data sets: they cannot be had, or what is there is broken."""

from __future__ import annotations


class DatasetUnavailableError(OSError):
    """A data set is neither on this machine nor can it be downloaded; the message says where it was looked for."""


class DatasetCorruptError(ValueError):
    """A file of a data set is not what it should be; the message names it and says what to do."""
