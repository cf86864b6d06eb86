"""The snippets of the pages that lead into the library run, in order, as they stand; the Korean pages have the same code.

A snippet in which another library computes (Keras, PyTorch, JAX) runs where that is installed: `pytest -m interop`.
"""

import ast
import doctest
import re
import warnings

import pytest

from helpers.paths import DOCS

PAGES = ["which-network", "practice"]
OTHERS = re.compile(r"^\s*(import|from) (keras|torch|jax|dask|safetensors|onnxruntime)\b", re.M)


def snippets(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


def run(page, snippet, names):
    """Runs a snippet among the names of those before it. One with prompts gives what stands there."""
    if not snippet.startswith(">>>"):
        exec(compile(snippet, page.name, "exec"), names)
        return
    test = doctest.DocTestParser().get_doctest(snippet, {}, page.name, str(page), 0)
    test.globs = names
    report = []
    doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS).run(
        test, out=report.append, clear_globs=False
    )
    assert not report, "".join(report)


@pytest.mark.parametrize("name", PAGES)
def test_every_snippet_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page, names = DOCS / f"{name}.md", {"__name__": "__main__"}
    for snippet in snippets(page):
        if not OTHERS.search(snippet):
            run(page, snippet, names)


@pytest.mark.parametrize("name", PAGES)
def test_both_languages_have_the_same_code_but_for_comments(name):
    def code(page):
        return [
            [(ast.unparse(ast.parse(one.source)), one.want) for one in doctest.DocTestParser().get_examples(snippet)]
            if snippet.startswith(">>>")
            else ast.unparse(ast.parse(snippet))
            for snippet in snippets(page)
        ]

    assert code(DOCS / "ko" / f"{name}.md") == code(DOCS / f"{name}.md")
