/* On the search pages: results in the language that is sought come first, and in Korean the words around them are Korean.

It is deferred, so that it runs when the index is there and before the search begins. */
"use strict";

const inKorean = (docname) => /(^|\/)ko\//.test(docname);
const readerIsKorean = document.documentElement.lang === "ko";
const wantsKorean = readerIsKorean || /[가-힣]/.test(new URLSearchParams(location.search).get("q"));

/* Of pages, those in the other language come after all others. The reference's names are the same in both languages; to a
   Korean reader they come first only where they are what was typed. */
const wholeName = Scorer.objNameMatch + Scorer.objPrio[1];
Scorer.score = ([docname, , , , score, , kind]) => {
  if (kind === "object") return readerIsKorean && score < wholeName ? score - wholeName : score;
  return inKorean(docname) === wantsKorean ? score : score - 1000;
};

/* Of what is shown of a page the links to the other language and to a notebook are no part; and a place may have a dot in its name
   (#module-multilayer.layers), which a selector takes for a class. */
const { htmlToText } = Search;
Search.htmlToText = (html, place) =>
  htmlToText(html.replace(/<p class="(other-language|lesson-notebook)">.*?<\/p>/gs, ""), place && `#${CSS.escape(place.slice(1))}`);

/* Who goes over to the other language takes the search along. */
document.querySelector(".other-language a").search = location.search;

if (readerIsKorean) {
  Documentation.addTranslations({
    locale: "ko",
    plural_expr: "0",
    messages: {
      "Searching": "찾는 중",
      "Search Results": "검색 결과",
      "Preparing search...": "검색을 준비하는 중…",
      ", in ": ", ",
      "Search finished, found one page matching the search query.": ["결과 ${resultCount}개를 찾았습니다."],
      "Your search did not match any documents. Please make sure that all words are spelled correctly and that you've selected enough categories.":
        "찾는 말이 있는 페이지가 없습니다. 맞춤법을 확인하거나 더 짧은 말, 또는 영어로 찾아보세요.",
    },
  });
  const kinds = {
    attribute: "속성",
    class: "클래스",
    data: "데이터",
    exception: "예외",
    function: "함수",
    method: "메서드",
    "class method": "클래스 메서드",
    "static method": "정적 메서드",
    module: "모듈",
    property: "프로퍼티",
    "type alias": "타입 별칭",
  };
  for (const names of Object.values(Search._index.objnames))
    names[2] = names[2].replace(/^Python (.*)$/, (whole, kind) => `Python ${kinds[kind] ?? kind}`);
}
