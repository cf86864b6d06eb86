"""How many cores there are to share work among, and what the user has said about it."""

from __future__ import annotations

import os

OWN_CHOICE = "MULTILAYER_NUM_THREADS"

# What numerical libraries read; a user who limits one of them means everything that computes.
CHOICES = ("OPENBLAS_NUM_THREADS", "GOTO_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")


def cores() -> int:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def available() -> int:
    """How many threads products and long loops may use.

    It is MULTILAYER_NUM_THREADS, or else the smallest number that the user chose for numerical libraries, and never
    more than there are cores.
    """
    for names in ((OWN_CHOICE,), CHOICES):
        chosen = [int(value) for value in map(os.environ.get, names) if value and value.isdecimal() and int(value) > 0]
        if chosen:
            return min([*chosen, cores()])
    return cores()
