"""The table that `model.summary()` prints, laid out as Keras lays it out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from multilayer.arena import Variable
from multilayer.layers import Layer

if TYPE_CHECKING:
    from rich.table import Table

    from multilayer.models.base import Model

_COLUMNS = ("Layer (type)", "Output Shape", "Param #")
_EDGES = (0.45, 0.80, 1.0)  # where columns end, in parts of the whole width


def readable_size(num_bytes: float) -> str:
    """A number of bytes for people.

    Example:
        >>> readable_size(159040)
        '155.31 KB'
    """
    units = ("B", "KB", "MB", "GB", "TB")
    unit = 0
    while num_bytes >= 1024 and unit < len(units) - 1:
        num_bytes /= 1024
        unit += 1
    return f"{num_bytes:.2f} {units[unit]}"


def _counts(variables: Iterable[Variable]) -> tuple[int, int]:
    """Number of weights, and of bytes."""
    arrays = [v.value for v in variables]
    return sum(a.size for a in arrays), sum(a.nbytes for a in arrays)


def print_summary(
    model: Model,
    line_length: int | None = None,
    print_fn: Callable[[str], object] | None = None,
    show_trainable: bool = False,
) -> None:
    """Prints a model's layers, their output shapes and numbers of parameters.

    Args:
        model: The model, built or not.
        line_length: Width of the table in characters; by default up to 88, or what the terminal has.
        print_fn: Gets the whole text instead of the standard output.
        show_trainable: Adds a column that says whether a layer is trainable.

    Raises:
        ImportError: rich, which draws the table, is not installed.
    """
    try:
        from rich.console import Console
        from rich.markup import escape
    except ImportError as error:
        raise ImportError("`summary` draws its table with rich. Install it with `pip install rich`.") from error

    console = Console(highlight=False)
    if print_fn is not None:
        console = Console(highlight=False, force_terminal=False, color_system=None)
        console.begin_capture()
    console.print(f'[bold]Model: "{escape(model.name)}"[/bold]')
    console.print(_table(model, line_length or min(88 + 12 * show_trainable, console.width - 4), show_trainable))
    for title, (count, size) in _totals(model).items():
        console.print(f"[bold] {title} params: [/bold][color(34)]{count:,}[/color(34)] ({readable_size(size)})")
    if print_fn is not None:
        print_fn(console.end_capture())


def _table(model: Model, width: int, show_trainable: bool) -> Table:
    from rich.markup import escape
    from rich.table import Column, Table

    edges = [0, *(int(edge * width * (0.9 if show_trainable else 1.0)) for edge in _EDGES)]
    columns = [
        Column(title, justify="right" if title == "Param #" else "left", width=stop - start)
        for title, start, stop in zip(_COLUMNS, edges, edges[1:], strict=False)
    ]
    if show_trainable:
        columns.append(Column("Trainable", justify="center", width=width - edges[-1]))
    table = Table(*columns, width=width, show_lines=True)
    for layer, shape in model.layer_output_shapes():
        name = f"{escape(layer.name)} ([color(33)]{escape(type(layer).__name__)}[/color(33)])"
        row = [name, _shape_text(shape), _params_text(layer)]
        if show_trainable:
            row.append(("Y" if layer.trainable else "N") if layer.weights else "-")
        table.add_row(*row)
    return table


def _shape_text(shape: tuple[int | None, ...] | None) -> str:
    if shape is None:
        return "?"
    sides = ("None" if side is None else f"[color(34)]{side}[/color(34)]" for side in shape)
    return f"({', '.join(sides)})" if len(shape) > 1 else f"({', '.join(sides)},)"


def _params_text(layer: Layer) -> str:
    if not layer.built:
        return "[color(34)]0[/color(34)] (unbuilt)"
    return f"[color(34)]{layer.count_params():,}[/color(34)]"


def _totals(model: Model) -> dict[str, tuple[int, int]]:
    trainable, frozen = _counts(model.trainable_weights), _counts(model.non_trainable_weights)
    totals = {"Trainable": trainable, "Non-trainable": frozen}
    optimizer = model.optimizer
    if optimizer is not None and optimizer.built:
        slots = optimizer.state.values()
        # As Keras counts: the slots, the number of steps (a 64-bit integer) and the learning rate (a 32-bit float).
        totals["Optimizer"] = (sum(s.size for s in slots) + 2, sum(s.nbytes for s in slots) + 12)
    total = (sum(count for count, _ in totals.values()), sum(size for _, size in totals.values()))
    return {"Total": total, **totals}
