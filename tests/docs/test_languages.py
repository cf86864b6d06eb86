"""The site's two languages: every page is in the sidebar of its own, and a Korean page is one of an English page."""

import re

import pytest

from helpers.paths import DOCS

TREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.M | re.S)


def trees():
    """Of each tree of the sidebar: whether its caption is Korean, and the pages that it names."""
    for tree in TREE.findall((DOCS / "index.md").read_text(encoding="utf-8")):
        caption = re.search(r"^:caption: (.*)$", tree, re.M)
        named = [re.sub(r".*<(.+)>$", r"\1", line) for line in tree.splitlines() if line and not line.startswith(":")]
        yield bool(caption and re.search("[가-힣]", caption[1])), named


PAGES = sorted(path.stem for path in DOCS.glob("*.md") if path.stem != "index")
KOREAN_PAGES = sorted(path.stem for path in (DOCS / "ko").glob("*.md"))


@pytest.mark.parametrize("page", PAGES)
def test_an_english_page_is_in_the_english_sidebar_once(page):
    assert [name for korean, named in trees() if not korean for name in named].count(page) == 1


@pytest.mark.parametrize("page", KOREAN_PAGES)
def test_a_korean_page_is_in_the_korean_sidebar_alone(page):
    assert [korean for korean, named in trees() for name in named if name == f"ko/{page}"] == [True]


@pytest.mark.parametrize("page", KOREAN_PAGES)
def test_a_korean_page_is_of_the_name_of_an_english_one(page):
    assert (DOCS / f"{page}.md").exists()
