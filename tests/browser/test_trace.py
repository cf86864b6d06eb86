"""The pictures of a trace, in pages whose own rules are against them."""

import numpy as np
import pytest

from helpers.browsing import serious_faults
from multilayer import Input, Sequential, layers

# What a notebook says of cells, tables and images, and what themes say of images; each with more weight than a class.
NOTEBOOK = """
.page td, .page th { text-align: right; white-space: normal; max-width: none }
.page table { table-layout: fixed; margin-left: auto; margin-right: auto; width: 100% }
.page img { margin-left: auto; margin-right: auto; max-width: 100%; height: auto }
"""
THEME = ".page img { max-width: 100%; height: auto; box-sizing: border-box }"


@pytest.fixture(scope="module")
def trace():
    model = Sequential([Input((784,)), layers.Dense(50, "relu"), layers.Dense(10, "softmax")])
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model.trace(np.random.default_rng(0).random((8, 784)), np.arange(8))._repr_html_()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1366])
@pytest.mark.parametrize("rules", [NOTEBOOK, THEME], ids=["notebook", "theme"])
def test_each_picture_is_there_and_stands_at_the_left_of_its_cell(visit, trace, tmp_path, rules, width, scheme):
    file = tmp_path / "trace.html"
    head = f'<meta charset="utf-8"><title>A trace</title><style>:root {{ color-scheme: light dark }} {rules}</style>'
    file.write_text(f'<html lang="en">{head}<body><main class="page">{trace}</main>', encoding="utf-8")
    page = visit(file.as_uri(), viewport={"width": width, "height": 800}, color_scheme=scheme)
    pictures = page.evaluate("""Array.from(document.images, (image) => {
      const own = image.getBoundingClientRect(), cell = image.closest("td").getBoundingClientRect();
      return [own.width, own.height, own.left - cell.left, cell.right - own.right];
    })""")
    assert len(pictures) > 10
    for across, high, left, right in pictures:
        assert across >= 10
        assert high >= 6
        assert left == pytest.approx(8)  # the space at a cell's sides
        assert right >= 8
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert serious_faults(page) == []
