/* What is wider than the screen scrolls inside itself: the side that has more fades out, and the keyboard reaches it. */
"use strict";

const wide = document.querySelectorAll("article :is(.house, .math, .multilayer, .output, .table-wrapper, picture, pre)");

const mark = (element) => {
  const more = element.scrollWidth - element.clientWidth;
  const sides = [];
  if (more > 1 && element.scrollLeft > 1) sides.push("left");
  if (more > 1 && element.scrollLeft < more - 1) sides.push("right");
  element.dataset.more = sides.join(" ");
  if (more > 1) element.tabIndex = 0;
  else element.removeAttribute("tabindex");
};

const sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => mark(target)));
for (const element of wide) {
  sizes.observe(element);
  element.addEventListener("scroll", () => mark(element), { passive: true });
}
addEventListener("load", () => wide.forEach(mark)); /* pictures and fonts are there */
