"""The page that thinks, for the site: the tutorial's network, trained, as one file of HTML.

    python docs/page.py

trains it on MNIST anew and keeps it in docs/page/digits.npz; building the site writes the page from that.
"""

from __future__ import annotations

from pathlib import Path

import multilayer as ml

MODEL = Path(__file__).parent / "page" / "digits.npz"


def train() -> None:
    """Trains the network of the tutorial on MNIST, and keeps it."""
    (x, y), (x_test, y_test) = ml.datasets.mnist.load_data()
    ml.utils.set_random_seed(0)
    model = ml.Sequential(
        [
            ml.Input((28, 28)),
            ml.layers.Rescaling(1 / 255),
            ml.layers.Flatten(),
            ml.layers.Dense(50, activation="sigmoid"),
            ml.layers.Dense(10, activation="softmax"),
        ],
        name="digits",
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x, y, batch_size=100, epochs=10, validation_data=(x_test, y_test), verbose=2)
    model.save(MODEL)


def write(path: Path) -> None:
    """Writes the page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ml.models.load_model(MODEL, compile=False).export(path, verbose=False)


if __name__ == "__main__":
    train()
