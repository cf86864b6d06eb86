"""Arrays of lists without `allow_pickle`: what NumPy writes is read, and nothing that a pickle names is run."""

import contextlib
import io
import pickle
import pickletools
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multilayer.datasets import arrays

LISTS = [[1, 2, 70_000], [], [3]]


def array_of(lists):
    found = np.empty(len(lists), dtype=object)
    found[:] = lists
    return found


def archive(**members):
    """An archive of members that are arrays, or the bytes of what should be one."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, member in members.items():
            if not isinstance(member, bytes):
                content = io.BytesIO()
                np.save(content, member)
                member = content.getvalue()
            zipped.writestr(f"{name}.npy", member)
    return file.getvalue()


def pickled(content):
    """A member that says of itself that it is an array of objects, with this pickle."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "|O", "fortran_order": False, "shape": (3,)})
    return file.getvalue() + content


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_lists_are_read_that_any_numpy_has_pickled(protocol, module):
    content = pickle.dumps(array_of(LISTS), protocol)
    for written in (b"numpy.core.multiarray", b"numpy._core.multiarray"):
        # the length that stands before the name in newer protocols is that of the name
        content = content.replace(b"\x8c" + bytes([len(written)]) + written, b"\x8c" + bytes([len(module)]) + module)
        content = content.replace(b"c" + written + b"\n", b"c" + module + b"\n")
    if protocol >= 4:
        content = content[:2] + content[11:]  # without the frame, whose length is another
    if protocol == 2:
        assert "_codecs encode" in str([one[1] for one in pickletools.genops(content)])
        with pytest.raises(ValueError, match="_codecs.encode, which no array of lists needs"):
            arrays.read(archive(x=pickled(content)), ["x"])
        return
    (found,) = arrays.read(archive(x=pickled(content)), ["x"])
    assert found.dtype == object
    assert found.tolist() == LISTS


def test_arrays_of_numbers_within_are_lists_afterwards():
    (found,) = arrays.read(archive(x=array_of([np.array([1, 2]), np.array([3], dtype=">i2")])), ["x"])
    assert found.tolist() == [[1, 2], [3]]


@pytest.mark.parametrize(
    "array",
    [np.arange(6.0).reshape(2, 3), np.arange(6).reshape(2, 3).T, np.arange(3, dtype=">i2"), np.zeros(0)],
    ids=["rows", "columns", "other order of bytes", "none"],
)
def test_numbers_are_ones_own(array):
    (found,) = arrays.read(archive(x=array), ["x"])
    np.testing.assert_array_equal(found, array)
    assert found.flags.writeable
    assert found.dtype.isnative


class Runs:
    """What runs a function when it is unpickled."""

    def __init__(self, function, *arguments):
        self.what = function, arguments

    def __reduce__(self):
        return self.what


def note(*_):
    RAN.append(True)


RAN = []


@pytest.mark.parametrize(
    "hostile",
    [
        Runs(note),
        [Runs(note)],
        Runs(eval, "note()"),
        Runs(np.load, "file.npy"),
        Runs(np.ndarray, (1 << 60,)),
        Runs(getattr, 1, "real"),
        np.float64(3),
    ],
    ids=["function", "within", "eval", "another of NumPy's", "memory", "getattr", "a number of NumPy's"],
)
def test_nothing_that_a_pickle_names_is_run(hostile):
    for content in (pickle.dumps(hostile), pickle.dumps(array_of([hostile, [1]]))):
        with pytest.raises(ValueError, match="expected an archive of the arrays x; "):
            arrays.read(archive(x=pickled(content)), ["x"])
    assert RAN == []


class Noted:
    """What is pickled as an array is, with a state of one's own."""

    def __init__(self, name, arguments, state):
        self.what = name, arguments, state

    def __reduce__(self):
        return self.what


def test_bytes_do_not_become_the_pointers_of_an_array_of_objects():
    """NumPy itself takes them for such where the flags of the type say that it holds none."""
    reconstruct, arguments, _ = np.zeros(1, dtype=object).__reduce__()
    kind = Noted(np.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))
    pointers = Noted(reconstruct, arguments, (1, (1,), kind, False, b"AAAAAAAA"))
    for content in (pickle.dumps(pointers), pickle.dumps(array_of([pointers]))):
        with pytest.raises(ValueError, match="expected an array of lists|OBJECT array"):
            arrays.read(archive(x=pickled(content)), ["x"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([["word"]], "expected lists of whole numbers, found \\['word'\\]"),
        ([[True]], "expected lists of whole numbers"),
        ([[-1]], "expected lists of whole numbers"),
        ([{1: 2}], "expected lists of whole numbers"),
        ([[1, [2]]], "expected lists of whole numbers"),
    ],
)
def test_other_things_than_lists_of_whole_numbers_are_refused(content, message):
    with pytest.raises(ValueError, match=message):
        arrays.read(archive(x=array_of(content)), ["x"])


def test_a_missing_array_is_named():
    with pytest.raises(ValueError, match="expected an archive of the arrays x, y; KeyError: .*y.npy"):
        arrays.read(archive(x=np.zeros(2)), ["x", "y"])


def test_an_archive_that_unpacks_to_far_more_than_it_is_is_not_unpacked(monkeypatch):
    monkeypatch.setattr(arrays, "_MOST_UNPACKED", 1 << 10)
    file = io.BytesIO()
    np.savez_compressed(file, x=np.zeros(100_000))
    with pytest.raises(ValueError, match="expected at most .* bytes of x.npy, found 800,128"):
        arrays.read(file.getvalue(), ["x"])


def test_a_header_that_claims_more_than_there_is_takes_no_memory():
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": (1 << 50,)})
    with pytest.raises(ValueError, match="expected an archive of the arrays x"):
        arrays.read(archive(x=file.getvalue()), ["x"])


@settings(max_examples=50)
@given(data=st.data())
def test_a_damaged_file_raises_our_error_or_none(data):
    content = archive(x=array_of(LISTS), y=np.arange(3))
    place, removed = data.draw(st.integers(0, len(content))), data.draw(st.integers(0, 4))
    damaged = content[:place] + data.draw(st.binary(max_size=4)) + content[place + removed :]
    with contextlib.suppress(ValueError):
        arrays.read(damaged, ["x", "y"])
