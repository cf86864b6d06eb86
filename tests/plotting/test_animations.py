"""Networks while they learn: each frame is the picture of its weights, and the files are small and play anywhere."""

import base64
import io
import json
import re

import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex
from PIL import Image

from multilayer import Input, Sequential, datasets, layers, optimizers
from multilayer.callbacks import WeightHistory
from multilayer.plotting import (
    Animation,
    animate_decision_regions,
    animate_loss_plane,
    animate_weights,
    plot_decision_regions,
    plot_digits,
    plot_loss_plane,
    plot_weights,
)

POINTS = np.array([[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]])
CLASSES = np.array([0, 1, 1, 0])


def trained(*parts, inputs=2, x=POINTS, y=CLASSES, optimizer="sgd", epochs=4, **record):
    """A network, and what was kept of its training."""
    model = Sequential([Input((inputs,)), *parts])
    model.compile(optimizer, "mse")
    film = WeightHistory(**record)
    model.fit(x, y, epochs=epochs, verbose=0, callbacks=[film])
    return model, film


def plane_network(optimizer="sgd", **fit):
    """y = w x with two weights, whose whole landscape is a plane."""
    return trained(layers.Dense(1, use_bias=False), x=np.eye(2), y=np.array([1.0, 2.0]), optimizer=optimizer, **fit)


def drawn(ax):
    """The data of all that is drawn in axes: images, lines, and collections."""
    images = [np.asarray(image.get_array()) for image in ax.images]
    lines = [line.get_xydata() for line in ax.lines]
    paths = [path.vertices for collection in ax.collections for path in collection.get_paths()]
    return [*images, *lines, *paths, *(np.asarray(collection.get_offsets()) for collection in ax.collections)]


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for mine, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(mine, other)


# --- Every frame is the picture of its weights ---


def test_a_frame_of_weights_is_their_picture_in_the_scale_of_all():
    model, film = trained(layers.Dense(5, "tanh"), layers.Dense(1), inputs=9, x=np.eye(9), y=np.arange(9.0))
    animation = animate_weights(model, film, limit=4, columns=2)
    assert len(animation) == len(film.steps) == 5
    scales = set()
    for number, weights in enumerate(film.weights):
        model.set_weights(weights)
        frame, still = animation.frame(number).axes[0], plot_weights(model, limit=4, columns=2).axes[0]
        assert_same(drawn(frame), drawn(still))
        assert [image.get_extent() for image in frame.images] == [image.get_extent() for image in still.images]
        assert frame.get_title() == still.get_title()
        scales.add(frame.images[0].get_clim())
    ((low, high),) = scales
    assert high == -low == pytest.approx(max(np.quantile(np.abs(w[0][:, :4]), 0.998) for w in film.weights))


def test_a_frame_of_regions_is_their_picture():
    model, film = trained(layers.Dense(4, "tanh"), layers.Dense(1, "sigmoid"))
    animation = animate_decision_regions(model, film, POINTS, CLASSES, threshold=0.4, resolution=15)
    for number, weights in enumerate(film.weights):
        model.set_weights(weights)
        still = plot_decision_regions(model, POINTS, CLASSES, threshold=0.4, resolution=15)
        assert_same(drawn(animation.frame(number).axes[0]), drawn(still.axes[0]))


def test_a_frame_of_the_mountain_is_its_map_with_the_way_so_far_and_a_ball_at_its_end():
    model, film = plane_network()
    still = plot_loss_plane(
        model, np.eye(2), [1.0, 2.0], film.weights[0], film.weights[-1], paths=film.weights, resolution=7
    ).axes[0]
    animation = animate_loss_plane(model, np.eye(2), [1.0, 2.0], film, resolution=7)
    way = still.lines[0].get_xydata()
    for number in (3, 0, 4):  # in whatever order
        ax = animation.frame(number).axes[0]
        np.testing.assert_array_equal(ax.lines[0].get_xydata(), way[: number + 1])
        np.testing.assert_array_equal(ax.lines[-1].get_xydata(), way[number : number + 1])
        np.testing.assert_array_equal(ax.collections[0].levels, still.collections[0].levels)
        assert (ax.get_xlim(), ax.get_ylim()) == (still.get_xlim(), still.get_ylim())


