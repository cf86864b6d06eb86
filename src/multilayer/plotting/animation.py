"""Pictures that follow one another: a GIF, or a page or a notebook's output that waits for who prefers it still."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from multilayer._checks.scalars import whole_number
from multilayer._language import language, tr

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure
    from PIL import Image

_DPI = 96  # of a page: a pixel of the picture is a pixel of the page
_COLOURS = 96  # of all frames: with fewer, bands show in their shades
_QUALITY = 75  # of 100: where text begins to blur
_REST = 3000  # milliseconds that a GIF stands on its last frame

_PLAYER = """\
<div class="multilayer-animation" data-animation="{key}">
<style>
.multilayer-animation {{ display: inline-block; max-width: 100%; }}
.multilayer-animation img {{ display: block; max-width: 100%; height: auto; background: white; }}
.multilayer-animation [hidden] {{ display: none; }}
.multilayer-animation-controls {{ display: flex; gap: 0.5em; margin-top: 0.4em; }}
.multilayer-animation-controls button {{
  min-width: 2.5em; min-height: 2em; padding: 0.2em 0.6em; border: 1px solid; border-radius: 0.3em;
  background: transparent; color: inherit; font: inherit; line-height: 1; cursor: pointer;
}}
.multilayer-animation-controls path {{ fill: currentColor; }}
.multilayer-animation-controls input {{ flex: 1; min-width: 0; accent-color: #0072B2; }}
</style>
<img src="{still}" alt="{description}" width="{width}" height="{height}">
<div class="multilayer-animation-controls" role="group" aria-label="{description}" hidden>
<button type="button" aria-label="{play}"><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
<path d="M3 1v14l12-7z"/></svg></button>
<button type="button" aria-label="{back}"><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
<path d="M2 1h2v14H2zM14 1v14L5 8z"/></svg></button>
<button type="button" aria-label="{forward}"><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
<path d="M12 1h2v14h-2zM2 1v14l9-7z"/></svg></button>
<input type="range" min="0" max="{last}" value="{last}" aria-label="{frame}" aria-valuetext="{caption}">
</div>
<script>
(() => {{
  const others = {others}, captions = {captions}, last = {last};
  for (const player of document.querySelectorAll('[data-animation="{key}"]:not([data-ready])')) {{
    player.dataset.ready = "";
    const image = player.querySelector("img"), controls = player.querySelector("[role=group]");
    const [toggle, back, forward] = controls.querySelectorAll("button"), slider = controls.querySelector("input");
    const icon = toggle.querySelector("path"), triangle = icon.getAttribute("d");
    const frames = [...others, image.src];
    let timer = null;
    const show = (number) => {{
      image.src = frames[number];
      slider.value = number;
      slider.setAttribute("aria-valuetext", captions[number]);
    }};
    const mark = () => {{
      toggle.setAttribute("aria-label", timer ? {to_pause} : {to_play});
      icon.setAttribute("d", timer ? "M3 1h4v14H3zM9 1h4v14H9z" : triangle);
    }};
    const pause = () => {{ clearInterval(timer); timer = null; mark(); }};
    const step = (by) => show(Math.min(last, Math.max(0, Number(slider.value) + by)));
    const play = () => {{
      if (Number(slider.value) === last) show(0);
      timer = setInterval(() => {{ step(1); if (Number(slider.value) === last) pause(); }}, {interval});
      mark();
    }};
    toggle.onclick = () => (timer ? pause() : play());
    back.onclick = () => {{ pause(); step(-1); }};
    forward.onclick = () => {{ pause(); step(1); }};
    slider.oninput = () => {{ pause(); show(Number(slider.value)); }};
    controls.hidden = false;
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) continue;
    new IntersectionObserver((entries, observer) => {{
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      if (!timer && Number(slider.value) === last) play();
    }}, {{ threshold: 0.6 }}).observe(image);
  }}
}})();
</script>
</div>
"""

_PAGE = """\
<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1rem; font-family: sans-serif; text-align: center; }}
</style>
</head>
<body>
{player}</body>
</html>
"""


class Animation:
    """Pictures that follow one another. A notebook shows them where a cell ends with them; `save` writes them.

    Shown, it stands on its last frame. It plays once when it comes into view, unless the reader has asked the system
    for less motion: then it waits for its button.

    Args:
        draw: Gives the figure of the frame of this number. Later frames may be drawn into the same figure.
        captions: What stands above each frame.
        description: What is to be seen, for those who cannot see it.
        interval: Milliseconds from one frame to the next.

    Raises:
        ValueError: There is no frame, or `interval` is no whole number of at least 20.

    Example:
        >>> from multilayer.plotting import plot_digits
        >>> digits = np.eye(4).reshape(4, 2, 2)
        >>> animation = Animation(lambda number: plot_digits(digits[: number + 1]), ["one", "two"], "more and more")
        >>> len(animation), animation.frame(-1).get_suptitle()
        (2, 'two')
    """

    def __init__(
        self, draw: Callable[[int], Figure], captions: Sequence[str], description: str, interval: int = 150
    ) -> None:
        if not captions:
            raise ValueError(tr("An animation needs at least one frame."))
        self._draw = draw
        self.captions = tuple(captions)
        self.description = description
        self.interval = whole_number("interval", interval, 20)

    def __len__(self) -> int:
        """The number of frames."""
        return len(self.captions)

    def __repr__(self) -> str:
        """How long it is."""
        return f"<Animation of {len(self)} frames, from {self.captions[0]!r} to {self.captions[-1]!r}>"

    def frame(self, number: int) -> Figure:
        """The figure of one frame, a still: `animation.frame(-1).savefig("end.png")`.

        Args:
            number: Which, from 0; negative ones count from the end.

        Raises:
            IndexError: There is none of this number.
        """
        number = range(len(self))[number]
        figure = self._draw(number)
        figure.suptitle(self.captions[number], fontsize=10)
        return figure

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the animation: `learning.gif`, or `learning.html`, a page with buttons that needs nothing else.

        A GIF plays again and again, and cannot know whether somebody prefers less motion. Beside it, offer a still.

        Args:
            path: Where to. What it ends with says what is written.

        Raises:
            ValueError: It ends otherwise.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending == ".html":
            path.write_text(self._page(), "utf-8")
        elif ending == ".gif":
            first, *others = _in_few_colours(self._images())
            times = [self.interval] * len(others) + [_REST]
            first.save(path, "gif", save_all=True, append_images=others, duration=times, loop=0)
        else:
            raise ValueError(tr("Expected a path that ends in .gif or .html. Received: path={path!r}", path=str(path)))

    def _page(self) -> str:
        return _PAGE.format(language=language(), title=html.escape(self.description), player=self._repr_html_())

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        images = self._images()
        frames = [_data_url(*pair) for pair in zip(images, _in_few_colours(images), strict=True)]
        play, pause = tr("Play"), tr("Pause")
        return _PLAYER.format(
            play=play,
            to_play=json.dumps(play),
            to_pause=json.dumps(pause),
            back=tr("Back"),
            forward=tr("Forward"),
            frame=tr("Frame"),
            key=hashlib.sha256("".join(frames).encode()).hexdigest()[:16],
            others=_as_script(frames[:-1]),
            captions=_as_script(self.captions),
            still=frames[-1],
            caption=html.escape(self.captions[-1]),
            description=html.escape(self.description),
            width=images[0].width,
            height=images[0].height,
            last=len(frames) - 1,
            interval=self.interval,
        )

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """What stands where no page can be shown, on paper say: the last frame."""
        last: Any = self.frame(-1)
        shown: tuple[bytes, dict[str, int]] = last._repr_png_()
        return shown

    def _images(self) -> list[Image.Image]:
        return _of_one_size([_drawn(self.frame(number)) for number in range(len(self))])


def _drawn(figure: Figure) -> Image.Image:
    """The picture of a figure, which is drawn once for it; `savefig` would draw it twice."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    dpi = figure.dpi
    figure.set_dpi(_DPI)
    canvas: Any = FigureCanvasAgg(figure)  # it has no annotations
    canvas.draw()
    picture = Image.fromarray(np.asarray(canvas.buffer_rgba())).convert("RGB")
    figure.set_dpi(dpi)
    return picture


