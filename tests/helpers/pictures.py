"""Pictures of digits, drawn."""

import numpy as np
from PIL import Image, ImageDraw


def on_canvas(digit, size=112, row=3, column=70, factor=1):
    """A digit on a larger black sheet, each of its pixels `factor` pixels a side."""
    canvas = np.zeros((size, size), np.uint8)
    large = np.kron(digit, np.ones((factor, factor), np.uint8))
    canvas[row : row + len(large), column : column + len(large)] = large
    return canvas


def text(words):
    """Black words on white."""
    picture = Image.new("L", (240, 60), 255)
    ImageDraw.Draw(picture).text((10, 10), words, fill=0, font_size=40)
    return np.asarray(picture)
