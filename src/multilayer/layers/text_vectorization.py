"""Texts as numbers: cleaned, split into words, and looked up."""

from __future__ import annotations

import re
import string
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np

from multilayer._checks.scalars import is_whole
from multilayer._checks.texts import as_texts, known_encoding
from multilayer._names import functions, registry
from multilayer._names.custom_objects import get_registered_object
from multilayer.functional import Array
from multilayer.layers.base import Layer, Shape
from multilayer.layers.categories import encoded_shape, float_dtype, require_dense, require_mode
from multilayer.layers.index_lookup import batches_of, require_no_path
from multilayer.layers.lookup import StringLookup

_MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
_CLEANINGS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = ("whitespace", "character")
_LEFT_OUT = -1  # the number of no token, for rows of zeros and ones

# Letters of ASCII alone, as in TensorFlow: an 'Ä' stays one.
_TO_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_TABLES = {
    "lower": _TO_LOWER,
    "strip_punctuation": _NO_PUNCTUATION,
    "lower_and_strip_punctuation": {**_TO_LOWER, **_NO_PUNCTUATION},
}
# What Python splits at and TensorFlow does not, which knows the white space of ASCII.
_OTHER_SPACE = re.compile("[\x1c-\x1f\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]")
_WORD = re.compile("[^ \t\n\r\x0b\x0c]+")


