"""Texts as lists of words' numbers: which words are kept, and what stands for the others.

The numbers are ranks: 1 is the most frequent word. `index_from` moves them up, to make room for what stands for no
word: 0 for the padding, 1 for the start and 2 for a word that is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer.datasets.arrays import Array


class Texts(NamedTuple):
    """Texts, an array of lists of ranks, and their labels."""

    x: Array
    y: Array


class Words(NamedTuple):
    """Which words are kept, and how they are written.

    Attributes:
        num_words: The first number that is left out; None for the largest there is, which Keras leaves out, too.
        skip_top: The first number that is kept.
        start_char: What every text begins with; None for nothing.
        oov_char: What stands for a word that is left out; None for nothing.
        index_from: What is added to every number.
    """

    num_words: int | None
    skip_top: int
    start_char: int | None
    oov_char: int | None
    index_from: int | None

    def check(self) -> Words:
        """The same, where these are numbers; raises ValueError where one is none."""
        optional = ("num_words", "start_char", "oov_char", "index_from")
        for name, value in self._asdict().items():
            if value is not None or name not in optional:
                whole_number(name, value)
        return self


def shuffled(texts: Texts, generator: np.random.RandomState) -> Texts:
    """Texts in a new order."""
    order = np.arange(len(texts.x))
    generator.shuffle(order)
    return Texts(texts.x[order], texts.y[order])


def shorter(texts: Texts, maxlen: int | None, words: Words) -> Texts:
    """The texts of fewer words than `maxlen`, the start counted in; all where that is None or 0.

    Raises:
        ValueError: There is none.
    """
    if not maxlen:
        return texts
    room = whole_number("maxlen", maxlen, 1) - (words.start_char is not None)
    kept = [i for i, text in enumerate(texts.x) if len(text) < room]
    if not kept:
        raise ValueError(
            f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was kept. Increase maxlen: the "
            f"shortest has {min(map(len, texts.x), default=0) + (words.start_char is not None)} words."
        )
    return Texts(texts.x[kept], texts.y[kept])


def written(texts: Sequence[Array], words: Words) -> list[Array]:
    """Several parts of a data set as arrays of lists, by one choice of words for all."""
    largest = max((max(text) for part in texts for text in part if text), default=0)
    shift = words.index_from or 0
    start = [] if words.start_char is None else [words.start_char]
    # With all words Keras takes the largest number for the first that is left out: the rarest word is never kept.
    end = words.num_words or max([largest + shift, *start])

    def kept(number: int) -> int | None:
        return number if words.skip_top <= number < end else words.oov_char

    # One list of all numbers, so that a number that occurs a million times is one object.
    table = [kept(rank + shift) for rank in range(largest + 1)]
    first: list[Any] = [kept(number) for number in start]
    parts = []
    for part in texts:
        found = np.empty(len(part), dtype=object)
        for i, text in enumerate(part):
            found[i] = first + [table[rank] for rank in text]
            if words.oov_char is None:
                found[i] = [number for number in found[i] if number is not None]
        parts.append(found)
    return parts
