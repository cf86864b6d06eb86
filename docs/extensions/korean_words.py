"""Words around the text of a page in Korean, where Sphinx' own catalogue has none: by patterns of the English ones."""

WORDS = {
    # Navigation
    "Next": "다음",
    "Previous": "이전",
    "Home": "처음",
    "On this page": "이 페이지에서",
    "Back to top": "맨 위로",
    "Skip to content": "본문으로 건너뛰기",
    "Contents": "차례",
    "Menu": "메뉴",
    "Expand": "펼치기",
    "Toggle navigation of (.+)": r"\1 펼치기/접기",
    "Toggle site navigation sidebar": "메뉴 열기/닫기",
    "Toggle table of contents sidebar": "이 페이지의 차례 열기/닫기",
    # Light and dark
    "Toggle Light / Dark / Auto color theme": "밝게 / 어둡게 / 자동으로 바꾸기",
    "Light mode": "밝게",
    "Dark mode": "어둡게",
    "Auto light/dark, in light mode": "자동, 지금은 밝게",
    "Auto light/dark, in dark mode": "자동, 지금은 어둡게",
    # Links to places in a page
    "Link to this heading": "이 제목의 링크",
    "Link to this definition": "이 정의의 링크",
    "Link to this term": "이 용어의 링크",
    "Link to this table": "이 표의 링크",
    "Link to this code": "이 코드의 링크",
    "Link to this image": "이 그림의 링크",
    # At the end of a page: "Sphinx와 @pradyunsg의 Furo로 만들었습니다"
    r"Copyright &#169; %\(copyright\)s": "&#169; multilayer를 만든 사람들",
    "Made with": "",
    '(<a href="https://www.sphinx-doc.org/">Sphinx</a>) and': r"\1와 ",
    "'s": "의",
    '(<a href="https://github.com/pradyunsg/furo">Furo</a>)': r" \1로 만들었습니다.",
    # Search
    "Please activate JavaScript to enable the search functionality[.]": "검색하려면 JavaScript를 켜 주세요.",
}
