/* Everything the page says, in English and Korean. {0}, {1}, ... stand for what is filled in. */

export const texts = {
  en: {
    title: "A network that reads your digits",
    titleNumbers: "A network, laid open",
    skipInputs: "Skip to the inputs",
    lead: "Draw a digit. Everything you see is computed on this page, by the network itself.",
    leadNumbers: "Move its inputs. Everything you see is computed on this page, by the network itself.",
    language: "Language",
    theme: "Colours",
    themeAuto: "Auto",
    themeLight: "Light",
    themeDark: "Dark",
    noNetwork: "There is no network here yet.",
  },
  ko: {
    title: "손글씨 숫자를 읽는 신경망",
    titleNumbers: "속이 보이는 신경망",
    skipInputs: "입력으로 건너뛰기",
    lead: "숫자를 그려 보세요. 보이는 것은 모두 이 페이지 안에서 신경망이 직접 계산합니다.",
    leadNumbers: "입력을 움직여 보세요. 보이는 것은 모두 이 페이지 안에서 신경망이 직접 계산합니다.",
    language: "언어",
    theme: "색",
    themeAuto: "자동",
    themeLight: "밝게",
    themeDark: "어둡게",
    noNetwork: "아직 신경망이 없습니다.",
  },
};

let language = "en";

/** The language that the page speaks: "en" or "ko". */
export const currentLanguage = () => language;

/** Has the page speak another language; `translate` then says it anew. */
export function speak(name) {
  language = name in texts ? name : "en";
  document.documentElement.lang = language;
}

/** More texts, of a module of its own: `addTexts({ en: {...}, ko: {...} })`. */
export function addTexts(more) {
  for (const [name, phrases] of Object.entries(more)) Object.assign(texts[name], phrases);
}

/** A text in the language of now. A text may be a function of what is filled in, where its words depend on that. */
export function phrase(key, ...values) {
  const found = texts[language][key] ?? texts.en[key];
  if (found === undefined) throw new Error(`There is no text "${key}".`);
  if (typeof found === "function") return found(...values);
  return found.replace(/\{(\d)\}/g, (_, place) => values[place]);
}

/** A number from 0 to 1 as a percentage. */
export const percent = (share, digits = 1) =>
  new Intl.NumberFormat(language, {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(share);

/** A number with a few digits that tell, and a minus sign that is one. */
export function short(number) {
  if (!Number.isFinite(number)) return String(number);
  const size = Math.abs(number);
  if (size < 1e-12) return "0"; // what is left where numbers cancel out
  const written = size < 0.001 || size >= 1e5 ? number.toExponential(2) : String(+number.toPrecision(3));
  return written.replace("-", "\u2212");
}
