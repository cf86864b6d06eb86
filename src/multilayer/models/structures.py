"""Which of the user's arrays is for which input or output: one array, a list of them, or a dict by name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from multilayer._checks.sparse import is_sparse
from multilayer._checks.tables import columns_of, require_rows
from multilayer._language import later, tr
from multilayer.layers.symbolic import flatten_as, is_nested, require_order

FROM_A_LIST = later(
    "Batches come from what makes them one by one: a `utils.PyDataset`, or a generator, such as `(batch "
    "for batch in batches)`, which serves one epoch. Or join them to arrays: `np.concatenate([x for x, y "
    "in batches])`, and so for y."
)


def is_list_of_batches(given: Any, inputs: int) -> bool:
    """Whether it is a list of batches `(x, y)`, which would be taken for the arrays of several inputs.

    Example:
        >>> import numpy as np
        >>> is_list_of_batches([(np.ones((2, 3)), np.ones(2)), (np.ones((1, 3)), np.ones(1))], 1)
        True
    """
    if not isinstance(given, (list, tuple)) or len(given) == 0:
        return False
    pairs = all(isinstance(one, (tuple, list)) and len(one) in (2, 3) for one in given)
    return pairs and all(getattr(part, "ndim", 0) > 0 for one in given for part in one) and (inputs == 1)


def for_each(given: Any, names: Sequence[str], form: Any, argument: str) -> list[Any]:
    """What was given for several inputs or outputs, in their order.

    Args:
        given: One thing, a list with one for each, or a dict or frame by name.
        names: Their names.
        form: How the model was drawn up: a list, a dict of those names' own keys, or a single tensor.
        argument: What the user calls it, for the message.

    Raises:
        ValueError: Anything is missing, or there is too much.
    """
    if is_sparse(given):
        given = given.tocsr()  # some forms of scipy's are dicts
    given = by_column(given, names, form, argument)
    if is_nested(form) and (leaves := flatten_as(form, given)) is not None:
        return leaves
    if isinstance(given, dict):
        keys = sorted(form) if isinstance(form, dict) and not is_nested(form) else list(names)
        missing = [key for key in keys if key not in given]
        if missing:
            raise ValueError(
                tr(
                    "`{argument}` is a dict with the keys {given}, but the model also expects {missing}: "
                    "it wants {keys}.",
                    argument=argument,
                    given=sorted(given, key=str),
                    missing=missing,
                    keys=keys,
                )
            )
        return [given[key] for key in keys]
    if len(names) == 1:
        return [_unwrapped(given)]
    if not isinstance(given, (list, tuple)):
        raise ValueError(
            tr(
                "The model has {count} {what}, {names}: `{argument}` must be a list with an array for "
                "each, or a dict by name. Received: {kind}",
                count=len(names),
                what=_kind(argument),
                names=", ".join(names),
                argument=argument,
                kind=type(given).__name__,
            )
        )
    if len(given) != len(names):
        raise ValueError(
            tr(
                "The model has {count} {what}, {names}, but `{argument}` holds {got} arrays.",
                count=len(names),
                what=_kind(argument),
                names=", ".join(names),
                argument=argument,
                got=len(given),
            )
        )
    require_order(given, form, argument, _kind(argument))
    return [_unwrapped(one) for one in given]


def by_column(given: Any, names: Sequence[str], form: Any, argument: str = "x") -> Any:
    """A frame for several inputs or outputs as a dict of its columns; anything else as it is.

    A frame for a single one is an array, unless the model was drawn up with a dict whose key names one of the columns.
    Columns that nobody asks for are left out without a warning: a table has them as a rule, a dict for a model not.

    Raises:
        ValueError: Two columns have one name.
    """
    if isinstance(given, (list, tuple, dict)):
        return given
    require_rows(given, argument)
    columns = columns_of(given)
    alone = len(names) == 1 and not (isinstance(form, dict) and set(form) & {name for name, _ in columns})
    if not columns or alone:
        return given
    found = dict(columns)
    if len(found) < len(columns):
        labels = [name for name, _ in columns]
        twice = [name for name in labels if labels.count(name) > 1]
        raise ValueError(
            tr(
                "`{argument}` has several columns that are called {twice!r}: which one is meant?",
                argument=argument,
                twice=twice[0],
            )
        )
    return found


def _unwrapped(given: Any) -> Any:
    """The array itself, where it stands in a list of its own."""
    alone = isinstance(given, (list, tuple)) and len(given) == 1 and hasattr(given[0], "shape")
    return given[0] if alone and len(given[0].shape) > 0 else given


def warn_of_structure(given: Any, form: Any) -> None:
    """Warns where a model of a dict of inputs gets them in a list, or a dict with more in it, and goes on."""
    if not isinstance(form, dict) or is_nested(form) or is_sparse(given):
        return
    listed = isinstance(given, (list, tuple)) and len(given) == len(form) > 1
    if listed or (isinstance(given, dict) and set(given) > set(form)):
        received = sorted(given) if isinstance(given, dict) else f"a {type(given).__name__} of {len(given)}"
        warnings.warn(
            tr(
                "The structure of `inputs` doesn't match the expected structure. Expected: a dict with the "
                "keys {form}. Received: {received}. What stands in a list is taken in the order of those keys, "
                "and what has another key is left out.",
                form=sorted(form),
                received=received,
            ),
            stacklevel=4,
        )


def _kind(argument: str) -> str:
    return tr("inputs") if argument.endswith("x") else tr("outputs")


def for_losses(given: Any, names: Sequence[str], form: Any, has_loss: Sequence[bool], argument: str) -> list[Any]:
    """Targets for each output; those of outputs without a loss may be left out, and are None then."""
    if is_nested(form) and (leaves := flatten_as(form, given)) is not None:
        return leaves
    given = by_column(given, names, form, argument)
    if isinstance(given, dict) and len(names) > 1:
        keys = sorted(form) if isinstance(form, dict) and not is_nested(form) else list(names)
        unknown = sorted(set(given) - set(keys))
        if unknown:
            raise ValueError(
                tr(
                    "`{argument}` has the keys {unknown}, but the outputs are called {keys}.",
                    argument=argument,
                    unknown=unknown,
                    keys=keys,
                )
            )
        missing = [key for key, wanted in zip(keys, has_loss, strict=True) if wanted and key not in given]
        if missing:
            what = tr("weights") if argument == "sample_weight" else tr("targets")
            raise ValueError(
                tr(
                    "`{argument}` lacks {what} for {missing}; it has {given}.",
                    argument=argument,
                    what=what,
                    missing=missing,
                    given=sorted(given),
                )
            )
        return [given.get(key) for key in keys]
    listed = given if isinstance(given, (list, tuple)) else [given]
    if 1 < len(names) != len(listed) == sum(has_loss):
        require_order(listed, form, argument)
        remaining = iter(listed)
        return [next(remaining) if wanted else None for wanted in has_loss]
    return for_each(given, names, form, argument)
