"""Pictures that are opened in the page: what it makes of them, beside what Python makes of them."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from helpers.browsing import SHEET, answer, draw, serious_faults, settled
from multilayer import Sequential, layers
from multilayer import _pictures as pictures
from multilayer.datasets import synthetic_digits


@pytest.fixture(scope="module")
def digits():
    return synthetic_digits.load_data(20, 1)[0]


@pytest.fixture(scope="module")
def model():
    (x, y), _ = synthetic_digits.load_data(4000, 1)
    model = Sequential([layers.Input((784,)), layers.Dense(32, "relu"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(x.reshape(-1, 784) / np.float32(255), y, batch_size=64, epochs=4, verbose=0)
    return model


@pytest.fixture(scope="module")
def url(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures") / "digits.html"
    model.export(path)
    return path.as_uri()


def sheet(digits, places, size=(300, 420)):
    """Light ink on a dark sheet: digits at (row, column), so many pixels high."""
    found = np.zeros(size, np.uint8)
    for digit, (row, column, height) in zip(digits, places, strict=True):
        large = np.asarray(Image.fromarray(digit).resize((height, height), Image.Resampling.BICUBIC))
        part = found[row : row + height, column : column + height]
        np.maximum(part, large, out=part)
    return found


def photographed(ink):
    """Dark ink on paper that a shadow lies on."""
    rows, columns = np.indices(ink.shape)
    light = np.where(columns + rows / 2 < ink.shape[1] / 2, 0.45, 1.0)
    noise = np.random.default_rng(0).normal(0, 3, ink.shape)
    return np.clip(235 * light * (1 - 0.8 * ink / 255) + noise, 0, 255).astype(np.uint8)


def saved(picture, kind, **options):
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def cases(digits):
    """Pictures by name: their bytes, and how many digits they hold."""
    one = sheet(digits[:1], [(40, 150, 140)])
    three = sheet(digits[1:4], [(60, 20, 110), (70, 160, 120), (50, 300, 100)])
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    sideways = Image.fromarray(np.rot90(255 - one)).convert("RGB")
    clear = np.zeros((*one.shape, 4), np.uint8)
    clear[..., 3] = one
    white = clear.copy()
    white[..., :3] = 255
    large = sheet(digits[4:5], [(900, 1100, 84)], size=(1050, 1400))
    return {
        "on its side": (saved(sideways, "JPEG", quality=92, exif=exif), 1),
        "black ink on nothing": (saved(Image.fromarray(clear), "PNG"), 1),
        "white ink on nothing": (saved(Image.fromarray(white), "PNG"), 1),
        "white on black": (saved(Image.fromarray(one), "PNG"), 1),
        "in a corner": (saved(Image.fromarray(255 - large), "PNG"), 1),
        "a photograph": (saved(Image.fromarray(photographed(one)), "JPEG", quality=92), 1),
        "a photograph of three": (saved(Image.fromarray(photographed(three)), "PNG"), 3),
        "three": (saved(Image.fromarray(255 - three), "WEBP", lossless=True), 3),
        "a data set's": (saved(Image.fromarray(digits[5]), "PNG"), 1),
    }


LOOKED_AT = """new Promise((done) => {
  const look = () => multilayer.found || (multilayer.told && multilayer.told[0] !== "pictureReading")
    ? done() : requestAnimationFrame(look);
  look();
})"""


def opened(page, data, name="picture"):
    """Opens a file's bytes in the page, and waits until they were looked at."""
    page.evaluate("multilayer.found = multilayer.told = null")
    page.locator("input[type=file]").set_input_files({"name": name, "mimeType": "", "buffer": data})
    page.evaluate(LOOKED_AT)
    settled(page)


def test_pictures_are_read_as_python_reads_them(visit, url, model, digits):
    page = visit(url)
    for name, (data, count) in cases(digits[0]).items():
        expected = pictures.prepare(pictures.decode(data, name), 28, None)
        opened(page, data)
        found = page.evaluate("multilayer.found.digits.map((one) => ({ ...one, pixels: Array.from(one.pixels) }))")
        assert len(found) == len(expected) == count, name
        for mine, theirs in zip(found, expected, strict=True):
            # Decoders of JPEG differ by a grey value or two, and what makes large pictures smaller by a few.
            assert np.abs(255 * np.array(mine["pixels"]) - theirs.pixels.ravel()).mean() < 3, name
            assert not mine["doubt"], name
            assert not theirs.doubt
            assert ("doneEvened" in mine["done"]) == any("uneven" in step for step in theirs.done), name
        x = pictures.as_input(np.stack([one.pixels for one in expected]), model)
        read = [str(digit) for digit in np.argmax(model(x), axis=1)]
        assert answer(page) == read[0], name
        assert page.locator(".found .reading").all_text_contents() == (read if count > 1 else []), name


