"""The loss between sets of weights, and the regions of a plane, compared by the data on their artists."""

import numpy as np
import pytest
from matplotlib.contour import ContourSet

from multilayer import Input, Sequential, layers
from multilayer.plotting import plot_decision_regions, plot_loss_line, plot_loss_plane
from multilayer.plotting.style import COLORS


def line_model(size=1):
    """y = w x without a bias, whose loss on x = 1 is (w - t)^2."""
    model = Sequential([Input((size,)), layers.Dense(1, use_bias=False)])
    model.compile("sgd", "mse")
    return model


def weight(*numbers):
    return [np.array(numbers, np.float32)[:, None]]


# --- Along a line ---


def test_the_loss_along_a_line_is_the_models_loss_at_its_weights():
    figure = plot_loss_line(line_model(), [[1.0]], [2.0], weight(0.0), weight(4.0), steps=5, span=(0.0, 1.0))
    (line,) = figure.axes[0].lines
    assert line.get_xdata().tolist() == [0.0, 0.25, 0.5, 0.75, 1.0]
    np.testing.assert_allclose(line.get_ydata(), [4.0, 1.0, 0.0, 1.0, 4.0], atol=1e-6)
    (ends,) = figure.axes[0].collections
    np.testing.assert_allclose(ends.get_offsets(), [[0, 4], [1, 4]], atol=1e-6)


def test_the_model_stays_as_it_is():
    model = line_model()
    model.fit([[1.0]], [2.0], verbose=0)
    weights, figures = model.get_weights(), model.get_metrics_result()
    plot_loss_line(model, [[1.0]], [2.0], weight(0.0), weight(4.0), steps=3)
    plot_loss_plane(line_model(2), np.eye(2), [1.0, 1.0], weight(0, 0), weight(1, 1), resolution=3)
    np.testing.assert_array_equal(model.get_weights()[0], weights[0])
    assert model.get_metrics_result() == figures


def test_lines_from_several_starts_share_axes_and_a_legend():
    model = line_model()
    figure = plot_loss_line(model, [[1.0]], [2.0], weight(0.0), weight(2.0), steps=3, label="near")
    ax = figure.axes[0]
    plot_loss_line(model, [[1.0]], [2.0], weight(-5.0), weight(2.0), steps=3, label="far", ax=ax)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["near", "far"]
    assert [line.get_color() for line in ax.lines] == list(COLORS[:2])


def test_of_many_samples_only_some_are_taken_evenly():
    x = np.repeat([1.0, 2.0], 500)[:, None]
    whole = plot_loss_line(line_model(), x, x[:, 0], weight(0.0), weight(1.0), steps=2, span=(0, 1))
    some = plot_loss_line(line_model(), x, x[:, 0], weight(0.0), weight(1.0), steps=2, span=(0, 1), limit=10)
    assert whole.axes[0].lines[0].get_ydata()[0] == pytest.approx(2.5)
    assert some.axes[0].lines[0].get_ydata()[0] == pytest.approx(2.5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"steps": 1}, "`steps` must be a whole number of at least 2"),
        ({"span": (1.0, 0.0)}, "a span that rises"),
        ({"start": [np.zeros((2, 1))]}, "`start` does not fit the model"),
        ({"x": []}, "one entry a sample"),
        ({"y": [1.0, 2.0]}, "one entry a sample"),
        ({"limit": 0}, "`limit` must be a whole number of at least 1"),
    ],
)
def test_what_makes_no_line_is_refused(change, message):
    arguments = {"x": [[1.0]], "y": [2.0], "start": weight(0.0), "end": weight(1.0), **change}
    with pytest.raises(ValueError, match=message):
        plot_loss_line(line_model(), **arguments)


def test_a_model_has_to_be_compiled():
    model = Sequential([Input((1,)), layers.Dense(1, use_bias=False)])
    with pytest.raises(ValueError, match=r"before calling `plot_loss_line\(\)`"):
        plot_loss_line(model, [[1.0]], [2.0], weight(0.0), weight(1.0))


# --- On a plane ---


def heights(figure):
    """The filled contours' levels."""
    return figure.axes[0].collections[0].levels


def test_a_plane_through_three_points_marks_them_and_a_path():
    model = line_model(2)
    path = [weight(0, 0), weight(0.5, 0), weight(1, 0)]
    figure = plot_loss_plane(
        model, np.eye(2), [1.0, 1.0], weight(0, 0), weight(1, 0), weight(0, 1), paths={"sgd": path}, resolution=9
    )
    ax = figure.axes[0]
    walked, start, end, third = ax.lines
    np.testing.assert_allclose(walked.get_xydata(), [[0, 0], [0.5, 0], [1, 0]], atol=1e-6)
    np.testing.assert_allclose([p.get_xydata()[0] for p in (start, end, third)], [[0, 0], [1, 0], [0, 1]], atol=1e-6)
    assert [text.get_text() for text in ax.texts] == ["start", "end", "third"]
    # The loss is ((w1 - 1)^2 + (w2 - 1)^2) / 2: from 0 at (1, 1) upwards.
    assert heights(figure)[0] == pytest.approx(0.0, abs=0.05)
    assert ax.get_xlim()[0] < 0 < 1 < ax.get_xlim()[1]


