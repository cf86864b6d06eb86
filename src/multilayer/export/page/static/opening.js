/* Opening a picture: from a file, by dropping it on the page, or by pasting it. It stays on the page: nothing is sent. */

import { app } from "./app.js";
import { paintInk } from "./colours.js";
import { h, say, sayLabel } from "./elements.js";
import { digitsIn, ENOUGH, greyOf, LONGEST_SIDE, MOST_PIXELS } from "./pictures.js";
import { addTexts } from "./texts.js";

addTexts({
  en: {
    openPicture: "Open a picture",
    pictureReading: "Looking at the picture …",
    pictureNone: "This is no picture that can be opened here. Take a PNG, JPEG, WebP, GIF or BMP.",
    pictureLarge: "This picture is larger than {0} million pixels and was not opened. Make it smaller, or cut the digit out.",
    pictureFound: "One digit was found.",
    pictureSeveral: "{0} digits, in reading order: {1}.",
    pictureDigits: "The digits in the picture",
    pictureDigit: "Digit {0} of {1}, read as {2}",
    doneEvened: "The uneven light was evened out.",
    doneInverted: "Its dark ink on light paper was inverted.",
    doubtBlank: "There is no ink in this picture, nothing to read.",
    doubtDot: "This can be no digit: its ink is a dot.",
    doubtPattern: "This can be no digit: its ink is a pattern or noise, not a few lines.",
    doubtScattered: "This can be no digit: its ink is scattered over many shapes.",
    doubtSeveral: "This can be no single digit: several shapes stand side by side.",
    doubtWide: "This can be no digit: it is far wider than high.",
    doubtArea: "This can be no digit: its ink fills an area, and draws no lines.",
    meansNothing: "What is said of it means nothing.",
  },
  ko: {
    openPicture: "사진 열기",
    pictureReading: "사진을 살펴보는 중…",
    pictureNone: "여기서 열 수 있는 사진이 아닙니다. PNG, JPEG, WebP, GIF, BMP 파일을 골라 주세요.",
    pictureLarge: (millions) =>
      `${100 * millions}만 픽셀보다 큰 사진이라 열지 않았습니다. 크기를 줄이거나 숫자 부분만 잘라 주세요.`,
    pictureFound: "숫자 하나를 찾았습니다.",
    pictureSeveral: "숫자 {0}개를 읽는 순서대로 찾았습니다: {1}.",
    pictureDigits: "사진 속의 숫자",
    pictureDigit: "숫자 {1}개 가운데 {0}번째, 읽은 답 {2}",
    doneEvened: "고르지 않은 빛을 고르게 했습니다.",
    doneInverted: "밝은 종이의 어두운 글씨라 명암을 뒤집었습니다.",
    doubtBlank: "이 사진에는 글씨가 없어 읽을 것이 없습니다.",
    doubtDot: "숫자일 수 없습니다. 점 하나뿐입니다.",
    doubtPattern: "숫자일 수 없습니다. 몇 개의 선이 아니라 무늬나 잡음입니다.",
    doubtScattered: "숫자일 수 없습니다. 여러 조각으로 흩어져 있습니다.",
    doubtSeveral: "숫자 하나일 수 없습니다. 여러 모양이 나란히 있습니다.",
    doubtWide: "숫자일 수 없습니다. 높이에 비해 너무 넓습니다.",
    doubtArea: "숫자일 수 없습니다. 선이 아니라 넓은 면입니다.",
    meansNothing: "아래의 답은 의미가 없습니다.",
  },
});

let opened = 0; // how many pictures: what takes longer than the next is not shown any more

/** Opens a picture, finds its digits, and shows them to the network. */
export async function openPicture(file) {
  const { picture } = app.network;
  const number = ++opened;
  app.tellOfPicture(["pictureReading"]);
  const found = await decoded(file);
  if (number !== opened || app.network?.picture?.side !== picture.side) return;
  if (found.trouble) app.tellOfPicture(found.trouble);
  else app.usePicture({ ...found, side: picture.side, digits: digitsIn(found.grey, picture.side, picture.box) });
}

/** A picture's grey values and its canvas, upright, of a size that is enough; or what the trouble with it is. */
async function decoded(file) {
  let bitmap;
  try {
    const { width, height } = await sizeOf(file); // of one that is too large nothing is unpacked
    if (width * height > MOST_PIXELS || Math.max(width, height) > LONGEST_SIDE)
      return { trouble: ["pictureLarge", MOST_PIXELS / 1_000_000] };
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { trouble: ["pictureNone"] };
  }
  const share = Math.min(1, ENOUGH / Math.max(bitmap.width, bitmap.height));
  const [columns, rows] = [bitmap.width, bitmap.height].map((side) => Math.max(1, Math.round(side * share)));
  const canvas = h("canvas", { width: columns, height: rows });
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, columns, rows);
  bitmap.close();
  // Browsers that falsify canvases against tracking give noise here, of which the page then says that it is noise.
  const grey = greyOf(context.getImageData(0, 0, columns, rows).data, rows, columns);
  context.globalCompositeOperation = "destination-over"; // where it is transparent one sees its paper
  context.fillStyle = `rgb(${grey.paper} ${grey.paper} ${grey.paper})`;
  context.fillRect(0, 0, columns, rows);
  return { canvas, grey };
}

