"""Things as their places in a vocabulary: what the layers for words and for whole numbers have in common."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from multilayer._checks.arguments import require_flag
from multilayer._checks.scalars import is_whole
from multilayer._containers.files import open_to_read
from multilayer._containers.vocabularies import MOST_BYTES, lines_of
from multilayer._core.arena import claim
from multilayer.config import floatx
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape
from multilayer.layers.categories import (
    bins_of,
    checked_salt,
    encoded,
    encoded_shape,
    float_dtype,
    require_dense,
    require_mode,
)

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_OLDER_MODES = {"binary": "multi_hot", "tf-idf": "tf_idf"}
_DROPPED = np.iinfo(np.int64).max  # the number of what a row of zeros and ones leaves out
_UNKNOWN = -1


class VocabularySizeError(RuntimeError, ValueError):
    """Rows have no length yet, or would change it: a RuntimeError as in Keras, and bad input where a file is."""


class IndexLookup(Layer):
    """What `StringLookup` and `IntegerLookup` have in common: tokens, their table, and how they are learned."""

    _nothing_to_build = True
    _kind = ""  # the type of the tokens

    def __init__(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        pad_to_max_tokens: bool,
        sparse: bool,
        salt: Any,
        oov_method: str,
        vocabulary_size: int | None,
        has_input_vocabulary: bool | None,
        **kwargs: Any,
    ) -> None:
        if max_tokens is not None and not is_whole(max_tokens, 2):
            raise ValueError(f"If set, `max_tokens` must be greater than 1. Received: max_tokens={max_tokens}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError("If pad_to_max_tokens is True, must set `max_tokens`. Received: max_tokens=None")
        if not is_whole(num_oov_indices, 0):
            raise ValueError(
                "`num_oov_indices` must be greater than or equal to 0. Received: "
                f"num_oov_indices={str(num_oov_indices)[:100]}"
            )
        output_mode = _OLDER_MODES.get(output_mode, output_mode) if isinstance(output_mode, str) else output_mode
        self.oov_method = require_mode(self, "oov_method", oov_method, ("floormod", "farmhash"))
        self.output_mode = require_mode(self, "output_mode", output_mode, _MODES)
        if invert and output_mode != "int":
            raise ValueError(
                f"`output_mode` must be `'int'` when `invert` is true. Received: output_mode={output_mode}"
            )
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(
                "`idf_weights` should only be set if `output_mode` is `'tf_idf'`. Received: idf_weights="
                f"{str(idf_weights)[:100]} and output_mode={output_mode}"
            )
        require_flag("invert", invert)
        require_dense(sparse)
        super().__init__(**{**kwargs, "dtype": float_dtype(kwargs.get("dtype"))})
        self.max_tokens = None if max_tokens is None else int(max_tokens)
        self.num_oov_indices = int(num_oov_indices)
        self.mask_token = None if mask_token is None else self._token("mask_token", mask_token)
        self.oov_token = None if oov_token is None else self._token("oov_token", oov_token)
        self.invert = bool(invert)
        self.sparse = False
        self.pad_to_max_tokens = bool(pad_to_max_tokens)
        self.salt = checked_salt(type(self).__name__, salt)
        if self.salt is not None and self._kind == "int64" and oov_method != "farmhash":
            raise ValueError(f"`salt` can only be used when `oov_method='farmhash'`. Received: oov_method={oov_method}")
        # A path is not kept: the vocabulary itself goes into the file, as it does where it is learned.
        self.input_vocabulary = None if _is_path(vocabulary) else _listed(vocabulary)
        self.input_idf_weights = _listed(idf_weights)
        self._has_input_vocabulary = vocabulary is not None if has_input_vocabulary is None else has_input_vocabulary
        if vocabulary_size is not None and not is_whole(vocabulary_size, 0):
            raise ValueError(f"`vocabulary_size` must be a whole number. Received: {str(vocabulary_size)[:100]}")
        self._frozen_vocab_size = vocabulary_size
        self.idf_weights: Array | None = None
        self.input_dtype = "int64" if self.invert else self._type_of_tokens
        self.output_dtype = (self._type_of_tokens if self.invert else "int64") if output_mode == "int" else None
        self._reset()
        self._take([])
        if vocabulary is not None:
            if output_mode == "tf_idf" and idf_weights is None:
                raise ValueError(
                    "When specifying the `vocabulary` argument, in TF-IDF output mode, the `idf_weights` argument must "
                    "also be provided."
                )
            self.set_vocabulary(vocabulary, idf_weights)

    # --- Of strings, or of integers ---

    @property
    def _type_of_tokens(self) -> str:
        return self._kind

    def _token(self, argument: str, value: Any) -> Any:
        """One token as what the table has; raises ValueError for anything else."""
        raise NotImplementedError

    def _tokens_of(self, values: Any, name: str) -> Array:
        """An array of tokens; raises ValueError where there is anything else."""
        raise NotImplementedError

    def _as_bytes(self, tokens: Sequence[Any]) -> list[bytes]:
        """What is hashed of tokens."""
        raise NotImplementedError

    def _from_lines(self, lines: Sequence[str]) -> list[Any]:
        """The tokens of a file's lines."""
        raise NotImplementedError

    # --- The vocabulary ---

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers.

        Args:
            include_special_tokens: Whether those for masked and for unknown tokens are among them, so that the place
                of each is its number.
        """
        special = [*([self.mask_token] * self._oov_start), *([self.oov_token] * self.num_oov_indices)]
        return [*(special if include_special_tokens else []), *self._tokens]

    def vocabulary_size(self) -> int:
        """How many tokens there are, those for masked and for unknown ones among them."""
        return self._token_start + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the tokens, and what each counts for in 'tf_idf' mode.

        Args:
            vocabulary: The tokens, with or without the special ones in front; or the path of a file, UTF-8, with one
                a line.
            idf_weights: One number for each of them.

        Raises:
            ValueError: There are none, one is there twice or reserved, there are more than `max_tokens`, or a
                number for each is missing.
            RuntimeError: Rows of zeros and ones would change their length after the layer was called.
        """
        self._require_weights(idf_weights)
        if _is_path(vocabulary):
            if self.output_mode == "tf_idf":
                raise ValueError("output_mode `'tf_idf'` does not support loading a vocabulary from file.")
            tokens = self._from_lines(_read(os.fspath(vocabulary)))
        else:
            tokens = self._tokens_of(vocabulary, "vocabulary").ravel().tolist()
        self._set(tokens, idf_weights)
        if self.input_vocabulary is not None:  # the config has it, and no file beside
            self.input_vocabulary, self.input_idf_weights = tokens, _listed(idf_weights)

    def _require_weights(self, idf_weights: Any) -> None:
        if self.output_mode == "tf_idf" and idf_weights is None:
            raise ValueError("`idf_weights` must be set if output_mode is 'tf_idf'.")
        if self.output_mode != "tf_idf" and idf_weights is not None:
            raise ValueError(
                f"`idf_weights` should only be set if output_mode is `'tf_idf'`. Received: output_mode="
                f"{self.output_mode} and idf_weights={str(idf_weights)[:100]}"
            )

    def _set(self, vocabulary: list[Any], idf_weights: Any) -> None:
        if not vocabulary:
            raise ValueError("Cannot set an empty vocabulary. Received: vocabulary=[]")
        start = self._token_start
        with_special = len(vocabulary) >= start and vocabulary[:start] == self.get_vocabulary()[:start]
        tokens = vocabulary[start:] if with_special else vocabulary
        self._require_fit(tokens, start if with_special else 0)
        weights = None if idf_weights is None else self._padded_weights(idf_weights, vocabulary, with_special)
        self._require_size(start + len(tokens))
        self._take(tokens)
        self.idf_weights = weights
        self._frozen_vocab_size = self.vocabulary_size()

    def _require_fit(self, tokens: list[Any], skipped: int) -> None:
        """Raises ValueError where tokens cannot be a vocabulary."""
        if len(set(tokens)) < len(tokens):
            repeated = [token for token, count in Counter(tokens).items() if count > 1]
            raise ValueError(
                "The passed vocabulary has at least one repeated term. Please uniquify your dataset. The repeated "
                f"terms are: {_shown(repeated)}"
            )
        reserved = {"mask": self.mask_token, "OOV": self.oov_token if self.invert else None}
        for what, token in reserved.items():
            if token is not None and token in tokens:
                special = [*([self.mask_token] * self._oov_start), *([self.oov_token] * min(self.num_oov_indices, 3))]
                raise ValueError(
                    f"Found reserved {what} token at unexpected location in `vocabulary`. Note that passed "
                    "`vocabulary` does not need to include the OOV and mask tokens. Either remove all mask and OOV "
                    "tokens, or include them only at the start of the vocabulary in precisely this order: "
                    f"{special}. Received: {what.lower()}_token={token!r} at vocabulary index "
                    f"{skipped + tokens.index(token)}"
                )
        size = self._token_start + len(tokens)
        if self.max_tokens is not None and size > self.max_tokens:
            raise ValueError(
                "Attempted to set a vocabulary larger than the maximum vocab size. Received vocabulary size is "
                f"{size}; `max_tokens` is {self.max_tokens}."
            )

    def _padded_weights(self, idf_weights: Any, vocabulary: list[Any], with_special: bool) -> Array:
        """One number for each place of a row; special tokens that have none of their own get the mean."""
        weights = np.asarray(idf_weights, floatx())
        if weights.ndim != 1:
            raise ValueError(f"TF-IDF data must be a 1-index array. Received: type(idf_weights)={type(idf_weights)}")
        if len(vocabulary) != len(weights):
            raise ValueError(
                f"`idf_weights` must be the same length as vocabulary. len(idf_weights) is {len(weights)}; "
                f"len(vocabulary) is {len(vocabulary)}"
            )
        return self._padded(weights, 0 if with_special else self._token_start)

    def _padded(self, weights: Array, front: int) -> Array:
        claim((max(front, self.max_tokens or 0) if self.pad_to_max_tokens else front,), f"{self.name}/idf_weights")
        back = max(self.max_tokens - front - len(weights), 0) if self.max_tokens and self.pad_to_max_tokens else 0
        return np.concatenate([np.full(front, weights.mean(), weights.dtype), weights, np.zeros(back, weights.dtype)])

    def _take(self, tokens: list[Any]) -> None:
        """Makes the tables of what is looked up."""
        self._tokens = tokens
        start = self._token_start
        # A dictionary of Python's finds a thousand words in some 50 microseconds, which no sorted array does.
        self._table: dict[Any, int] = dict(zip(tokens, range(start, start + len(tokens)), strict=True))
        if self.mask_token is not None:
            self._table[self.mask_token] = 0 if self.output_mode == "int" else _DROPPED

    def _require_size(self, size: int) -> None:
        if self._has_open_size and self._frozen_vocab_size not in (None, size):
            raise VocabularySizeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, the vocabulary size "
                f"cannot be changed after the layer is called. Old vocab size is {self._frozen_vocab_size}, new vocab "
                f"size is {size}"
            )

    @property
    def _has_open_size(self) -> bool:
        """Whether the length of what it gives is that of the vocabulary."""
        return self.output_mode != "int" and not self.pad_to_max_tokens

    @property
    def _oov_start(self) -> int:
        return int(self.mask_token is not None and self.output_mode == "int")

    @property
    def _token_start(self) -> int:
        return self._oov_start + self.num_oov_indices

    # --- Learning it ---

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns the tokens: the most frequent first, of those as frequent the last in the order of the alphabet.

        Args:
            data: An array or a list of tokens; or an iterable of batches, which are gone through one by one.
            steps: How many batches are taken; by default all.

        Raises:
            ValueError: The vocabulary was given, or the data does not hold tokens.
        """
        self._reset()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Counts the tokens of a batch (n, ...): each of the n is a document for 'tf_idf'."""
        self.require_adaptable(self.name)
        tokens = self._tokens_of(data, "data")
        self.count([tokens.reshape(-1)] if tokens.ndim < 2 else tokens.reshape(len(tokens), -1))

    def require_adaptable(self, name: str) -> None:
        """Raises ValueError where the vocabulary was given when the layer, of this name, was made."""
        if self._has_input_vocabulary:
            raise ValueError(
                f"Cannot adapt layer '{name}' after setting a static vocabulary via `vocabulary` argument or "
                "`set_vocabulary()` method."
            )

    def count(self, documents: Iterable[Any]) -> None:
        """Counts the tokens of each document."""
        for document in documents:
            tokens = document.tolist() if isinstance(document, np.ndarray) else document
            self._counts.update(tokens)
            if self.output_mode == "tf_idf":
                self._document_counts.update(set(tokens))
                self._num_documents += 1

    def finalize_state(self) -> None:
        """Makes what was counted the vocabulary."""
        if self._has_input_vocabulary or not self._counts:
            self._frozen_vocab_size = self.vocabulary_size()
            return
        for special in (self.mask_token, self.oov_token):
            self._counts.pop(special, None)
        found = sorted(self._counts.items(), key=_by_frequency, reverse=True)
        most = None if self.max_tokens is None else max(self.max_tokens - self._token_start, 0)
        tokens = [token for token, _ in found[:most]]
        self._require_size(self._token_start + len(tokens))
        self._take(tokens)
        if self.output_mode == "tf_idf":
            self.idf_weights = self._measured_weights(tokens)
        self._reset()
        self._frozen_vocab_size = self.vocabulary_size()

    def _measured_weights(self, tokens: list[Any]) -> Array:
        """The inverse document frequency of each token, log(1 + documents / (1 + documents with it))."""
        with_it = np.array([self._document_counts[token] for token in tokens], np.float64)
        weights = np.log(1.0 + self._num_documents / (1.0 + with_it)).astype(floatx())
        return self._padded(weights, self._token_start) if len(weights) else self._padded(np.zeros(1, floatx()), 0)

    def reset_state(self) -> None:
        """Forgets what was counted; the vocabulary stays."""
        self._reset()

    def _reset(self) -> None:
        self._counts: Counter[Any] = Counter()
        self._document_counts: Counter[Any] = Counter()
        self._num_documents = 0

    def table(self, left_out: int | None = None) -> dict[Any, int]:
        """The number of each token; that of the mask, which rows leave out, as it is said."""
        numbers = dict(self._table)
        if self.mask_token is not None and left_out is not None:
            numbers[self.mask_token] = left_out
        return numbers

    @property
    def unknown_place(self) -> int:
        """The first of the places of unknown tokens."""
        return self._oov_start

    # --- Looking up ---

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return encoded_shape(input_shape, self.output_mode, self._depth)

    @property
    def _depth(self) -> int | None:
        return self.max_tokens if self.pad_to_max_tokens else self._frozen_vocab_size

    def check_input_shape(self, input_shape: Shape) -> None:  # noqa: ARG002
        if self._has_open_size and self._frozen_vocab_size is None:
            raise VocabularySizeError(
                f"When using `output_mode={self.output_mode}` and `pad_to_max_tokens=False`, you must set the layer's "
                "vocabulary before calling it. Either pass a `vocabulary` argument to the layer, or call `adapt` with "
                "some sample data."
            )

    def _batch(self, x: Any) -> Array:
        return whole_numbers(x, "x", self.name) if self.invert else self._tokens_of(x, "x")

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self.forward(self._batch(x))

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._shape = x.shape
        if self.invert:
            return self._found_tokens(self._batch(x))
        numbers = self.numbers_of(self._batch(x))
        return numbers if self.output_mode == "int" else self.rows_of(numbers)

    def rows_of(self, numbers: Array) -> Array:
        """What rows have for tokens of these numbers (..., tokens of a sample)."""
        depth, mode = self._depth, self.output_mode
        assert depth is not None  # `check_input_shape` has seen to it
        y = encoded(numbers, "count" if mode == "tf_idf" else mode, depth, self.dtype)
        if mode == "tf_idf":
            y *= self._weights_of(depth)
        return y

    def _weights_of(self, depth: int) -> Array:
        if self.idf_weights is None or len(self.idf_weights) != depth:
            raise ValueError("When `output_mode` is `'tf_idf'`, `idf_weights` must be provided.")
        return self.idf_weights

    def numbers_of(self, tokens: Array) -> Array:
        """The number of each token."""
        return self.numbers_in(tokens.reshape(-1).tolist()).reshape(tokens.shape)

    def numbers_in(self, flat: list[Any]) -> Array:
        """The number of each token in a list."""
        default = self._oov_start if self.num_oov_indices == 1 else _UNKNOWN
        numbers = np.fromiter(map(self._table.get, flat, repeat(default)), np.int64, len(flat))
        if self.num_oov_indices != 1:
            unknown = np.flatnonzero(numbers == _UNKNOWN)
            if unknown.size:
                numbers[unknown] = self._oov_start + self._oov_bins([flat[i] for i in unknown])
        return numbers

    def _oov_bins(self, tokens: list[Any]) -> Array:
        if not self.num_oov_indices:
            raise ValueError(
                "When `num_oov_indices=0` all inputs should be in vocabulary, found OOV values "
                f"{_shown(list(dict.fromkeys(tokens)))}, consider setting `num_oov_indices=1`."
            )
        if self._kind == "int64" and self.oov_method == "floormod":
            return np.mod(np.asarray(tokens, np.int64), self.num_oov_indices)
        return bins_of(self._as_bytes(tokens), self.num_oov_indices, self.salt)

    def _found_tokens(self, numbers: Array) -> Array:
        """The token of each number, that for unknown ones where there is none."""
        special = [self.oov_token] * min(self._token_start, 2)
        if self.mask_token is not None:
            special[:1] = [self.mask_token]
        kind: Any = object if self._kind == "string" else np.int64
        names = np.empty(len(special) + len(self._tokens) + 1, kind)
        names[:] = [*special, *self._tokens, self.oov_token]
        start, size = self._token_start, self.vocabulary_size()
        # Numbers of tokens, then those below them, then those that nobody has.
        places = np.where(numbers >= start, numbers - start + len(special), np.minimum(numbers, len(special) - 1))
        known = (numbers >= 0) & (numbers < size)
        return names[np.where(known, places, len(names) - 1)]

    def backward(self, dy: Array) -> Array:  # noqa: ARG002 - a token has no slope
        return np.zeros(self._shape, self.dtype)

    # --- What a file has of it ---

    def vocabulary_holder(self) -> IndexLookup:
        """The layer whose vocabulary goes into files: this one."""
        return self

    @property
    def keeps_vocabulary(self) -> bool:
        """Whether the vocabulary is to be kept in files beside the config, which has one that was given."""
        return self.input_vocabulary is None

    def restore_vocabulary(self, tokens: Sequence[str], idf_weights: Array | None) -> None:
        """Sets the vocabulary, its special tokens in front, to that of a file.

        Raises:
            ValueError: It is none for this layer.
        """
        found = self._from_lines(tokens)
        if len(found) <= self._token_start:  # as it is before anything is learned
            return
        self._require_weights(idf_weights)
        self._set(found, idf_weights)

    def restore_weights(self, idf_weights: Array) -> None:
        """Sets what each word counts for to what a file has; raises ValueError where that is for other words."""
        if self._tokens and self.idf_weights is not None and len(idf_weights) != len(self.idf_weights):
            raise ValueError(f"it has {len(idf_weights)} numbers for {self.vocabulary_size()} places.")
        self.idf_weights = idf_weights

    @property
    def frozen_size(self) -> int | None:
        """How many places the config says there are."""
        return self._frozen_vocab_size

    def get_build_config(self) -> dict[str, Any]:
        return {}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Nothing is to be built."""

    def get_config(self) -> dict[str, Any]:
        own = {
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": self.sparse,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": self.input_idf_weights,
            "vocabulary": self.input_vocabulary,
            "vocabulary_size": self._frozen_vocab_size,
            "oov_method": self.oov_method,
            "salt": self.salt,
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        require_no_path(config)
        return super().from_config(config)


def require_no_path(config: Mapping[str, Any]) -> None:
    """Raises ValueError where a config names a file of words: no config that is written does."""
    if _is_path(config.get("vocabulary")):
        raise ValueError(
            "Requested the loading of a vocabulary file outside of the model archive. This carries a potential risk "
            "of loading arbitrary and sensitive files, so a config may not name one: call `set_vocabulary(path)` "
            f"where you trust it. Vocabulary file: {str(config['vocabulary'])[:200]!r}"
        )


def _by_frequency(counted: tuple[Any, int]) -> tuple[int, Any]:
    token, count = counted
    return count, token


def _is_path(vocabulary: Any) -> bool:
    return isinstance(vocabulary, (str, os.PathLike))


def _read(path: str) -> list[str]:
    """The lines of a file of words."""
    try:
        with open_to_read(path, "vocabulary file") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ValueError(f"Vocabulary file {path} does not exist.") from None
    lines = lines_of(content, f"the vocabulary file {path!r}")
    return lines[:-1] if lines and not lines[-1] else lines  # the last line ends in a line break, as texts do


def _listed(values: Any) -> list[Any] | None:
    """Tokens or numbers as a config has them."""
    if values is None:
        return None
    found = np.asarray(values, object).tolist() if not hasattr(values, "tolist") else values.tolist()
    return [one.decode() if isinstance(one, bytes) else one for one in found] if isinstance(found, list) else [found]


def _shown(tokens: list[Any]) -> str:
    more = f" and {len(tokens) - 10} more" if len(tokens) > 10 else ""
    return f"{[one if not isinstance(one, str) else one[:50] for one in tokens[:10]]}{more}"


def whole_numbers(x: Any, name: str, layer: str) -> Array:
    """An array of whole numbers, be they stored as floats."""
    array = np.asarray(x)
    if array.dtype.kind in "iub":
        return array.astype(np.int64, copy=False)
    if array.dtype.kind == "f":
        if np.isfinite(array).all() and (np.trunc(array) == array).all() and (np.abs(array) < 2.0**63).all():
            return array.astype(np.int64)
        wrong = array[~np.isfinite(array) | (np.trunc(array) != array) | (np.abs(array) >= 2.0**63)][0]
        raise ValueError(f"Layer '{layer}' takes whole numbers: `{name}` holds {wrong}.")
    if array.dtype.kind == "O" and all(is_whole(one) for one in array.flat):
        return array.astype(np.int64)
    raise ValueError(
        f"Layer '{layer}' takes whole numbers: `{name}` is of type {array.dtype}. Words are for `StringLookup`."
    )


def batches_of(data: Any, steps: int | None) -> Iterator[Any]:
    """Data as batches: an array or a list is one of them, with a row for each entry; else what it gives."""
    if isinstance(data, (str, bytes, list, tuple)) or hasattr(data, "__array__") or not hasattr(data, "__iter__"):
        array = np.asarray(data, object) if isinstance(data, (list, tuple)) else np.asarray(data)
        yield array[:, None] if array.ndim == 1 else array
        return
    for number, batch in enumerate(data):
        if steps is not None and number >= steps:
            return
        yield batch