def _of_one_size(images: list[Image.Image]) -> list[Image.Image]:
    """The pictures, those that are smaller than others with paper of their colour to the right and below."""
    from PIL import ImageOps

    width, height = (max(sides) for sides in zip(*(image.size for image in images), strict=True))
    borders = [(0, 0, width - image.width, height - image.height) for image in images]
    return [
        ImageOps.expand(image, border, image.getpixel((0, 0))) if any(border) else image  # type: ignore[arg-type]
        for image, border in zip(images, borders, strict=True)
    ]


def _in_few_colours(images: Sequence[Image.Image]) -> list[Image.Image]:
    """The pictures in the colours of a palette that they share, so that what does not change stays as it is."""
    from PIL import Image

    some = [images[round(share * (len(images) - 1))] for share in (0.0, 0.125, 0.25, 0.5, 1.0)]
    width, height = images[0].size
    together = Image.new("RGB", (width, height * len(some)))
    for place, image in enumerate(some):
        together.paste(image, (0, place * height))
    palette = together.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, kmeans=3)  # which keeps rare colours, too
    few = [image.quantize(palette=palette, dither=Image.Dither.NONE) for image in images]
    mixed = np.reshape(palette.getpalette() or (), (-1, 3))
    mixed[np.asarray(few[0])[0, 0]] = np.asarray(images[0])[0, 0]  # the paper is as white as it was
    for image in few:
        image.putpalette(mixed.ravel().tolist())
    return few


def _data_url(image: Image.Image, in_few_colours: Image.Image) -> str:
    """The picture within an address, in the smaller of two forms: one is good for shades, the other for grains."""
    lossy, lossless = io.BytesIO(), io.BytesIO()
    image.save(lossy, "webp", quality=_QUALITY)
    in_few_colours.convert("RGB").save(lossless, "webp", lossless=True)
    smaller = min(lossy.getvalue(), lossless.getvalue(), key=len)
    return f"data:image/webp;base64,{base64.b64encode(smaller).decode()}"


def _as_script(values: Sequence[str]) -> str:
    """Strings as a script has them; none of them ends the script or begins a comment in it."""
    return json.dumps(list(values)).replace("<", r"\u003c")
