"""Networks for tables."""

from multilayer.tabular.inputs import CategoryEmbeddings, OneHotCodes, PeriodicEmbedding, RobustScaling
from multilayer.tabular.layers import Clamp, NTPDense, ParametricActivation, Scale
from multilayer.tabular.realmlp import Trained, realmlp_td, realmlp_td_s
from multilayer.tabular.steps import AdamByWeight, CosineCycles, FlatCosine

__all__ = [
    "AdamByWeight",
    "CategoryEmbeddings",
    "Clamp",
    "CosineCycles",
    "FlatCosine",
    "NTPDense",
    "OneHotCodes",
    "ParametricActivation",
    "PeriodicEmbedding",
    "RobustScaling",
    "Scale",
    "Trained",
    "realmlp_td",
    "realmlp_td_s",
]