def test_several_balls_are_where_they_were_after_equally_many_steps():
    model, slow = plane_network(every=2, epochs=6)  # kept at 0, 2, 4, 6
    model, fast = plane_network(optimizers.SGD(0.3), every=3, epochs=6)  # at 0, 3, 6
    animation = animate_loss_plane(model, np.eye(2), [1.0, 2.0], {"slow": slow, "fast": fast}, resolution=5)
    assert animation.captions == ("step 0", "step 2", "step 3", "step 4", "step 6")
    seen = [[len(line.get_xdata()) for line in animation.frame(n).axes[0].lines[:2]] for n in range(len(animation))]
    assert seen == [[1, 1], [2, 1], [2, 2], [3, 2], [4, 3]]
    ax = animation.frame(-1).axes[0]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["slow", "fast"]
    ball, other = ax.lines[-2:]
    assert [to_hex(one.get_color()) for one in (ball, other)] == [to_hex(line.get_color()) for line in ax.lines[:2]]
    np.testing.assert_allclose(ball.get_xydata(), [[1.0, 0.0]], atol=1e-6)  # the plane leads to the first one's end


def test_the_network_stays_as_it_is():
    model, film = trained(layers.Dense(4, "tanh"), layers.Dense(1, "sigmoid"))
    weights = model.get_weights()
    animate_decision_regions(model, film, POINTS, CLASSES, resolution=5).frame(0)
    animate_weights(model, film, shape=(1, 2)).frame(0)
    animate_loss_plane(model, POINTS, CLASSES, film, resolution=3).frame(0)
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_above_each_frame_stands_its_step():
    model, film = plane_network(every=1500, epochs=3000)
    animation = animate_loss_plane(model, np.eye(2), [1.0, 2.0], film, resolution=3)
    assert [animation.frame(number).get_suptitle() for number in range(3)] == ["step 0", "step 1,500", "step 3,000"]
    assert repr(animation) == "<Animation of 3 frames, from 'step 0' to 'step 3,000'>"
    with pytest.raises(IndexError):
        animation.frame(3)


# --- Files ---


def digits(count=3, interval=150):
    """An animation of one digit after another."""
    pixels = np.eye(16).reshape(16, 4, 4)
    return Animation(lambda n: plot_digits(pixels[n : n + 1]), [f"step {n}" for n in range(count)], "digits", interval)


def pictures(page):
    """The pictures of a page: in its script those that come before the last, which stands there from the beginning."""
    (others,) = re.findall(r"others = \[(.*?)\]", page)
    (last,) = re.findall(r"<img src=(\S+)", page)
    found = re.findall(r'"data:image/webp;base64,([^"]*)"', others + last)
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in found]


def test_a_gif_plays_again_and_again_and_rests_on_its_last_frame(tmp_path):
    animation = digits(interval=200)
    animation.save(tmp_path / "learning.gif")
    with Image.open(tmp_path / "learning.gif") as image:
        assert (image.format, image.n_frames, image.info["loop"]) == ("GIF", 3, 0)
        times, size = [], image.size
        for number in range(image.n_frames):
            image.seek(number)
            times.append(image.info["duration"])
    assert times == [200, 200, 3000]
    inches = animation.frame(0).get_size_inches()
    np.testing.assert_allclose(size, 96 * inches, atol=1)


