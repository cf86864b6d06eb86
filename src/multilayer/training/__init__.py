"""Training: the loop, one step of it, and the way through a network and back."""

from multilayer.training.heads import Head
from multilayer.training.loop import evaluate, fit, predict
from multilayer.training.passes import Passes
from multilayer.training.run import Run
from multilayer.training.trainer import Trainer

__all__ = ["Head", "Passes", "Run", "Trainer", "evaluate", "fit", "predict"]
