"""The snippets of the pages that lead into the library run, in order, as they stand; in Korean they are the same code.

Those in which another library computes run where it is installed: `pytest -m interop`.
"""

import ast
import doctest
import importlib.util
import re
import subprocess
import sys
import textwrap

import pytest

from helpers.paths import DOCS

README, README_KOREAN = DOCS.parent / "README.md", DOCS.parent / "README.ko.md"
PAGES = ["which-network", "practice", "outgrow", "from-keras", "from-scikit-learn", "from-pytorch"]


def snippets(page):
    blocks = re.findall(r"^( *```python\n.*?)^ *```", page.read_text(encoding="utf-8"), re.S | re.M)
    return [textwrap.dedent(block).removeprefix("```python\n") for block in blocks]


def others(snippet):
    """The libraries beside this one in which a snippet computes."""
    return re.findall(r"^import (keras|torch)\b", snippet, re.M)


def run(page, with_others=False):
    """Runs a page's snippets, each among the names of those before it, and checks what those with prompts give."""
    names = {"__name__": "__main__"}
    for snippet in snippets(page):
        if others(snippet) and not with_others:
            continue
        if not snippet.startswith(">>>"):
            exec(compile(snippet, page.name, "exec"), names)
            continue
        test = doctest.DocTestParser().get_doctest(snippet, {}, page.name, str(page), 0)
        test.globs = names
        report = []
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
        runner.run(test, out=report.append, clear_globs=False)
        assert not report, "".join(report)


@pytest.mark.parametrize("name", PAGES)
def test_every_snippet_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(DOCS / f"{name}.md")


@pytest.mark.interop
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("name", ["outgrow", "from-keras", "from-pytorch"])
def test_snippets_of_other_libraries_run_beside_them(name, tmp_path, monkeypatch):
    page = DOCS / f"{name}.md"
    for library in {library for snippet in snippets(page) for library in others(snippet)}:
        if importlib.util.find_spec(library) is None:
            pytest.skip(f"{library} is not installed")
    monkeypatch.chdir(tmp_path)
    run(page, with_others=True)


def test_the_program_for_keras_runs_as_it_is(tmp_path):
    program = next(snippet for snippet in snippets(DOCS / "from-keras.md") if snippet.startswith("import keras\n"))
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    subprocess.run([sys.executable, "-m", "multilayer.as_keras", "program.py"], cwd=tmp_path, check=True, timeout=60)
    assert (tmp_path / "model.keras").exists()


@pytest.mark.parametrize(
    ("english", "korean"),
    [*((DOCS / f"{name}.md", DOCS / "ko" / f"{name}.md") for name in PAGES), (README, README_KOREAN)],
    ids=[*PAGES, "README"],
)
def test_both_languages_have_the_same_code_but_for_comments(english, korean):
    def code(page):
        return [
            [(ast.unparse(ast.parse(one.source)), one.want) for one in doctest.DocTestParser().get_examples(snippet)]
            if snippet.startswith(">>>")
            else ast.unparse(ast.parse(snippet))
            for snippet in snippets(page)
        ]

    assert code(korean) == code(english)