def test_of_several_digits_each_can_be_chosen(visit, url, digits):
    page = visit(url, viewport={"width": 360, "height": 740}, has_touch=True, color_scheme="dark")
    opened(page, cases(digits[0])["three"][0])
    read = page.locator(".found .reading").all_text_contents()
    assert page.get_by_role("status").first.text_content().startswith(f"3 digits, in reading order: {' '.join(read)}.")
    first = page.get_by_role("radio", name=f"Digit 1 of 3, read as {read[0]}")
    assert first.is_checked()
    first.focus()
    page.keyboard.press("ArrowRight")
    settled(page)
    assert answer(page) == read[1]
    box = page.locator(SHEET).bounding_box()
    page.mouse.click(box["x"] + 0.83 * box["width"], box["y"] + 0.38 * box["height"])  # on the sheet, too
    settled(page)
    assert answer(page) == read[2]
    assert page.evaluate("Array.from(multilayer.x).join() === multilayer.found.digits[2].pixels.join()")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert serious_faults(page) == []
    network = "JSON.parse(document.getElementById('network').textContent)"
    page.evaluate(f"multilayer.useNetwork({network})")  # as one that is trained sends its weights
    settled(page)
    assert answer(page) == read[2]
    page.get_by_role("button", name="Clear").click()
    settled(page)
    assert answer(page) is None
    assert page.locator(".found").is_hidden()


def test_what_cannot_be_read_is_told_in_both_languages(visit, url, digits):
    page = visit(url)
    large = saved(Image.new("1", (7100, 7100)), "PNG")
    dot = np.full((200, 200), 255, np.uint8)
    dot[98:101, 98:101] = 0
    said = page.locator(".of-picture [role=status]")
    for data, english, korean in (
        (saved(Image.new("L", (300, 200), 240), "PNG"), "There is no ink in this picture", "읽을 것이 없습니다"),
        (saved(Image.fromarray(dot), "PNG"), "its ink is a dot", "점 하나뿐입니다"),
        (b"no picture", "This is no picture that can be opened here", "열 수 있는 사진이 아닙니다"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "This is no picture", "사진이 아닙니다"),
        (large, "larger than 50 million pixels", "5000만 픽셀보다 큰"),
    ):
        opened(page, data)
        assert english in said.text_content()
        page.get_by_text("한국어").click()
        assert korean in said.text_content()
        page.get_by_text("English").click()
    draw(page, [[[0.5, 0.2], [0.5, 0.8]]])  # whoever draws has done with it
    assert said.text_content().strip() == ""
    assert answer(page) is not None


OFFERED = """([text, kind]) => {
  const data = new DataTransfer(), bytes = Uint8Array.from(atob(text), (byte) => byte.charCodeAt(0));
  data.items.add(new File([bytes], "picture.png", { type: "image/png" }));
  const options = { bubbles: true, cancelable: true };
  multilayer.found = multilayer.told = null;
  const event = kind === "paste" ? new ClipboardEvent(kind, { ...options, clipboardData: data })
    : new DragEvent(kind, { ...options, dataTransfer: data });
  document.querySelector("canvas.sheet").dispatchEvent(event);
}"""


def test_pictures_are_dropped_and_pasted_and_drawn_over(visit, url, digits):
    page = visit(url)
    text = base64.b64encode(cases(digits[0])["white on black"][0]).decode()
    page.evaluate(OFFERED, [text, "dragover"])
    assert page.locator(".paper.dropping").count() == 1
    for kind in ("drop", "paste"):
        page.evaluate(OFFERED, [text, kind])
        page.evaluate(LOOKED_AT)
        settled(page)
        assert answer(page) is not None
    assert page.locator(".paper.dropping").count() == 0
    draw(page, [[[0.05, 0.05], [0.05, 0.9]]])
    assert page.evaluate("multilayer.found === null && multilayer.strokes.length === 1")


def test_a_network_of_plain_numbers_opens_no_pictures(visit, tmp_path):
    path = Path(tmp_path, "numbers.html")
    Sequential([layers.Input((4,)), layers.Dense(3, "softmax")]).export(path)
    page = visit(path.as_uri())
    assert page.locator("input[type=file]").count() == 0