def test_a_page_has_all_frames_and_needs_nothing_else(tmp_path):
    digits().save(str(tmp_path / "learning.html"))
    page = (tmp_path / "learning.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert len(pictures(page)) == 3
    assert len({picture.size for picture in pictures(page)}) == 1
    assert '["step 0", "step 1", "step 2"]' in page
    assert not re.findall(r"https?:", page)


def test_without_a_script_the_last_frame_stands_there():
    animation = digits()
    assert re.search(r'role="group"[^>]* hidden>', animation._repr_html_())  # buttons that would do nothing
    assert animation._repr_png_() == animation.frame(-1)._repr_png_()


def test_the_frames_of_a_page_look_like_the_figures():
    animation = digits()
    for number, picture in enumerate(pictures(animation._repr_html_())):
        figure = animation.frame(number)
        file = io.BytesIO()
        figure.savefig(file, dpi=96)
        ours, theirs = (np.asarray(image.convert("RGB"), float) for image in (picture, Image.open(file)))
        assert np.abs(ours - theirs).mean() < 2  # of 255
        assert (ours[0, 0] == 255).all()  # the paper is white


def test_what_is_said_of_a_picture_cannot_end_its_script():
    captions = ["</script>", "<!--<script>"]
    shown = Animation(lambda n: plot_digits(np.eye(4)[None]), captions, '<b> & "b"')._repr_html_()
    assert shown.count("</script>") == shown.count("<script") == 1
    assert "<!--" not in shown.partition("<script")[2]
    assert "&lt;b&gt; &amp; &quot;b&quot;" in shown


def test_the_same_animation_gives_the_same_files(tmp_path):
    for name in ("one", "two"):
        digits().save(tmp_path / f"{name}.gif")
        digits().save(tmp_path / f"{name}.html")
    for kind in ("gif", "html"):
        assert (tmp_path / f"one.{kind}").read_bytes() == (tmp_path / f"two.{kind}").read_bytes()


def test_files_of_the_first_network_are_small(tmp_path):
    (x, y), _ = datasets.synthetic_digits.load_data(num_train=2000, num_test=1)
    model = Sequential([Input((784,)), layers.Dense(50, "sigmoid"), layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    film = WeightHistory(every=90)
    model.fit(x.reshape(-1, 784) / 255, y, epochs=10, verbose=0, callbacks=[film])
    animation = animate_weights(model, film, limit=20)
    for kind, most in (("gif", 45_000), ("html", 30_000)):
        animation.save(tmp_path / f"learning.{kind}")
        assert (tmp_path / f"learning.{kind}").stat().st_size < most * len(animation)


def test_figures_are_drawn_without_pyplot_and_stay_as_large_as_they_were():
    model, film = plane_network()
    animation = animate_loss_plane(model, np.eye(2), [1.0, 2.0], film, resolution=3)
    dots = animation.frame(0).dpi
    animation._repr_html_()
    assert pyplot.get_fignums() == []
    assert animation.frame(0).dpi == dots


# --- What is refused ---


def test_a_file_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"a path that ends in \.gif or \.html\. Received: path='.*learning\.mp4'"):
        digits().save(tmp_path / "learning.mp4")
    assert list(tmp_path.iterdir()) == []


def test_figures_of_different_sizes_are_shown_whole(tmp_path):
    growing = Animation(lambda n: plot_digits(np.ones((1 + 12 * n, 4, 4))), ["few", "many"], "digits")
    growing.save(tmp_path / "growing.gif")
    with Image.open(tmp_path / "growing.gif") as film:
        assert film.size == tuple(np.max([image.size for image in growing._images()], axis=0))
        assert film.n_frames == 2


@pytest.mark.parametrize("record", [{}, None, [1.0, 2.0]])
def test_what_is_no_record_is_refused(record):
    model, _ = plane_network()
    with pytest.raises(ValueError, match=r"Expected a `callbacks.WeightHistory`"):
        animate_loss_plane(model, np.eye(2), [1.0, 2.0], record)


def test_a_record_that_no_training_was_given_is_refused():
    model, film = plane_network()
    for animate in (
        lambda record: animate_weights(model, record),
        lambda record: animate_decision_regions(model, record, POINTS, CLASSES),
        lambda record: animate_loss_plane(model, np.eye(2), [1.0, 2.0], {"one": film, "two": record}),
    ):
        with pytest.raises(ValueError, match=r"pass the `WeightHistory` to `fit\(\.\.\., callbacks=\[record\]\)`"):
            animate(WeightHistory())


def test_weights_of_another_network_are_refused():
    model, _ = plane_network()
    _, film = trained(layers.Dense(3), layers.Dense(1))
    with pytest.raises(ValueError, match="with a weight list of length 4, but it was expecting 1 weights"):
        animate_weights(model, film)
    with pytest.raises(ValueError, match="does not fit the model"):
        animate_loss_plane(model, np.eye(2), [1.0, 2.0], film)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"captions": []}, "at least one frame"), ({"interval": 5}, "`interval` must be a whole number of at least 20")],
)
def test_what_is_no_animation_is_refused(change, message):
    arguments = {"draw": lambda number: None, "captions": ["one"], "description": "nothing", **change}
    with pytest.raises(ValueError, match=message):
        Animation(**arguments)


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_scale_of_weights_is_above_zero(scale):
    model, _ = trained(layers.Dense(3), layers.Dense(1), inputs=4, x=np.eye(4), y=np.arange(4.0))
    with pytest.raises(ValueError, match="`scale` must be a number above 0"):
        plot_weights(model, scale=scale)
    assert plot_weights(model, scale=2.5).axes[0].images[0].get_clim() == (-2.5, 2.5)


# --- In Korean ---


def test_captions_and_buttons_speak_korean(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTILAYER_LANG", "ko")
    model, film = plane_network(every=2)
    animate_weights(model, film, shape=(1, 2)).save(tmp_path / "learning.html")
    page = (tmp_path / "learning.html").read_text(encoding="utf-8")
    assert '<html lang="ko">' in page
    assert 'aria-label="재생"' in page
    assert json.dumps("일시 정지") in page
