/* The page as a server sends it: it asks what there is to show, and watches a network while it is trained.
 *
 * The server tells what has happened as events: `state`, `steps`, `epoch`, `weights`. Whatever it sends is the newest
 * there is; what was missed comes with the next event.
 */

import { app, mount, register, sayHeading } from "./app.js";
import { greatest, paintSigned } from "./colours.js";
import { paintSeries, Series } from "./curves.js";
import { h, say, sayLabel, section } from "./elements.js";
import { Network } from "./network.js";
import { addTexts, percent, phrase } from "./texts.js";

addTexts({
  en: {
    training: "It learns, live",
    trainingNote: "Draw while it learns: it answers with the weights of this moment.",
    loss: "Loss",
    accuracy: "Accuracy",
    curveNote: "steps",
    curveLabel: "{0} after each step: {1} now, after {2} steps",
    curveEmpty: "{0} after each step: none yet",
    ofUnseen: "on digits it has never seen",
    firstWeights: "What its first layer looks for",
    firstWeightsLabel: "The weights of the {0} units of the first layer as pictures, after {1} steps",
    start: "Start",
    again: "Start anew",
    pause: "Pause",
    resume: "Go on",
    stop: "Stop",
    learningRate: "Learning rate",
    data_mnist: "It learns from {0} digits of MNIST.",
    data_synthetic_digits: "It learns from {0} digits that are drawn for it, as MNIST is not on this machine.",
    state_idle: "Ready.",
    state_preparing: "Getting digits to learn from: {0}.",
    state_training: "Training, epoch {0} of {1}, step {2}.",
    state_paused: "Paused after step {2}.",
    state_stopped: "Stopped after step {2}.",
    state_done: "Trained: {1} epochs, {2} steps.",
    state_failed: "It broke off: {3}",
    diverged: "the loss is no number any more. A smaller learning rate may help.",
    unreachable: "The server does not answer. The network is on this page, and goes on reading.",
    spokenEpoch: "Epoch {0} of {1}: loss {2}, {3} of digits it has never seen are right.",
    cannotShow: "This page has no form for the network that is served. It answers at POST /predict. {0}",
  },
  ko: {
    training: "지금 배우는 중",
    trainingNote: "배우는 동안 그려 보세요. 바로 이 순간의 가중치로 답합니다.",
    loss: "손실",
    accuracy: "정확도",
    curveNote: "스텝",
    curveLabel: "스텝마다의 {0}: {2}스텝 뒤 지금 {1}",
    curveEmpty: "스텝마다의 {0}: 아직 없음",
    ofUnseen: "처음 보는 숫자에서",
    firstWeights: "첫 층이 찾는 것",
    firstWeightsLabel: "첫 층 유닛 {0}개의 가중치 그림, {1}스텝 뒤",
    start: "시작",
    again: "처음부터 다시",
    pause: "멈춤",
    resume: "계속",
    stop: "끝내기",
    learningRate: "학습률",
    data_mnist: "MNIST 숫자 {0}개로 배웁니다.",
    data_synthetic_digits: "이 컴퓨터에 MNIST가 없어, 그려 낸 숫자 {0}개로 배웁니다.",
    state_idle: "준비되었습니다.",
    state_preparing: "배울 숫자를 마련하는 중: {0}.",
    state_training: "학습 중, {1}에포크 중 {0}번째, {2}스텝.",
    state_paused: "{2}스텝 뒤 멈춤.",
    state_stopped: "{2}스텝 뒤 끝냄.",
    state_done: "학습 완료: {1}에포크, {2}스텝.",
    state_failed: "중단되었습니다: {3}",
    diverged: "손실이 더는 수가 아닙니다. 학습률을 줄여 보세요.",
    unreachable: "서버가 답하지 않습니다. 신경망은 이 페이지에 있으니 계속 읽을 수 있습니다.",
    spokenEpoch: "{1}에포크 중 {0}번째: 손실 {2}, 처음 보는 숫자의 {3}를 맞힘.",
    cannotShow: "이 신경망을 보여 줄 화면이 없습니다. POST /predict로는 답합니다. {0}",
  },
});

