"""Callbacks: what runs beside the training loop, called at its events."""

from multilayer.callbacks.base import Callback, Logs
from multilayer.callbacks.callback_list import CallbackList
from multilayer.callbacks.history import History
from multilayer.callbacks.lambdas import LambdaCallback
from multilayer.callbacks.progbar_logger import ProgbarLogger
from multilayer.callbacks.stopping import EarlyStopping

__all__ = ["Callback", "CallbackList", "EarlyStopping", "History", "LambdaCallback", "Logs", "ProgbarLogger"]
