"""Plots: how a training went, what a network looks like inside, and what it gets wrong.

Every function draws into `ax` where one is given, and into a figure of its own otherwise, and returns the figure:
`plot_history(history).savefig("loss.png")`. None of them touches pyplot, so they need no display and leave no state.
"""

from multilayer.plotting.animation import Animation
from multilayer.plotting.comparison import plot_comparison
from multilayer.plotting.digits import plot_digits, plot_mistakes
from multilayer.plotting.history import plot_history, plot_runs
from multilayer.plotting.landscape import plot_loss_line, plot_loss_plane
from multilayer.plotting.layer_history import plot_dead_units, plot_gradients, plot_gradients_by_layer
from multilayer.plotting.layers import plot_activations, plot_weights
from multilayer.plotting.learning import animate_decision_regions, animate_loss_plane, animate_weights
from multilayer.plotting.learning_rates import learning_rate_range
from multilayer.plotting.network import plot_network
from multilayer.plotting.regions import plot_decision_regions
from multilayer.plotting.scores import plot_calibration, plot_confusion_matrix
from multilayer.plotting.tables import plot_importance, plot_residuals

__all__ = [
    "Animation",
    "animate_decision_regions",
    "animate_loss_plane",
    "animate_weights",
    "learning_rate_range",
    "plot_activations",
    "plot_calibration",
    "plot_comparison",
    "plot_confusion_matrix",
    "plot_dead_units",
    "plot_decision_regions",
    "plot_digits",
    "plot_gradients",
    "plot_gradients_by_layer",
    "plot_history",
    "plot_importance",
    "plot_loss_line",
    "plot_loss_plane",
    "plot_mistakes",
    "plot_network",
    "plot_residuals",
    "plot_runs",
    "plot_weights",
]