const RARELY = 20_000; // milliseconds between two things that a screen reader is told while it trains
const AT_ONCE = ["paused", "stopped", "done", "failed"]; // states that it is told at once
const SOON = 150; // milliseconds without change after which a learning rate is sent
const DIGITS = { minimumFractionDigits: 3, maximumFractionDigits: 3 };

const whole = (number) => number.toLocaleString(document.documentElement.lang);
const lossText = (value) => value.toLocaleString(document.documentElement.lang, DIGITS);

/** What is known of the training. */
const training = {
  state: null, // as the server tells it
  loss: new Series(),
  accuracy: new Series(),
  epoch: null, // the figures of the last one that ended
  step: 0, // of the weights that are shown
  reachable: true,
};

// --- From the server ---

/** Asks what is served, and shows it. Addresses are relative, so that a proxy may have put the page below a path. */
async function connect() {
  const served = await (await fetch("network")).json();
  app.served = served.live;
  if (served.live === "nothing") say(document.getElementById("nothing"), "cannotShow", served.reason);
  if (served.live === "network" || served.live === "training") app.useNetwork(served);
  if (served.live === "training") listen();
  for (const follow of app.whenServed) await follow(served);
  mount();
  sayHeading();
  app.changed();
}

app.whenServed = []; // what other modules do when it is known what is served
queueMicrotask(connect); // once the page has begun

function listen() {
  const events = new EventSource("training");
  const on = (name, take) => events.addEventListener(name, (event) => {
    take(JSON.parse(event.data));
    app.changed();
  });
  on("state", takeState);
  on("steps", takeSteps);
  on("epoch", takeEpoch);
  on("weights", takeWeights);
  events.addEventListener("open", () => { // from here on everything is told anew, from the first step
    training.state = null;
    forget();
    reach(true);
  });
  events.addEventListener("error", () => reach(false)); // it tries again by itself
}

function reach(can) {
  training.reachable = can;
  app.changed();
}

function takeState(state) {
  if (state.version < training.state?.version) return; // an answer that an event has overtaken
  if (training.state?.run !== state.run) forget();
  const before = training.state?.state;
  training.state = state;
  if (state.state === "idle" && before === undefined) direct({ action: "start" });
  if (state.state !== before && AT_ONCE.includes(state.state)) {
    tellNow(stateText());
    useExactWeights();
  }
}

/** Another run begins: nothing is known of it yet. */
function forget() {
  Object.assign(training, { loss: new Series(), accuracy: new Series(), epoch: null, step: 0 });
}

function takeSteps({ run, first, loss, accuracy }) {
  if (run !== training.state.run || first !== training.loss.length) return; // of a run that is over
  loss.forEach((value) => training.loss.add(value));
  accuracy.forEach((value) => training.accuracy.add(value));
}

function takeEpoch(epoch) {
  if (epoch.run !== training.state.run) return;
  training.epoch = epoch;
  training.loss.mark(epoch.step, epoch.val_loss);
  training.accuracy.mark(epoch.step, epoch.val_accuracy);
  tellRarely(phrase("spokenEpoch", epoch.epoch, training.state.epochs, lossText(epoch.loss), percent(epoch.val_accuracy)));
}

function takeWeights({ run, step, weights }) {
  if (run !== training.state.run) return;
  training.step = step;
  useWeights(weights.map(unpacked));
}

/** Whole numbers q of 16 bits, of which each is low + (high - low) q / 65535. */
function unpacked({ low, high, data }) {
  const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => low + ((high - low) * view.getUint16(2 * i, true)) / 65535);
}

/** Puts weights into the page's network, in Python's order, which is that of its steps. */
function useWeights(arrays) {
  const names = Object.keys(app.network.weights());
  app.network.useWeights(Object.fromEntries(names.map((name, i) => [name, arrays[i]])));
  app.taught = []; // what was taught is not in them
  app.changed();
}

