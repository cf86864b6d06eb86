"""Categories without a vocabulary: each in the bin that its hash says, alone or crossed with others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer._checks.texts import as_texts
from multilayer._core.hashes import crossed, fingerprint64
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape
from multilayer.layers.categories import bins_of, checked_salt, encoded, encoded_shape, require_dense, require_mode

_INTEGERS = ("int32", "int64")


def _number_type(layer: str, output_mode: Any, dtype: Any) -> tuple[str | None, Any]:
    """The type of whole numbers that a layer gives, where it gives them, and the type of its rows otherwise."""
    if isinstance(dtype, dict):  # as Keras describes a type in a file
        dtype = (dtype.get("config") or {}).get("name")
    if output_mode != "int":
        return None, dtype
    if dtype is None:
        return "int64", None
    if dtype not in _INTEGERS:
        raise ValueError(
            f"When `output_mode=\"int\"`, `dtype` of {layer} should be an integer type, 'int32' or 'int64'. Received: "
            f"dtype={str(dtype)[:100]}"
        )
    return str(dtype), None


def _words(x: Any, name: str) -> list[bytes]:
    """What is hashed of categories: words; whole numbers as they are written, of others what is before the dot."""
    array = np.asarray(x) if not isinstance(x, np.ndarray) else x
    if array.dtype.kind == "f":
        with np.errstate(invalid="ignore"):
            array = array.astype(np.int64)
    if array.dtype.kind == "b":
        return [b"true" if one else b"false" for one in array.reshape(-1).tolist()]
    if array.dtype.kind in "iu":
        return [b"%d" % one for one in array.reshape(-1).tolist()]
    return [one.encode("utf-8", "surrogatepass") for one in as_texts(x, name).reshape(-1).tolist()]


@registry.register("layer")
class Hashing(Layer):
    """Words or whole numbers as bins, by their hash: no vocabulary is needed, and two may share a bin.

    The bins are Keras': FarmHash's fingerprint of the text, of a number as it is written, modulo `num_bins`; with a
    salt, SipHash-2-4.

    Args:
        num_bins: How many bins there are, that for `mask_value` among them.
        mask_value: What stands for nothing, and gets the bin 0, which is then kept for it.
        salt: A number, or two, with which the bins are others.
        output_mode: 'int' for the bins; 'one_hot', 'multi_hot' and 'count' as for `StringLookup`.
        sparse: Accepted as Keras does; only False.
        dtype: The type of what it gives: 'int64' or 'int32' for bins, a type of floats for rows.
        **kwargs: `name`, `trainable`, `input_shape` of a `Layer`.

    Raises:
        ValueError: An argument does not fit, or an input is neither text nor number.

    Example:
        >>> Hashing(num_bins=3)([["A"], ["B"], ["C"], ["D"], ["E"]]).ravel().tolist()
        [1, 0, 1, 1, 2]
    """

    _nothing_to_build = True
    input_dtype = "string"

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        if num_bins is None or (isinstance(num_bins, (int, float)) and num_bins <= 0):
            raise ValueError(
                "The `num_bins` for `Hashing` cannot be `None` or non-positive values. Received: "
                f"num_bins={str(num_bins)[:100]}."
            )
        self.output_mode = require_mode(self, "output_mode", output_mode, ("int", "one_hot", "multi_hot", "count"))
        require_dense(sparse)
        whole, dtype = _number_type("Hashing", output_mode, dtype)
        super().__init__(dtype=dtype, **kwargs)
        self.dtype = whole or self.dtype
        self.num_bins = whole_number("num_bins", num_bins, 1)
        self.mask_value = mask_value
        self.sparse = False
        self.salt = checked_salt("Hashing", salt)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return encoded_shape(input_shape, self.output_mode, self.num_bins)

    def _batch(self, x: Any) -> Array:
        array = np.asarray(x) if hasattr(x, "dtype") else np.asarray(x, object)
        if array.dtype.kind == "O" and all(isinstance(one, (bool, int, float, np.number)) for one in array.flat):
            array = np.asarray(array.tolist())
        return array if array.dtype.kind in "iubf" else as_texts(x, "x")

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self.forward(self._batch(x))

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._shape = x.shape
        return encoded(self._bins(x), self.output_mode, self.num_bins, self.dtype)

    def _bins(self, x: Array) -> Array:
        masked = None
        bins = self.num_bins
        if self.mask_value is not None and bins > 1:  # the bin 0 is kept for it
            bins -= 1
            masked = np.asarray(x == self.mask_value)
        found = bins_of(_words(x, "x"), bins, self.salt).reshape(x.shape)
        return found if masked is None else np.where(masked, 0, found + 1)

    def backward(self, dy: Array) -> Array:  # noqa: ARG002 - a category has no slope
        return np.zeros(self._shape, np.float32)

    def get_config(self) -> dict[str, Any]:
        own = {
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
        }
        return {**super().get_config(), **own}


@registry.register("layer")
class HashedCrossing(Layer):
    """Two or more categories side by side as one: the bin that the hash of all of them together says.

    Args:
        num_bins: How many bins there are.
        output_mode: 'int' for the bins, 'one_hot' for rows of zeros and ones.
        sparse: Accepted as Keras does; only False.
        name: Name of the layer.
        dtype: The type of what it gives: 'int64' or 'int32' for bins, a type of floats for rows.
        **kwargs: `trainable`, `input_shape` of a `Layer`.

    Called with a list of arrays of words or whole numbers, of shape (n,) or (n, 1), or of a word or number each.

    Raises:
        ValueError: An argument does not fit, or inputs do not.

    Example:
        >>> layer = HashedCrossing(num_bins=5)
        >>> layer([np.array(["A", "B", "A", "B", "A"]), np.array([101, 101, 101, 102, 102])])
        array([1, 4, 1, 1, 3])
    """

    takes_several = True
    _nothing_to_build = True
    input_dtype = "string"

    def __init__(
        self,
        num_bins: int,
        output_mode: str = "int",
        sparse: bool = False,
        name: str | None = None,
        dtype: Any = None,
        **kwargs: Any,
    ) -> None:
        self.output_mode = require_mode(self, "output_mode", output_mode, ("int", "one_hot"))
        require_dense(sparse)
        whole, dtype = _number_type("HashedCrossing", output_mode, dtype)
        super().__init__(name=name, dtype=dtype, **kwargs)
        self.dtype = whole or self.dtype
        self.num_bins = whole_number("num_bins", num_bins, 1)
        self.sparse = False

    def compute_output_shape(self, input_shape: Any) -> Shape:
        self._require_alike(input_shape)
        return encoded_shape(tuple(input_shape[0]), self.output_mode, self.num_bins)

    def check_input_shape(self, input_shape: Any) -> None:
        self._require_alike(input_shape)

    def _require_alike(self, shapes: Any) -> None:
        if not isinstance(shapes, list):
            raise ValueError(
                f"`HashedCrossing` should be called on a list or tuple of inputs. Received an input of shape {shapes}"
            )
        if len(shapes) < 2:
            raise ValueError(f"`HashedCrossing` should be called on at least two inputs. Received: {len(shapes)}")
        first = tuple(shapes[0])
        if len(first) > 2 or (len(first) == 2 and first[-1] not in (None, 1)):
            raise ValueError(
                "All `HashedCrossing` inputs should have shape `()`, `(batch_size)` or `(batch_size, 1)`. Received: "
                f"shapes {[tuple(one) for one in shapes]}"
            )
        if any(tuple(one) != first for one in shapes[1:]):
            raise ValueError(
                "All `HashedCrossing` inputs should have equal shape. Received: shapes "
                f"{[tuple(one) for one in shapes]}"
            )

    def _batch(self, x: Any) -> Array:
        array = np.asarray(x)
        if array.dtype.kind == "O" and all(isinstance(one, (int, np.integer)) for one in array.flat):
            array = array.astype(np.int64)
        if array.dtype.kind not in "iuSUTO":
            raise ValueError(
                "All `HashedCrossing` inputs should have an integer or string dtype. Received: an array of type "
                f"{array.dtype}"
            )
        return array if array.dtype.kind in "iu" else as_texts(x, "x")

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self.forward([self._batch(one) for one in x])

    def forward(self, xs: Sequence[Array], training: bool = False) -> Array:
        if training:
            self._shapes = [x.shape for x in xs]
        numbers = crossed([_fingerprints(self._batch(x)) for x in xs]) % np.uint64(self.num_bins)
        return encoded(numbers.astype(np.int64).reshape(xs[0].shape), self.output_mode, self.num_bins, self.dtype)

    def backward(self, dy: Array) -> list[Array]:  # noqa: ARG002 - a category has no slope
        return [np.zeros(shape, np.float32) for shape in self._shapes]

    def get_config(self) -> dict[str, Any]:
        own = {"num_bins": self.num_bins, "output_mode": self.output_mode, "sparse": self.sparse}
        return {"name": self.name, "dtype": self.dtype, **own}


def _fingerprints(x: Array) -> Array:
    """What a cross is made of: whole numbers as they are, texts by their fingerprint."""
    if x.dtype.kind in "iu":
        return x.astype(np.int64).reshape(-1)
    texts = [one.encode("utf-8", "surrogatepass") for one in x.reshape(-1).tolist()]
    known = list(dict.fromkeys(texts))
    found = fingerprint64(known)
    if len(known) == len(texts):
        return found
    place = {text: number for number, text in enumerate(known)}
    return found[np.fromiter(map(place.__getitem__, texts), np.intp, len(texts))]
