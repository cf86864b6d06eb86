"""What layers for words have learned, in files: the vocabularies, and what each word counts for."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._containers.stored import Stored, finite
from multilayer._containers.vocabularies import MOST_BYTES
from multilayer.functional import Array
from multilayer.layers.holding import layers_within
from multilayer.layers.index_lookup import IndexLookup

PREFIX = "vocabularies/"  # what names of their arrays begin with in this library's own files


class Vocabulary(NamedTuple):
    """What a file has for one layer.

    Attributes:
        words: The words, the special ones in front, once they are read; None where the config has them.
        idf_weights: What each of them counts for, where the layer counts.
    """

    words: Callable[[], list[str]] | None
    idf_weights: Stored | None


def nothing_learned(model: Any, allow_nonfinite: bool) -> None:
    """What a file has that knows of no vocabularies."""


def holders(model: Any) -> list[IndexLookup]:
    """The layers of a model that have a vocabulary, in an order that is that of its description."""
    return [layer for layer in layers_within([model]) if isinstance(layer, IndexLookup)]


def restore(found: Iterable[tuple[IndexLookup, Vocabulary]], allow_nonfinite: bool) -> None:
    """Gives layers what a file has for them.

    Raises:
        ValueError: It is no vocabulary for the layer; those before it have theirs.
    """
    for layer, (words, stored) in found:
        weights = None
        if layer.output_mode == "tf_idf" and stored is not None:
            weights = _numbers(layer, stored, allow_nonfinite)
        try:
            if words is not None:
                layer.restore_vocabulary(words(), weights)
            elif weights is not None:
                layer.restore_weights(weights)
        except ValueError as error:
            raise ValueError(f"its vocabulary of layer '{layer.name}' is none for it: {error}") from error


def _numbers(layer: IndexLookup, stored: Stored, allow_nonfinite: bool) -> Array:
    what = f"its idf_weights of layer '{layer.name}'"
    if stored.dtype.kind != "f" or len(stored.shape) != 1:
        raise ValueError(f"{what} are no row of numbers, but of type {stored.dtype} and shape {stored.shape}.")
    weights = stored.read().astype(layer.dtype)
    return weights if allow_nonfinite else finite(weights, what)


# --- As arrays: a word may hold anything, also the end of a line ------------------------------------------------------


def arrays_of(model: Any) -> dict[str, Array]:
    """The vocabularies of a model as arrays of numbers: the bytes of all words, and where each ends."""
    arrays: dict[str, Array] = {}
    for number, layer in enumerate(holders(model)):
        place = f"{PREFIX}{number}"
        if layer.keeps_vocabulary:
            words = [str(one).encode("utf-8", "surrogatepass") for one in layer.get_vocabulary()]
            arrays[f"{place}/words"] = np.frombuffer(b"".join(words), np.uint8)
            arrays[f"{place}/ends"] = np.cumsum([len(word) for word in words], dtype=np.int64)
        if layer.idf_weights is not None:
            arrays[f"{place}/idf_weights"] = layer.idf_weights
    return arrays


def from_arrays(model: Any, stored: Mapping[str, Stored], allow_nonfinite: bool) -> None:
    """Gives the layers of a model their vocabularies.

    Raises:
        ValueError: There is one missing, or it is none for its layer.
    """
    found = []
    left = set(stored)
    for number, layer in enumerate(holders(model)):
        words, ends, weights = (stored.get(f"{PREFIX}{number}/{one}") for one in ("words", "ends", "idf_weights"))
        left -= {f"{PREFIX}{number}/{one}" for one in ("words", "ends", "idf_weights")}
        if layer.keeps_vocabulary and (words is None or ends is None):
            raise ValueError(f"it holds no vocabulary for layer '{layer.name}'.")
        read = None if words is None or ends is None else _reader(words, ends)
        found.append((layer, Vocabulary(read, weights)))
    if left:
        raise ValueError(f"it holds {min(left)[:100]!r}, and the model has no layer for it.")
    restore(found, allow_nonfinite)


def _reader(words: Stored, ends: Stored) -> Callable[[], list[str]]:
    def read() -> list[str]:
        if words.dtype != np.uint8 or ends.dtype != np.int64 or words.nbytes + ends.nbytes > MOST_BYTES:
            raise ValueError("it is no list of words.")
        content, places = words.read().tobytes(), [0, *ends.read().ravel().tolist()]
        if places[-1] != len(content) or sorted(places) != places or places[0] < 0:
            raise ValueError("the words in it do not end where it says.")
        parts = itertools.pairwise(places)
        return [content[start:end].decode("utf-8", "surrogatepass") for start, end in parts]

    return read


def places_of(layers: Sequence[tuple[str, Any]]) -> list[tuple[str, IndexLookup]]:
    """Of layers and their places in an archive, those that have a vocabulary there: one may have it at two places."""
    found = [(place, getattr(layer, "vocabulary_holder", None)) for place, layer in layers]
    return [(place, holder()) for place, holder in found if holder is not None]
