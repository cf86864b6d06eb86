"""Words and whole numbers as their places in a vocabulary."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from multilayer._checks.scalars import is_whole
from multilayer._checks.texts import as_texts, known_encoding
from multilayer._names import registry
from multilayer.functional import Array
from multilayer.layers.index_lookup import IndexLookup, whole_numbers

_WHOLE = re.compile("[+-]?[0-9]{1,19}")  # no more digits than 64 bits have


@registry.register("layer")
class StringLookup(IndexLookup):
    """Words as their places in a vocabulary.

    Unknown words get the first places (`num_oov_indices` of them, one by default), then come those of the vocabulary:
    the most frequent first where it is learned by `adapt`.

    Args:
        max_tokens: The most places there may be, those for unknown words among them; None for any number.
        num_oov_indices: How many places unknown words share, by their hash. With 0, an unknown word is an error.
        mask_token: A word that stands for nothing: it gets the place 0, before the unknown ones, and is left out of
            rows of zeros and ones.
        oov_token: What an unknown word is called in the vocabulary, and by `invert`.
        vocabulary: The words, or the path of a file with one a line; None to learn them.
        idf_weights: With 'tf_idf', what each word counts for.
        invert: Whether to go the other way, from places to words.
        output_mode: 'int' for the places; 'one_hot' for a row of zeros and ones for each word; 'multi_hot' for one a
            sample, with a 1 for each word that is there; 'count' for how often it is; 'tf_idf' for that times the
            word's inverse document frequency.
        pad_to_max_tokens: Whether rows are as long as `max_tokens`, however few words there are.
        sparse: Accepted as Keras does; only False.
        encoding: How bytes are read.
        name: Name of the layer.
        salt: A number, or two, that make the hash of unknown words another one.
        oov_method: Accepted as Keras does: words are always hashed.
        vocabulary_size: What a file says how many places there are.
        has_input_vocabulary: What a file says of whether the words were given.
        **kwargs: `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: An argument does not fit, or an input is no text.

    Example:
        >>> layer = StringLookup()
        >>> layer.adapt(["red", "green", "red"])
        >>> layer.get_vocabulary()
        ['[UNK]', 'red', 'green']
        >>> layer([["red", "blue"]])
        array([[1, 0]])
        >>> StringLookup(vocabulary=["a", "b"], output_mode="count")([["a", "a", "z"]])
        array([[1., 2., 0.]], dtype=float32)
    """

    _kind = "string"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str | None = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        oov_method: str = "floormod",
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        self.encoding = known_encoding(encoding)
        kwargs.pop("vocabulary_dtype", None)
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            sparse,
            salt,
            oov_method,
            vocabulary_size,
            has_input_vocabulary,
            name=name,
            **kwargs,
        )

    def _token(self, argument: str, value: Any) -> str:
        if isinstance(value, bytes):
            return value.decode(self.encoding)
        if not isinstance(value, str):
            raise ValueError(f"`{argument}` must be a text or None. Received: {argument}={str(value)[:100]!r}")
        return value

    def _tokens_of(self, values: Any, name: str) -> Array:
        return as_texts(values, name, self.encoding)

    def _as_bytes(self, tokens: Sequence[str]) -> list[bytes]:
        # By the bytes of UTF-8, which is what TensorFlow holds of a text; a lone surrogate has some, too.
        return [token.encode("utf-8", "surrogatepass") for token in tokens]

    def _from_lines(self, lines: Sequence[str]) -> list[str]:
        return list(lines)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "encoding": self.encoding}


@registry.register("layer")
class IntegerLookup(IndexLookup):
    """Whole numbers, such as identifiers, as their places in a vocabulary of numbers.

    Args:
        max_tokens: The most places there may be, those for unknown numbers among them; None for any number.
        num_oov_indices: How many places unknown numbers share: by their remainder, or as `oov_method` says. With 0, an
            unknown number is an error.
        mask_token: A number that stands for nothing: it gets the place 0, before the unknown ones, and is left out of
            rows of zeros and ones.
        oov_token: What an unknown number is called in the vocabulary, and by `invert`.
        vocabulary: The numbers, or the path of a file with one a line; None to learn them.
        vocabulary_dtype: Accepted as Keras does: 'int64'.
        idf_weights: With 'tf_idf', what each number counts for.
        invert: Whether to go the other way, from places to numbers.
        output_mode: See `StringLookup`.
        sparse: Accepted as Keras does; only False.
        pad_to_max_tokens: Whether rows are as long as `max_tokens`, however few numbers there are.
        oov_method: 'floormod' for the remainder of an unknown number, 'farmhash' for its hash, which spreads evenly.
        salt: A number, or two, that make that hash another one.
        name: Name of the layer.
        vocabulary_size: What a file says how many places there are.
        has_input_vocabulary: What a file says of whether the numbers were given.
        **kwargs: `trainable`, `dtype`, `input_shape` of a `Layer`.

    Raises:
        ValueError: An argument does not fit, or an input is no whole number.

    Example:
        >>> IntegerLookup(vocabulary=[12, 36, 1138, 42], num_oov_indices=2)([[12, 1138, 42], [37, 1000, 36]])
        array([[2, 4, 5],
               [1, 0, 3]])
    """

    _kind = "int64"

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int | None = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        vocabulary_size: int | None = None,
        has_input_vocabulary: bool | None = None,
        **kwargs: Any,
    ) -> None:
        if vocabulary_dtype != "int64":
            raise ValueError(
                "Only `vocabulary_dtype='int64'` is supported at this time. Received: vocabulary_dtype="
                f"{str(vocabulary_dtype)[:100]}"
            )
        super().__init__(
            max_tokens,
            num_oov_indices,
            mask_token,
            oov_token,
            vocabulary,
            idf_weights,
            invert,
            output_mode,
            pad_to_max_tokens,
            sparse,
            salt,
            oov_method,
            vocabulary_size,
            has_input_vocabulary,
            name=name,
            **kwargs,
        )

    def _token(self, argument: str, value: Any) -> int:
        if not is_whole(value) or not -(2**63) <= int(value) < 2**63:
            raise ValueError(f"`{argument}` must be a whole number or None. Received: {argument}={str(value)[:100]!r}")
        return int(value)

    def _tokens_of(self, values: Any, name: str) -> Array:
        return whole_numbers(values, name, self.name)

    def _as_bytes(self, tokens: Sequence[int]) -> list[bytes]:
        return [b"%d" % token for token in tokens]

    def _from_lines(self, lines: Sequence[str]) -> list[int]:
        wrong = next((line for line in lines if not _WHOLE.fullmatch(line)), None)
        if wrong is not None:
            raise ValueError(f"a vocabulary of whole numbers holds {wrong[:50]!r}, which is none.")
        return [self._token("vocabulary", int(line)) for line in lines]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "vocabulary_dtype": "int64"}
