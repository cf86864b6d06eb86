"""Handwriting-like digits that the library draws itself: no file, no network, any number of them.

A digit is a few strokes, each a smooth curve through control points (`glyphs`). To write one, the points are moved a
little (nobody's hand is steady), the glyph is scaled, sheared and turned, and a pen of some width is drawn along the
curve. The result is set into its image as MNIST's digits are: ink within 20 x 20 pixels, its centre of
mass in the middle of 28 x 28.

A network that has seen 60,000 of these digits and nothing else reads 88 to 90 % of MNIST's test digits. Written in
more ways (`varied`), they are no better for MNIST's, and for what people draw on a screen they are: of 2,904 digits of
UNIPEN, which were written with pens on tablets, the tutorial's network then reads 87 to 88 % instead of 85.

Source of these: Guyon, Schomaker, Plamondon, Liberman, Janet, "UNIPEN project of on-line data exchange and recognizer
benchmarks", 1994; nothing of them is in the library.

Source of the layout: LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition", 1998.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from multilayer._checks.scalars import whole_number
from multilayer._tracebacks import filter_traceback
from multilayer.datasets.glyphs import FURTHER_GLYPHS, GLYPHS, parse_glyph

Array: TypeAlias = NDArray[Any]
Images: TypeAlias = NDArray[np.uint8]
Splits: TypeAlias = tuple[tuple[Images, Images], tuple[Images, Images]]

SIDE = 28  # pixels of an image
BOX = 20  # pixels that the ink fits in

# How much hands differ. Lengths are in parts of a digit's height before it is fitted into the box.
_JITTER = 0.075  # standard deviation of a control point
_WAVES = ((0.12, 0.5), (0.04, 1.2))  # amplitude of the waves that bend a glyph, and how many fit into its height
_SLANT = (0.2, 0.3)  # mean and standard deviation of the shear: most hands lean to the right
_TURN = 0.12  # standard deviation of the rotation, in radians
_ASPECT = (0.55, 1.3)  # width of the glyph for a height of 1
_INK = (2.5, 40.0)  # brightness in a stroke's middle before it is cut off at white: more ink, a wider stroke
_BLUR = 0.45  # standard deviation of the pen's edge, in pixels
_CHUNK = 1024  # glyphs drawn at once, which bounds the memory


@filter_traceback
def generate(num_samples: int, seed: int = 0, varied: bool = False) -> tuple[Images, Images]:
    """Draws digits.

    Args:
        num_samples: How many, at least 0.
        seed: A whole number of at least 0. The same numbers give the same digits; a larger `num_samples` gives others.
        varied: Whether they are written in more ways, among them those of people who draw on a screen.

    Returns:
        Images, shape (num_samples, 28, 28), grey values 0 (paper) to 255 (ink); and labels 0 to 9,
        shape (num_samples,). Both are uint8.

    Raises:
        ValueError: An argument is no such number.

    Example:
        >>> images, labels = generate(1000, seed=1)
        >>> images.shape, images.dtype, len(set(labels.tolist()))
        ((1000, 28, 28), dtype('uint8'), 10)
    """
    whole_number("num_samples", num_samples, 0)
    whole_number("seed", seed, 0)
    rng = np.random.Generator(np.random.PCG64(seed))
    labels = rng.integers(0, 10, num_samples).astype(np.uint8)
    images = np.zeros((num_samples, SIDE, SIDE), np.uint8)
    for digit, glyphs in GLYPHS.items():
        if varied:
            glyphs += FURTHER_GLYPHS[digit]
        of_digit = np.flatnonzero(labels == digit)
        glyph_of = rng.integers(0, len(glyphs), len(of_digit))
        for number, text in enumerate(glyphs):
            rows = of_digit[glyph_of == number]
            control, curve, steps = parse_glyph(text)
            for start in range(0, len(rows), _CHUNK):
                chunk = rows[start : start + _CHUNK]
                points = _write(control, curve, len(chunk), rng)
                images[chunk] = _draw(points, steps, _ink(len(chunk), rng))
    return images, labels


@filter_traceback
def load_data(num_train: int = 60_000, num_test: int = 10_000, seed: int = 0) -> Splits:
    """Digits to train on and others to test with, in the form of MNIST.

    Args:
        num_train: Number of training digits.
        num_test: Number of test digits.
        seed: A whole number of at least 0; the two sets come from two different streams of it.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, all uint8: images (n, 28, 28) and labels (n,).

    Raises:
        ValueError: A number is negative, or no whole number.

    Example:
        >>> (x_train, y_train), (x_test, y_test) = load_data(num_train=600, num_test=100)
        >>> x_train.shape, y_test.shape
        ((600, 28, 28), (100,))
    """
    return generate(num_train, 2 * seed), generate(num_test, 2 * seed + 1)


def _write(control: Array, curve: Array, n: int, rng: np.random.Generator) -> Array:
    """Copies of a glyph, each by another hand: points (n, p, 2) in pixels, ready to be drawn."""
    shaken = control + rng.normal(0.0, _JITTER, (n, *control.shape))
    points: Array = np.matmul(curve, shaken) - 0.5  # (n, p, 2)

    # Waves bend the glyph: slow ones as a whole, quicker ones here and there.
    for amplitude, quickness in _WAVES:
        frequency = rng.normal(0.0, quickness, (2, n, 1, 2))
        phase = rng.uniform(0.0, 2 * np.pi, (2, n, 1))
        angle = 2 * np.pi * np.sum(points * frequency, axis=3) + phase  # (2, n, p)
        points += amplitude * np.moveaxis(np.sin(angle), 0, 2)

    aspect = rng.uniform(*_ASPECT, n)
    slant = rng.normal(*_SLANT, n)
    turn = rng.normal(0.0, _TURN, n)
    cos, sin = np.cos(turn), np.sin(turn)
    # Turned, after it was stretched and slanted: (x, y) -> R (aspect x - slant y, y)
    linear = np.array([[cos * aspect, -cos * slant - sin], [sin * aspect, cos - sin * slant]])  # (2, 2, n)
    points = np.matmul(points, linear.transpose(2, 1, 0))

    # The larger side of the glyph fills the box, less the width of the stroke; its centre of mass is the image's.
    sides = np.ptp(points, axis=1).max(axis=1)
    points *= ((BOX - 2.5) / sides)[:, None, None]
    points += SIDE / 2 - points.mean(axis=1, keepdims=True)
    np.clip(points, 0.0, SIDE - 1.001, out=points)  # `_draw` marks the next pixel to the right and below, too
    return points


def _ink(n: int, rng: np.random.Generator) -> Array:
    """How much ink n pens give, drawn evenly on a logarithmic scale."""
    low, high = _INK
    ink: Array = low * (high / low) ** rng.uniform(size=n)
    return ink


def _draw(points: Array, steps: Array, ink: Array) -> Images:
    """Draws each glyph's points (n, p, 2) with a soft pen: images (n, 28, 28)."""
    n = len(points)
    spacing = _step_length(points, steps)  # a denser row of points must not be a brighter stroke
    # A point's ink is shared out between the four pixels around it, or strokes would have steps.
    corner = np.floor(points).astype(np.int64)
    right, down = np.moveaxis(points - corner, 2, 0)
    x, y = np.moveaxis(corner, 2, 0)
    index = (np.arange(n)[:, None] * SIDE + y) * SIDE + x
    marks = np.zeros(n * SIDE * SIDE)
    for offset, share in (
        (0, (1 - right) * (1 - down)),
        (1, right * (1 - down)),
        (SIDE, (1 - right) * down),
        (SIDE + 1, right * down),
    ):
        marks += np.bincount((index + offset).ravel(), share.ravel(), marks.size)
    pen = _pen()
    strokes: Array = pen @ marks.reshape(n, SIDE, SIDE) @ pen
    strokes *= (ink * spacing * np.sqrt(2 * np.pi) * _BLUR)[:, None, None]
    np.minimum(strokes, 1.0, out=strokes)
    images: Images = np.rint(255 * strokes).astype(np.uint8)
    return images


def _step_length(points: Array, steps: Array) -> Array:
    """Mean distance between neighbouring points of each glyph, in pixels, jumps between curves left out."""
    distances: Array = np.linalg.norm(np.diff(points, axis=1), axis=2)
    mean: Array = distances @ steps / steps.sum()
    return mean


def _pen() -> Array:
    """The matrix (28, 28) that blurs a row of pixels with the pen's edge, a normal distribution."""
    distance = np.arange(SIDE)[:, None] - np.arange(SIDE)
    edge: Array = np.exp(-0.5 * (distance / _BLUR) ** 2)
    edge /= np.sqrt(2 * np.pi) * _BLUR
    return edge
