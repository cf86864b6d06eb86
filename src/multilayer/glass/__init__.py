"""The glass box: one training step laid open, what every layer gives, and models as notebooks show them."""

from multilayer.glass.outputs import Output, layer_outputs
from multilayer.glass.step import trace
from multilayer.glass.trace import Entry, Trace

__all__ = ["Entry", "Output", "Trace", "layer_outputs", "trace"]
