"""Training: the loop, one step of it, and the way through a network and back."""

from multilayer._training.heads import Head
from multilayer._training.loop import evaluate, fit, predict
from multilayer._training.passes import Passes
from multilayer._training.run import Run
from multilayer._training.trainer import Trainer

__all__ = ["Head", "Passes", "Run", "Trainer", "evaluate", "fit", "predict"]
