"""The command line in the language that is spoken: its help, and what typer says of commands that are wrong."""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

from multilayer._language import language, later, locales, tr


def begin() -> None:
    """Has typer's own texts translated by this library's catalogue; before typer is imported, which asks for them then.

    The texts go through Python's `gettext`, which has one catalogue for a program and reads its language from the
    environment.
    """
    if language() != "en":
        os.environ["LANGUAGE"] = language()
        gettext.bindtextdomain("multilayer", str(locales()))
        gettext.textdomain("multilayer")
        _measure_by_cells()


def _measure_by_cells() -> None:
    """Has rich cut the spaces at a line's end by the width that letters take: it counts letters, and Korean takes two.

    Where a line with its last space is one cell too wide, the last letter would be lost.
    """
    try:
        from rich.text import Text
    except ModuleNotFoundError:  # of which the command line says itself what to install
        return

    def rstrip_end(self: Text, size: int) -> None:
        spaces = len(self.plain) - len(self.plain.rstrip())
        excess = min(spaces, self.cell_len - size)
        if excess > 0:
            self.right_crop(excess)

    Text.rstrip_end = rstrip_end  # type: ignore[method-assign]


# What typer says without asking `gettext`, as its versions from 0.20 on do: a pattern, and the catalogue's text for it.
_MISTAKES = (
    (r"Invalid value for (?P<param_hint>.+?): (?P<message>.*)", later("Invalid value for {param_hint}: {message}")),
    (r"Invalid value: (?P<message>.*)", later("Invalid value: {message}")),
    (r"Missing argument (?P<name>.*)\.", later("Missing argument {name}.")),
    (r"Missing option (?P<name>.*)\.", later("Missing option {name}.")),
    (r"No such option: (?P<name>\S+) \(Possible options: (?P<others>.*)\)",
     later("No such option: {name} (possible: {others})")),
    (r"No such option: (?P<name>\S+)", later("No such option: {name}")),
    (r"(?P<message>.*) Did you mean (?P<others>.*)\?", later("{message} Did you mean {others}?")),
    (r"Input should be greater than or equal to (?P<least>.*)", later("it must be at least {least}")),
    (r"Input should be less than or equal to (?P<most>.*)", later("it must be at most {most}")),
    (r"Input should be a valid integer.*", later("it must be a whole number")),
    (r"Input should be a valid number.*", later("it must be a number")),
)  # fmt: skip


def explained(message: str) -> str:
    """What typer says of a mistake, in the language that is spoken; what it says otherwise stays as it is."""
    for pattern, text in _MISTAKES:
        found = re.fullmatch(pattern, message, re.DOTALL)
        if found:
            values = found.groupdict()
            if "message" in values:
                values["message"] = explained(values["message"])
            return tr(text, **values)
    return message


def translate(command: Any) -> None:
    """Translates what the help of a command says, of its options, of the commands in it, and what mistakes are told."""
    for owner, attribute in help_texts(command):
        setattr(owner, attribute, tr(getattr(owner, attribute)))
    if language() != "en":
        import typer

        _explain(typer.BadParameter.__mro__[1])  # `UsageError`, which typer does not give itself
        _translate_usage(command)


def _explain(kind: Any) -> None:
    """Has mistakes of a kind, and of those derived from it, be told in the language that is spoken."""
    for derived in kind.__subclasses__():
        if "format_message" in vars(derived):
            _explain(derived)
    kind.format_message = _explaining(kind.format_message)


def _explaining(said: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda error: explained(said(error))


def _translate_usage(command: Any) -> None:
    """Has a command, and those in it, say how they are used, and what asks for help."""
    usage, option = command.get_usage, command.get_help_option

    def get_usage(context: Any) -> str:
        return str(usage(context)).replace("Usage: ", tr("Usage: "), 1)

    def get_help_option(context: Any) -> Any:
        found = option(context)
        if found is not None and found.help:
            found.help = tr(found.help)
        return found

    command.get_usage, command.get_help_option = get_usage, get_help_option
    for one in getattr(command, "commands", {}).values():
        _translate_usage(one)


def help_texts(command: Any) -> Iterator[tuple[Any, str]]:
    """Where the help has its texts: the objects, and their attributes."""
    owners: list[tuple[Any, tuple[str, ...]]] = [(command, ("help", "epilog"))]
    owners += [(parameter, ("help", "show_default", "rich_help_panel")) for parameter in command.params]
    for owner, attributes in owners:
        for attribute in attributes:
            if isinstance(getattr(owner, attribute, None), str) and getattr(owner, attribute):
                yield owner, attribute
    for one in getattr(command, "commands", {}).values():
        yield from help_texts(one)
