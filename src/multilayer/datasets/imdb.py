"""IMDB: 50,000 reviews of films as numbers of words, half of them in praise."""

from __future__ import annotations

import numpy as np

from multilayer._tracebacks import filter_traceback
from multilayer.datasets import whole
from multilayer.datasets.arrays import Splits
from multilayer.datasets.description import as_keras_has_it
from multilayer.datasets.word_sequences import Texts, Words, shorter, shuffled, written

_IMDB = as_keras_has_it(
    "imdb",
    "imdb.npz",
    size=20_000_000,
    digest="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
)
_INDEX = as_keras_has_it(
    "imdb",
    "imdb_word_index.json",
    size=2_000_000,
    digest="bfafd718b763782e994055a2d397834f",
)


@filter_traceback
def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int | None = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Splits:
    """Loads IMDB: 25,000 reviews to train on and as many to test on, each a list of its words' numbers.

    A word's number is its rank among all words of the reviews, 1 for the most frequent, and `index_from` more than that
    in what is returned; 0 is left for the padding (`utils.pad_sequences`). `get_word_index` has the words.

    It looks for `imdb.npz`, as Keras publishes it, in

    1. `$MULTILAYER_DATASETS/imdb`,
    2. the cache, `$MULTILAYER_HOME/datasets/imdb` (`~/.multilayer/datasets/imdb` by default),
    3. Keras' own cache, `$KERAS_HOME/datasets` (`~/.keras/datasets` by default),

    and downloads it into the cache where none of them has it. The reviews, their numbers and their order are those of
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
        maxlen: Reviews of so many words or more, the start counted, are left out; None for no limit.
        seed: Seed of the order of the reviews.
        start_char: The number that every review begins with; None for none.
        oov_char: The number in the place of a word that is left out; None to drop such words.
        index_from: What is added to every word's rank.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: x are arrays of lists, shape (n,), y are 1 for praise and 0 for the
        opposite, shape (n,).

    Raises:
        DatasetCorruptError: A file is there whose SHA-256 is not that of the published one.
        DatasetUnavailableError: It is in none of these places and cannot be downloaded.
        ValueError: An argument is no number, or no review is shorter than `maxlen`.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data(num_words=10_000)  # doctest: +SKIP
        >>> len(x_train), max(map(max, x_train))  # doctest: +SKIP
        (25000, 9999)

    Source: Maas et al., "Learning word vectors for sentiment analysis", 2011, https://ai.stanford.edu/~amaas/data/sentiment/.
    """
    words = Words(num_words, skip_top, start_char, oov_char, index_from).check()
    x_train, y_train, x_test, y_test = whole.load_arrays(_IMDB, path, ("x_train", "y_train", "x_test", "y_test"))
    generator = np.random.RandomState(seed)  # Keras' order; first the one half, then the other
    train = shorter(shuffled(Texts(x_train, y_train), generator), maxlen, words)
    test = shorter(shuffled(Texts(x_test, y_test), generator), maxlen, words)
    x_train, x_test = written([train.x, test.x], words)
    return (x_train, train.y), (x_test, test.y)


@filter_traceback
def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The rank of each word in IMDB's reviews, 1 for the most frequent; `load_data` adds `index_from` to it.

    It is looked for, and downloaded, as by `load_data`. Of this file Keras publishes an MD5 alone; it is JSON, in which
    there is nothing to run.

    Args:
        path: Name of the file to look for in each place, or an absolute path.

    Raises:
        DatasetCorruptError: A file is there whose MD5 is not that of the published one.
        DatasetUnavailableError: It is in none of the places and cannot be downloaded.

    Example:
        >>> (x_train, _), _ = load_data()  # doctest: +SKIP
        >>> words = {rank + 3: word for word, rank in get_word_index().items()}  # doctest: +SKIP
        >>> " ".join(words.get(number, "?") for number in x_train[0][:7])  # doctest: +SKIP
        '? this film was just brilliant casting'
    """
    return whole.load_index(_INDEX, path)
