"""The API reference: `{api}` lists the public names of a module, and their docstrings are read as they are written.

    ```{api} multilayer.layers
    :module:

    Dense
    Layer [inherited]
    set_random_seed = multilayer.random.set_random_seed
    ```

gives a table of these names, then an entry for each: a class with its own documented members, or with those of its
bases too (`inherited`), or none (`bare`); a type by what it stands for (`alias`); and a name that is another's with a
word that says so. With `:module:` what the module says of itself stands first.
"""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.parsers.rst.states import Inliner
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

# A line of {api}: a name, what of it to show, and the name that it stands for.
_LINE = re.compile(r"(?P<name>\w+)(?: \[(?P<how>inherited|bare|alias)\])?(?: = (?P<of>[\w.]+))?")
_SECTION = re.compile(r"(Args|Attributes|Example|Examples|Raises|Returns|Yields|Note|Warns):$")
# What a type is called where a class is named that machinery knows by a protocol.
_STANDS_FOR = {"multilayer._training.protocols.TrainedModel": "multilayer.models.Model"}
_BAR = re.compile(r"(?<![\w|`>])\|(?=\S)")  # |x| would be the name of something to put there instead


def _entry(module: str, name: str, how: str | None) -> list[str]:
    value = getattr(importlib.import_module(module), name)
    if how == "alias":
        return [f".. py:type:: {module}.{name}", f"   :canonical: {value}", ""]
    if not inspect.isclass(value):
        return [f".. auto{'function' if callable(value) else 'data'}:: {module}.{name}", ""]
    options = {None: ["   :members:"], "inherited": ["   :members:", "   :inherited-members: object"], "bare": []}[how]
    return [f".. autoclass:: {module}.{name}", *options, ""]


class Api(SphinxDirective):
    """Documents the names that stand in its lines."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = {"module": directives.flag}

    def run(self) -> list[nodes.Node]:
        """A table of the names, then an entry for each."""
        module = self.arguments[0]
        own: list[tuple[str, str | None]] = []
        others: list[str] = []
        for line in self.content:
            read = _LINE.fullmatch(line)
            if read is None:
                raise self.error(
                    f"{{api}} cannot read {line!r}: expected `name`, `name [how]` or `name = module.other`"
                )
            if read["of"]:
                others.append(f"``{read['name']}`` (:py:obj:`~multilayer.{read['of']}`)")
            else:
                own.append((read["name"], read["how"]))
        text = ["```{eval-rst}", f".. py:currentmodule:: {module}", ""]
        text += [f".. automodule:: {module}", ""] if "module" in self.options else []
        text += [".. autosummary::", "", *(f"   {name}" for name, how in own if how != "alias"), ""] if own else []
        text += [f"Further names: {', '.join(others)}.", ""] if others else []
        text += [line for name, how in own for line in _entry(module, name, how)]
        return self.parse_text_to_nodes("\n".join([*text, "```"]))


def _without_flags(text: str) -> str:
    """What tells doctest how to compare is nothing to read; `sphinx_codeautolink` wants it away beforehand."""
    return re.sub(r" *# doctest: .*", "", text)


def _page_without_flags(app: Sphinx, docname: str, source: list[str]) -> None:
    source[0] = _without_flags(source[0])


def _prepared(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    """Has formulas, which stand indented, set as they are, and keeps napoleon from taking prose for a type."""
    made = ["..", ""] if what in ("attribute", "data", "property") else [""]  # a property's first line is no type
    in_section = literal = False
    for line in map(_without_flags, lines):
        if line and not line[0].isspace():
            in_section, literal = bool(_SECTION.match(line)), False
        elif line.startswith("    ") and not (in_section or literal or made[-1].strip()):
            made += ["::", ""]
            literal = True
        made.append(":returns:" if line == "Returns:" else line if literal else _BAR.sub(r"\\\g<0>", line))
    lines[:] = made


def _code(role: str, raw: str, text: str, line: int, inliner: Inliner, *_: Any) -> tuple[list[nodes.Node], list[Any]]:
    """What stands in single backticks: code, and a link where it names something that the reference has."""
    literal = nodes.literal(raw, text, classes=["code"])
    if not re.fullmatch(r"[A-Za-z_][\w.]*", text):
        return [literal], []
    env = inliner.document.settings.env
    link = pending_xref(raw, literal, refdomain="py", reftype="obj", reftarget=text, refexplicit=False, perhaps=True)
    link.source, link.line = inliner.reporter.get_source_and_line(line)
    link["refdoc"] = env.docname
    link.attributes.update({key: env.ref_context.get(key) for key in ("py:module", "py:class")})
    return [link], []


def _no_link(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.Node) -> nodes.Node | None:
    """Resolves `activations.relu`, too, and leaves as code what has no entry."""
    py = env.domains.python_domain
    if public := _STANDS_FOR.get(node["reftarget"]):
        name = nodes.Text(public.rpartition(".")[2])
        return py.resolve_xref(env, node["refdoc"], app.builder, "class", public, node, name)
    if not node.get("perhaps"):
        return None
    target = f"multilayer.{node['reftarget']}"
    return py.resolve_xref(env, node["refdoc"], app.builder, "obj", target, node, content) or content


def _skipped(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leaves out what scikit-learn adds to each of its estimators: its docstrings refer to pages of its own."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Enters the directive `api` and the role `code_or_link`."""
    app.setup_extension("sphinx.ext.autodoc")
    app.setup_extension("sphinx.ext.autosummary")
    app.add_directive("api", Api)
    app.add_role("code_or_link", _code)
    app.connect("autodoc-process-docstring", _prepared, priority=400)  # before napoleon reads the sections
    app.connect("autodoc-skip-member", _skipped)
    app.connect("source-read", _page_without_flags)
    app.connect("missing-reference", _no_link)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
