"""Callbacks: what runs beside the training loop, called at its events."""

from multilayer.callbacks.averaging import SwapEMAWeights
from multilayer.callbacks.backup import BackupAndRestore
from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.callback_list import CallbackList
from multilayer.callbacks.checkpoints import ModelCheckpoint
from multilayer.callbacks.csv_logger import CSVLogger
from multilayer.callbacks.history import History
from multilayer.callbacks.lambdas import LambdaCallback
from multilayer.callbacks.layer_history import LayerHistory, dead_units
from multilayer.callbacks.progbar_logger import ProgbarLogger
from multilayer.callbacks.schedules import LearningRateScheduler, ReduceLROnPlateau
from multilayer.callbacks.stopping import EarlyStopping, TerminateOnNaN
from multilayer.callbacks.tensorboard import TensorBoard
from multilayer.callbacks.weight_history import WeightHistory

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LayerHistory",
    "LearningRateScheduler",
    "Logs",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
    "WeightHistory",
    "dead_units",
]
