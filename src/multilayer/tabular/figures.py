"""Figures that say how good predictions for a table are."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from multilayer._checks.scalars import shown
from multilayer._language import tr
from multilayer.functional import Array

_LEAST = 1e-15  # a probability of 0 for what came true would make the mean log loss infinite


def classification_figures(truth: ArrayLike, probabilities: ArrayLike) -> dict[str, float]:
    """Accuracy, area under the curve, log loss and F1 of probabilities.

        accuracy = share of rows whose class has the largest probability
        log loss = -mean of log p(true class)
        F1 = 2 TP / (2 TP + FP + FN)

    With two classes, AUC and F1 are those of class 1. With more they are the means over the classes, each against the
    others, of those that there are.

    Args:
        truth: The true classes (n,), numbers from 0.
        probabilities: The probability of each class (n, C).

    Returns:
        The figures under the names "accuracy", "auc", "log_loss" and "f1"; AUC is NaN where there is one class alone.

    Raises:
        ValueError: The two do not fit each other.

    Example:
        >>> figures = classification_figures([0, 1, 1], [[0.9, 0.1], [0.4, 0.6], [0.6, 0.4]])
        >>> {name: round(value, 3) for name, value in figures.items()}
        {'accuracy': 0.667, 'auc': 1.0, 'log_loss': 0.511, 'f1': 0.667}
    """
    truth, p = _classes_and_probabilities(truth, probabilities)
    guess = p.argmax(axis=1)
    of_truth = p[np.arange(len(truth)), truth]
    classes = [1] if p.shape[1] == 2 else sorted(set(truth.tolist()))
    areas = [area_under_curve(truth == one, p[:, one]) for one in classes]
    return {
        "accuracy": float(np.mean(guess == truth)),
        "auc": float(np.mean(areas)),
        "log_loss": float(-np.mean(np.log(np.clip(of_truth, _LEAST, 1)))),
        "f1": float(np.mean([_f1(truth == one, guess == one) for one in classes])),
    }


def regression_figures(truth: ArrayLike, predicted: ArrayLike) -> dict[str, float]:
    """Root of the mean squared error, mean absolute error, and the share of the variance that is explained.

        RMSE = sqrt(mean of (y - t)^2),   MAE = mean of |y - t|,   R2 = 1 - sum of (y - t)^2 / sum of (t - mean t)^2

    Args:
        truth: The true values t (n,).
        predicted: The predicted values y (n,).

    Returns:
        The figures under the names "rmse", "mae" and "r2"; R2 is NaN where all values are the same.

    Raises:
        ValueError: The two do not fit each other.

    Example:
        >>> regression_figures([1.0, 3.0], [2.0, 3.0])["r2"]
        0.5
    """
    t, y = np.asarray(truth, np.float64), np.asarray(predicted, np.float64)
    if t.shape != y.shape or t.ndim != 1 or not len(t):
        raise ValueError(
            tr(
                "Expected true and predicted values (n,), n at least 1; got {shape} and {got}.",
                shape=t.shape,
                got=y.shape,
            )
        )
    squares = np.square(y - t).sum()
    spread = np.square(t - t.mean()).sum()
    return {
        "rmse": float(np.sqrt(squares / len(t))),
        "mae": float(np.abs(y - t).mean()),
        "r2": float(1 - squares / spread) if spread > 0 else float("nan"),
    }


def area_under_curve(positive: ArrayLike, scores: ArrayLike) -> float:
    """The chance that a positive sample has a higher score than a negative one: the area under the ROC curve, exactly.

        AUC = (sum of the positive samples' ranks - P (P + 1) / 2) / (P N)

    for P positive and N negative samples, those with equal scores at the mean of their ranks.

    Args:
        positive: Whether each sample is positive (n,).
        scores: A score for each (n,).

    Returns:
        The area, NaN where all samples are positive, or none is.

    Example:
        >>> area_under_curve([False, False, True, True], [0.1, 0.4, 0.35, 0.8])
        0.75
    """
    positive, scores = np.asarray(positive, bool), np.asarray(scores, np.float64)
    count = int(positive.sum())
    if not 0 < count < len(positive):
        return float("nan")
    _, which, sizes = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = np.cumsum(sizes) - (sizes - 1) / 2
    above = ranks[which.reshape(-1)][positive].sum() - count * (count + 1) / 2
    return float(above / (count * (len(positive) - count)))


def calibration_error(truth: ArrayLike, probabilities: ArrayLike, bins: int = 10) -> float:
    """How far confidence and share of right answers lie apart: the expected calibration error.

    Rows are put into bins by the largest probability; the error is the mean over the rows of
    |share of right answers - mean confidence| of their bin.

    Args:
        truth: The true classes (n,), numbers from 0.
        probabilities: The probability of each class (n, C).
        bins: How many bins of one width there are.

    Example:
        >>> round(calibration_error([0, 1], [[0.9, 0.1], [0.9, 0.1]]), 6)
        0.4
    """
    return float(sum(one.share * abs(one.right - one.confidence) for one in calibration(truth, probabilities, bins)))


class Bin(NamedTuple):
    """Rows of about one confidence.

    Args:
        confidence: Their mean confidence.
        right: The share of them that is right.
        share: Their share of all rows.
    """

    confidence: float
    right: float
    share: float


def calibration(truth: ArrayLike, probabilities: ArrayLike, bins: int = 10) -> list[Bin]:
    """The bins that `calibration_error` is the mean of, those without a row left out."""
    truth, p = _classes_and_probabilities(truth, probabilities)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == truth
    where = np.minimum((confidence * bins).astype(int), bins - 1)
    return [
        Bin(float(confidence[at].mean()), float(right[at].mean()), float(at.mean()))
        for at in (where == one for one in range(bins))
        if at.any()
    ]


def _f1(positive: Array, guessed: Array) -> float:
    hits = int((positive & guessed).sum())
    total = int(positive.sum() + guessed.sum())
    return 2 * hits / total if total else 0.0


def _classes_and_probabilities(truth: ArrayLike, probabilities: ArrayLike) -> tuple[Array, Array]:
    """Classes (n,) as whole numbers, and the probability of each (n, C); truth values are the classes 0 and 1.

    Raises:
        ValueError: They are of other shapes, or a class has no probability.
    """
    classes, p = np.asarray(truth), np.asarray(probabilities, np.float64)
    if p.ndim != 2 or classes.shape != p.shape[:1] or not len(classes):
        raise ValueError(
            tr(
                "Expected classes (n,) and probabilities (n, C), n at least 1; got {shape}, {got}.",
                shape=classes.shape,
                got=p.shape,
            )
        )
    whole = classes.astype(np.intp) if classes.dtype.kind in "biuf" and np.isfinite(classes).all() else classes
    if whole.dtype.kind != "i" or (whole != classes).any() or whole.min() < 0 or whole.max() >= p.shape[1]:
        raise ValueError(
            tr(
                "Expected classes as whole numbers from 0 to {last}, as there are {count} columns of probabilities; "
                "got {given}.",
                last=p.shape[1] - 1,
                count=p.shape[1],
                given=shown(np.unique(classes)),
            )
        )
    return whole, p
