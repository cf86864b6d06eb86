/* What the network says: a bar for each answer. */

import { register } from "../app.js";
import { greatest } from "../colours.js";
import { h, say, sayLabel, section } from "../elements.js";
import { addTexts, percent, phrase, short } from "../texts.js";
import { looks, roving } from "../units.js";

addTexts({
  en: {
    says: "What it says",
    waiting: "Draw something, and it will guess while you draw.",
    waitingNumbers: "Set its inputs.",
    reads: "It reads {0}",
    answers: "It says {0}",
    sure: "{0} sure",
    gives: "It gives {0}",
    answersLabel: "Answers with their probabilities; arrow keys go from one to the next",
    answerLabel: "{0}: {1}",
    spoken: "It reads {0}, {1} sure. Next comes {2}, with {3}.",
    spokenAnswer: "It says {0}, {1} sure. Next comes {2}, with {3}.",
    spokenNumbers: "It gives {0}.",
    spokenNothing: "The sheet is empty.",
  },
  ko: {
    says: "신경망의 답",
    waiting: "무엇이든 그려 보세요. 그리는 동안 맞혀 봅니다.",
    waitingNumbers: "입력을 정해 보세요.",
    reads: "읽은 답: {0}",
    answers: "답: {0}",
    sure: "확률 {0}",
    gives: "출력: {0}",
    answersLabel: "답과 확률; 화살표 키로 옮겨 갑니다",
    answerLabel: "{0}: {1}",
    spoken: "{0}(으)로 읽었습니다. 확률 {1}. 다음은 {2}, {3}.",
    spokenAnswer: "답은 {0}, 확률 {1}. 다음은 {2}, {3}.",
    spokenNumbers: "출력은 {0}입니다.",
    spokenNothing: "종이가 비어 있습니다.",
  },
});

const QUIET = 700; // milliseconds without change after which a screen reader is told

register({
  name: "answer",
  place: "stage",
  make(app) {
    const verdict = h("p", { class: "verdict" }, h("strong", {}), h("span", {}));
    const rows = app.network.labels.map((label, i) => row(app, label, i));
    const buttons = rows.map(({ button }) => button);
    roving(buttons, () => 1);
    const bars = h("div", { class: "bars", role: "group", label: "answersLabel" }, ...buttons);
    let telling = null;
    return {
      element: section("answer", { heading: "says" }, verdict, bars),
      update(app) {
        show(app, rows, verdict);
        clearTimeout(telling);
        telling = setTimeout(() => tell(app), QUIET);
      },
    };
  },
});

function row(app, label, index) {
  const value = h("span", { class: "bar-value" }),
    bar = h("span", { class: "bar" });
  const button = h(
    "button",
    { type: "button", class: "answer" },
    h("span", { class: "bar-label", plain: label }),
    h("span", { class: "bar-track" }, bar),
    value,
  );
  button.dataset.answer = index;
  const last = app.network.layers.findLastIndex((layer) => layer.tensor === app.network.output);
  const unit = app.network.task === "yes_no" ? 0 : index;
  if (last >= 0) looks(app, button, { layer: last, index: unit });
  return { button, bar, value };
}

function show({ network, pass }, rows, verdict) {
  const [what, sure] = verdict.children;
  const most = network.task === "numbers" && pass ? greatest(pass.answers) : 1;
  const best = pass && network.task !== "numbers" ? network.best(pass) : -1;
  rows.forEach(({ button, bar, value }, i) => {
    const answer = pass ? pass.answers[i] : 0;
    const written = network.task === "numbers" ? short(answer) : percent(answer);
    bar.style.setProperty("--share", Math.abs(answer) / most);
    bar.classList.toggle("negative", answer < 0);
    value.textContent = pass ? written : "";
    button.classList.toggle("best", i === best);
    sayLabel(button, "answerLabel", network.labels[i], pass ? written : "–");
  });
  verdict.classList.toggle("waiting", !pass);
  sure.textContent = "";
  if (!pass) say(what, network.picture ? "waiting" : "waitingNumbers");
  else if (best < 0) say(what, "gives", network.labels.length === 1 ? short(pass.answers[0]) : "");
  else {
    say(what, network.picture ? "reads" : "answers", network.labels[best]);
    say(sure, "sure", percent(pass.answers[best]));
  }
}

function tell(app) {
  const spoken = document.getElementById("spoken");
  const empty = app.network.picture && !app.found; // of a blank picture it is said where it lies
  spoken.textContent = app.pass ? summary(app) : empty ? phrase("spokenNothing") : "";
}

/** The answer in a sentence. */
export function summary({ network, pass }) {
  if (network.task === "numbers") {
    const all = network.labels.map(
      (label, i) => (network.labels.length > 1 ? `${label}: ` : "") + short(pass.answers[i]),
    );
    return phrase("spokenNumbers", all.join(", "));
  }
  const order = Array.from(pass.answers.keys()).sort((a, b) => pass.answers[b] - pass.answers[a]);
  const of = (place) => [network.labels[order[place]], percent(pass.answers[order[place]], 0)];
  return phrase(network.picture ? "spoken" : "spokenAnswer", ...of(0), ...of(1));
}
