"""IDX files: every type and shape comes back, and nothing but a whole IDX file is taken for one."""

import contextlib
import gzip
import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from multilayer.datasets import idx

SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
TYPES = st.sampled_from(["uint8", "int8", "int16", "int32", "float32", "float64"])
THREE = bytes.fromhex("0000 08 01 00000003  050004")


@given(array=hnp.arrays(TYPES, SHAPES))
def test_every_type_and_shape_comes_back(array, idx_bytes):
    found = idx.parse(idx_bytes(array))
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_the_array_is_ones_own(idx_bytes):
    found = idx.parse(THREE)
    found[0] = 9
    assert found.tolist() == [9, 0, 4]


@given(
    array=hnp.arrays(TYPES, SHAPES),
    place=st.integers(0, 60),
    replacement=st.binary(max_size=8),
    removed=st.integers(0, 8),
)
def test_damage_is_a_value_error_or_an_array_and_nothing_else(array, place, replacement, removed, idx_bytes):
    data = idx_bytes(array)
    damaged = data[:place] + replacement + data[place + removed :]
    with contextlib.suppress(ValueError):
        assert isinstance(idx.parse(damaged), np.ndarray)


@pytest.mark.parametrize("start", [2, 10], ids=["the header", "the data"])
def test_noise_that_says_gzip_is_refused(start):
    noise = gzip.compress(b"seven")[:start] + b"\xff" * 20
    with pytest.raises(ValueError, match="expected a whole gzip stream, found a broken one"):
        idx.unpack(io.BytesIO(noise), limit=1000)


@given(content=st.binary(max_size=100), cut=st.integers(1, 20))
def test_a_truncated_gzip_stream_is_refused(content, cut):
    packed = gzip.compress(content)
    with pytest.raises(ValueError, match="expected"):
        idx.unpack(io.BytesIO(packed[: max(3, len(packed) - cut)]), limit=1000)


def test_no_more_than_the_limit_is_unpacked():
    bomb = io.BytesIO(gzip.compress(bytes(10_000_000)))
    tracemalloc.start()
    with pytest.raises(ValueError, match="expected at most 1,000 bytes, found more"):
        idx.unpack(bomb, limit=1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_whatever_its_name_a_file_is_read_as_what_it_is(tmp_path):
    raw, packed = tmp_path / "raw.gz", tmp_path / "packed"
    raw.write_bytes(THREE)
    packed.write_bytes(gzip.compress(THREE))
    assert idx.read(raw).tolist() == idx.read(packed).tolist() == [5, 0, 4]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "begins with 00 00 and a type 08 to 0e, found ''"),
        (b"\x89PNG\r\n", "begins with 00 00 and a type 08 to 0e, found '89 50 4e 47'"),
        (bytes.fromhex("0000 0a 01 00000003 050004"), "found '00 00 0a 01'"),
        (bytes.fromhex("0000 08 03 00000003 050004"), "expected 16 bytes of header, found 11"),
        (THREE[:-1], r"expected 11 bytes for uint8 of shape \(3,\), found 10"),
        (THREE + b"\0", r"expected 11 bytes for uint8 of shape \(3,\), found 12"),
        (bytes.fromhex("0000 08 02 ffffffff ffffffff 00"), r"of shape \(4294967295, 4294967295\), found 13"),
    ],
    ids=["empty", "a picture", "unknown type", "cut header", "too short", "too long", "huge"],
)
def test_an_error_names_the_file_and_what_was_expected_and_found(tmp_path, data, message):
    path = tmp_path / "digits.idx"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"digits.idx: .*{message}"):
        idx.read(path)
