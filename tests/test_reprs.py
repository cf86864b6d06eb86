"""What objects print as: one line with the class and what tells it from others, whatever they were made with."""

import numpy as np
import pytest

from multilayer import (
    Sequential,
    activations,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    regularizers,
    utils,
)
from multilayer._names import registry
from multilayer.optimizers import schedules

# What has to be given to those that cannot be made of nothing.
ARGUMENTS = {
    layers.Activation: ("relu",),
    layers.CategoryEncoding: (3,),
    layers.EinsumDense: ("ab,bc->ac", 2),
    layers.Discretization: ([0.0, 1.0],),
    layers.Hashing: (3,),
    layers.HashedCrossing: (3,),
    utils.FeatureSpace: ({"a": "float"},),
    layers.Embedding: (5, 2),
    layers.InputLayer: ((4,),),
    layers.Lambda: (np.tanh,),
    layers.Reshape: ((2, 2),),
    schedules.CosineDecay: (0.1, 10),
    schedules.CosineDecayRestarts: (0.1, 10),
    schedules.ExponentialDecay: (0.1, 10, 0.5),
    schedules.InverseTimeDecay: (0.1, 10, 0.5),
    schedules.OneCycle: (0.1, 10),
    schedules.PiecewiseConstantDecay: ([1], [0.1, 0.2]),
    schedules.PolynomialDecay: (0.1, 10),
}
ONE_NUMBER = (
    layers.Dense,
    layers.Dropout,
    layers.AlphaDropout,
    layers.GaussianDropout,
    layers.GaussianNoise,
    layers.Rescaling,
    metrics.PrecisionAtRecall,
    metrics.RecallAtPrecision,
    metrics.SensitivityAtSpecificity,
    metrics.SpecificityAtSensitivity,
)
ARGUMENTS |= {
    layers.Dot: (1,),
    layers.Permute: ((2, 1),),
    layers.RepeatVector: (3,),
    layers.QuantizationAware: (layers.Dense(1),),
    layers.SpectralNormalization: (layers.Dense(1),),
    layers.TimeDistributed: (layers.Dense(1),),
}
ARGUMENTS |= {cls: (1 if cls is layers.Dense else 0.5,) for cls in ONE_NUMBER}
CLASSES = [
    cls
    for kind in ("constraint", "initializer", "layer", "loss", "metric", "optimizer", "regularizer", "schedule")
    for cls in sorted(registry.registered(kind), key=lambda cls: cls.__name__)
    if cls.__name__ != "Functional"  # made of tensors
]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
def test_every_class_prints_as_its_name_and_some_arguments(cls):
    printed = repr(cls(*ARGUMENTS.get(cls, ())))
    assert printed.startswith((f"<{cls.__name__} ", f"<{cls.__name__}>"))
    assert printed.endswith(">")
    assert "object at" not in printed
    assert len(printed) < 120


@pytest.mark.parametrize(
    ("thing", "printed"),
    [
        (optimizers.Adam(), "<Adam learning_rate=0.001>"),
        (optimizers.Adam(np.float32(0.5), amsgrad=True), "<Adam learning_rate=0.5, amsgrad=True>"),
        (optimizers.AdamW(weight_decay=0.1), "<AdamW learning_rate=0.001, weight_decay=0.1>"),
        (optimizers.SGD(schedules.OneCycle(0.1, 10), clipnorm=1.0), "<SGD learning_rate=OneCycle, clipnorm=1.0>"),
        (optimizers.Muon(rms_rate=None), "<Muon learning_rate=0.001, rms_rate=None>"),
        (optimizers.Adam(len), "<Adam learning_rate=<built-in function len>>"),
        (
            schedules.ExponentialDecay(0.1, 10, 0.5),
            "<ExponentialDecay initial_learning_rate=0.1, decay_steps=10, decay_rate=0.5>",
        ),
        (regularizers.L2(), "<L2 l2=0.01>"),
        (regularizers.L1L2(l2=0.5), "<L1L2 l1=0.0, l2=0.5>"),
        (constraints.MaxNorm(3, axis=[0, 1]), "<MaxNorm max_value=3, axis=[0, 1]>"),
        (initializers.HeNormal(), "<HeNormal>"),
        (initializers.HeNormal(seed=7), "<HeNormal seed=7>"),
        (initializers.Constant(np.ones((30, 40))), "<Constant value=array of shape (30, 40)>"),
        (losses.Huber(), "<Huber delta=1.0>"),
        (losses.BinaryCrossentropy(True, reduction="sum"), "<BinaryCrossentropy from_logits=True, reduction=sum>"),
        (
            losses.CategoricalFocalCrossentropy(list(range(9))),
            "<CategoricalFocalCrossentropy alpha=[0.0, 1.0, 2.0, 3.0, ...]>",
        ),
        (metrics.Precision(thresholds=0.9, name="p"), "<Precision name=p>"),
        (layers.Dense(3, name="dense"), "<Dense name=dense, built=False>"),
        (Sequential(name="net"), "<Sequential name=net, built=False>"),
        (activations.relu, "<Activation name=relu>"),
        (activations.leaky_relu.bound(negative_slope=0.1), "<Activation name=leaky_relu>"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_printed(thing, printed):
    assert repr(thing) == printed


def test_a_class_of_ones_own_is_printed_whatever_its_config_does():
    class Broken(regularizers.Regularizer):
        def get_config(self):
            raise RuntimeError("not today")

    class Odd(regularizers.Regularizer):
        def get_config(self):
            return {"text": "two\nlines", "long": "x" * 1000, "itself": self}

    assert repr(Broken()) == "<Broken>"
    printed = repr(Odd())
    assert "\n" not in printed
    assert len(printed) < 300
