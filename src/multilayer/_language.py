"""The language that the library speaks: English, or Korean where the locale or MULTILAYER_LANG says so.

English is the reference, and stands in the code: `tr("Layer {name!r} is not built.", name=name)`. Where Korean is
spoken, the catalogue in `locale/ko/LC_MESSAGES` has another template for the same values; a text that it has not stays
English. The catalogue is read with the first text that is asked for in Korean, so that English costs nothing. What
programs read is never translated: types of errors, names, keys of JSON, headings of CSV, and those of `Model.summary`.
"""

from __future__ import annotations

import functools
import os
import re
import sys
import warnings
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gettext import GNUTranslations, NullTranslations
    from pathlib import Path

LANGUAGES = ("en", "ko")
_CHOICE = "MULTILAYER_LANG"
_warned_of: set[str] = set()
_BY_GETTEXT = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")  # the first that is set decides


def language() -> str:
    """'ko' or 'en': what MULTILAYER_LANG says, else the locale, as gettext reads it from the environment.

    Example:
        >>> language()
        'en'
    """
    choice = os.environ.get(_CHOICE, "")
    return _decided(choice) if choice else _of_locale()


def _decided(choice: str) -> str:
    tag = _tag(choice)
    if tag in LANGUAGES:
        return tag
    if choice not in _warned_of:
        _warned_of.add(choice)  # before it is said: where warnings are errors, none stands in the place of every other
        warnings.warn(
            f"{_CHOICE}={choice} is no language of this library: expected en or ko. It speaks English.", stacklevel=2
        )
    return "en"


def _of_locale() -> str:
    for name in _BY_GETTEXT:
        value = os.environ.get(name)
        if value:
            tags = map(_tag, value.split(":"))  # LANGUAGE may name several, the best first
            return next((tag for tag in tags if tag in LANGUAGES), "en")
    return "ko" if sys.platform == "win32" and _windows_is_korean() else "en"


def _windows_is_korean() -> bool:
    """Whether the user's locale is Korean, where the environment says nothing of it."""
    import locale

    return locale.setlocale(locale.LC_CTYPE).lower().startswith("ko")  # Korean_Korea.949, which Python has set


def _tag(value: str) -> str:
    """'ko_KR.UTF-8' -> 'ko'."""
    return re.split(r"[_.@-]", value.strip().lower(), maxsplit=1)[0]


def locales() -> Path:
    """The folder of the catalogues."""
    from pathlib import Path  # slow to import

    return Path(__file__).parent / "locale"


@functools.cache
def _catalogue(tag: str) -> GNUTranslations | NullTranslations:
    import gettext

    return gettext.translation("multilayer", locales(), [tag], fallback=True)


def tr(text: str, /, **values: Any) -> str:
    """A text in the language that is spoken, with the values in place of their names in braces.

    Args:
        text: The English text: a template of `str.format` where there are values, else as it is.
        **values: What stands for the names.

    Example:
        >>> tr("Expected at least {least:,} rows; got {count}.", least=1000, count=2)
        'Expected at least 1,000 rows; got 2.'
    """
    spoken = language()
    if spoken != "en" and text:  # what gettext has for the empty text is its header
        text = _catalogue(spoken).gettext(text)
    return text.format(**values) if values else text


def later(text: str) -> str:
    """The English text itself, marked for the catalogue: where it is shown, `tr` translates it.

    Example:
        >>> later("the network")
        'the network'
    """
    return text
