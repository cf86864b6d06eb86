"""The examples of docs/extending.md run, in order, and print what stands there."""

import doctest

from helpers.paths import DOCS

PAGE = DOCS / "extending.md"


def test_every_example_prints_what_the_page_says():
    text = PAGE.read_text(encoding="utf-8").replace("```python", "").replace("```", "")
    examples = doctest.DocTestParser().get_doctest(text, {}, "extending", str(PAGE), 0)
    assert len(examples.examples) > 40
    report: list[str] = []
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples, out=report.append)
    assert result.failed == 0, "".join(report)