@registry.register("layer")
class TextVectorization(Layer):
    """Texts as the numbers of their words, or as rows of how often each word is there.

    A text is cleaned (`standardize`), split into words (`split`), these are joined (`ngrams`) and looked up. The
    number 0 fills up shorter texts, 1 is an unknown word, and the most frequent word is 2.

    Args:
        max_tokens: The most places of the vocabulary, the special ones among them; None for any number.
        standardize: 'lower_and_strip_punctuation', 'lower', 'strip_punctuation', None, or a function of an array of
            texts that returns one.
        split: 'whitespace', 'character', None where the input is words already, or a function of an array of texts
            that returns a list of words for each.
        ngrams: n for all runs of up to n words beside single ones, or a tuple of lengths of runs.
        output_mode: 'int' for the numbers of the words in their order; 'multi_hot', 'count' and 'tf_idf' for a row a
            text, as for `StringLookup`.
        output_sequence_length: With 'int', how many numbers each text has: cut, or filled up with 0. None for as many
            as the longest of the batch has.
        pad_to_max_tokens: Whether rows are as long as `max_tokens`, however few words there are.
        vocabulary: The words, or the path of a file with one a line; None to learn them by `adapt`.
        idf_weights: With 'tf_idf', what each word counts for.
        sparse: Accepted as Keras does; only False.
        ragged: Accepted as Keras does; only False.
        encoding: How bytes are read.
        name: Name of the layer.
        vocabulary_size: What a file says how many places there are.
        has_input_vocabulary: What a file says of whether the words were given.
        **kwargs: `trainable`, `dtype`, `input_shape` of a `Layer`.

    Input (n,) or (n, 1) of texts; output (n, length) or (n, places).

    Raises:
        ValueError: An argument does not fit, or an input is no text.

    Example:
        >>> layer = TextVectorization(output_sequence_length=4)
        >>> layer.adapt(["foo bar", "bar baz", "baz bada boom"])
        >>> layer.get_vocabulary()
        ['', '[UNK]', 'baz', 'bar', 'foo', 'boom', 'bada']
        >>> layer([["Foo qux, bar!"], ["qux baz"]])
        array([[4, 1, 3, 0],
               [1, 2, 0, 0]])
    """

    _nothing_to_build = True
    _holds_layers = True
    input_dtype = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        require_dense(sparse)
        if ragged:
            raise ValueError(
                "`ragged=True` is out of scope: arrays have rows of one length here. Leave it out: shorter texts are "
                "filled up with 0, which `Embedding(mask_zero=True)` leaves out of a mean."
            )
        for argument, given, allowed in (("standardize", standardize, _CLEANINGS), ("split", split, _SPLITS)):
            if given is not None and not callable(given):
                require_mode(self, argument, given, allowed)
        output_mode = {"binary": "multi_hot", "tf-idf": "tf_idf"}.get(str(output_mode), output_mode)
        require_mode(self, "output_mode", output_mode, _MODES)
        _check_length(output_mode, output_sequence_length)
        super().__init__(name=name, **{**kwargs, "dtype": float_dtype(kwargs.get("dtype"))})
        self.encoding = known_encoding(encoding)
        self._standardize, self._split = standardize, split
        self._ngrams = _widths(ngrams)
        self._ngrams_argument = ngrams
        self._output_mode = output_mode
        self._output_sequence_length = None if output_sequence_length is None else int(output_sequence_length)
        self.output_dtype = "int64" if output_mode == "int" else None
        self._lookup_layer = StringLookup(
            max_tokens=max_tokens,
            vocabulary=vocabulary,
            idf_weights=idf_weights,
            pad_to_max_tokens=pad_to_max_tokens,
            mask_token="",
            output_mode=output_mode,
            encoding=encoding,
            vocabulary_size=vocabulary_size,
            has_input_vocabulary=has_input_vocabulary,
            dtype=self.dtype,
        )

    # --- The vocabulary, which is that of the `StringLookup` within ---

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:  # noqa: ARG002
        """Learns the words: the most frequent first.

        Args:
            data: An array or a list of texts; or an iterable of batches, which are gone through one by one.
            batch_size: Accepted as Keras does.
            steps: How many batches are taken; by default all.

        Raises:
            ValueError: The vocabulary was given, or the data does not hold texts.
        """
        self.reset_state()
        for batch in batches_of(data, steps):
            self.update_state(batch)
        self.finalize_state()

    def update_state(self, data: Any) -> None:
        """Counts the words of a batch of texts."""
        self._lookup_layer.require_adaptable(self.name)
        texts = as_texts(data, "data", self.encoding)
        if self._split is None and self._ngrams is None:
            self._lookup_layer.update_state(self._cleaned(texts))
        else:
            self._lookup_layer.count(self._words(texts)[0])

    def finalize_state(self) -> None:
        """Makes what was counted the vocabulary."""
        self._lookup_layer.finalize_state()

    def reset_state(self) -> None:
        """Forgets what was counted; the vocabulary stays."""
        self._lookup_layer.reset_state()

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words in the order of their numbers; see `StringLookup.get_vocabulary`."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many places there are, those for filling up and for unknown words among them."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Sets the words, and what each counts for in 'tf_idf' mode; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def vocabulary_holder(self) -> StringLookup:
        """The layer whose vocabulary goes into files: that within."""
        return self._lookup_layer

    # --- From texts to words ---

    def _cleaned(self, texts: Array) -> Array:
        if callable(self._standardize):
            return as_texts(self._standardize(texts.astype(str)), "what `standardize` returned", self.encoding)
        if self._standardize is None:
            return texts
        table = _TABLES[self._standardize]
        cleaned = np.empty(texts.size, object)
        cleaned[:] = [text.translate(table) for text in texts.reshape(-1).tolist()]
        return cleaned.reshape(texts.shape)

    def _words(self, texts: Array) -> tuple[list[list[str]], tuple[int, ...]]:
        """The words of each text, and the shape in which the texts stand."""
        texts = self._cleaned(texts)
        if self._split is None:
            shape = texts.shape[:-1]
            words = texts.reshape(-1, texts.shape[-1]).tolist() if texts.ndim else [[texts.item()]]
        else:
            self._require_one_a_row(texts.shape)
            shape = texts.shape[:-1] if texts.ndim > 1 else texts.shape
            words = self._split_up(texts.reshape(-1))
        if self._ngrams is not None:
            words = [_runs(one, self._ngrams) for one in words]
        return words, shape

    def _require_one_a_row(self, shape: Sequence[int | None]) -> None:
        if len(shape) > 1 and shape[-1] != 1:
            raise ValueError(
                "When using `TextVectorization` to tokenize strings, the input rank must be 1 or the last shape "
                f"dimension must be 1. Received: inputs.shape={tuple(shape)} with rank={len(shape)}"
            )

    def _split_up(self, texts: Array) -> list[list[str]]:
        if self._split == "character":
            return [list(text) for text in texts.tolist()]
        if self._split == "whitespace":
            return [_split_at_space(text) for text in texts.tolist()]
        found = self._split(texts.astype(str))
        words = [one.tolist() if isinstance(one, np.ndarray) else list(one) for one in found]
        if len(words) != len(texts) or not all(isinstance(word, str) for one in words for word in one):
            raise ValueError(
                f"`split` must return a list of words for each text. For {len(texts)} texts it returned "
                f"{str(found)[:200]}"
            )
        return words

    # --- As a layer ---

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if self._split is None and self._ngrams is None:
            inner: Shape = tuple(input_shape)
        else:
            inner = (*(input_shape[:-1] if len(input_shape) > 1 else input_shape), None)
        if self._output_mode == "int":
            return (*inner[:-1], inner[-1] if self._output_sequence_length is None else self._output_sequence_length)
        depth = self._lookup_layer.compute_output_shape((None, None))[-1]
        return encoded_shape(inner, self._output_mode, depth)

    def check_input_shape(self, input_shape: Shape) -> None:
        if self._split is not None:
            self._require_one_a_row(input_shape)
        self._lookup_layer.check_input_shape(input_shape)

    def _batch(self, x: Any) -> Array:
        return as_texts(x, "x", self.encoding)

    def call(self, x: Any, training: bool = False) -> Any:  # noqa: ARG002
        return self.forward(self._batch(x))

    def forward(self, x: Array, training: bool = False) -> Array:
        if training:
            self._shape = x.shape
        numbers = self._numbers(self._batch(x))
        return numbers if self._output_mode == "int" else self._lookup_layer.rows_of(numbers)

    def _numbers(self, texts: Array) -> Array:
        """The numbers of each text's words (..., length), filled up."""
        as_numbers = self._output_mode == "int"
        words, shape = self._words(texts)
        lengths = np.fromiter(map(len, words), np.intp, len(words))
        wanted = self._output_sequence_length if as_numbers else None
        length = int(lengths.max(initial=0)) if wanted is None else wanted
        if wanted is not None and lengths.max(initial=0) > wanted:
            words = [one[:wanted] for one in words]
            lengths = np.minimum(lengths, wanted)
        numbers = np.full((len(words), length), 0 if as_numbers else _LEFT_OUT, np.int64)
        numbers[np.arange(length) < lengths[:, None]] = self._lookup_layer.numbers_in(list(chain.from_iterable(words)))
        return numbers.reshape(*shape, length)

    def backward(self, dy: Array) -> Array:  # noqa: ARG002 - a text has no slope
        return np.zeros(self._shape, self.dtype)

    def get_config(self) -> dict[str, Any]:
        lookup = self._lookup_layer
        own = {
            "max_tokens": lookup.max_tokens,
            "standardize": _described(self._standardize),
            "split": _described(self._split),
            "ngrams": self._ngrams_argument,
            "output_mode": self._output_mode,
            "output_sequence_length": self._output_sequence_length,
            "pad_to_max_tokens": lookup.pad_to_max_tokens,
            "sparse": False,
            "ragged": False,
            "vocabulary": lookup.input_vocabulary,
            "idf_weights": lookup.input_idf_weights,
            "encoding": self.encoding,
            "vocabulary_size": self.vocabulary_size(),
        }
        return {**super().get_config(), **own}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Layer:
        require_no_path(config)
        given = dict(config)
        for key in {"standardize", "split"} & set(given):
            given[key] = _named(given[key])
        if isinstance(given.get("ngrams"), list):
            given["ngrams"] = tuple(given["ngrams"])
        return super().from_config(given)


