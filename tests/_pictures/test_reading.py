"""Pictures of digits, read from files and bytes that are believed nothing."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from multilayer import _pictures as images


def test_predict_keeps_proportions_and_background():
    tall = np.full((100, 20), 30, np.uint8)
    tall[10:90, 8:12] = 250
    (pixels,) = images.fit([images.DigitImage("one", tall)], 28, invert=False)
    assert pixels.shape == (28, 28)
    ink = np.argwhere(pixels > 140)
    assert np.ptp(ink[:, 0]) > 15 > 3 > np.ptp(ink[:, 1])  # a stroke, upright and narrow
    assert np.all(pixels[:, :10] == 30)


MODES = {
    "grey": lambda ink: Image.fromarray(ink),
    "colour": lambda ink: Image.fromarray(ink).convert("RGB"),
    "palette": lambda ink: Image.fromarray(ink).convert("P"),
    "16 bit": lambda ink: Image.fromarray(ink.astype(np.uint16) * 257),
    "opaque": lambda ink: Image.fromarray(ink).convert("RGBA"),
}


@pytest.mark.parametrize("mode", MODES)
def test_pictures_of_any_mode_have_the_same_grey_values(mode, tmp_path):
    ink = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17
    MODES[mode](ink).save(tmp_path / "ink.png")
    (image,) = images.read(tmp_path / "ink.png")
    assert image.pixels.tolist() == ink.tolist()


def test_a_transparent_picture_lies_on_white_paper(tmp_path):
    ink = np.zeros((2, 2, 4), np.uint8)
    ink[0, 0, 3] = 255  # one black pixel
    Image.fromarray(ink).save(tmp_path / "ink.png")
    (image,) = images.read(tmp_path / "ink.png")
    assert image.pixels.tolist() == [[0, 255], [255, 255]]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_pictures_are_turned_as_the_camera_noted(mode, tmp_path):
    upright = Image.fromarray(np.repeat(np.arange(0, 240, 10, dtype=np.uint8)[:, None], 16, axis=1)).convert(mode)
    turned = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        6: Image.Transpose.ROTATE_90,
        8: Image.Transpose.ROTATE_270,
    }
    for orientation, how in turned.items():
        exif = Image.Exif()
        exif[0x0112] = orientation
        upright.transpose(how).save(tmp_path / "photo.png", exif=exif)
        (image,) = images.read(tmp_path / "photo.png")
        assert image.turned
        assert np.array_equal(image.pixels, np.asarray(upright.convert("L")))


@pytest.mark.parametrize("exif", [b"Exif\0\0MM\0*\xff\xff\xff\xff", b"Exif\0\0", b"x" * 50])
def test_broken_exif_data_are_no_obstacle(exif, tmp_path):
    Image.new("L", (16, 16), 7).save(tmp_path / "photo.jpg", exif=exif)
    (image,) = images.read(tmp_path / "photo.jpg")
    assert not image.turned
    assert image.pixels.shape == (16, 16)


def test_light_ink_on_a_transparent_picture_lies_on_black_paper(tmp_path):
    ink = np.zeros((4, 4, 4), np.uint8)
    ink[1, 1] = 255  # one white pixel
    Image.fromarray(ink).save(tmp_path / "ink.png")
    (image,) = images.read(tmp_path / "ink.png")
    assert np.argwhere(image.pixels).tolist() == [[1, 1]]


def test_a_picture_with_transparent_corners_keeps_its_own_paper(tmp_path):
    screen = np.full((40, 40, 4), 255, np.uint8)
    screen[15:25, 18:22, :3] = 0
    screen[:4, :4, 3] = 0
    Image.fromarray(screen).save(tmp_path / "screen.png")
    (image,) = images.read(tmp_path / "screen.png")
    assert image.pixels[0, 0] == 255


@pytest.mark.parametrize("ending", ["png", "jpg", "bmp", "gif", "tiff", "webp"])
def test_the_usual_formats_are_read_whatever_the_file_is_called(ending, tmp_path):
    path = tmp_path / f"digit.{ending}"
    Image.new("L", (16, 16), 7).save(path)
    assert images.read(path.rename(tmp_path / "digit"))[0].pixels.shape == (16, 16)


@pytest.mark.parametrize(
    "content", [b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", b"%PDF-1.4\n", b"P5 2 2 255\nabcd"]
)
def test_no_other_format_is_opened_whatever_the_file_is_called(content, monkeypatch, tmp_path):
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("started a program"))
    (tmp_path / "digit.png").write_bytes(content)
    with pytest.raises(ValueError, match="neither a picture"):
        images.read(tmp_path / "digit.png")


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("side", [7072, 13_000, 40_000, 2**31 - 1])
def test_a_picture_of_too_many_pixels_is_refused_before_it_is_unpacked(side, monkeypatch, tmp_path):
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows_of_zeros = zlib.compress(bytes(100_000), 9)
    (tmp_path / "bomb.png").write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows_of_zeros) + chunk(b"IEND", b"")
    )
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(ValueError, match=r"more than 50 million pixels.*Scale it down"):
        images.read(tmp_path / "bomb.png")


@pytest.mark.parametrize("size", [(1, 49_000_000), (65_536, 1)])
def test_a_picture_of_too_long_a_side_is_refused_before_it_is_unpacked(size, monkeypatch, tmp_path):
    """Pillow keeps more for a row than a thin picture has in it: one of 95 KB took 1.2 GB."""
    header = struct.pack(">IIBBBBB", *size, 1, 0, 0, 0, 0)
    parts = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(100))) + chunk(b"IEND", b"")
    (tmp_path / "thin.png").write_bytes(b"\x89PNG\r\n\x1a\n" + parts)
    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(ValueError, match="65,535 pixels a side at most"):
        images.read(tmp_path / "thin.png")


def test_large_pictures_are_looked_at_in_small(tmp_path):
    large = np.zeros((3000, 2000, 4), np.uint8)
    large[1000:2000, 900:1100] = 255
    Image.fromarray(large).save(tmp_path / "large.png")
    assert images.read(tmp_path / "large.png")[0].pixels.shape == (1000, 667)


def test_a_picture_of_thousands_of_scans_is_refused():
    """Each of them goes over all pixels, in as few as 20 bytes."""
    file = BytesIO()
    Image.new("L", (64, 64), 255).save(file, "JPEG", progressive=True)
    whole = file.getvalue()
    assert images.decode(whole, "it").pixels.shape == (64, 64)
    last = whole.rindex(b"\xff\xda")
    with pytest.raises(ValueError, match="it is broken: it is a JPEG of more than 100 scans"):
        images.decode(whole[:last] + whole[last:-2] * 100 + whole[-2:], "it")
