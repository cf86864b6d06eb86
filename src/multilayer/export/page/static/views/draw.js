/* Where one draws: the sheet, what takes strokes back, and ten digits for those who would rather choose. */

import { app, register } from "../app.js";
import { Sheet } from "../drawing.js";
import { h, sayLabel, section } from "../elements.js";
import { examples } from "../examples.js";
import { foundDigits, openPicture, pictureButton, takePictures } from "../opening.js";
import { addTexts, percent } from "../texts.js";

addTexts({
  en: {
    draw: "Draw",
    drawNote: "With mouse, pen or finger.",
    dropNote: "Or drop or paste a picture.",
    sheetLabel: "Sheet to draw a digit on",
    sheetKeys:
      "With the keyboard: arrow keys move the pen, the space bar puts it down and lifts it, Backspace takes a stroke " +
      "back, Delete clears the sheet.",
    undo: "Undo",
    clear: "Clear",
    examples: "Or take one of these",
    example: "Draw the digit {0}",
    skip: "Skip to the sheet",
  },
  ko: {
    draw: "그리기",
    drawNote: "마우스, 펜, 손가락으로 그려 보세요.",
    dropNote: "사진을 끌어다 놓거나 붙여넣어도 됩니다.",
    sheetLabel: "숫자를 그리는 종이",
    sheetKeys:
      "키보드로 그리기: 화살표 키로 펜을 옮기고, 스페이스 키로 펜을 대거나 뗍니다. 백스페이스는 한 획을 지우고, Delete는 모두 지웁니다.",
    undo: "되돌리기",
    clear: "지우기",
    examples: "또는 골라 보세요",
    example: "숫자 {0} 그리기",
    skip: "종이로 건너뛰기",
  },
});

const FRAMES = 24; // in which an example is drawn
let dismissed = null; // ends what an earlier sheet listens to on the whole page

register({
  name: "draw",
  place: "stage",
  when: ({ network }) => Boolean(network?.picture),
  make() {
    dismissed?.abort();
    dismissed = new AbortController();
    let wanted = 0; // the example that is being drawn; a later one, or a person, ends it
    const sheet = new Sheet((strokes) => {
      app.told = null;
      app.useStrokes(strokes);
    });
    sheet.strokes = app.strokes;
    sheet.chosen = (digit) => app.chooseDigit(digit);
    const byHand = (act) => () => {
      wanted++;
      act();
    };
    sheet.canvas.addEventListener(
      "pointerdown",
      byHand(() => {}),
      { capture: true },
    );
    const opening = (file) => {
      if (!app.network?.picture) return;
      wanted++;
      openPicture(file);
    };
    const show = (strokes) => {
      const number = ++wanted;
      if (matchMedia("(prefers-reduced-motion: reduce)").matches) return sheet.use(strokes);
      let frame = 0;
      const next = () => {
        if (number !== wanted) return;
        sheet.use(beginning(strokes, ++frame / FRAMES));
        if (frame < FRAMES) requestAnimationFrame(next);
      };
      return next();
    };
    const chips = examples.map((strokes, digit) => {
      const chip = h("button", {
        type: "button",
        class: "chip",
        plain: String(digit),
        on: { click: () => show(strokes) },
      });
      sayLabel(chip, "example", digit);
      return chip;
    });
    const keys = h("p", { id: "sheet-keys", class: "unseen", text: "sheetKeys" });
    const badge = h("span", { class: "badge", "aria-hidden": "true" }); // where the answers lie below
    const paper = h("div", { class: "paper" }, sheet.canvas, badge, keys);
    takePictures(opening, paper, dismissed.signal);
    const found = foundDigits();
    const dropNote = h("span", { class: "drop-note", text: "dropNote" });
    const note = h("p", { class: "note" }, h("span", { text: "drawNote" }), " ", dropNote);
    const element = section(
      "draw",
      { heading: "draw" },
      note,
      paper,
      found.element,
      h(
        "div",
        { class: "row" },
        h("button", { type: "button", text: "undo", on: { click: byHand(() => sheet.undo()) } }),
        h("button", { type: "button", text: "clear", on: { click: byHand(() => sheet.clear()) } }),
        ...pictureButton(opening),
      ),
      h("p", { class: "small", text: "examples" }),
      h("div", { class: "chips" }, ...chips),
    );
    return {
      element,
      update(app) {
        const { network, pass, strokes } = app;
        sheet.usePicture(app.found);
        found.update(app);
        // A blank one tells who came by keyboard what keys there are.
        paper.classList.toggle("blank", strokes.length === 0 && !app.found);
        badge.hidden = !pass || network.task === "numbers";
        if (!badge.hidden)
          badge.textContent = `${network.labels[network.best(pass)]} · ${percent(Math.max(...pass.answers), 0)}`;
      },
    };
  },
});

/** The first part of strokes, by the number of points; a stroke that has not begun is not there. */
function beginning(strokes, share) {
  let left = Math.ceil(share * strokes.reduce((sum, stroke) => sum + stroke.length, 0));
  const begun = [];
  for (const stroke of strokes) {
    if (left <= 0) break;
    begun.push(stroke.slice(0, left));
    left -= stroke.length;
  }
  return begun;
}
