"""Letters of Korean, Chinese and Japanese in plots, which matplotlib's own font lacks: from a font that is installed.

The user's settings stay as they are: only texts that hold such letters get another font, behind their own. Where none
is installed, labels of plots are English, and one line says what to install.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING, Any

from multilayer._language import language, tr

if TYPE_CHECKING:
    from matplotlib.artist import Artist

# Those of Linux, Windows and macOS, Korean ones first.
FAMILIES = (
    "Noto Sans CJK KR", "Noto Sans KR", "Source Han Sans KR", "NanumGothic", "NanumBarunGothic", "Malgun Gothic",
    "Apple SD Gothic Neo", "AppleGothic", "UnDotum", "Baekmuk Dotum", "Noto Sans CJK JP", "Noto Sans CJK SC",
)  # fmt: skip
_LETTERS = re.compile(r"[\u1100-\u11ff\u3040-\u318f\u3400-\u9fff\ua960-\ua97f\uac00-\ud7ff]")


@functools.cache
def installed() -> tuple[str, ...]:
    """The fonts with such letters that this machine has."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return tuple(name for name in FAMILIES if name in there)


@functools.cache  # so that it is said once
def _missing() -> None:
    warnings.warn(
        "No font with Korean letters is installed: plots are labelled in English, and Korean text becomes boxes. "
        "Install Nanum Gothic (Debian and Ubuntu: `apt install fonts-nanum`; others: https://hangeul.naver.com/font), "
        "then delete matplotlib's cache, the folder that `matplotlib.get_cachedir()` names.",
        stacklevel=3,
    )


def spoken(text: str, /, **values: Any) -> str:
    """A text of a plot in the language that is spoken; in English where no font has its letters.

    Example:
        >>> spoken("{count} steps", count=3)
        '3 steps'
    """
    if language() != "en" and not installed():
        _missing()
        return text.format(**values) if values else text
    return tr(text, **values)


def give(artist: Artist) -> None:
    """Gives the texts of a figure, or of axes, whose letters matplotlib's own font lacks, one that has them."""
    from matplotlib.text import Text

    for one in artist.findobj(Text):
        if isinstance(one, Text) and _LETTERS.search(one.get_text()):
            families = [*one.get_fontfamily(), *(name for name in installed() if name not in one.get_fontfamily())]
            if not installed():
                _missing()
            one.set_fontfamily(families)
