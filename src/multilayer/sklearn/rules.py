"""When training ends, and what becomes of the learning rate: scikit-learn's rules, as a callback."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from multilayer.callbacks import Callback
from multilayer.callbacks.base import Logs

if not TYPE_CHECKING:
    from multilayer._typing import override
else:
    from typing_extensions import override

SMALLEST_RATE = 1e-6  # at which 'adaptive' gives up
SLOWED_DOWN = 5.0  # what it divides the rate by


class ScikitLearnRules(Callback):
    """Writes an estimator's figures after every epoch, and ends training where scikit-learn would.

    Args:
        estimator: The estimator: its parameters say when, and its fitted attributes are written.
        optimizer: Whose learning rate is changed.
        samples: How many samples an epoch has.
        score: Gives the score on what was set aside, for `early_stopping`; None where the loss is watched.
        once: Whether there is one epoch, as in `partial_fit`, after which nobody expects convergence.

    Attributes:
        not_converged: A warning for the user, where training ended before it had converged.
    """

    def __init__(
        self, estimator: Any, optimizer: Any, samples: int, score: Callable[[], float] | None, once: bool
    ) -> None:
        self.estimator = estimator
        self.optimizer = optimizer
        self.samples = samples
        self.score = score
        self.once = once
        self.not_converged = ""  # what to say about it

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = (logs or {})["loss"]
        estimator.t_ += self.samples
        estimator.loss_curve_.append(estimator.loss_)
        self._say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")
        self._look_for_improvement()
        if estimator.learning_rate == "invscaling" and estimator.solver != "adam":
            self.optimizer.learning_rate = estimator.learning_rate_init / (estimator.t_ + 1) ** estimator.power_t
        if estimator._no_improvement_count > estimator.n_iter_no_change:
            self._end_or_slow_down()
        if estimator.n_iter_ == estimator.max_iter and not (self.once or self.model.stop_training):
            self.not_converged = (
                f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
                "converged yet."
            )

    def _look_for_improvement(self) -> None:
        estimator = self.estimator
        if self.score is None:
            improved = estimator.loss_ <= estimator.best_loss_ - estimator.tol
            estimator.best_loss_ = min(estimator.best_loss_, estimator.loss_)
        else:
            score, best = self.score(), estimator.best_validation_score_
            estimator.validation_scores_.append(score)
            self._say(f"Validation score: {score:f}")
            improved = not score < best + estimator.tol
            if score > best:
                estimator.best_validation_score_ = score
                estimator._best_weights = self.model.get_weights()
        estimator._no_improvement_count = 0 if improved else estimator._no_improvement_count + 1

    def _end_or_slow_down(self) -> None:
        estimator = self.estimator
        what = "Training loss" if self.score is None else "Validation score"
        said = (
            f"{what} did not improve more than tol={estimator.tol:f} for {estimator.n_iter_no_change} consecutive "
            "epochs."
        )
        slows_down = estimator.learning_rate == "adaptive" and estimator.solver != "adam"
        if slows_down and self.optimizer.learning_rate > SMALLEST_RATE:
            rate = float(self.optimizer.learning_rate) / SLOWED_DOWN
            self.optimizer.learning_rate = rate
            self._say(f"{said} Setting learning rate to {rate:f}")
            estimator._no_improvement_count = 0
            return
        self._say(f"{said}{' Learning rate too small.' if slows_down else ''} Stopping.")
        self.model.stop_training = True

    def _say(self, line: str) -> None:
        if self.estimator.verbose and not isinstance(self.estimator.verbose, str):
            print(line)


class IterationsOfLBFGS(ScikitLearnRules):
    """The same for 'lbfgs', where SciPy says when it is content."""

    @override
    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        estimator = self.estimator
        estimator.n_iter_ += 1
        estimator.loss_ = (logs or {})["loss"]
        estimator.loss_curve_.append(estimator.loss_)
        self._say(f"Iteration {estimator.n_iter_}, loss = {estimator.loss_:.8f}")

    @override
    def on_train_end(self, logs: Logs | None = None) -> None:
        ending, estimator = self.optimizer.ending, self.estimator
        if ending is None:
            return
        estimator.loss_ = ending.loss
        estimator.n_iter_ = min(ending.iterations, estimator.max_iter)
        # Where the epochs are over, or a callback says stop, SciPy is told to halt: it has not failed.
        over = ending.iterations >= estimator.max_iter
        if over or (ending.status != 0 and not self.model.stop_training):
            reason = "STOP: TOTAL NO. OF ITERATIONS REACHED LIMIT" if over else ending.message
            self.not_converged = (
                f"lbfgs failed to converge after {ending.iterations} iteration(s) (status={ending.status}):\n{reason}"
                f"\n\nYou might want to scale the data, or to increase `max_iter` (now {estimator.max_iter}) or "
                f"`max_fun` (now {estimator.max_fun})."
            )
