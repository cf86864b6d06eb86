"""The glass box: one training step laid open, and models as notebooks show them."""

from multilayer.glass.step import trace
from multilayer.glass.trace import Entry, Trace

__all__ = ["Entry", "Trace", "trace"]
