"""States of any kind as JSON and arrays: what comes back is what was packed, type by type."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from multilayer._containers.packing import pack, unpack

numbers = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=5),
    st.builds(np.float32, st.integers(-9, 9)),
)  # fmt: skip
arrays = arrays_of.arrays(st.sampled_from(["float32", "int64", "bool"]), st.integers(0, 4))
states = st.recursive(
    st.one_of(numbers, arrays, st.lists(st.floats(allow_nan=False), min_size=8), st.lists(st.integers(), min_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner, inner),
        st.dictionaries(st.text(max_size=5), inner, max_size=3),
        st.dictionaries(st.sampled_from(["$array", "$tuple", "$pairs"]), inner, max_size=1),
        st.dictionaries(st.integers(), inner, max_size=3),
    ),
    max_leaves=8,
)


def identical(one, other):
    if type(one) is not type(other):
        return False
    if isinstance(one, np.ndarray):
        return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=one.dtype.kind == "f")
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(identical(one[key], other[key]) for key in one)
    return one == other


@given(states)
def test_a_state_comes_back_from_a_file_type_by_type(state):
    held = {}
    packed = json.loads(json.dumps(pack(state, "state", held)))
    assert all(array.dtype.kind in "fiub" for array in held.values())
    assert identical(unpack(packed, held), state)


def test_an_array_stands_in_one_place():
    """Else a megabyte of numbers and a text of a thousand names for it were a list of them each."""
    numbers = np.arange(100.0)
    for mark in ("$numbers", "$array"):
        with pytest.raises(KeyError, match="'0'"):
            unpack([{mark: "0"}, {mark: "0"}], {"0": numbers})
