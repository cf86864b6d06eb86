"""Every so many batches, across epochs."""

from __future__ import annotations


class Frequency:
    """Counts batches, and says when so many have passed.

    Args:
        save_freq: 'epoch', with which no batch is due, or every how many batches.

    Attributes:
        seen: Batches since the last time.

    Raises:
        ValueError: It is neither.

    Example:
        >>> every_third = Frequency(3)
        >>> [every_third.due() for batch in range(6)]
        [False, False, True, False, False, True]
    """

    def __init__(self, save_freq: str | int) -> None:
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if not (isinstance(save_freq, str) and save_freq == "epoch") and not whole:
            raise ValueError(
                f"Unrecognized save_freq: {save_freq}. Expected save_freq are 'epoch' or integer values of at least 1."
            )
        self._every = save_freq
        self.seen = 0

    def due(self) -> bool:
        """Whether it is time, after one more batch."""
        if self._every == "epoch":
            return False
        self.seen += 1
        if self.seen < int(self._every):
            return False
        self.seen = 0
        return True
