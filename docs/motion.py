"""The moving picture of the README: a network while it learns to tell three spirals apart.

    python docs/motion.py

draws docs/images/learning.gif anew, and docs/images/learning.png, its last frame, for readers who prefer less motion.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import multilayer as ml

IMAGES = Path(__file__).parent / "images"


def spirals() -> tuple[np.ndarray, np.ndarray]:
    """300 points on three arms, shape (300, 2), and the arm of each, shape (300,)."""
    rng = np.random.default_rng(0)
    arm = np.repeat([0, 1, 2], 100)
    radius = rng.uniform(0.1, 1.0, 300)
    angle = 4 * radius + 2.1 * arm
    points = radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return points + rng.normal(0, 0.04, (300, 2)), arm


def learning() -> ml.plotting.Animation:
    """Trains 2-16-16-3 on them, and shows how."""
    points, arm = spirals()
    ml.utils.set_random_seed(3)
    hidden = [ml.layers.Dense(16, "tanh"), ml.layers.Dense(16, "tanh")]
    model = ml.Sequential([ml.Input((2,)), *hidden, ml.layers.Dense(3, "softmax")])
    model.compile(ml.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    film = ml.callbacks.WeightHistory(every=24)
    model.fit(points, arm, epochs=60, verbose=0, callbacks=[film])
    return ml.plotting.animate_decision_regions(model, film, points, arm)


def write(folder: Path) -> None:
    """Writes both pictures."""
    animation = learning()
    animation.save(folder / "learning.gif")
    animation.frame(-1).savefig(folder / "learning.png", dpi=96)


if __name__ == "__main__":
    write(IMAGES)
