"""Files of words, one a line, as Keras keeps vocabularies in: UTF-8."""

from __future__ import annotations

from collections.abc import Iterable

MOST_BYTES = 2**28  # some twenty million words


def lines_of(content: bytes, what: str) -> list[str]:
    r"""The words in a file, in their order.

    Args:
        content: Its bytes.
        what: What it is called in errors.

    Raises:
        ValueError: It is no text in UTF-8, or larger than any such file.

    Example:
        >>> lines_of(b"[UNK]\nred\n\ngreen", "the file")
        ['[UNK]', 'red', '', 'green']
    """
    if len(content) > MOST_BYTES:
        raise ValueError(f"{what} has more than {MOST_BYTES:,} bytes, and no vocabulary has.")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{what} is no text in UTF-8: byte {error.start:,} is {content[error.start : error.start + 1]!r}."
        ) from error
    # Not by `splitlines`, for which a word may hold the end of a line: U+0085 and U+2028 are such ends, too.
    return text.replace("\r\n", "\n").split("\n") if text else []


def content_of(words: Iterable[object], what: str) -> bytes:
    """The reverse: the bytes of a file of words.

    Raises:
        ValueError: A word holds the end of a line, which nothing could tell from that of the word.
    """
    lines = [str(one) for one in words]
    broken = next((one for one in lines if "\n" in one or one.endswith("\r")), None)
    if broken is not None:
        raise ValueError(
            f"{what} holds {broken[:50]!r}, and a file with one word a line cannot hold a word with a line break. "
            "Replace line breaks in the data, or save to '.npz', which can."
        )
    return "\n".join(lines).encode("utf-8")
