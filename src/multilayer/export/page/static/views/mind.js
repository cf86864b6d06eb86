/* What would change its mind: the gradient of the loss with respect to the input, and where it leads. */

import { register } from "../app.js";
import { greatest, paintInk, paintSigned } from "../colours.js";
import { h, say, sayLabel, section } from "../elements.js";
import { addTexts, percent } from "../texts.js";
import { answerChips } from "../chips.js";

addTexts({
  en: {
    mind: "What would change its mind",
    mindNote:
      "The gradient of the loss with respect to the input: where more ink would speak for another answer, and where " +
      "less would.",
    mindWaiting: "Draw something first.",
    towards: "It should say",
    gradientLabel: "Gradient towards {0}: vermilion where more ink would help, blue where less would",
    gradientCaption: "Towards {0}",
    more: "more ink",
    less: "less ink",
    follow: "Follow it",
    followed: (steps, label, share) =>
      `After ${steps} ${steps === 1 ? "step" : "steps"} along the gradient it says ${label}, ${share} sure.`,
    stubborn: "200 steps along the gradient did not change its mind.",
    already: "It says so already.",
    changedLabel: "The picture after following the gradient",
  },
  ko: {
    mind: "무엇이 생각을 바꿀까",
    mindNote: "입력에 대한 손실의 그래디언트: 어디에 잉크를 더하거나 덜면 다른 답이 될지 보여 줍니다.",
    mindWaiting: "먼저 그려 보세요.",
    towards: "바꾸고 싶은 답",
    gradientLabel: "{0} 쪽 그래디언트: 주황은 잉크를 더할 곳, 파랑은 덜어낼 곳",
    gradientCaption: "{0} 쪽으로",
    more: "잉크 더하기",
    less: "잉크 덜기",
    follow: "따라가 보기",
    followed: "그래디언트를 따라 {0}스텝 만에 {1}(으)로 읽습니다. 확률 {2}.",
    stubborn: "그래디언트를 200스텝 따라갔지만 생각을 바꾸지 않았습니다.",
    already: "이미 그렇게 읽고 있습니다.",
    changedLabel: "그래디언트를 따라간 뒤의 그림",
  },
});

const STEP = 0.02; // of a pixel's range, that the most sensitive pixel is moved by
const MOST_STEPS = 200;

register({
  name: "mind",
  place: "below",
  when: ({ network }) => Boolean(network?.picture && network.task !== "numbers"),
  make(app) {
    let wanted = null,
      followed = null,
      shownFor = null;
    const choose = (answer) => {
      wanted = answer;
      followed = null;
      app.changed();
    };
    const { chips, options, mark } = answerChips(app, "towards-answer", "towards", choose);
    const picture = h("canvas", { class: "pixels", role: "img" });
    const caption = h("p", { class: "small caption" });
    const changed = h("canvas", { class: "pixels", role: "img" });
    const result = h("p", { class: "small caption", role: "status" });
    const button = h("button", { type: "button", text: "follow" });
    const scale = h(
      "p",
      { class: "small scale", "aria-hidden": "true" },
      h("span", { text: "less" }),
      h("span", { class: "ramp" }),
      h("span", { text: "more" }),
    );
    const waiting = h("p", { class: "empty", text: "mindWaiting" });
    const body = h(
      "div",
      { class: "mind-body" },
      h("div", {}, h("div", { class: "frame" }, picture), caption, scale),
      h("div", { class: "mind-side" }, chips, button, h("div", { class: "frame changed" }, changed), result),
    );
    button.addEventListener("click", () => {
      followed = follow(app.network, app.x, target(app, wanted));
      app.changed();
    });
    return {
      element: section("mind", { heading: "mind", note: "mindNote" }, waiting, body),
      update(app) {
        body.hidden = !app.pass;
        waiting.hidden = Boolean(app.pass);
        if (!app.pass) return;
        if (shownFor !== app.x) followed = null; // it was of another drawing
        shownFor = app.x;
        const answer = target(app, wanted),
          label = app.network.labels[answer],
          { side, scale: most } = app.network.picture;
        mark(options, answer);
        const { dx } = app.network.backward(app.pass, app.network.target(answer), false);
        paintSigned(
          picture,
          dx.map((value) => -value),
          side,
        );
        sayLabel(picture, "gradientLabel", label);
        say(caption, "gradientCaption", label);
        button.disabled = app.network.best(app.pass) === answer;
        changed.parentElement.hidden = !followed;
        if (!followed)
          return void (button.disabled
            ? say(result, "already")
            : ((result.textContent = ""), delete result.dataset.text));
        paintInk(
          changed,
          followed.x.map((value) => value / most),
          side,
        );
        sayLabel(changed, "changedLabel");
        if (followed.turned) say(result, "followed", followed.steps, label, percent(followed.share, 0));
        else say(result, "stubborn");
      },
    };
  },
});

/** The answer that is asked for: the one that was chosen, else the second likeliest. */
function target({ network, pass }, wanted) {
  if (wanted !== null && wanted < network.labels.length) return wanted;
  const best = network.best(pass);
  return pass.answers.reduce(
    (second, share, i) => (i !== best && (second < 0 || share > pass.answers[second]) ? i : second),
    -1,
  );
}

/** Goes down the loss of another answer, step by step and within what pixels can be, until the network says it. */
function follow(network, start, answer) {
  const { scale } = network.picture,
    t = network.target(answer);
  let x = Float64Array.from(start);
  for (let steps = 1; steps <= MOST_STEPS; steps++) {
    const { dx } = network.backward(network.forward(x), t, false),
      most = greatest(dx);
    x = x.map((value, i) => Math.min(Math.max(value - (STEP * scale * dx[i]) / most, 0), scale));
    const pass = network.forward(x);
    if (network.best(pass) === answer) return { x, steps, turned: true, share: pass.answers[answer] };
  }
  return { x, steps: MOST_STEPS, turned: false };
}