/** Where the training rests, all digits of its weights count. */
async function useExactWeights() {
  const { run } = training.state;
  const network = new Network(await (await fetch("network")).json());
  if (training.state.run === run && AT_ONCE.includes(training.state.state)) useWeights(Object.values(network.weights()));
}

// --- To the server ---

async function direct(order) {
  const answer = await fetch("training", {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(order),
  });
  if (answer.ok) takeState(await answer.json()); // a 409 says that somebody else was quicker, which events tell as well
  app.changed();
}

// --- To a screen reader ---

let toldAt = 0;

function tellNow(text) {
  toldAt = performance.now();
  document.getElementById("spoken").textContent = text;
}

function tellRarely(text) {
  if (performance.now() - toldAt > RARELY) tellNow(text);
}

// --- To the eye ---

function stateText() {
  const { state, epochs, step, steps, progress, failure } = training.state;
  if (state === "preparing") return phrase("state_preparing", percent(progress, 0));
  const taken = Math.max(step, training.loss.length);
  const epoch = Math.min(Math.floor((taken * epochs) / Math.max(steps, 1)) + 1, epochs);
  const why = failure && (failure.code === "diverged" ? phrase("diverged") : failure.message);
  return phrase(`state_${state}`, epoch, epochs, whole(taken), why);
}

register({
  name: "training",
  place: "above",
  when: () => app.served === "training",
  make() {
    const controls = controlsOf(), figures = [figure("loss"), figure("accuracy")];
    const weights = h("canvas", { class: "pixels first-weights", role: "img" });
    const status = h("p", { class: "training-state" });
    const from = h("span");
    weights.addEventListener("pointermove", (event) => lookAt(unitAt(weights, event)));
    weights.addEventListener("pointerleave", () => lookAt(null));
    const element = section("training", {},
      h("div", { class: "training-head" }, h("div", {}, h("h2", { id: "heading-training", text: "training" }), status), controls.element),
      h("div", { class: "training-body" },
        ...figures.map(({ element }) => element),
        h("div", { class: "curve" }, h("h3", { text: "firstWeights" }), weights)),
      h("p", { class: "note" }, h("span", { text: "trainingNote" }), " ", from));
    element.setAttribute("aria-labelledby", "heading-training");
    return {
      element,
      update() {
        const { state } = training;
        if (!state) return;
        status.textContent = training.reachable ? stateText() : phrase("unreachable");
        if (state.data) say(from, `data_${state.data}`, whole(state.digits));
        controls.update(state);
        for (const { update } of figures) update(state);
        paintFirstLayer(weights);
      },
    };
  },
});

function controlsOf() {
  const go = h("button", { type: "button", class: "primary" });
  const stop = h("button", { type: "button", text: "stop" });
  const rate = h("input", { type: "range", id: "live-rate", min: -5, max: 0, step: 0.05 });
  const shown = h("output", { for: "live-rate" });
  let soon = null, touched = false;
  const rateOf = () => +(10 ** rate.valueAsNumber).toPrecision(2);
  const next = { idle: "start", preparing: "start", training: "pause", paused: "resume", stopped: "again", done: "again", failed: "again" };
  const actionOf = (state) => (next[state] === "again" ? "start" : next[state]);
  go.addEventListener("click", () => direct({ action: actionOf(training.state.state) }));
  stop.addEventListener("click", () => direct({ action: "stop" }));
  const showRate = () => {
    shown.textContent = String(rateOf());
    rate.setAttribute("aria-valuetext", shown.textContent);
  };
  rate.addEventListener("input", () => {
    touched = true;
    showRate();
    clearTimeout(soon);
    soon = setTimeout(() => direct({ learning_rate: rateOf() }).finally(() => (touched = false)), SOON);
  });
  return {
    element: h("div", { class: "training-controls" }, h("div", { class: "row" }, go, stop),
      h("div", { class: "rate" }, h("label", { class: "small", for: "live-rate", text: "learningRate" }), rate, shown)),
    update({ state, learning_rate }) {
      say(go, next[state]);
      go.disabled = state === "preparing";
      stop.disabled = !["preparing", "training", "paused"].includes(state);
      if (touched) return; // somebody is setting it
      rate.value = Math.log10(learning_rate);
      showRate();
    },
  };
}

