"""RealMLP: the recipes TD-S and TD, from matrices to a trained model.

Source: Holzmüller, Grinsztajn and Steinwart, "Better by Default", 2024.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from multilayer import losses
from multilayer._checks.arguments import listed
from multilayer._checks.arrays import as_numbers, finite_as
from multilayer._checks.scalars import real_number, whole_number
from multilayer.callbacks import Callback
from multilayer.functional import Array
from multilayer.layers import Input
from multilayer.models import Model
from multilayer.models.functional import Functional
from multilayer.tabular.fitting import BestEpoch, StopWhen, WholeBatches
from multilayer.tabular.networks import Full, Simple
from multilayer.tabular.steps import AdamByWeight, CosineCycles, FlatCosine

_RATE_FACTORS = {"scale": 6.0, "bias": 0.1, "alpha": 0.1} | dict.fromkeys(
    ("frequencies", "phases", "mixing", "offsets"), 0.1
)
# Rows up to which a batch is so large.
_AUTO = ((1024, 64), (8192, 128), (30_000, 256), (100_000, 512))
_LARGEST = 1024


class Trained(NamedTuple):
    """What a recipe gives.

    Attributes:
        model: The network, with the inputs 'numbers' and 'codes', as far as there are columns for them, and logits or
            standardized values as its output.
        mean: Of regression, what the targets were centred at, (k,): a prediction is output deviation + mean.
        deviation: What they were divided by, (k,).
        epoch: The epoch, from 0, whose weights the model has.
        history: The figures of every epoch.
    """

    model: Model
    mean: Array | None
    deviation: Array | None
    epoch: int
    history: dict[str, list[Any]]


def realmlp_td_s(
    numbers: ArrayLike, codes: ArrayLike, cardinalities: Sequence[int], targets: ArrayLike, **options: Any
) -> Trained:
    """Trains RealMLP-TD-S, the simple one: columns robustly scaled, categories one-hot, three hidden layers.

    Args:
        numbers: The columns of numbers (n, p), none of them NaN; (n, 0) where there are none.
        codes: The columns of categories (n, q): 1 to C, and 0 for what is missing.
        cardinalities: The number of categories C of each of these.
        targets: Numbers of classes, from 0, (n,); or, without `classes`, the values (n,) or (n, k) of a regression.
        **options: Any of the following.

    Options:
        `classes`: The number of classes; None, the default, for a regression.
        `epochs`: Passes over the rows, 256 by default.
        `batch_size`: Rows a step, 256 by default, or 'auto': from 64 for up to 1,024 rows to 1,024 for above 100,000.
        `learning_rate`: The highest one; 0.04, and 0.07 for a regression (TD: 0.2).
        `label_smoothing`: The share of a label that is spread over all classes, 0.1 by default.
        `val_fraction`: The share of the rows that are held out to choose the best epoch by, 0.2 by default; 0 for none.
        `validation`: Rows to choose it by in their place: `(numbers, codes, targets)`.
        `sample_weight`: Weights of the rows (n,).
        `seed`: Where all random numbers come from.
        `stop`: A function of an epoch's number and figures that says whether training ends.
        `callbacks`: Further callbacks.

    Raises:
        ValueError: An argument does not fit.

    Example:
        >>> stream = np.random.default_rng(0)
        >>> x = stream.normal(size=(60, 3))
        >>> trained = realmlp_td_s(x, np.zeros((60, 0)), [], (x[:, 0] > 0).astype(int), classes=2, epochs=2, seed=1)
        >>> trained.model.predict({"numbers": x[:5]}, verbose=0).shape
        (5, 2)
    """
    return _train(Simple, numbers, codes, cardinalities, targets, **options)


def realmlp_td(
    numbers: ArrayLike, codes: ArrayLike, cardinalities: Sequence[int], targets: ArrayLike, **options: Any
) -> Trained:
    """Trains RealMLP-TD: TD-S with embedded numbers and categories, learned activations, dropout and weight decay.

    Columns of more than 8 categories are embedded, all others one-hot. What training begins with is measured: every
    unit's kernel is scaled so that what it gives on the training rows has deviation 1, and its bias puts its kink among
    these rows.

    Args:
        numbers: See `realmlp_td_s`.
        codes: See `realmlp_td_s`.
        cardinalities: See `realmlp_td_s`.
        targets: See `realmlp_td_s`.
        **options: Those of `realmlp_td_s`.

    Raises:
        ValueError: An argument does not fit.
    """
    return _train(Full, numbers, codes, cardinalities, targets, **options)


class _Rows(NamedTuple):
    """Rows of a table as a recipe takes them."""

    numbers: Array
    codes: Array
    y: Array
    weight: Array | None

    def at(self, rows: Array) -> _Rows:
        """Those with these numbers."""
        weight = None if self.weight is None else self.weight[rows]
        return _Rows(self.numbers[rows], self.codes[rows], self.y[rows], weight)


def _train(
    kind: type[Simple],
    numbers: ArrayLike,
    codes: ArrayLike,
    cardinalities: Sequence[int],
    targets: ArrayLike,
    *,
    classes: int | None = None,
    epochs: int = 256,
    batch_size: int | str = 256,
    learning_rate: float | None = None,
    label_smoothing: float = 0.1,
    val_fraction: float = 0.2,
    validation: Sequence[ArrayLike] | None = None,
    sample_weight: ArrayLike | None = None,
    seed: int | None = None,
    stop: Callable[[int, dict[str, float]], bool] | None = None,
    callbacks: Iterable[Callback] = (),
) -> Trained:
    cardinalities = [whole_number("cardinalities", one, 1) for one in listed("cardinalities", list(cardinalities))]
    generator = np.random.default_rng(seed)
    train = _checked((numbers, codes, targets, sample_weight), cardinalities, classes)
    held_out: _Rows | None = None
    if validation is not None:
        held_out = _checked((*validation, None), cardinalities, classes)
    elif real_number("val_fraction", val_fraction, least=0, most=1):
        train, held_out = _split(train, val_fraction, generator)
    mean = deviation = None
    if classes is None:
        mean, deviation = train.y.mean(axis=0), train.y.std(axis=0)
        deviation = np.where(deviation == 0, 1.0, deviation)
        train = train._replace(y=((train.y - mean) / deviation).astype(np.float32))
        if held_out is not None:
            held_out = held_out._replace(y=((held_out.y - mean) / deviation).astype(np.float32))
    network = kind(train.numbers.shape[1], cardinalities, train.y.shape[1], classes is not None, generator)
    network.adapt(train.numbers, train.codes, train.y)
    xs = network.prepared([train.numbers, train.codes])
    inputs = [Input(x.shape[1:], dtype=str(x.dtype)) for x in xs]
    body = Functional(
        inputs, network.learned(inputs)
    )  # of what is computed once, which would take longer in every step
    network.start(xs)
    batches = WholeBatches(xs, train.y, train.weight, _batch_size(batch_size, len(train.y)), generator)
    steps = max(whole_number("epochs", epochs, 1) * len(batches), 1)
    rate = learning_rate or kind.rates[classes is None]
    body.compile(
        AdamByWeight(
            CosineCycles(rate, steps),
            decay=FlatCosine(kind.decay, steps) if kind.decay else 0.0,
            rate_factors=_RATE_FACTORS,
            decay_factors={"bias": 0.0},
        ),
        _loss(classes, label_smoothing),
        metrics=[] if classes is None else ["accuracy"],
    )
    best = BestEpoch("val_loss") if classes is None else BestEpoch("val_accuracy", highest=True)
    own = [
        *network.callbacks(steps),
        *([] if held_out is None else [best]),
        *([] if stop is None else [StopWhen(stop)]),
    ]
    history = body.fit(
        batches,
        epochs=epochs,
        verbose=0,
        shuffle=False,
        callbacks=[*own, *callbacks],
        validation_data=None if held_out is None else (network.prepared(held_out[:2]), held_out.y),
        validation_batch_size=_LARGEST,
    )
    whole = network.inputs()
    model = Functional(whole, network.learned(network.prepared(whole)))
    epoch = len(history.epoch) - 1 if best.epoch is None else best.epoch
    return Trained(model, mean, deviation, epoch, history.history)


def _checked(given: Sequence[Any], cardinalities: Sequence[int], classes: int | None) -> _Rows:
    """Numbers, codes, targets and weights as arrays of the network's types; of classes, one-hot targets.

    Raises:
        ValueError: They do not fit each other.
    """
    numbers, codes, y = map(as_numbers, given[:3], ("numbers", "codes", "targets"))
    numbers, codes = finite_as(numbers, "float32", "numbers").astype(np.float32), codes.astype(np.int32)
    lengths = {len(one) for one in (numbers, codes, y)}
    if numbers.ndim != 2 or codes.ndim != 2 or len(lengths) > 1 or codes.shape[1] != len(cardinalities):
        raise ValueError(
            "`numbers` (n, p), `codes` (n, q), `cardinalities` of length q and `targets` of length n belong together. "
            f"Received shapes {numbers.shape}, {codes.shape}, {len(cardinalities)} and {y.shape}."
        )
    if not (numbers.shape[1] or codes.shape[1]):
        raise ValueError("There is no column to learn from: `numbers` and `codes` have none.")
    if classes is None:
        y = y.reshape(len(y), -1).astype(np.float64)
    else:
        y = np.eye(whole_number("classes", classes, 2), dtype=np.float32)[_labels(y, classes)]
    weight = None if given[3] is None else as_numbers(given[3], "sample_weight").astype(np.float32)
    return _Rows(numbers, codes, y, weight)


def _labels(y: Array, classes: int) -> Array:
    labels = y.reshape(-1).astype(np.intp)
    if (labels != y.reshape(-1)).any() or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(f"`targets` must be whole numbers from 0 to {classes - 1}, one a row.")
    return labels


def _split(rows: _Rows, val_fraction: float, generator: np.random.Generator) -> tuple[_Rows, _Rows]:
    order = generator.permutation(len(rows.y))
    count = min(max(round(len(order) * val_fraction), 1), len(order) - 1)
    return rows.at(order[count:]), rows.at(order[:count])


def _batch_size(batch_size: int | str, rows: int) -> int:
    if batch_size == "auto":
        return next((size for most, size in _AUTO if rows <= most), _LARGEST)
    return whole_number("batch_size", batch_size, 1)


def _loss(classes: int | None, label_smoothing: float) -> losses.Loss:
    if classes is None:
        return losses.MeanSquaredError()
    return losses.CategoricalCrossentropy(from_logits=True, label_smoothing=label_smoothing)
