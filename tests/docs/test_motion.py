"""The moving picture of the README is what its script draws, and small; beside it is a still for who prefers that."""

import importlib.util

import numpy as np
import pytest
from PIL import Image, ImageSequence

from helpers.paths import DOCS

spec = importlib.util.spec_from_file_location("motion", DOCS / "motion.py")
motion = importlib.util.module_from_spec(spec)
spec.loader.exec_module(motion)


def pixels(image):
    return np.asarray(image.convert("RGB"), float)


def test_the_committed_pictures_are_what_the_script_draws(tmp_path):
    animation = motion.learning()
    with Image.open(DOCS / "images" / "learning.gif") as moving, Image.open(DOCS / "images" / "learning.png") as still:
        frames = [pixels(frame) for frame in ImageSequence.Iterator(moving)]
        assert len(frames) == len(animation)
        assert np.abs(frames[-1] - pixels(still)).mean() < 3  # of 255
        for number in (0, len(frames) // 2, -1):
            animation.frame(number).savefig(tmp_path / "frame.png", dpi=96)
            with Image.open(tmp_path / "frame.png") as drawn:
                assert np.abs(frames[number] - pixels(drawn)).mean() < 5


def test_they_are_small():
    assert (DOCS / "images" / "learning.gif").stat().st_size < 600_000
    assert (DOCS / "images" / "learning.png").stat().st_size < 200_000


@pytest.mark.parametrize("name", ["README.md", "README.ko.md"])
def test_a_reader_who_prefers_less_motion_gets_the_still(name):
    text = (DOCS.parent / name).read_text(encoding="utf-8")
    picture = text[text.index("<picture>") : text.index("</picture>")]
    assert '<source media="(prefers-reduced-motion: reduce)" srcset="docs/images/learning.png">' in picture
    assert '<img src="docs/images/learning.gif"' in picture