/** The width and height that a picture's file declares. */
function sizeOf(file) {
  const image = new Image(),
    url = URL.createObjectURL(file);
  return new Promise((resolve, reject) => {
    image.onload = () => resolve({ width: image.naturalWidth, height: image.naturalHeight });
    image.onerror = reject;
    image.src = url;
  }).finally(() => URL.revokeObjectURL(url));
}

// --- Ways to open one ---

/** The button, and the field behind it that has a phone offer its camera. */
export function pictureButton(opening) {
  const field = h("input", { type: "file", accept: "image/*", hidden: true });
  field.addEventListener("change", () => {
    const [file] = field.files;
    if (file) opening(file);
    field.value = ""; // so that the same file can be opened again
  });
  const button = h("button", { type: "button", class: "open-picture", text: "openPicture" });
  button.addEventListener("click", () => field.click());
  return [button, field];
}

const offered = (transfer) => Array.from(transfer?.items ?? []).some(({ kind }) => kind === "file");

/** Has the page take pictures that are dropped or pasted, and shows on an element that it would. */
export function takePictures(opening, paper, signal) {
  const on = (event, listener) => document.addEventListener(event, listener, { signal });
  const over = (event) => {
    if (!offered(event.dataTransfer)) return;
    event.preventDefault(); // beside the sheet too: else the browser would leave the page for the picture
    paper.classList.toggle("dropping", event.type !== "drop");
    if (event.type === "drop" && event.dataTransfer.files[0]) opening(event.dataTransfer.files[0]);
  };
  on("dragover", over);
  on("drop", over);
  on("dragleave", (event) => {
    if (!event.relatedTarget) paper.classList.remove("dropping"); // out of the window
  });
  on("paste", (event) => {
    if (event.clipboardData.files[0]) opening(event.clipboardData.files[0]);
  });
}

// --- What was found ---

/** The digits of the picture, of which one is looked at, and what there is to say of it: { element, update }. */
export function foundDigits() {
  const legend = h("legend", { class: "unseen", text: "pictureDigits" });
  const row = h("div", { class: "found-row" });
  const digits = h("fieldset", { class: "found", hidden: true }, legend, row);
  const said = h("p", { class: "small", role: "status" });
  let shown = null,
    chips = [];
  return {
    element: h("div", { class: "of-picture" }, digits, said),
    update({ network, found, told }) {
      if (shown !== found) {
        shown = found;
        chips = found && found.digits.length > 1 ? found.digits.map((_, i) => chipOf(i, found.side)) : [];
        row.replaceChildren(...chips.map(({ chip }) => chip));
        digits.hidden = !chips.length;
      }
      const read = chips.map((_, i) => readingOf(network, app.inputOf(found.digits[i])));
      chips.forEach(({ input, reading, picture, chip }, i) => {
        paintInk(picture, Array.from(found.digits[i].pixels), found.side);
        input.checked = i === found.chosen;
        chip.classList.toggle("doubted", Boolean(found.digits[i].doubt));
        reading.textContent = read[i];
        sayLabel(input, "pictureDigit", i + 1, chips.length, read[i]);
      });
      const sentences = told ? [told] : found ? sentencesOf(found, read) : [];
      const words = JSON.stringify(sentences);
      if (said.dataset.of === words) return; // a screen reader would read it again
      said.dataset.of = words;
      said.classList.toggle("trouble", Boolean(told && told[0] !== "pictureReading"));
      said.replaceChildren(...sentences.flatMap((one) => [spoken(one), " "]));
    },
  };
}

function spoken(sentence) {
  const element = h("span");
  say(element, ...sentence);
  return element;
}

function sentencesOf({ digits, chosen }, read) {
  const { done, doubt } = digits[chosen];
  const several = digits.length > 1 ? [["pictureSeveral", digits.length, read.join(" ")]] : [];
  if (doubt?.[0] === "doubtBlank") return [doubt];
  if (doubt) return [...several, doubt, ["meansNothing"]];
  return [...(several.length ? several : [["pictureFound"]]), ...done.map((key) => [key])];
}

function readingOf(network, x) {
  const pass = network.forward(x);
  return network.task === "numbers" ? "" : network.labels[network.best(pass)];
}

function chipOf(i, side) {
  const input = h("input", { type: "radio", name: "found" });
  input.addEventListener("change", () => app.chooseDigit(i));
  const picture = h("canvas", { class: "pixels", width: side, height: side, "aria-hidden": "true" });
  const reading = h("span", { class: "reading" });
  return { input, reading, picture, chip: h("label", { class: "found-digit" }, input, picture, reading) };
}
