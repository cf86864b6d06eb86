"""What a network takes of a microcontroller, and whether that is more than it has."""

from __future__ import annotations

from typing import NamedTuple

from multilayer._checks.scalars import is_whole


class Budget(NamedTuple):
    """What a network takes.

    Attributes:
        flash: Bytes of constants; the code comes beside them.
        code: About how many bytes of code, for a Cortex-M with -Os and without the C library.
        work: Bytes of working memory.
        inputs: Bytes of what comes in.
        outputs: Bytes of what comes out.
        multiplications: Products for one sample.
    """

    flash: int
    code: int
    work: int
    inputs: int
    outputs: int
    multiplications: int

    @property
    def ram(self) -> int:
        """Bytes of all buffers."""
        return self.work + self.inputs + self.outputs

    def require(self, flash: int | None, ram: int | None) -> None:
        """Raises ValueError where the network takes more than these bytes of flash or of RAM."""
        for name, limit, taken, parts in (
            ("flash", flash, self.flash + self.code, f"{self.flash:,} of constants, about {self.code:,} of code"),
            ("ram", ram, self.ram, f"work {self.work:,}, inputs {self.inputs:,}, outputs {self.outputs:,}"),
        ):
            if limit is not None and not is_whole(limit, 1):
                raise ValueError(f"`{name}` is a number of bytes, at least 1, or None. Received: {name}={limit!r}")
            if limit is not None and taken > limit:
                raise ValueError(
                    f"The network takes {taken:,} bytes of {'RAM' if name == 'ram' else name} ({parts}), and `{name}` "
                    f"allows {limit:,}. Make its layers smaller; nothing was written."
                )

    def __str__(self) -> str:
        return (
            f"flash: {self.flash:,} bytes of constants, and about {self.code:,} of code\n"
            f"RAM: {self.ram:,} bytes (work {self.work:,}, inputs {self.inputs:,}, outputs {self.outputs:,})\n"
            f"multiplications: {self.multiplications:,} a sample"
        )
