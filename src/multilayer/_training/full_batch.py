"""Training with an optimizer that sees the whole data set at once: every iteration of its is an epoch."""

from __future__ import annotations

from collections.abc import Callable

from multilayer._training.protocols import Listeners, Logs, Network
from multilayer._training.streams import Source
from multilayer._training.trainer import Trainer
from multilayer.functional import Array
from multilayer.optimizers import LBFGS


def minimize(
    model: Network,
    trainer: Trainer,
    batches: Source,
    callbacks: Listeners,
    epochs: range,
    end_epoch: Callable[[int, Logs], Logs],
) -> Logs:
    """Trains until the optimizer is content, a callback says stop, or the epochs are over.

    Args:
        model: The model.
        trainer: Its trainer.
        batches: The whole data set, in one batch.
        callbacks: Who is told of epochs.
        epochs: The epochs' numbers.
        end_epoch: What happens after an epoch with its metrics; gives all of them.
    """
    optimizer = trainer.optimizer
    assert isinstance(optimizer, LBFGS)  # the only one there is
    assert trainer.arena is not None  # `connect_to_train` comes first
    batch = next(iter(batches))
    remaining = iter(epochs)
    epoch = next(remaining, None)
    logs: Logs = {}

    def evaluate() -> tuple[float, Array]:
        assert trainer.arena is not None
        trainer.reset_metrics()
        loss = trainer.gradients(*batch)
        return loss, trainer.arena.gradients

    def after_iteration() -> bool:
        nonlocal epoch, logs
        assert epoch is not None
        logs = end_epoch(epoch, trainer.results())
        epoch = next(remaining, None)
        if model.stop_training or epoch is None:
            return True
        callbacks.on("on_epoch_begin", epoch, {})
        return False

    if epoch is not None:
        callbacks.on("on_epoch_begin", epoch, {})
        optimizer.minimize(evaluate, trainer.arena.parameters, len(epochs), after_iteration)
    return logs
