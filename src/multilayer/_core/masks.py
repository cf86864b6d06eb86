"""Masks that go with arrays and tensors: which steps of a sequence count, and are no padding.

NumPy's arrays take no attributes. So what has a mask stands in a table, by its identity, for as long as it lives.
"""

from __future__ import annotations

import weakref
from functools import partial
from typing import Any

import numpy as np

from multilayer._core.tape import Tensor, plain
from multilayer.functional import Array

_known: dict[int, tuple[weakref.ref[Any], Array]] = {}


def mask_of(x: Any) -> Array | None:
    """The mask of an array or tensor, True where a step counts; None where all count."""
    if not _known:
        return None
    found = _known.get(id(x))
    return found[1] if found is not None and found[0]() is x else None


def set_mask(x: Any, mask: Any) -> None:
    """Says which steps of an array or tensor count, (n, steps); nothing where all do."""
    if mask is None or not isinstance(x, (np.ndarray, Tensor)):
        return
    mask = np.asarray(plain(mask), bool)
    for one in (x, x.value) if type(x) is Tensor else (x,):
        _known[id(one)] = weakref.ref(one, partial(_forget, id(one))), mask


def values_of(x: Any) -> Array:
    """The values of an array, tensor or variable as a plain array, which has its mask."""
    values = np.asarray(plain(x))
    if _known and values is not x:
        set_mask(values, mask_of(x))
    return values


def _forget(key: int, _: object) -> None:
    _known.pop(key, None)


def none_is_known() -> bool:
    """Whether nothing has a mask, so that nobody need look."""
    return not _known