def _described(function: Any) -> Any:
    return functions.described(function) if callable(function) else function


def _named(described: Any) -> Any:
    """The function that a config describes, by the name that the program has for it."""
    if not isinstance(described, dict):
        return described
    name = described.get("config")
    found = get_registered_object(name) if isinstance(name, str) else None
    if not callable(found):
        raise ValueError(
            f"Could not locate function {str(name)[:100]!r}, by which texts were cleaned or split: only functions are "
            f"called that the program names. Pass `custom_objects={{{str(name)[:100]!r}: function}}`, or enter the "
            "function by `@saving.register_keras_serializable()` before."
        )
    return found


def _check_length(output_mode: str, length: Any) -> None:
    if output_mode != "int" and length is not None:
        raise ValueError(
            "`output_sequence_length` must not be set if `output_mode` is not 'int'. Received "
            f"output_sequence_length={str(length)[:100]}."
        )
    if length is not None and not is_whole(length, 0):
        raise ValueError(
            "`output_sequence_length` must be either None or an integer when `output_mode` is 'int'. Received: "
            f"output_sequence_length={str(length)[:100]}"
        )


def _widths(ngrams: Any) -> Sequence[int] | None:
    """The lengths of runs of words that are looked up."""
    if ngrams is None:
        return None
    if is_whole(ngrams, 1):
        return range(1, int(ngrams) + 1)  # no tuple: a file may say any number
    if not isinstance(ngrams, tuple) or not all(is_whole(one, 1) for one in ngrams):
        raise ValueError(
            f"`ngrams` must be None, an integer, or a tuple of integers. Received: ngrams={str(ngrams)[:100]}"
        )
    return ngrams


def _runs(words: list[str], widths: Iterable[int]) -> list[str]:
    """All runs of words of these lengths, joined by spaces, those of the first length first."""
    found: list[str] = []
    longest = len(words)
    for width in widths:
        if width <= longest:
            found += words if width == 1 else map(" ".join, zip(*(words[i:] for i in range(width)), strict=False))
        elif isinstance(widths, range):
            break  # none is as long, and all further ones are longer
    return found


def _split_at_space(text: str) -> list[str]:
    return _WORD.findall(text) if _OTHER_SPACE.search(text) else text.split()
