"""The field's words: one glossary in two languages, and pages in Korean that keep to its words."""

import re

import pytest

from helpers.paths import CHECKOUT, DOCS

# A word of the Korean glossary, and what is not written for it: regular expressions.
NOT_FOR = {
    "데이터셋": "데이터 ?세트|데이터 셋",
    "샘플": "표본",
    "열": "[칼컬]럼",
    "특성": "피[처쳐]|특징 ?(벡터|추출|값|행렬|공학)",
    "레이블": "라벨",
    "결측값": "결측치|빠진 값|누락된 값|누락값",
    "모양": "형상|[쉐셰]이프",
    "신경망": "뉴럴 ?네트|신경 망",
    "유닛": "뉴런",
    "층": "레이어",
    "은닉층": "히든|숨은 ?층|은닉 층|은닉 ?계층",
    "완전연결층": "완전 연결|전결합|밀집 ?층|덴스",
    "가중치": "웨이트",
    "편향": "바이어스",
    "파라미터": "패러미터|파라메터",
    "행렬곱": "행렬 곱(?!하)|행렬곱셈",
    "활성화 함수": "액티베이션|활성 함수|활성화함수",
    "소프트맥스": "소프트 맥스",
    "예측": "추론",
    "학습": "훈련|트레이닝",
    "손실 함수": "손실함수|비용 ?함수|목적 ?함수",
    "평균 제곱 오차": "평균제곱 ?오차|평균 제곱오차",
    "교차 엔트로피": "크로스 ?엔트로피|교차엔트로피",
    "그래디언트": "그[레라] ?디언트|그레이디언트|기울기 ?벡터|기울기 (누적|클리핑|폭주)",
    "그래디언트 소실": "기울기 ?소실",
    "경사하강법": "경사 하강|경사하강(?!법)|그래디언트 하강",
    "학습률": "학습율|러닝 ?레이트",
    "스텝": "(?<![첫발뒷])걸음(?! (더|물러))|스탭",
    "배치": "뱃치",
    "미니배치": "미니 배치|미니-배치",
    "에포크": "에폭|이포크",
    "옵티마이저": "최적화기|옵티마이[져제]",
    "순전파": "순방향 ?전파",
    "역전파": "오차 ?역전파|백프롭",
    "연쇄법칙": "연쇄 법칙|체인 ?룰",
    "지표": "메트릭",
    "검증": "밸리데이션",
    "테스트": "시험 (데이터|세트|정확도|손실)",
    "과대적합": "과 ?적합|오버 ?피팅|과대 적합",
    "과소적합": "언더 ?피팅|과소 적합",
    "규제": "정칙화|(L1|L2|가중치) 정규화",
    "드롭아웃": "드랍 ?아웃|드롭 아웃",
    "조기 종료": "얼리 ?스[토톱]|조기 중단",
}
_ENTRY = re.compile(r"(?P<term>[^\n]+)\n(?P<other>[^.]+)\. (?P<meaning>.+) \[[^]]+\]\((?P<link>[^)]+)\)")


def entries(path):
    """The entries of a glossary: its word, that of the other language, what it means, and the lesson."""
    listed = re.findall(r"^```\{glossary\}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.M | re.S)
    found = []
    for text in "\n\n".join(listed).split("\n\n"):
        term, _, meaning = text.strip().partition("\n")
        found.append(_ENTRY.fullmatch(term + "\n" + " ".join(meaning.split())))
        assert found[-1] is not None, f"another form than the other entries: {text}"
    return found


ENGLISH, KOREAN = entries(DOCS / "glossary.md"), entries(DOCS / "ko" / "glossary.md")
PAGES = [*sorted((DOCS / "ko").glob("*.md")), *sorted((DOCS / "tutorial" / "ko").glob("*.md"))]
HANGUL = re.compile("[가-힣]")
SPOKEN = [  # what the library says in Korean: its page, its server, its messages
    path
    for ending in ("js", "html", "po")
    for path in sorted((CHECKOUT / "src").rglob(f"*.{ending}"))
    if HANGUL.search(path.read_text(encoding="utf-8"))
]
ALL_KOREAN = [*PAGES, CHECKOUT / "README.ko.md", *SPOKEN]


def named(path):
    return path.relative_to(CHECKOUT).as_posix()


def without_names_elsewhere(text):
    """Leaves out where it is told what a thing is called elsewhere. Lines stay where they are.

    "과적합이라고도 합니다.", and what stands in brackets behind the glossary's word: "과대적합(과적합, overfitting)".
    """
    told = rf"[^.]*라고도[^.]*\.|(?:{'|'.join(NOT_FOR)})\**\([^)]*\)"
    return re.sub(told, lambda found: "\n" * found[0].count("\n"), text)


def others(text):
    """Each line that has another word for one of the glossary's: the line's number, what it says, the word."""
    lines = without_names_elsewhere(text).splitlines()
    return [
        f"line {number}: {found[0]!r} instead of {word!r}"
        for number, line in enumerate(lines, start=1)
        for word, patterns in NOT_FOR.items()
        for found in re.finditer(patterns, line)
    ]


def test_both_languages_have_the_same_entries_in_the_same_order():
    assert len(ENGLISH) > 40
    assert [(one["term"], one["other"]) for one in ENGLISH] == [(one["other"], one["term"]) for one in KOREAN]


@pytest.mark.parametrize("language", [ENGLISH, KOREAN], ids=["english", "korean"])
def test_no_word_has_two_entries(language):
    terms = [one["term"].lower() for one in language]
    assert sorted(set(terms)) == sorted(terms)


@pytest.mark.parametrize(("english", "korean"), list(zip(ENGLISH, KOREAN, strict=True)), ids=lambda one: one["term"])
def test_both_languages_of_an_entry_lead_to_the_same_lesson(english, korean):
    lesson = english["link"].removeprefix("tutorial/en/")
    assert korean["link"] == f"../tutorial/ko/{lesson}"
    assert (DOCS / english["link"]).exists()


@pytest.mark.parametrize("entry", KOREAN, ids=lambda entry: entry["other"])
def test_a_korean_word_is_used_in_more_than_the_glossary(entry):
    assert any(entry["term"] in page.read_text(encoding="utf-8") for page in PAGES if page.name != "glossary.md")


def test_what_is_not_written_is_for_words_of_the_glossary_and_none_of_them():
    terms = {entry["term"] for entry in KOREAN}
    assert set(NOT_FOR) <= terms
    assert [found for term in sorted(terms) for found in others(term)] == []


@pytest.mark.parametrize("path", ALL_KOREAN, ids=named)
def test_korean_keeps_to_the_words_of_the_glossary(path):
    assert others(path.read_text(encoding="utf-8")) == []


def test_another_word_is_found_where_it_is_not_said_to_be_one():
    assert others("뉴런의 출력.\n과적합을 막습니다.") == [
        "line 1: '뉴런' instead of '유닛'",
        "line 2: '과적합' instead of '과대적합'",
    ]
    assert others("과대적합이 됩니다. 과적합이라고도\n합니다. 첫걸음은 행렬 곱하기입니다.") == []
    assert others("**과대적합**(과적합, overfitting)을 막습니다.") == []