def test_a_plane_through_two_points_is_the_same_for_the_same_seed():
    arguments = (line_model(3), np.eye(3), [1.0, 1.0, 1.0], weight(0, 0, 0), weight(1, 1, 1))
    first, again, other = (plot_loss_plane(*arguments, resolution=5, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(heights(first), heights(again))
    assert not np.array_equal(heights(first), heights(other))


def test_where_the_loss_has_no_number_the_map_stops_at_its_top(tmp_path):
    def far(size):
        points = weight(0, 0), weight(size, 0), weight(0, size)
        return plot_loss_plane(line_model(2), np.eye(2), [1.0, 1.0], *points, resolution=5)

    figure = far(1.5e19)  # the squares of the outermost are too large for float32
    figure.savefig(tmp_path / "far.png")
    assert np.isfinite(heights(figure)).all()
    with pytest.raises(ValueError, match="no finite number anywhere on the plane"):
        far(1e30)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"end": weight(0, 0)}, "are the same weights"),
        ({"third": weight(2, 2)}, "lies on the line through the two"),
        ({"third": weight(2)}, "`third` does not fit the model"),
        ({"paths": [weight(2)]}, "does not fit the model"),
        ({"resolution": 1}, "`resolution` must be a whole number of at least 2"),
    ],
)
def test_what_makes_no_plane_is_refused(change, message):
    arguments = {"start": weight(0, 0), "end": weight(1, 1), **change}
    with pytest.raises(ValueError, match=message):
        plot_loss_plane(line_model(2), np.eye(2), [1.0, 1.0], **arguments)


def test_one_weight_has_no_plane():
    with pytest.raises(ValueError, match="no plane"):
        plot_loss_plane(line_model(), [[1.0]], [2.0], weight(0.0), weight(1.0))


# --- Decision regions ---

CORNERS, CLASSES = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]), np.array([0, 1, 0, 1])


def upright(outputs):
    """A network whose class is 1 where x[:, 0] > 0."""
    activation = "sigmoid" if outputs == 1 else "softmax"
    model = Sequential([Input((2,)), layers.Dense(outputs, activation)])
    kernel = np.zeros((2, outputs))
    kernel[0, -1] = 5.0
    model.layers[0].kernel.assign(kernel)
    return model


@pytest.mark.parametrize("outputs", [1, 2])
def test_each_side_of_the_border_has_the_colour_of_its_class(outputs):
    ax = plot_decision_regions(upright(outputs), CORNERS, CLASSES, resolution=20).axes[0]
    tints = ax.images[0].get_array()
    left, right = tints[:, 0, :3], tints[:, -1, :3]
    assert (left[:, 2] > left[:, 0]).all()  # blue
    assert (right[:, 0] > right[:, 2]).all()  # vermilion
    assert (tints[:, 0, 3] > tints[:, 9, 3]).all()  # surer far from the border
    scatters = [collection for collection in ax.collections if len(collection.get_offsets()) == 2]
    np.testing.assert_array_equal(scatters[0].get_offsets(), CORNERS[CLASSES == 0])
    np.testing.assert_array_equal(scatters[1].get_offsets(), CORNERS[CLASSES == 1])
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["0", "1"]


@pytest.mark.parametrize("outputs", [1, 2, 3])
def test_a_line_runs_where_the_network_is_undecided(outputs):
    model = upright(outputs)
    if outputs == 3:
        model.layers[0].bias.assign([0.0, -9.0, 0.0])  # a class that nothing is taken for
    ax = plot_decision_regions(model, CORNERS, CLASSES, resolution=20).axes[0]
    lines = [path.vertices for c in ax.collections if isinstance(c, ContourSet) for path in c.get_paths()]
    assert lines
    for line in lines:
        np.testing.assert_allclose(line[:, 0], 0.0, atol=1e-6)
        assert np.ptp(line[:, 1]) > 2


def test_one_hot_classes_and_a_threshold():
    low = plot_decision_regions(upright(1), CORNERS, np.eye(2)[CLASSES], threshold=0.001, resolution=20)
    tints = low.axes[0].images[0].get_array()
    assert (tints[:, 8, 0] > tints[:, 8, 2]).all()  # already class 1 a little left of the middle


def test_of_many_samples_only_some_are_drawn():
    x = np.random.default_rng(0).normal(size=(5000, 2))
    ax = plot_decision_regions(upright(1), x, (x[:, 0] > 0).astype(int), resolution=10, limit=100).axes[0]
    assert sum(len(c.get_offsets()) for c in ax.collections if c.get_label() in ("0", "1")) == 100


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (np.zeros((4, 3)), CLASSES, r"two features, shape \(n, 2\)"),
        (CORNERS, [0, 1], "a class for each of the 4 samples"),
        (CORNERS, [0.5, 0, 1, 1], "a class for each of the 4 samples"),
        (CORNERS, [0, 1, 2, 9], "at most 7 classes"),
    ],
)
def test_what_has_no_regions_is_refused(x, y, message):
    with pytest.raises(ValueError, match=message):
        plot_decision_regions(upright(2), x, y)


def test_a_model_of_other_inputs_has_no_regions():
    model = Sequential([Input((4,)), layers.Dense(2)])
    with pytest.raises(ValueError, match=r"inputs of shape \(n, 2\); 'sequential\w*' takes \(None, 4\)"):
        plot_decision_regions(model, CORNERS, CLASSES)
