"""Pictures as people have them, as networks that read digits take them: from files and from bytes.

NumPy and Pillow are enough; Pillow is imported when a picture is read.
"""

from multilayer._pictures.inputs import as_input, side_of
from multilayer._pictures.preparation import NO_INK, Prepared, prepare
from multilayer._pictures.reading import DigitImage, TooLargeError, background, decode, fit, is_blank, read

__all__ = [
    "NO_INK",
    "DigitImage",
    "Prepared",
    "TooLargeError",
    "as_input",
    "background",
    "decode",
    "fit",
    "is_blank",
    "prepare",
    "read",
    "side_of",
]
