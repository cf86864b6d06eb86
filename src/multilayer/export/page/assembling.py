"""The page as one file: its modules of JavaScript, its style and a network, put into its HTML.

There is no build step. A page from a file may not load modules from other files, but a module that stands in the page
itself is one like any other. So all of them stand in one, each below those that it imports, and each within a function
of its own that returns what it exports:

    const { affine, softmax } = (() => { ...the module... return { affine, softmax }; })();

The module is as it is in the repository, but for its lines that import and the word `export`. What modules export is
known to all below by its one name, which no two may have in common; what they do not export is theirs alone.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from importlib import resources
from typing import Any

from multilayer._version import __version__

_IMPORT = re.compile(r'^import (?:\{[^}]*\} from )?"(\.{1,2}/[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export ((?:async )?(?:class|const|function\*?) (\w+))", re.MULTILINE)

# The views in the order in which they register, which is that of the page; what starts it comes last.
_VIEWS = tuple(
    f"views/{name}.js"
    for name in ("draw", "inputs", "sees", "hidden", "answer", "paths", "mind", "teach", "opened", "tables")
)
_LIVE = ("live.js", "table.js")  # what the server's page has beside them


def assemble(network: dict[str, Any] | None, live: bool = False, title: str = "multilayer") -> str:
    """The page, in one piece that needs nothing from anywhere.

    Args:
        network: What `describe` says of a model; None for a page that gets its network from the server.
        live: Whether it is the server's page, which may ask the server that it came from.
        title: The page's title before its script has one in the reader's language.
    """
    style = _static("style.css") + (_static("live.css") if live else "")
    script = "\n" + joined([*_VIEWS, *(_LIVE if live else ()), "start.js"])
    parts = {
        "policy": _policy(script, style, live),
        "version": __version__,
        "title": _as_text(title),
        "style": style,
        "network": as_json(network),
        "script": script,
    }
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], _static("index.html"))


def joined(roots: Iterable[str]) -> str:
    """These modules and what they import, as one: each once, below what it needs."""
    found: dict[str, str] = {}
    for root in roots:
        _gather(root, found)
    return "\n".join(_enclosed(name, text) for name, text in found.items())


def _enclosed(name: str, text: str) -> str:
    exported = ", ".join(match[2] for match in _EXPORT.finditer(text))
    inner = _EXPORT.sub(r"\1", _IMPORT.sub("", text)).strip()
    begin, end = (f"const {{ {exported} }} = ", f"\nreturn {{ {exported} }};\n") if exported else ("", "\n")
    return f"// === {name} ===\n{begin}(() => {{\n{inner}\n{end}}})();\n"


def _gather(name: str, found: dict[str, str], under_way: tuple[str, ...] = ()) -> None:
    if name in found:
        return
    if name in under_way:
        raise ValueError(f"The page's modules import each other in a circle: {' -> '.join((*under_way, name))}.")
    text = _static(name)
    folder = name.rpartition("/")[0]
    for imported in _IMPORT.findall(text):
        _gather(_resolved(folder, imported), found, (*under_way, name))
    found[name] = text


def _resolved(folder: str, path: str) -> str:
    parts = folder.split("/") if folder else []
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _static(name: str) -> str:
    return resources.files(__package__).joinpath("static", *name.split("/")).read_text(encoding="utf-8")


def _policy(script: str, style: str, live: bool) -> str:
    """What the page may do: run this script and wear this style, and nothing else, whatever a network's names say."""
    asks = "'self'" if live else "'none'"
    return (
        f"default-src 'none'; script-src '{_digest(script)}'; style-src '{_digest(style)}'; img-src data: blob:; "
        f"connect-src {asks}; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; "
        "trusted-types 'none'"
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def as_json(value: Any) -> str:
    r"""A value as JSON that can stand in a page: no text in it ends the element or begins a comment.

    Example:
        >>> print(as_json("</script>"))
        "\u003c/script>"
    """
    written = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return written.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def _as_text(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
