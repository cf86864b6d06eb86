"""Training: the loop, one step of it, and the way through a network and back."""

from multilayer.training.heads import Head
from multilayer.training.loop import evaluate, fit, predict
from multilayer.training.passes import Passes
from multilayer.training.trainer import Trainer

__all__ = ["Head", "Passes", "Trainer", "evaluate", "fit", "predict"]
