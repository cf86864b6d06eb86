/* The sheet one draws on, with mouse, pen or finger, or with the keyboard. */

import { h, sayLabel } from "./elements.js";
import { paletteOf } from "./colours.js";

const STEP = 1 / 28; // of the keyboard's pen
const CLOSEST = 0.004; // points nearer to each other than this are one
const NEAR = 0.04; // of a picture's digit
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

export class Sheet {
  /** A sheet; `drawn(strokes)` is called whenever what is on it has changed. */
  constructor(drawn) {
    this.drawn = drawn;
    this.strokes = [];
    this.stroke = null; // the one that is being drawn
    this.pointer = null; // whose it is: a second finger draws nothing
    this.picture = null; // that lies on it in the place of strokes: { canvas, digits, chosen }
    this.chosen = () => {}; // called with the number of a digit in it that was pointed at
    this.pen = null; // the keyboard's: { at, down }, once it was used
    this.canvas = h("canvas", { class: "sheet", tabindex: 0, role: "application", "aria-describedby": "sheet-keys" });
    sayLabel(this.canvas, "sheetLabel");
    const on = (event, listener) => this.canvas.addEventListener(event, listener);
    on("pointerdown", (event) => this.down(event));
    on("pointermove", (event) => this.move(event));
    for (const event of ["pointerup", "pointercancel", "lostpointercapture"]) on(event, (e) => this.up(e));
    on("keydown", (event) => this.key(event));
    on("blur", () => this.liftPen());
  }

  // --- Pointers ---

  down(event) {
    if (this.pointer !== null || event.button !== 0) return;
    event.preventDefault(); // no selection of text, no scrolling
    this.canvas.focus({ preventScroll: true });
    const digit = this.digitAt(this.place(event));
    if (digit >= 0) return void this.chosen(digit);
    this.pointer = event.pointerId;
    this.canvas.setPointerCapture(event.pointerId);
    this.pen = null;
    this.begin(this.place(event));
  }

  move(event) {
    if (event.pointerId !== this.pointer) return;
    const all = event.getCoalescedEvents?.() ?? [];
    for (const one of all.length ? all : [event]) this.lineTo(this.place(one));
  }

  up(event) {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.stroke = null;
  }

  place(event) {
    const box = this.canvas.getBoundingClientRect();
    const within = (value) => Math.min(Math.max(value, 0), 1);
    return [within((event.clientX - box.left) / box.width), within((event.clientY - box.top) / box.height)];
  }

