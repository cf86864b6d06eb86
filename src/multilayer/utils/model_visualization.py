"""A model drawn as a graph: by Graphviz where it is installed, in text where it is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from multilayer.models import Model

if TYPE_CHECKING:
    import graphviz


def _shape(shape: Any) -> str:
    return "?" if shape is None else str(shape)


def model_to_text(model: Model) -> str:
    """A model's layers, a line each, with the shapes of their outputs and what they are connected to.

    Example:
        >>> from multilayer import Input, layers
        >>> x = Input((4,), name="x")
        >>> hidden = layers.Dense(4, name="hidden")(x)
        >>> print(model_to_text(Model(x, layers.Add(name="sum")([x, hidden]))))
        x (InputLayer) (None, 4)
        hidden (Dense) (None, 4) <- x
        sum (Add) (None, 4) <- x, hidden
    """
    lines = []
    for layer, shape, sources in model.rows():
        line = f"{layer.name} ({layer.kind}) {_shape(shape)}"
        lines.append(f"{line} <- {', '.join(name for name, _, _ in sources)}" if sources else line)
    return "\n".join(lines)


def model_to_dot(
    model: Model,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
) -> graphviz.Digraph:
    """A model as a graph of the graphviz package, whose `source` is in the language DOT.

    Args:
        model: The model.
        show_shapes: Whether to write the shapes of the layers' outputs.
        show_dtype: Whether to write the layers' types.
        show_layer_names: Whether to write the layers' names.
        rankdir: 'TB' draws it from top to bottom, 'LR' from left to right.
        dpi: Dots per inch of a picture of pixels.
        show_layer_activations: Whether to write the activations of layers that have one.
        show_trainable: Whether to write which layers training leaves alone.

    Raises:
        ImportError: graphviz is not installed.
    """
    try:
        import graphviz
    except ImportError as error:
        raise ImportError("A graph is drawn with graphviz. Install it with `pip install graphviz`.") from error
    dot = graphviz.Digraph(
        model.name,
        graph_attr={"rankdir": rankdir, "dpi": str(dpi)},
        node_attr={"shape": "box", "fontname": "Helvetica"},
    )
    rows = model.rows()
    nodes = {row.layer.name: str(number) for number, row in enumerate(rows)}  # a name may hold what DOT reads otherwise
    for layer, shape, sources in rows:
        kind = layer.kind
        lines = [f"{layer.name} ({kind})" if show_layer_names else kind]
        activation = getattr(layer, "activation", None)
        if show_layer_activations and activation is not None:
            lines.append(f"activation: {activation.name}")
        if show_shapes:
            lines.append(f"output: {_shape(shape)}")
        if show_dtype:
            lines.append(f"dtype: {layer.dtype}")
        if show_trainable and layer.weights:
            lines.append("trainable" if layer.trainable else "not trainable")
        dot.node(nodes[layer.name], graphviz.escape("\n".join(lines)))
        for name, _, _ in sources:
            dot.edge(nodes[name], nodes[layer.name])
    return dot


def plot_model(model: Model, to_file: str | os.PathLike[str] = "model.png", **how: Any) -> graphviz.Digraph | None:
    """Draws a model as a graph into a file; where Graphviz is not installed, prints the graph as text instead.

    Args:
        model: The model.
        to_file: The picture; its ending says of which kind: '.png', '.svg', '.pdf', …
        **how: What to show, see `model_to_dot`.

    Returns:
        The graph, which a notebook shows; None where it was printed as text.

    Raises:
        ValueError: The model is not built, or the file's name has no ending.

    Example:
        >>> from multilayer import Input, Sequential, layers
        >>> model = Sequential([Input((784,)), layers.Dense(50, "sigmoid"), layers.Dense(10, "softmax")])
        >>> plot_model(model, "network.svg", show_shapes=True)  # doctest: +SKIP
    """
    import importlib.util  # only here, and what follows: `import multilayer` is quick
    import shutil
    from pathlib import Path

    path = Path(to_file)
    if not path.suffix:
        raise ValueError(
            f"`to_file` needs an ending that says which kind of picture it is, such as '.png'. Got: {to_file!r}"
        )
    if not model.built:
        raise ValueError(
            f"Model '{model.name}' has not been built: it does not know the shape of its input. Start it with "
            "`Input(shape)`, or call `build(input_shape)`."
        )
    # Both the package and the program that it runs are needed.
    if importlib.util.find_spec("graphviz") is None or shutil.which("dot") is None:
        print(model_to_text(model))
        print(f"{path} is not drawn: that takes Graphviz (https://graphviz.org) and `pip install graphviz`.")
        return None
    dot = model_to_dot(model, **how)
    dot.render(outfile=path, cleanup=True)
    return dot
