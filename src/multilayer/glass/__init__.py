"""The glass box: one training step laid open, what every layer gives, and models as notebooks show them."""

from multilayer.glass.input_gradients import input_gradients
from multilayer.glass.outputs import Output, layer_outputs
from multilayer.glass.step import trace
from multilayer.glass.trace import Entry, Trace

__all__ = ["Entry", "Output", "Trace", "input_gradients", "layer_outputs", "trace"]
