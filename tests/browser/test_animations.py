"""Animations in a browser: who plays them, and that nothing moves for a reader who prefers it so."""

import numpy as np
import pytest

from helpers.browsing import serious_faults
from multilayer.plotting import Animation, plot_digits

LAST = 4


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    path = tmp_path_factory.mktemp("animation") / "learning.html"
    pixels = np.eye(16).reshape(16, 4, 4)
    captions = [f"step {number}" for number in range(LAST + 1)]
    Animation(lambda number: plot_digits(pixels[: number + 1]), captions, "digits", interval=100).save(path)
    return path.as_uri()


def frame(page):
    """The number of the frame on which the slider stands, and what is said of it."""
    slider = page.get_by_role("slider", name="Frame")
    return int(slider.input_value()), slider.get_attribute("aria-valuetext")


def picture(page):
    return page.get_by_role("img").get_attribute("src")


def played(page):
    """Waits until it has played to its end, and gives the frames that were seen."""
    return page.evaluate(
        """(last) => new Promise((done) => {
          const slider = document.querySelector("input"), image = document.querySelector("img"), seen = [];
          new MutationObserver(() => {
            seen.push(Number(slider.value));
            if (seen.at(-1) === last) done(seen);
          }).observe(image, { attributes: true, attributeFilter: ["src"] });
        })""",
        LAST,
    )


def test_it_waits_for_a_reader_who_prefers_less_motion_and_plays_when_asked(visit, url):
    page = visit(url, reduced_motion="reduce")
    still = picture(page)
    page.wait_for_timeout(400)
    assert (frame(page), picture(page)) == ((LAST, f"step {LAST}"), still)
    page.evaluate("setTimeout(() => document.querySelector('[aria-label=Play]').click(), 50)")
    assert played(page) == list(range(LAST + 1))
    page.wait_for_timeout(300)  # and no further
    assert (frame(page), picture(page)) == ((LAST, f"step {LAST}"), still)
    assert page.get_by_role("button", name="Play").count() == 1


def test_it_plays_once_for_everybody_else(visit, url):
    page = visit(url, reduced_motion="no-preference")
    page.get_by_role("button", name="Play").wait_for()  # which says Pause while it plays
    page.wait_for_timeout(300)
    assert frame(page) == (LAST, f"step {LAST}")


def test_buttons_and_the_slider_lead_to_any_frame(visit, url):
    page = visit(url)
    back, forward = page.get_by_role("button", name="Back"), page.get_by_role("button", name="Forward")
    forward.click()
    assert frame(page)[0] == LAST  # there is none behind it
    back.click()
    back.click()
    assert frame(page) == (LAST - 2, f"step {LAST - 2}")
    assert len({picture(page), *(back.click() or picture(page) for _ in range(LAST - 2))}) == LAST - 1
    back.click()
    assert frame(page)[0] == 0
    page.get_by_role("slider").fill("3")
    assert frame(page) == (3, "step 3")
    page.get_by_role("slider").press("ArrowRight")
    assert frame(page)[0] == 4


def test_it_stops_where_it_is_paused(visit, url):
    page = visit(url)
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").click()
    stopped = frame(page)
    page.wait_for_timeout(300)
    assert frame(page) == stopped


def test_several_on_a_page_play_by_themselves_alone(visit, url):
    page = visit(url)
    page.evaluate(
        """() => {
          const player = document.querySelector(".multilayer-animation"), other = document.createElement("section");
          other.innerHTML = player.outerHTML.replace(' data-ready=""', "");
          document.body.append(other);
          const script = document.createElement("script");  // as notebooks do: what innerHTML brings does not run
          script.textContent = player.querySelector("script").textContent;
          other.append(script);
        }"""
    )
    page.get_by_role("button", name="Back").nth(1).click()
    assert [slider.input_value() for slider in page.get_by_role("slider").all()] == [str(LAST), str(LAST - 1)]


@pytest.mark.parametrize("width", [320, 1366])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_and_is_accessible(visit, url, width, scheme):
    page = visit(url, viewport={"width": width, "height": 600}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert serious_faults(page) == []