  // --- The keyboard's pen ---

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in ARROWS) this.movePen(ARROWS[event.key], event.shiftKey ? 3 : 1);
    else if (event.key === " " || event.key === "Enter") this.togglePen();
    else if (event.key === "Escape" && this.pen?.down) this.liftPen();
    else if (event.key === "Backspace") this.undo();
    else if (event.key === "Delete") this.clear();
    else return;
    event.preventDefault();
  }

  movePen([right, down], steps) {
    this.pen ??= { at: [0.5, 0.25], down: false };
    const within = (value) => Math.min(Math.max(value, 0), 1);
    this.pen.at = [within(this.pen.at[0] + right * steps * STEP), within(this.pen.at[1] + down * steps * STEP)];
    if (this.pen.down) this.lineTo(this.pen.at);
    else this.paint();
  }

  togglePen() {
    this.pen ??= { at: [0.5, 0.25], down: false };
    if (this.pen.down) return this.liftPen();
    this.pen.down = true;
    return this.begin(this.pen.at);
  }

  liftPen() {
    if (!this.pen) return;
    this.pen.down = false;
    this.stroke = null;
    this.paint();
  }

  // --- Strokes ---

  begin(point) {
    this.stroke = [point];
    this.strokes = [...this.strokes, this.stroke];
    this.changed();
  }

  lineTo(point) {
    if (!this.stroke) return;
    const [x, y] = this.stroke.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) < CLOSEST) return;
    this.stroke.push(point);
    this.changed();
  }

  undo() {
    this.use(this.strokes.slice(0, -1));
  }

  clear() {
    this.use([]);
  }

  /** Puts strokes on the sheet in place of what is there. */
  use(strokes) {
    this.stroke = null;
    if (this.pen) this.pen.down = false;
    this.strokes = strokes;
    this.changed();
  }

  // --- A picture in their place, until one draws again ---

  /** Lays a picture on the sheet, or takes it off (null). */
  usePicture(picture) {
    this.picture = picture;
    if (picture && this.strokes.length) [this.strokes, this.stroke] = [[], null];
    this.paint();
  }

  /** Where the picture lies, of a sheet of this side: as large as it can be. */
  placeOfPicture(side) {
    const { width, height } = this.picture.canvas;
    const scale = side / Math.max(width, height);
    return { scale, left: (side - width * scale) / 2, top: (side - height * scale) / 2 };
  }

  /** The number of the picture's digit at a point, or nearly there, as fingers are broad; -1 where there is none. */
  digitAt([x, y]) {
    if (!this.picture) return -1;
    const { scale, left, top } = this.placeOfPicture(1);
    const [column, row, near] = [(x - left) / scale, (y - top) / scale, NEAR / scale];
    const away = this.picture.digits.map(({ box }) =>
      box ? Math.max(box.left - column, column - box.right, box.top - row, row - box.bottom) : Infinity,
    );
    const nearest = Math.min(...away);
    return nearest <= near ? away.indexOf(nearest) : -1;
  }

  paintPicture(context, side, palette) {
    const { scale, left, top } = this.placeOfPicture(side);
    const { canvas, digits, chosen } = this.picture;
    context.imageSmoothingQuality = "high";
    context.drawImage(canvas, left, top, canvas.width * scale, canvas.height * scale);
    const room = side * 0.012;
    digits.forEach(({ box }, i) => {
      if (!box) return;
      context.beginPath();
      context.roundRect(
        left + box.left * scale - room,
        top + box.top * scale - room,
        (box.right - box.left) * scale + 2 * room,
        (box.bottom - box.top) * scale + 2 * room,
        room,
      );
      const frame = i === chosen ? 0.009 : 0.006;
      for (const [width, colour] of [
        [frame + 0.007, palette.sheet], // so that it is seen on any picture, whatever its colours
        [frame, palette.accent],
      ]) {
        context.globalAlpha = i === chosen ? 1 : 0.5;
        context.lineWidth = side * width;
        context.strokeStyle = colour;
        context.stroke();
      }
      context.globalAlpha = 1;
    });
  }

  changed() {
    if (this.strokes.length) this.picture = null;
    this.paint();
    this.drawn(this.strokes);
  }

  /** Paints the sheet, in as many pixels as the screen has for it. */
  paint() {
    const { canvas } = this;
    const side = Math.max(Math.round(canvas.clientWidth * devicePixelRatio), 1);
    if (canvas.width !== side) canvas.width = canvas.height = side;
    const context = canvas.getContext("2d"),
      palette = paletteOf(canvas);
    context.clearRect(0, 0, side, side);
    if (this.picture) this.paintPicture(context, side, palette);
    context.lineCap = context.lineJoin = "round";
    context.lineWidth = side * 0.06;
    context.strokeStyle = context.fillStyle = palette.ink;
    for (const stroke of this.strokes) {
      context.beginPath();
      context.moveTo(stroke[0][0] * side, stroke[0][1] * side);
      for (const [x, y] of stroke) context.lineTo(x * side, y * side);
      context.stroke();
    }
    if (this.pen) this.paintPen(context, side, palette);
  }

  paintPen(context, side, palette) {
    const [x, y] = this.pen.at;
    context.beginPath();
    context.arc(x * side, y * side, side * 0.035, 0, 2 * Math.PI);
    context.lineWidth = side * 0.012;
    context.strokeStyle = palette.accent;
    context.stroke();
    if (this.pen.down) {
      context.fillStyle = palette.accent;
      context.fill();
    }
  }
}
