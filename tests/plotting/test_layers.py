"""Pictures of layers, compared by the data on their artists."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from multilayer import Input, Sequential, layers
from multilayer.callbacks import LayerHistory
from multilayer.plotting import (
    plot_activations,
    plot_comparison,
    plot_dead_units,
    plot_gradients,
    plot_gradients_by_layer,
    plot_network,
    plot_runs,
    plot_weights,
)
from multilayer.utils import set_random_seed

RNG = np.random.default_rng(0)


def stack(*parts, size=4):
    model = Sequential([Input((size,)), *parts])
    model.compile("sgd", "mse")
    return model


def recorded(activation="relu", depth=3, epochs=2):
    """The history of a small training, and the record of its layers."""
    set_random_seed(0)
    model = stack(*[layers.Dense(20, activation, name=f"dense_{i}") for i in range(depth)], layers.Dense(1, name="out"))
    record = LayerHistory(x=np.eye(4))
    return model.fit(np.eye(4), np.ones(4), epochs=epochs, batch_size=2, verbose=0, callbacks=[record]), record


# --- Weights ---


def test_each_unit_is_the_image_of_its_weights():
    model = stack(layers.Dense(3), size=6)
    kernel = model.layers[0].kernel.value
    figure = plot_weights(model, shape=(2, 3))
    images = figure.axes[0].images
    assert [image.get_array().tolist() for image in images] == [kernel[:, j].reshape(2, 3).tolist() for j in range(3)]
    low, high = images[0].get_clim()
    assert low == -high  # zero is in the middle of the colours
    assert {image.get_clim() for image in images} == {(low, high)}


def test_only_so_many_units_are_drawn():
    figure = plot_weights(stack(layers.Dense(70), size=9), limit=20)
    assert len(figure.axes[0].images) == 20
    assert figure.axes[0].get_title().startswith("weights into the 20 of 70 units")


def test_weights_of_a_layer_by_its_name():
    model = stack(layers.Dense(9), layers.Dense(2, name="second"))
    assert len(plot_weights(model, "second").axes[0].images) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"takes 6 numbers, which are no square image: pass `shape=\(rows, columns\)`"),
        ({"shape": (2, 2)}, r"takes 6 numbers, which do not make \(2, 2\)"),
        ({"layer": "frist"}, r"Expected the name of a Dense layer, one of \['first'\]. Received: layer='frist'"),
        ({"shape": (2, 3), "limit": 0}, "`limit` must be a whole number of at least 1"),
    ],
)
def test_weights_that_are_no_images_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_weights(stack(layers.Dense(3, name="first"), size=6), **arguments)


def test_weights_of_a_model_without_any_are_refused():
    with pytest.raises(ValueError, match="has no weights yet"):
        plot_weights(Sequential([layers.Dense(3)]))


# --- Activations ---


def bars(ax):
    """The heights of the bars of each layer: of every second patch, as each is filled and outlined."""
    return [patch.get_data() for patch in ax.patches[::2]]


def test_there_is_a_histogram_for_each_layer_from_the_bottom_up():
    model = stack(layers.Dense(50, "tanh"), layers.Dense(50, "sigmoid"), layers.Dense(2))
    x = RNG.normal(size=(40, 4))
    ax = plot_activations(model, x, bins=20).axes[0]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["z1: tanh", "z2: sigmoid", "y_hat: linear"]
    z1 = model.layers[0](x)
    values, edges, baseline = bars(ax)[0]
    counts, _ = np.histogram(z1, edges)
    assert len(edges) == 21
    assert baseline == 0
    np.testing.assert_allclose(values, 0.86 * counts / counts.max())
    assert [data.baseline for data in bars(ax)] == [0, 1, 2]


def test_zeros_of_relu_are_counted_beside_the_histogram():
    model = stack(layers.Dense(4, "relu", kernel_initializer="identity", use_bias=False))
    x = np.array([[1.0, 2.0, -1.0, -2.0]])
    ax = plot_activations(model, x, bins=2).axes[0]
    assert [text.get_text() for text in ax.texts] == ["50% zero"]
    values, edges, _ = bars(ax)[0]
    np.testing.assert_allclose(edges, [0, 1, 2])
    np.testing.assert_allclose(values, [0, 0.86])


def test_an_activation_layer_stands_for_its_dense_layer():
    model = stack(layers.Dense(5), layers.BatchNormalization(), layers.Activation("relu"), layers.Dense(1))
    labels = [label.get_text() for label in plot_activations(model, np.eye(4)).axes[0].get_yticklabels()]
    assert labels == ["z1: relu", "y_hat: linear"]


# --- Gradients ---


def test_every_layer_has_a_line_of_its_gradient_over_the_steps():
    _, record = recorded()
    ax = plot_gradients(record).axes[0]
    assert [line.get_label() for line in ax.lines] == ["dense_0", "dense_1", "dense_2", "out"]
    for line, sizes in zip(ax.lines, record.gradients.values(), strict=True):
        assert line.get_xdata().tolist() == record.steps == [1, 2, 3, 4]
        np.testing.assert_allclose(line.get_ydata(), sizes)
    assert ax.get_yscale() == "log"
    assert len({line.get_color() for line in ax.lines}) == 4


def test_by_layer_each_run_has_a_line_with_the_mean_of_its_first_steps():
    records = {name: recorded(name)[1] for name in ("sigmoid", "tanh")}
    ax = plot_gradients_by_layer(records, steps=2).axes[0]
    assert [line.get_label() for line in ax.lines] == ["sigmoid", "tanh"]
    for line, record in zip(ax.lines, records.values(), strict=True):
        means = [np.sqrt(sizes[0] * sizes[1]) for sizes in record.gradients.values()]
        np.testing.assert_allclose(line.get_ydata(), means)
        assert line.get_xdata().tolist() == [1, 2, 3, 4]
    assert [line.get_marker() for line in ax.lines] == ["o", "s"]  # told apart without colour, too


def test_the_gradient_vanishes_towards_the_first_of_many_sigmoid_layers_and_not_with_relu():
    records = {name: recorded(name, depth=8)[1] for name in ("sigmoid", "relu")}
    sigmoid, relu = (line.get_ydata() for line in plot_gradients_by_layer(records, steps=1).axes[0].lines)
    assert sigmoid[0] < 1e-4 * sigmoid[-1]
    assert relu[0] > 1e-2 * relu[-1]


def test_a_gradient_of_zero_is_left_out_of_the_logarithmic_axis(tmp_path):
    record = LayerHistory()
    record.steps, record.gradients = [1, 2], {"a": [0.0, 0.5], "b": [0.0, 0.0]}
    figure = plot_gradients(record)
    np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [np.nan, 0.5])
    figure.savefig(tmp_path / "gradients.png")
    plot_gradients_by_layer(record).savefig(tmp_path / "by_layer.png")


def test_what_was_not_recorded_cannot_be_drawn():
    with pytest.raises(ValueError, match="Nothing was recorded"):
        plot_gradients(LayerHistory())
    with pytest.raises(ValueError, match="at least one record"):
        plot_gradients_by_layer({})
    record = LayerHistory()
    record.steps, record.gradients = [1], {"a": [0.1]}
    with pytest.raises(ValueError, match="No dead units were counted"):
        plot_dead_units(record)


# --- Dead units ---


def test_dead_units_have_a_line_for_each_layer():
    _, record = recorded()
    ax = plot_dead_units(record).axes[0]
    assert [line.get_label() for line in ax.lines] == ["dense_0", "dense_1", "dense_2"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), record.dead["dense_0"])


def test_dead_units_of_several_runs_are_means_over_their_layers():
    records = {name: recorded(name)[1] for name in ("relu", "tanh")}
    ax = plot_dead_units(records).axes[0]
    assert [line.get_label() for line in ax.lines] == ["relu", "tanh"]
    np.testing.assert_allclose(ax.lines[0].get_ydata(), np.mean(list(records["relu"].dead.values()), axis=0))
    assert not ax.lines[1].get_ydata().any()


# --- Runs ---


def test_each_run_has_a_colour_of_its_own():
    runs = {"a": {"loss": [2.0, 1.0]}, "b": {"loss": [3.0, 1.5, 1.0], "val_loss": [2.5, 2.0, 1.8]}}
    ax = plot_runs(runs).axes[0]
    a, b, b_train, _ = ax.lines
    assert a.get_xydata().tolist() == [[1, 2.0], [2, 1.0]]
    assert b.get_ydata().tolist() == [2.5, 2.0, 1.8]
    assert b_train.get_ydata().tolist() == [3.0, 1.5, 1.0]
    assert b.get_color() == b_train.get_color() != a.get_color()
    assert (b.get_linestyle(), b_train.get_linestyle()) == ("-", "--")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b", "train"]


def test_without_validation_the_training_is_drawn():
    (line,) = plot_runs({"a": {"loss": [3.0], "val_loss": [2.0]}}, validation=False).axes[0].lines
    assert line.get_ydata() == [3.0]


def test_runs_that_cannot_be_drawn_are_named():
    with pytest.raises(ValueError, match="at least one run"):
        plot_runs({})
    with pytest.raises(ValueError, match="Run 'b': Unknown metric: 'loss'"):
        plot_runs({"a": {"loss": [1.0]}, "b": {"accuracy": [1.0]}})
    with pytest.raises(ValueError, match="Run 'a': 'loss' has 2 values and 'val_loss' 1"):
        plot_runs({"a": {"loss": [1.0, 0.5], "val_loss": [1.0]}})


def test_a_comparison_has_the_same_colour_for_a_run_in_all_its_plots():
    made = {name: recorded(name) for name in ("sigmoid", "relu")}
    figure = plot_comparison(
        {n: h for n, (h, _) in made.items()}, {n: r for n, (_, r) in made.items()}, metrics=["loss"]
    )
    loss, gradients = figure.axes
    assert [line.get_color() for line in loss.lines] == [line.get_color() for line in gradients.lines]
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["sigmoid", "relu"]


def test_a_comparison_may_be_drawn_into_axes():
    history, record = recorded()
    figure = Figure()
    axes = figure.subplots(1, 2)
    assert plot_comparison({"a": history}, {"a": record}, metrics=["loss"], axes=axes) is figure
    assert len(axes[1].lines) == 1
    with pytest.raises(ValueError, match="Expected 2 axes"):
        plot_comparison({"a": history}, {"a": record}, metrics=["loss"], axes=axes[:1])
    with pytest.raises(ValueError, match="of the same names"):
        plot_comparison({"a": history}, {"b": record})


# --- The network ---


def test_every_weight_is_an_edge_coloured_by_its_sign():
    model = stack(layers.Dense(3, "tanh", name="hidden"), layers.Dense(1, name="out"), size=2)
    model.layers[0].kernel.assign([[4.0, -2.0, 0.0], [1.0, -4.0, 2.0]])
    model.layers[1].kernel.assign([[1.0], [1.0], [-1.0]])
    ax = plot_network(model).axes[0]
    edges, *nodes = ax.collections
    assert len(edges.get_segments()) == 2 * 3 + 3
    assert [len(column.get_offsets()) for column in nodes] == [2, 3, 1]
    where = {tuple(map(tuple, np.asarray(segment))): i for i, segment in enumerate(edges.get_segments())}
    strong, weak = where[(0.0, 0.5), (1.0, 1.0)], where[(0.0, -0.5), (1.0, 1.0)]  # 4 and 1, the largest being 4
    negative = where[(0.0, -0.5), (1.0, 0.0)]  # -4
    widths, colors = edges.get_linewidths(), edges.get_colors()
    assert widths[strong] > widths[weak]
    assert colors[strong][3] > colors[weak][3]
    assert colors[strong][0] > colors[strong][2]  # vermilion: more red than blue
    assert colors[negative][2] > colors[negative][0]
    assert [text.get_text() for text in ax.texts] == ["input\n2", "hidden\n3 tanh", "out\n1 linear"]


def test_of_a_large_layer_the_first_and_the_last_units_are_drawn():
    model = stack(layers.Dense(50), layers.Dense(3), size=784)
    ax = plot_network(model, most_units=6).axes[0]
    edges, *nodes = ax.collections
    assert [len(column.get_offsets()) for column in nodes] == [6, 6, 3]
    assert len(edges.get_segments()) == 6 * 6 + 6 * 3
    assert [text.get_text() for text in ax.texts].count("⋮") == 2


def test_nodes_are_coloured_by_their_bias():
    model = stack(layers.Dense(2), size=1)
    model.layers[0].bias.assign([-1.0, 1.0])
    _, _, hidden = plot_network(model).axes[0].collections
    low, high = hidden.get_facecolors()
    assert low[2] > low[0]
    assert high[0] > high[2]


def test_what_is_no_row_of_dense_layers_is_refused():
    x = Input((3,))
    from multilayer import Model

    branched = Model(x, layers.Add()([x, layers.Dense(3)(x)]))
    with pytest.raises(ValueError, match="branches"):
        plot_network(branched)
    with pytest.raises(ValueError, match="no Dense layer"):
        plot_network(stack(layers.Flatten()))
    with pytest.raises(ValueError, match="`most_units` must be a whole number of at least 2"):
        plot_network(stack(layers.Dense(1)), most_units=1)
    with pytest.raises(ValueError, match="has no weights yet"):
        plot_network(Sequential([layers.Dense(3)]))
    with pytest.raises(ValueError, match="changes shapes between its Dense layers"):
        plot_network(
            stack(
                layers.Dense(4), layers.Reshape((2, 2)), layers.Flatten(), layers.CategoryEncoding(3), layers.Dense(1)
            )
        )
