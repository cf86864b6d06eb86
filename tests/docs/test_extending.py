"""The examples of docs/extending.md run, in order, and print what stands there; the Korean page has the same code."""

import ast
import doctest

from helpers.paths import DOCS

PAGE = DOCS / "extending.md"
KOREAN = DOCS / "ko" / "extending.md"


def examples_of(page):
    text = page.read_text(encoding="utf-8").replace("```python", "").replace("```", "")
    return doctest.DocTestParser().get_doctest(text, {}, "extending", str(page), 0)


def test_every_example_prints_what_the_page_says():
    examples = examples_of(PAGE)
    assert len(examples.examples) > 40
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples, out=report.append)
    assert result.failed == 0, "".join(report)


def test_both_languages_have_the_same_code_but_for_comments():
    def code(page):
        return [(ast.unparse(ast.parse(one.source)), one.want) for one in examples_of(page).examples]

    assert code(KOREAN) == code(PAGE)


def test_both_languages_have_the_same_parts():
    def parts(page):
        begins = (line[:4] for line in page.read_text(encoding="utf-8").split("\n"))
        return [
            begin if begin == "    " else begin[:2]
            for begin in begins
            if begin[:2] in ("# ", "##", "- ") or begin == "    "
        ]

    assert parts(KOREAN) == parts(PAGE)
