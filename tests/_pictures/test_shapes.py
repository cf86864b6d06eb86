"""Connected shapes, against the plain way to find them."""

import numpy as np
import pytest

from multilayer._pictures.shapes import connected


def plainly(mask):
    """One cell after the other."""
    left = set(map(tuple, np.argwhere(mask).tolist()))
    found = []
    while left:
        shape = [left.pop()]
        for row, column in shape:  # which grows meanwhile
            near = {(row + i, column + j) for i in (-1, 0, 1) for j in (-1, 0, 1)} & left
            left -= near
            shape += near
        found.append(sorted(shape))
    return sorted(found)


@pytest.mark.parametrize("share", [0, 0.05, 0.3, 0.45, 0.9, 1])
@pytest.mark.parametrize("size", [(30, 37), (1, 9), (9, 1)])
def test_shapes_are_those_that_touch(share, size):
    mask = np.random.default_rng(0).random(size) < share
    assert sorted(sorted(map(tuple, cells.tolist())) for cells in connected(mask)) == plainly(mask)


def test_a_line_that_winds_through_the_whole_picture_is_one_shape():
    mask = np.zeros((101, 101), bool)
    mask[::2] = True
    mask[1::4, -1] = mask[3::4, 0] = True
    assert [len(cells) for cells in connected(mask)] == [mask.sum()]
