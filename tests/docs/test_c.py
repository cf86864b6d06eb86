"""The examples of docs/c.md run and print what stands there, those in C, too; the Korean page has the same code."""

import ast
import doctest
import re

import pytest

from helpers.c_programs import WARNINGS, built, needs
from helpers.paths import DOCS

PAGE, KOREAN = DOCS / "c.md", DOCS / "ko" / "c.md"


def blocks(page, language):
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def printed(tmp_path, monkeypatch):
    """What the page's Python gives that is not what stands there, after it was run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    test = doctest.DocTestParser().get_doctest("\n".join(blocks(PAGE, "python")), {}, "c", str(PAGE), 0)
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=report.append)
    assert result.attempted > 12
    return "".join(report)


@needs("gcc")
def test_every_example_gives_what_the_page_says(printed, tmp_path):
    assert printed == ""
    (tmp_path / "main.c").write_text(blocks(PAGE, "c")[0])
    built(["gcc", "-std=c99", *WARNINGS, "main.c", "gestures.c", "-o", "gestures", "-lm"], tmp_path)
    assert abs(sum(map(float, built([tmp_path / "gestures"], tmp_path).split())) - 1) < 0.01
    built(["gcc", "-std=c99", "gestures_test.c", "gestures.c", "-o", "gestures_test", "-lm"], tmp_path)
    assert b"passed" in built([tmp_path / "gestures_test"], tmp_path)


def test_both_languages_have_the_same_code_but_for_comments():
    def code(page):
        examples = doctest.DocTestParser().get_examples("\n".join(blocks(page, "python")))
        return [(ast.unparse(ast.parse(one.source)), one.want) for one in examples]

    assert code(KOREAN) == code(PAGE)
    for language in ("c", "cpp"):
        assert blocks(KOREAN, language) == blocks(PAGE, language)
