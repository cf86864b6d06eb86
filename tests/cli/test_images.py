"""Pictures for `multilayer predict`: read from files that are believed nothing, and prepared as MNIST's makers did."""

import re
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

import multilayer as ml
from helpers.commands import call, rows
from multilayer.cli import images
from multilayer.cli.preparation import prepare
from multilayer.datasets import synthetic_digits

# --- Reading ---


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


# --- Preparing ---


@pytest.fixture(scope="module")
def digits():
    return synthetic_digits.load_data(40, 1)[0][0]


def prepared(pixels, side=28, invert=None):
    return prepare(images.DigitImage("one", pixels), side, invert)


def centre(pixels):
    return [float((pixels.sum(1 - axis) * np.arange(28.0)).sum() / pixels.sum()) for axis in (0, 1)]


def on_canvas(digit, size=112, row=3, column=70, factor=1):
    canvas = np.zeros((size, size), np.uint8)
    large = np.kron(digit, np.ones((factor, factor), np.uint8))
    canvas[row : row + len(large), column : column + len(large)] = large
    return canvas


def test_digits_that_are_as_mnists_are_left_alone(digits):
    for digit in digits:
        assert prepared(digit).done == ()
        assert np.array_equal(prepared(digit).pixels, digit)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_a_digit_is_found_scaled_and_centred_wherever_it_stands(factor, digits):
    for digit in digits:
        found = prepared(on_canvas(digit, size=200, column=60, factor=factor))
        assert found.done == ("cropped to the ink, scaled into 20 x 20 pixels, centred by mass",)
        assert found.doubt == ""
        rows_of, columns_of = (np.flatnonzero(found.pixels.any(axis)) for axis in (1, 0))
        assert max(np.ptp(rows_of), np.ptp(columns_of)) in (18, 19)
        assert centre(found.pixels) == pytest.approx([14, 14], abs=0.6)
        assert found.pixels.max() == 255


def test_a_digit_is_the_same_in_any_corner_and_either_ink(digits):
    for digit in digits:
        here, there = prepared(on_canvas(digit)), prepared(255 - on_canvas(digit, row=80, column=2))
        assert np.array_equal(here.pixels, there.pixels)
        assert there.done[0] == "dark ink on light paper inverted"


def test_the_box_grows_with_the_network(digits):
    assert prepared(on_canvas(digits[0], factor=2, column=40), side=14).pixels.shape == (14, 14)
    assert "into 40 x 40 pixels" in prepared(on_canvas(digits[0]), side=56).done[-1]


def test_grain_and_specks_are_no_ink(digits):
    clean = on_canvas(digits[1], size=112, row=30, column=30)
    noisy = np.clip(200 - 0.5 * clean + np.random.default_rng(1).normal(0, 3, clean.shape), 0, 255).astype(np.uint8)
    noisy[3, 3] = 100
    assert np.abs(prepared(noisy).pixels.astype(int) - prepared(clean).pixels).mean() < 6
    assert centre(prepared(noisy).pixels) == pytest.approx([14, 14], abs=0.6)


def text(words):
    picture = Image.new("L", (240, 60), 255)
    ImageDraw.Draw(picture).text((10, 10), words, fill=0, font_size=40)
    return np.asarray(picture)


@pytest.mark.parametrize(
    ("pixels", "doubt"),
    [
        (np.full((40, 40), 200, np.uint8), "no ink, nothing to read"),
        (on_canvas(np.ones((1, 1), np.uint8)), "no ink, nothing to read"),
        (on_canvas(np.full((1, 1), 255, np.uint8)), "a dot of 1 x 1 pixels"),
        (on_canvas(np.full((40, 40), 255, np.uint8)), "fills an area"),
        (on_canvas(np.full((3, 3), 255, np.uint8)), "a dot of 3 x 3 pixels"),
        (np.pad(np.full((4, 90), 255, np.uint8), 10), "times as wide as high"),
        (text("42"), "several shapes side by side"),
        (text("12"), "several shapes side by side"),
        (text("9 o'clock"), "a pattern or noise, not a few lines"),
        (np.random.default_rng(0).integers(0, 256, (200, 200)).astype(np.uint8), "a pattern or noise"),
    ],
)
def test_what_cannot_be_a_single_digit_is_told(pixels, doubt):
    assert doubt in prepared(pixels).doubt


def test_single_digits_are_not_doubted(digits):
    assert [prepared(digit).doubt for digit in digits] == [""] * len(digits)
    assert prepared(text("7")).doubt == ""


# --- The command ---


@pytest.fixture(scope="module")
def model_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "model.npz"
    ml.Sequential([ml.Input((784,)), ml.layers.Dense(10, activation="softmax")]).save(path)
    return path


def test_predict_says_what_was_done(model_file, digits, tmp_path):
    paths = [tmp_path / name for name in ("a.png", "b.png", "c.png")]
    Image.fromarray(on_canvas(digits[0])).save(paths[0])
    Image.fromarray(on_canvas(digits[1])).save(paths[1])
    Image.fromarray(text("42")).save(paths[2])
    stdout, stderr = call("predict", model_file, *paths, "--csv")
    assert len(rows(stdout)) == 3
    assert f"{paths[0]} and 1 more: cropped to the ink, scaled into 20 x 20 pixels, centred by mass." in stderr
    assert f"{paths[2]}: cannot be a single digit: there are several shapes side by side" in stderr
    assert call("predict", model_file, paths[0], "--as-is")[1] == ""


def test_pictures_are_left_alone_for_a_network_that_reads_no_digits(model_file, digits, tmp_path):
    (tmp_path / "model.npz").write_bytes(model_file.read_bytes())
    (tmp_path / "trained_on.json").write_text('{"data": "fashion_mnist", "samples": 60000}')
    Image.fromarray(on_canvas(digits[0])).save(tmp_path / "shirt.png")
    assert call("predict", tmp_path / "model.npz", tmp_path / "shirt.png")[1] == ""


@pytest.mark.parametrize("name", ["fifo", "device"])
def test_what_is_no_file_is_not_waited_for(name, model_file, tmp_path):
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("there are no pipes with names here")
    path = "/dev/zero"
    if name == "fifo":
        path = tmp_path / "fifo"
        os.mkfifo(path)
    assert "is no plain file" in re.sub(r"\s+", " ", call("predict", model_file, path, code=1)[1])
