"""Data for a model: checked against it and its losses, and cut into batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from multilayer._checks.arrays import as_numbers
from multilayer._checks.scalars import whole_number
from multilayer._checks.texts import as_given
from multilayer._language import tr
from multilayer._training import Trainer, data
from multilayer._training.own_steps import OwnStepsTrainer
from multilayer._training.streams import Source, Steps, Stream, is_stream
from multilayer.functional import Array
from multilayer.layers.base import Shape
from multilayer.layers.symbolic import flatten, pack_like
from multilayer.models.arguments import validation_triple
from multilayer.models.structures import FROM_A_LIST, for_each, for_losses, is_list_of_batches, warn_of_structure


class FeedingMixin:
    """What every model does with data before it computes with it."""

    # --- What a model says about itself ---

    name: str
    built: bool
    dtype: str
    _input_form: Any
    _output_form: Any
    _trainer: Trainer | None
    _compile_arguments: dict[str, Any]
    _given_forms: Mapping[tuple[int, ...], tuple[Any, Any, Any]]

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs."""
        raise NotImplementedError

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs: those of the layers that give them."""
        raise NotImplementedError

    @property
    def input_dtypes(self) -> list[str]:
        """The type that each input is wanted in."""
        raise NotImplementedError

    def _fitting(self, xs: Sequence[Array]) -> list[Array]:
        """The inputs, once the model is built for them and they fit it."""
        raise NotImplementedError

    def build_by(self, x: Any) -> None:
        """Builds the model for this data, where that must come before anything is known of its inputs and outputs."""

    def _output_shapes(self) -> list[Shape]:
        raise NotImplementedError

    def _output_shapes_for(self, xs: Sequence[Array]) -> list[Shape]:
        """The same for these inputs: with a length in the place of every None but the batch's."""
        raise NotImplementedError

    def _unbuilt_on_error(self) -> AbstractContextManager[None]:
        """Within it, an error leaves no weights behind that were made for data which did not fit after all."""
        raise NotImplementedError

    # --- Data, checked ---

    def _stream(
        self,
        x: Any,
        y: Any,
        sample_weight: Any,
        class_weight: Mapping[int, float] | None = None,
        generator: np.random.Generator | None = None,
    ) -> Stream:
        """Data that comes in batches, each checked against the model and its losses."""
        for name, given in (("y", y), ("sample_weight", sample_weight)):
            if given is not None:
                raise ValueError(
                    tr(
                        "`{name}` must not be given where `x` is a {kind}: its batches hold it, as `(x, y)` or "
                        "`(x, y, sample_weight)`.",
                        name=name,
                        kind=type(x).__name__,
                    )
                )

        def prepare(batch: tuple[Any, Any, Any]) -> data.Batch:
            return self._converted(*self._prepare(*batch, class_weight=class_weight))

        return Stream(x, prepare, generator)

    def _converted(self, xs: Sequence[Array], ys: list[Array | None], sample_weights: list[Array | None]) -> data.Batch:
        if isinstance(self._trainer, OwnStepsTrainer):
            return [np.asarray(x) for x in xs], ys, sample_weights
        inputs = [as_given(x, dtype) for x, dtype in zip(xs, self.input_dtypes, strict=True)]
        return inputs, ys, sample_weights

    def _validation_batches(
        self, given: Any, split_off: data.Prepared | None, batch_size: int, steps: int | None
    ) -> Source | None:
        """What to validate on, if anything."""
        if given is not None:
            if is_stream(given):
                return in_steps(self._stream(given, None, None), steps, "validation_steps")
            split_off = self._prepare_validation(given)
        if split_off is None:
            return None
        size = whole_number("validation_batch_size", batch_size, 1)
        return in_steps(self._batches(split_off, size), steps, "validation_steps")

    def _batches(
        self,
        prepared: data.Prepared,
        batch_size: int,
        generator: np.random.Generator | None = None,
    ) -> data.Batches:
        dtypes = self.input_dtypes
        if isinstance(self._trainer, OwnStepsTrainer):
            dtypes = [str(x.dtype) for x in prepared.xs]
        return data.Batches(*prepared, dtypes=dtypes, batch_size=batch_size, generator=generator)

    def checked_inputs(self, x: Any, argument: str = "x", *, by_batches: bool = False) -> list[Array]:
        """One array for each input, which the model is built for.

        Args:
            x: What the user calls the inputs: an array, or a list or dict of them.
            argument: The name of that argument, for messages.
            by_batches: Whether a sparse matrix may stay one, for `Batches` to make dense.

        Raises:
            ValueError: An array is missing, empty, not of finite numbers, or does not fit the model.
        """
        self.build_by(x)
        dtypes = self.input_dtypes
        if len(dtypes) == 1 and type(x) is np.ndarray:
            return self._fitting([data.check_inputs(x, dtypes[0], argument)])
        if is_list_of_batches(x, len(dtypes)):
            raise ValueError(
                tr(
                    "`{argument}` is a list of {count} batches. {from_a_list}",
                    argument=argument,
                    count=len(x),
                    from_a_list=tr(FROM_A_LIST),
                )
            )
        given = for_each(x, self.input_names, self._input_form, argument)
        warn_of_structure(x, self._input_form)
        names = [argument] if len(given) == 1 else [f"{argument}[{name!r}]" for name in self.input_names]
        arrays = [data.check_inputs(*one) for one in zip(given, dtypes, names, strict=True)]
        data.check_lengths(**dict(zip(names, arrays, strict=True)))
        fitting = self._fitting(arrays)
        return fitting if by_batches else [np.asarray(one) for one in fitting]

    def _prepare(
        self, x: Any, y: Any, sample_weight: Any = None, class_weight: Mapping[int, float] | None = None
    ) -> data.Prepared:
        """Inputs, targets and weights, checked against the model and its losses."""
        if isinstance(self._trainer, OwnStepsTrainer):
            return self._prepare_as_given(x, y, sample_weight, class_weight)
        if y is None and self._wants_targets():
            if callable(x) or is_list_of_batches(x, len(self.input_dtypes)):
                self.checked_inputs(x)  # says what it is
            raise ValueError(tr("No targets: pass `y`, one target for each sample of `x`."))
        with self._unbuilt_on_error():
            self.build_by(x)
        assert self._trainer is not None  # whoever prepares has asked for it
        heads = self._trainer.heads
        has_loss = [head.loss is not None for head in heads]
        nothing = [None] * len(heads)
        given = nothing if y is None else for_losses(y, self.output_names, self._output_form, has_loss, "y")
        names = ["y"] if len(given) == 1 else [f"y[{name!r}]" for name in self.output_names]
        raw = [None if one is None else as_numbers(one, name) for one, name in zip(given, names, strict=True)]
        if class_weight is not None and len(raw) > 1:
            raise ValueError(tr("`class_weight` is only supported for Models with a single output."))
        with self._unbuilt_on_error():
            xs = self.checked_inputs(x, by_batches=True)
            data.check_lengths(x=xs[0], **dict(zip(names, raw, strict=True)))
            shapes = self._output_shapes_for(xs)
            ys = [head.prepare(one, shape, self.dtype) for head, one, shape in zip(heads, raw, shapes, strict=True)]
            shared = sample_weight is None or len(ys) == 1 or not isinstance(sample_weight, (list, tuple, dict))
            given_weights = (
                [sample_weight] * len(ys)
                if shared
                else for_losses(sample_weight, self.output_names, self._output_form, has_loss, "sample_weight")
            )
            weights = [
                None if one is None else data.check_weights(weight, class_weight, one, self.dtype, shape)
                for one, weight, shape in zip(ys, given_weights, shapes, strict=True)
            ]
        return data.Prepared(xs, ys, weights)

    def _prepare_as_given(self, x: Any, y: Any, sample_weight: Any, class_weight: Any) -> data.Prepared:
        """The arrays that a step of the model's own class will get: numbers, and as many of each."""
        given = {"x": x, "y": y, "sample_weight": sample_weight}
        leaves: dict[str, list[Array]] = {}
        for name, structure in given.items():
            alone = not isinstance(structure, (dict, list, tuple)) or _is_of_numbers(structure)
            parts = [] if structure is None else [structure] if alone else flatten(structure)
            leaves[name] = [
                _in_type(data.as_rows(one, name) if name == "x" else as_numbers(one, name), self.dtype) for one in parts
            ]
            given[name] = None if structure is None else 0 if alone else pack_like(structure, range(len(parts)))
        data.check_lengths(**{f"{name}[{i}]": one for name, parts in leaves.items() for i, one in enumerate(parts)})
        if class_weight is not None:
            weight = data.check_weights(sample_weight, class_weight, leaves["y"][0], self.dtype, (None, 1))
            leaves["sample_weight"], given["sample_weight"] = [weight], 0  # type: ignore[list-item]
        numbers = tuple(map(len, leaves.values()))
        self._given_forms = {**self._given_forms, numbers: (given["x"], given["y"], given["sample_weight"])}
        self.build_by(x)
        if not self.built:  # layers in a row without an `Input`: the data says what they are built for
            self._fitting(leaves["x"])
        return data.Prepared(leaves["x"], list(leaves["y"]), list(leaves["sample_weight"]))

    def _wants_targets(self) -> bool:
        """Whether a loss or a metric is to be computed of targets: all may be added by layers."""
        return any(self._compile_arguments[name] for name in ("loss", "metrics", "weighted_metrics"))

    def checked_batch(self, x: Any, y: Any, sample_weight: Any = None) -> data.Batch:
        """All samples as one batch of the model's types.

        Raises:
            ValueError: They do not fit the model or its losses.
        """
        prepared = self._prepare(x, y, sample_weight)
        return next(iter(self._batches(prepared, len(prepared.xs[0]))))

    def _prepare_validation(self, validation_data: Sequence[Any]) -> data.Prepared:
        triple = validation_triple(validation_data)
        try:
            return self._prepare(*triple)
        except ValueError as error:
            raise ValueError(tr("In `validation_data`: {error}", error=error)) from error


def in_steps(batches: data.Batches | Stream, steps: int | None, argument: str) -> Source:
    """The batches, or so many of them an epoch; only training goes on where the last epoch ended."""
    if steps is None:
        return batches
    return Steps(batches, whole_number(argument, steps, 1), resumes=argument == "steps_per_epoch")


def _in_type(array: Array, dtype: str) -> Array:
    return array.astype(dtype, copy=False) if array.dtype.kind == "f" else array


def _is_of_numbers(structure: Any) -> bool:
    """Whether it is one array, written as lists."""
    return isinstance(structure, (list, tuple)) and not any(hasattr(one, "shape") for one in flatten(structure))