const SCALES = {
  loss: { least: 0, most: 3, ticks: [0, 1, 2, 3], write: String, text: lossText },
  accuracy: { least: 0, most: 1, ticks: [0, 0.5, 1], write: (share) => percent(share, 0), text: (share) => percent(share) },
};

/** A curve with its value of now, and below it that of digits that were not trained on. */
function figure(name) {
  const canvas = h("canvas", { class: "curve-canvas", role: "img" });
  const value = h("strong"), unseen = h("span", { class: "unseen-value" }), scale = SCALES[name];
  const unseenNote = h("span", { class: "small", text: "ofUnseen" });
  return {
    element: h("div", { class: "curve" },
      h("h3", { text: name }), h("p", { class: "curve-value" }, value, h("span", { class: "mark" }, unseen, unseenNote)), canvas),
    update({ steps }) {
      const series = training[name], latest = series.latest();
      value.textContent = latest === null ? "–" : scale.text(latest);
      unseen.textContent = training.epoch ? scale.text(training.epoch[`val_${name}`]) : "";
      unseen.parentElement.hidden = !training.epoch;
      if (latest === null) sayLabel(canvas, "curveEmpty", phrase(name));
      else sayLabel(canvas, "curveLabel", phrase(name), scale.text(latest), whole(series.length));
      paintSeries(canvas, series, steps, scale);
    },
  };
}

// --- The first layer ---

const GAP = 2; // pixels between two units' pictures

/** How the units' pictures lie: in rows of ten, or of as many as make them about twice as wide as high. */
function gridOf({ size }) {
  const across = size % 10 === 0 && size <= 60 ? 10 : Math.ceil(Math.sqrt(2 * size));
  return { across, down: Math.ceil(size / across) };
}

/** Paints what each unit of the first layer weighs its input with, as one picture. */
function paintFirstLayer(canvas) {
  const layer = app.network.layers[0], side = app.network.picture?.side;
  canvas.parentElement.hidden = !layer || !side;
  if (!layer || !side) return;
  const { values } = layer.step.arrays.W, { across, down } = gridOf(layer);
  const wide = across * (side + GAP) - GAP, high = down * (side + GAP) - GAP;
  const picture = new Float64Array(wide * high), most = typical(values) * 4;
  for (let unit = 0; unit < layer.size; unit++) {
    const x = (unit % across) * (side + GAP), y = Math.floor(unit / across) * (side + GAP);
    for (let pixel = 0; pixel < side * side; pixel++) {
      picture[(y + Math.floor(pixel / side)) * wide + x + (pixel % side)] = values[pixel * layer.size + unit];
    }
  }
  paintSigned(canvas, picture, wide, most || greatest(values));
  sayLabel(canvas, "firstWeightsLabel", layer.size, whole(training.step));
}

/** The root mean square of numbers. */
function typical(values) {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length);
}

/** The unit whose picture is pointed at, or null. */
function unitAt(canvas, event) {
  const layer = app.network.layers[0], { across, down } = gridOf(layer), box = canvas.getBoundingClientRect();
  const column = Math.floor(((event.clientX - box.left) / box.width) * across);
  const unit = Math.floor(((event.clientY - box.top) / box.height) * down) * across + column;
  return unit >= 0 && unit < layer.size ? { layer: 0, index: unit } : null;
}

function lookAt(unit) {
  if (app.unit?.layer === unit?.layer && app.unit?.index === unit?.index) return;
  app.unit = unit;
  app.changed();
}
