"""Every page of the built site on phones, tablets, laptops and wide screens, in light and dark.

`python docs/build.py` builds the site; where it is not built there is nothing to test. With MULTILAYER_SCREENSHOTS=1
what was seen is kept in build/screenshots, a folder for each width and mode, for eyes: about a thousand pictures.
"""

import os
from pathlib import Path

import pytest

from helpers.browsing import serious_faults, settled

pytest.importorskip("playwright.sync_api", reason="Playwright is missing: pip install 'multilayer[browser]'")

BUILD = Path(__file__).parents[2] / "build"
SITE = BUILD / "site"
if not (SITE / "index.html").exists():
    pytest.skip("The site is not built: python docs/build.py", allow_module_level=True)

WIDTHS = (320, 390, 600, 768, 1366, 1920)
SCHEMES = ("light", "dark")
SOURCES = "_modules/"
ALL = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
PAGES = [path for path in ALL if not path.startswith(SOURCES)]
FOLDERS = sorted({path.rpartition("/")[0] for path in ALL if path.startswith(SOURCES)})

# A figure has other files on other screens.
PICTURES = """Promise.race([
  Promise.all(Array.from(document.images, (image) => image.decode().catch(() => {}))),
  new Promise((late) => setTimeout(late, 5000)),  // what is missing is found below, and some that are lazy never come
])"""

# Gives a sentence for each fault of the layout, as the page stands; texts for those who hear it are a pixel wide.
FAULTS = """() => {
  const found = new Set(), root = document.documentElement, main = "html, body, .page, .main, .content, article";
  const named = (element) => element.tagName.toLowerCase() + [...element.classList].map((name) => "." + name).join("") +
    ` "${(element.alt || element.textContent || "").trim().slice(0, 40)}"`;
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  for (const image of document.querySelectorAll("img, article svg, math, canvas")) {
    const { width, height } = image.getBoundingClientRect();
    if (seen(image) && (width < 1 || height < 1 || image.naturalWidth === 0)) found.add(`not there: ${named(image)}`);
  }
  for (const image of document.querySelectorAll("picture img")) {
    const source = image.parentElement.querySelector("source");
    const meant = (source && matchMedia(source.media).matches ? source : image).getAttribute("width");
    if (image.clientWidth < 0.54 * meant) found.add(`letters too small: ${named(image)}`);  // less than 7 pixels high
  }
  for (const element of document.querySelectorAll("html, body, body *")) {
    const wider = element.scrollWidth - element.clientWidth, higher = element.scrollHeight - element.clientHeight;
    if (wider < 2 && higher < 2) continue;
    const style = getComputedStyle(element), { overflowX, overflowY } = style;
    if (wider > 1 && element.matches(main) && (overflowX !== "visible" || element === root))
      found.add(`scrolls sideways by ${wider}: ${named(element).slice(0, 60)}`);
    else if (style.display === "inline" || !element.textContent.trim() || element.clientWidth < 2) continue;
    else if (wider > 1 && /auto|scroll/.test(overflowX) && seen(element) && style.maskImage === "none")
      found.add(`scrolls without a hint: ${named(element)}`);
    else if ((wider > 1 && /hidden|clip/.test(overflowX)) || (higher > 1 && /hidden|clip/.test(overflowY)))
      if (seen(element) && element !== root) found.add(`cut off by ${wider}, ${higher}: ${named(element)}`);
  }
  return [...found];
}"""


# Marks one text of each look, a colour on a ground at a size: thousands of others on the page look like one of them.
MARK_LOOKS = """() => {
  const looks = new Set(), grounds = new Map([[null, ""]]);
  const ground = (element) => {
    if (!grounds.has(element)) {
      const { backgroundColor, opacity } = getComputedStyle(element);
      const own = backgroundColor.endsWith(", 0)") ? ground(element.parentElement) : backgroundColor;
      grounds.set(element, own + (opacity === "1" ? "" : ` ${opacity}`));
    }
    return grounds.get(element);
  };
  for (const element of document.querySelectorAll("body *")) {
    const written = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (!written || !element.checkVisibility({ visibilityProperty: true })) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(element);
    const look = [color, fontSize, fontWeight, ground(element)].join();
    element.toggleAttribute("data-look", !looks.has(look));
    looks.add(look);
  }
}"""

# Spans that only colour code are nothing to those who hear a page.
UNCOLOUR = "document.querySelectorAll('.highlight span').forEach((span) => span.replaceWith(...span.childNodes))"


def keep(page, path, width, scheme):
    """Keeps a picture of the whole page, for eyes."""
    if os.environ.get("MULTILAYER_SCREENSHOTS"):
        name = path.removesuffix(".html").replace("/", "-")
        page.screenshot(path=BUILD / "screenshots" / f"{width}-{scheme}" / f"{name}.png", full_page=True)


def seen_at(page, width, scheme):
    """Sets the width of the screen and the mode, and gives the faults of the layout."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.evaluate(PICTURES)
    settled(page)
    return [f"{width} px, {scheme}: {fault}" for fault in page.evaluate(FAULTS)]


# That nothing is on the console and nothing is missing, `visit` sees to.


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_readable_on_every_screen(visit, site, path):
    page = visit(f"{site}/{path}")
    faults = []
    for width in WIDTHS:
        for scheme in SCHEMES:
            faults += seen_at(page, width, scheme)
            keep(page, path, width, scheme)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        page.evaluate(MARK_LOOKS)
        pale = serious_faults(page, {"include": ["[data-look]"]}, runOnly=["color-contrast"])
        faults += [f"{scheme}: {fault}" for fault in pale]
    page.evaluate(UNCOLOUR)
    faults += serious_faults(page, rules={"color-contrast": {"enabled": False}})
    assert faults == []


# They are many and alike, code in one frame, which has been looked at at every width and in both modes above.
@pytest.mark.parametrize("folder", FOLDERS)
def test_the_longest_source_code_is_whole_on_phones_and_laptops(visit, site, folder):
    own = [path for path in ALL if path.rpartition("/")[0] == folder]
    page = visit(f"{site}/{SOURCES}index.html")
    faults = {}
    for path in sorted(own, key=lambda path: (SITE / path).stat().st_size)[-2:]:
        page.goto(f"{site}/{path}")
        faults[path] = [fault for width in (320, 1366) for fault in seen_at(page, width, "light")]
    assert {path: found for path, found in faults.items() if found} == {}


@pytest.mark.parametrize("path", ["index.html", "tutorial/en/07-backpropagation.html", "api/layers.html"])
def test_no_width_between_makes_a_page_scroll_sideways(visit, site, path):
    page = visit(f"{site}/{path}")
    wider = []
    for width in range(320, 2001, 20):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
            wider.append(width)
    assert wider == []
