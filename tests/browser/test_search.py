"""What one finds on the built site: in Korean first what is in Korean, with Korean words around it."""

import re
from urllib.parse import quote

import pytest

# What is typed on the Korean search page, and a page that has to be among the first results.
IN_KOREAN = {
    "과적합": "ko/glossary",
    "과대적합": "ko/glossary",
    "손실함수": "ko/glossary",
    "손실 함수": "tutorial/ko/05-softmax-and-losses",
    "학습률": "tutorial/ko/06-gradient-descent",
    "회귀": "ko/tabular",
    "GPU": "ko/performance",
    "pandas": "ko/tabular",
    "CSV": "ko/tabular",
    "scikit-learn": "ko/tabular",
    "overfitting": "ko/glossary",
    "regression": "ko/glossary",
    "Dense": "api/layers",
}
IN_ENGLISH = {
    "과적합": "ko/glossary",
    "손실 함수": "tutorial/ko/05-softmax-and-losses",
    "overfitting": "glossary",
    "regression": "glossary",
    "pandas": "tabular",
    "CSV": "tutorial/en/13-tables",
    "scikit-learn": "api/sklearn",
    "learning rate": "tutorial/en/06-gradient-descent",
    "Dense": "api/layers",
}
FIRST = 5
HANGUL = re.compile("[가-힣]")


@pytest.fixture(scope="module")
def found(browser, site):
    """`found(page, query)` gives the addresses of the results in order, and what the search page says."""
    page = browser.new_page()
    # What is shown of each result stays away: it is a page to be fetched and read for every one of them.
    page.route("**", lambda route: route.fulfill() if route.request.resource_type == "fetch" else route.continue_())

    def found(name, query):
        page.goto(f"{site}/{name}.html?q={quote(query)}")
        page.locator(".search-summary:not(:empty)").wait_for()
        links = page.locator("ul.search > li > a")
        return links.evaluate_all("links => links.map((link) => link.getAttribute('href'))"), page.inner_text("body")

    yield found
    page.close()


def pages(links):
    return [link.partition(".html")[0] for link in links]


def is_korean(page):
    return "ko" in page.split("/")


@pytest.mark.parametrize(("query", "expected"), IN_KOREAN.items())
def test_who_searches_in_korean_finds_the_page(found, query, expected):
    links, said = found("search.ko", query)
    assert expected in list(dict.fromkeys(pages(links)))[:FIRST]
    assert f"결과 {len(links)}개를 찾았습니다." in said


@pytest.mark.parametrize(("query", "expected"), IN_ENGLISH.items())
def test_who_searches_in_english_finds_the_page(found, query, expected):
    links, said = found("search", query)
    assert expected in list(dict.fromkeys(pages(links)))[:FIRST]
    assert "Search Results" in said


@pytest.mark.parametrize("query", ["pandas", "overfitting", "CSV"])
@pytest.mark.parametrize(("name", "korean"), [("search.ko", True), ("search", False)])
def test_pages_in_the_readers_language_come_before_the_others(found, name, korean, query):
    links, _ = found(name, query)
    first = [is_korean(page) for page in pages(links) if "#" not in page and not page.startswith("api/")]
    assert first == sorted(first, reverse=korean)
    assert len(set(first)) == 2


def test_what_is_shown_of_a_page_is_its_text(visit, site):
    shown = visit(f"{site}/search.ko.html?q=CSV").locator("ul.search p.context").first
    assert shown.inner_text().startswith("13. 표: CSV")  # and not with the link to the other language


def test_nothing_found_is_said_in_korean(found):
    links, said = found("search.ko", "어텐숀")
    assert links == []
    assert "찾는 말이 있는 페이지가 없습니다." in said


def test_a_search_goes_over_to_the_other_language(visit, site):
    page = visit(f"{site}/search.html?q=GPU")
    page.locator(".other-language a").click()
    page.wait_for_url("**/search.ko.html?q=GPU")
    assert page.locator("input.sidebar-search").input_value() == "GPU"


@pytest.mark.parametrize("name", ["ko/index", "ko/tabular", "tutorial/ko/05-softmax-and-losses", "search.ko"])
def test_around_the_text_of_a_korean_page_everything_is_korean(visit, site, name):
    page = visit(f"{site}/{name}.html")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.locator(".sidebar-search").get_attribute("placeholder") == "검색"
    spoken = page.evaluate(
        """() => {
          const around = document.querySelectorAll(".skip-to-content, .back-to-top, .toc-title, .left-details, "
            + ".related-pages .context, .sidebar-tree > .caption, .sidebar-tree > ul > li > a");
          const labels = [...document.querySelectorAll("[aria-label]")].map((element) => element.ariaLabel);
          const links = [...document.querySelectorAll(".headerlink")].map((element) => element.title);
          return [...labels, ...links, ...[...around].map((element) => element.textContent)];
        }"""
    )
    assert len(spoken) > 20
    assert [text for text in spoken if not HANGUL.search(text)] == []


def test_the_sidebar_of_a_korean_page_leads_to_all_korean_pages_and_of_an_english_one_to_none(visit, site):
    def sidebar(name):
        links = visit(f"{site}/{name}.html").locator(".sidebar-tree a.internal").all()
        return {link.evaluate("(link) => new URL(link.href).pathname.slice(1)").partition(".html")[0] for link in links}

    korean, english = sidebar("ko/tabular"), sidebar("tabular")
    assert {"ko/index", "ko/glossary", "tutorial/ko/13-tables", "api/layers"} <= korean
    assert {"tutorial/en/13-tables", "glossary", "api/layers"} <= english
    assert not any(map(is_korean, english))
    assert not any(page.startswith("tutorial/en") for page in korean)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("tabular", "ko/tabular"),
        ("ko/tabular", "tabular"),
        ("tutorial/ko/07-backpropagation", "tutorial/en/07-backpropagation"),
        ("api/layers", "ko/index"),  # which is in English alone
    ],
)
def test_the_switch_leads_to_the_same_page_in_the_other_language(visit, site, name, other):
    page = visit(f"{site}/{name}.html")
    page.locator(".other-language a").click()
    page.wait_for_url(f"**/{other}.html")
