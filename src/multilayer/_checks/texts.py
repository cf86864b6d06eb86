"""Checks of texts that users pass in: words, categories, whole sentences."""

from __future__ import annotations

from typing import Any

import numpy as np

from multilayer._checks.tables import as_array, is_table
from multilayer._language import tr
from multilayer.functional import Array

TEXT = "object"  # the type of arrays whose entries are texts of Python's, which may be of any length


def as_texts(values: Any, name: str, encoding: str = "utf-8") -> Array:
    """The array of Python's texts, where nothing else is in it.

    Args:
        values: Texts, in an array of any of NumPy's types for them, a list, a table; bytes are decoded.
        name: What the user calls it, for the message.
        encoding: What bytes are decoded by.

    Raises:
        ValueError: It holds anything else, rows of different lengths, or bytes that are no text.

    Example:
        >>> as_texts(np.array(["red", "green"]), "x")
        array(['red', 'green'], dtype=object)
    """
    array = values if type(values) is np.ndarray else _as_array(values, name)
    if array.dtype.kind in "UT":
        return array.astype(object)
    if array.dtype.kind in "SO":
        # The types of a thousand entries are known in some microseconds; where one is wrong is looked for afterwards.
        found = set(map(type, array.ravel().tolist()))
        if found == {str}:
            return array if array.dtype.kind == "O" else array.astype(object)
        if found <= {str, bytes, np.str_, np.bytes_}:
            return _decoded(array, name, encoding)
    raise ValueError(_no_texts(array, name))


def _as_array(values: Any, name: str) -> Array:
    if isinstance(values, (str, bytes)):
        return np.asarray(values, object)
    # As objects, so that NumPy does not make the text '1' of a 1 among texts.
    array = np.asarray(values) if hasattr(values, "dtype") and not is_table(values) else np.asarray(values, object)
    if array.dtype.kind == "O" and any(isinstance(one, (list, tuple)) for one in array.flat):
        raise ValueError(
            tr(
                "`{name}` cannot be made into one array: its rows differ in length. Fill them up with the "
                "empty text ''.",
                name=name,
            )
        )
    return array


def _decoded(array: Array, name: str, encoding: str) -> Array:
    texts = np.empty(array.size, object)
    number, one = 0, b""
    try:
        for number, one in enumerate(array.ravel().tolist()):
            texts[number] = one.decode(encoding) if isinstance(one, bytes) else str(one)
    except UnicodeDecodeError as error:
        index = tuple(int(i) for i in np.unravel_index(number, array.shape))
        raise ValueError(
            tr(
                "`{name}` holds bytes at index {index} that are no text in {encoding}: {one!r}. Say how they "
                "are to be read by `encoding`, or decode them before.",
                name=name,
                index=index,
                encoding=encoding,
                one=one[:50],
            )
        ) from error
    return texts.reshape(array.shape)


def _no_texts(array: Array, name: str) -> str:
    """Why it is no array of texts."""
    if array.dtype.kind != "O":
        return tr(
            "`{name}` must hold texts; got an array of type {dtype} and shape {shape}. "
            "`{name}.astype(str)` makes texts of numbers; whole numbers that stand for categories are for "
            "`IntegerLookup`.",
            name=name,
            dtype=array.dtype,
            shape=array.shape,
        )
    number, wrong = next((i, one) for i, one in enumerate(array.flat) if not isinstance(one, (str, bytes)))
    index = tuple(int(i) for i in np.unravel_index(number, array.shape))
    if wrong is None or wrong != wrong or type(wrong).__name__ in ("NAType", "NaTType"):
        return tr(
            "`{name}` holds {wrong} at index {index}: a text is missing. Fill it in with one that means "
            "so, such as '' (which `mask_token=''` then leaves out), or leave such samples out.",
            name=name,
            wrong=wrong,
            index=index,
        )
    return tr(
        "`{name}` must hold texts; at index {index} it holds {wrong!r}, a {kind}.",
        name=name,
        index=index,
        wrong=str(wrong)[:50],
        kind=type(wrong).__name__,
    )


def as_array_type(dtype: str) -> str:
    """The type of the arrays that hold what a tensor of this type stands for: Python's own texts for a 'string'."""
    return TEXT if dtype == "string" else dtype


def as_given(values: Any, dtype: Any, name: str = "x") -> Array:
    """An input as an array of the type that it is wanted in, be that of texts or of numbers."""
    return as_texts(values, name) if dtype == TEXT else np.asarray(as_array(values, name), dtype)


def holds_texts(values: Any) -> bool:
    """Whether the first row of an array, or of what NumPy makes an array of, is of nothing but texts.

    Example:
        >>> holds_texts([["red"], ["green"]]), holds_texts([1, 2])
        (True, False)
    """
    array = np.asarray(values)
    if array.dtype.kind not in "USTO" or not array.size:
        return False
    return all(isinstance(one, (str, bytes)) for one in np.atleast_1d(array)[0:1].flat)


def known_encoding(name: Any) -> str:
    """The name of an encoding, where Python knows one of this name."""
    try:
        "".encode(name)
    except (LookupError, TypeError) as error:
        raise ValueError(
            tr("`encoding` must be one that Python knows. Received: encoding={name!r}", name=str(name)[:100])
        ) from error
    return str(name)
