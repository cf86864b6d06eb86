"""Reuters: 11,228 newswires of 1987 as numbers of words, on 46 topics."""

from __future__ import annotations

import numpy as np

from multilayer._checks.scalars import real_number
from multilayer._tracebacks import filter_traceback
from multilayer.datasets import whole
from multilayer.datasets.arrays import Splits
from multilayer.datasets.description import as_keras_has_it
from multilayer.datasets.word_sequences import Texts, Words, shorter, shuffled, written

_REUTERS = as_keras_has_it(
    "reuters",
    "reuters.npz",
    size=3_000_000,
    digest="d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
)
_INDEX = as_keras_has_it(
    "reuters",
    "reuters_word_index.json",
    size=1_000_000,
    digest="4d44cc38712099c9e383dc6e5f11a921",
)
_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass "
    "crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi "
    "iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


@filter_traceback
def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int | None = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Splits:
    """Loads Reuters: 11,228 newswires, each a list of its words' numbers, and its topic, one of 46.

    A word's number is its rank among all words of the newswires, 1 for the most frequent, and `index_from` more than
    that in what is returned; 0 is left for the padding (`utils.pad_sequences`). `get_word_index` has the words,
    `get_label_names` the topics.

    It looks for `reuters.npz`, as Keras publishes it, in

    1. `$MULTILAYER_DATASETS/reuters`,
    2. the cache, `$MULTILAYER_HOME/datasets/reuters` (`~/.multilayer/datasets/reuters` by default),
    3. Keras' own cache, `$KERAS_HOME/datasets` (`~/.keras/datasets` by default),

    and downloads it into the cache where none of them has it. The newswires, their numbers and their order are those of
    Keras.

    The lists in the file are pickled, and a pickle can run whatever its maker wants: so the file is read only after its
    SHA-256 is that of the published one, wherever it lies, and then by an unpickler that makes lists of numbers and
    refuses all else.

    Args:
        path: Name of the file to look for in each of these places; an absolute path is looked at first of all. Unlike
            Keras', a download never writes it: it goes to the cache.
        num_words: Numbers from here on are left out, that is, the rarer words; None for the largest number alone, which
            Keras leaves out, too.
        skip_top: Numbers below are left out, that is, the most frequent words; `index_from` counts.
        maxlen: Newswires of so many words or more, the start counted, are left out; None for no limit.
        test_split: Share of the newswires to test on.
        seed: Seed of the order of the newswires.
        start_char: The number that every newswire begins with; None for none.
        oov_char: The number in the place of a word that is left out; None to drop such words.
        index_from: What is added to every word's rank.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x are arrays of lists, shape (n,), y are topics, shape (n,).

    Raises:
        DatasetCorruptError: A file is there whose SHA-256 is not that of the published one.
        DatasetUnavailableError: It is in none of these places and cannot be downloaded.
        ValueError: An argument is no number, or no newswire is shorter than `maxlen`.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data(num_words=10_000)  # doctest: +SKIP
        >>> len(x_train), len(x_test), get_label_names()[y_train[0]]  # doctest: +SKIP
        (8982, 2246, 'earn')

    Source: Lewis, "Reuters-21578 text categorization test collection", 1997; made ready for Keras,
    https://github.com/keras-team/keras/issues/12072.
    """
    words = Words(num_words, skip_top, start_char, oov_char, index_from).check()
    real_number("test_split", test_split, least=0, most=1)
    x, y = whole.load_arrays(_REUTERS, path, ("x", "y"))
    generator = np.random.RandomState(seed)  # Keras' order
    texts = shorter(shuffled(Texts(x, y), generator), maxlen, words)
    (found,) = written([texts.x], words)
    kept = int(len(found) * (1 - test_split))
    return (found[:kept], texts.y[:kept]), (found[kept:], texts.y[kept:])


@filter_traceback
def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The rank of each word in Reuters' newswires, 1 for the most frequent; `load_data` adds `index_from` to it.

    It is looked for, and downloaded, as by `load_data`. Of this file Keras publishes an MD5 alone; it is JSON, in which
    there is nothing to run.

    Args:
        path: Name of the file to look for in each place, or an absolute path.

    Raises:
        DatasetCorruptError: A file is there whose MD5 is not that of the published one.
        DatasetUnavailableError: It is in none of the places and cannot be downloaded.

    Example:
        >>> get_word_index()["the"]  # doctest: +SKIP
        1
    """
    return whole.load_index(_INDEX, path)


def get_label_names() -> tuple[str, ...]:
    """The 46 topics of Reuters, in the order of their numbers.

    Example:
        >>> get_label_names()[:4]
        ('cocoa', 'grain', 'veg-oil', 'earn')
    """
    return tuple(_TOPICS.split())
