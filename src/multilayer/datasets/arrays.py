"""Arrays of an `.npz` file, also of one whose arrays hold lists: read without running what a pickle can.

NumPy writes an array of lists as a pickle, and reads it by `allow_pickle=True`, which runs whatever the file says. Here
numbers are taken from their bytes, and a pickle is read by an unpickler that knows three names, those with which NumPy
rebuilds an array. None of them is NumPy's own: what they stand for takes notes of what the file says, from which lists
of numbers are made in the end. (NumPy's own `ndarray.__setstate__` and `dtype.__setstate__` believe what they are told,
flags and pointers included.) It is the second line of defence: only files whose SHA-256 is right come here.
"""

from __future__ import annotations

import io
import pickle
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]
Splits: TypeAlias = tuple[tuple[Array, Array], tuple[Array, Array]]

_MOST_PACKED = 100  # times that an archive of numbers may unpack to
_MOST_UNPACKED = 1 << 20  # bytes that any may
# What zipfile, pickle and NumPy's reader are known to raise over bytes that are not theirs.
_BROKEN = (
    *(ValueError, KeyError, EOFError, OSError, RuntimeError, MemoryError, OverflowError),
    *(zipfile.BadZipFile, zlib.error, pickle.UnpicklingError, TypeError, IndexError, AttributeError),
)


def read(data: bytes, names: Sequence[str]) -> list[Array]:
    """The arrays of these names.

    Args:
        data: The archive.
        names: Which arrays.

    Returns:
        An array for each name, in memory of its own: of numbers, or of lists of whole numbers.

    Raises:
        ValueError: There is no such array, or what is there is something else.

    Example:
        >>> file = io.BytesIO()
        >>> np.savez(file, x=np.array([[1, 2], [3]], dtype=object), y=np.array([0.0, 1.0]))
        >>> read(file.getvalue(), ["x", "y"])
        [array([list([1, 2]), list([3])], dtype=object), array([0., 1.])]
    """
    limit = _MOST_PACKED * len(data) + _MOST_UNPACKED
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [_read(_unpacked(archive, f"{name}.npy", limit)) for name in names]
    except _BROKEN as error:
        reason = f"{type(error).__name__}: {str(error)[:200]}"
        raise ValueError(f"expected an archive of the arrays {', '.join(names)}; {reason}") from error


def _unpacked(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    info = archive.getinfo(name)
    if info.file_size > limit:  # what it claims is also all that zipfile would unpack
        raise ValueError(f"expected at most {limit:,} bytes of {name}, found {info.file_size:,}")
    return archive.read(info)


def _read(content: bytes) -> Array:
    file = io.BytesIO(content)
    version = np.lib.format.read_magic(file)
    # NumPy has no reader for the third version, which differs from the second in the encoding of names alone.
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, in_columns, dtype = header(file)
    if dtype.hasobject:
        return _lists(_Unpickler(file).load())
    flat = np.frombuffer(content, dtype, offset=file.tell())
    return flat.reshape(shape, order="F" if in_columns else "C").astype(dtype.newbyteorder("="))


class _Type:
    """Notes on a `dtype`: its code, such as "O8" or "i4", and the order of its bytes."""

    def __init__(self, code: str = "", *_: object) -> None:
        self.code = code
        self.order = "="

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.order = state[1]


class _Notes:
    """Notes on an array: its type, its shape and what it holds, a list of things or the bytes of numbers."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, self.shape, self.type, _, self.content = state

    def numbers(self) -> list[int]:
        """The numbers of a vector."""
        if not isinstance(self.content, bytes) or not isinstance(self.type, _Type):
            raise ValueError("expected a vector of numbers")
        order = "" if self.type.order == "|" else self.type.order
        found: list[int] = np.frombuffer(self.content, np.dtype(f"{order}{self.type.code}")).tolist()
        return found


class _Unpickler(pickle.Unpickler):
    """Reads lists, numbers and text, and takes notes of arrays; every name but NumPy's three is refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("numpy", "dtype"):
            return _Type
        if (module, name) == ("numpy", "ndarray"):
            return None  # it is named to be handed to the next, which wants nothing of it
        if module in ("numpy.core.multiarray", "numpy._core.multiarray") and name == "_reconstruct":
            return lambda *_: _Notes()
        raise pickle.UnpicklingError(f"it names {module}.{name}, which no array of lists needs: it may be malicious")


def _lists(notes: Any) -> Array:
    """An array of lists of whole numbers, from what was noted."""
    if not isinstance(notes, _Notes) or not isinstance(notes.content, list):
        raise ValueError("expected an array of lists")
    sequences = [one.numbers() if isinstance(one, _Notes) else one for one in notes.content]
    for one in sequences:
        if not isinstance(one, list) or not all(type(number) is int and number >= 0 for number in one):
            raise ValueError(f"expected lists of whole numbers, found {repr(one)[:100]}")
    found = np.empty(len(sequences), dtype=object)  # `np.array(sequences)` makes a table of lists of one length
    found[:] = sequences
    return found
