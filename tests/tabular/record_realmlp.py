"""Records what pytabkit's RealMLP does on small tables, for `multilayer.tabular` to be compared with.

Run it where pytabkit and PyTorch are installed, from the root of the repository:

    python tests/tabular/record_realmlp.py

Every batch holds all training rows, hidden layers have 8 units, and nothing is dropped, so that four steps are the same
whatever the order of rows and random numbers are.
"""

import sys
import warnings
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "recorded"
EPOCHS, TRAINED, HELD_OUT = 4, 48, 12


def table():
    """Numbers, codes and both sorts of targets; the stream of RandomState is frozen."""
    stream = np.random.RandomState(0)
    rows = TRAINED + HELD_OUT
    numbers = np.stack(
        [stream.normal(size=rows), stream.normal(size=rows) ** 3, np.full(rows, 7.0), stream.randint(0, 8, rows) == 0],
        1,
    ).astype("float32")
    # Every category is among the training rows, and a few are missing.
    codes = np.stack([1 + (stream.permutation(rows) + np.arange(rows)) % count for count in (3, 11, 2)], 1)
    codes[stream.randint(0, rows, 6), 0] = 0
    codes[stream.randint(0, rows, 6), 2] = 0
    values = numbers[:, 0] * 2 + codes[:, 1] + stream.normal(size=rows)
    return numbers, codes, stream.randint(0, 3, rows), values.astype("float32")


def record(name, kind, y):
    import pandas
    import torch
    from pytabkit.models.nn_models import base
    from pytabkit.models.training import lightning_modules, nn_creator

    found = {}
    numbers, codes, *_ = table()
    frame = pandas.DataFrame({f"n{i}": column for i, column in enumerate(numbers.T)})
    for i, column in enumerate(codes.T):
        # In pytabkit, a category's code is its place among the categories, and what is missing has 0.
        categories = [f"{one:02}" for one in range(1, column.max() + 1)]
        words = [categories[code - 1] if code else None for code in column]
        frame[f"c{i}"] = pandas.Categorical(words, categories=categories)

    def parameters(module):
        return {str(one.context.scope).strip("/"): one.detach().numpy()[0].copy() for one in module.model.parameters()}

    step, loaders = lightning_modules.TabNNModule.training_step, nn_creator.NNCreator.create_dataloaders
    scale = base.ScaleLayer.forward_cont
    scaled = []

    def noted_scale(self, x):
        scaled.append(x.detach().numpy())
        return scale(self, x)

    def noted_step(self, batch, number):
        first = self.progress.epoch == 0
        if first:  # at an output of 0, the last bias' gradient is the mean of standardized targets: rounding alone
            stream = np.random.RandomState(1)
            for one in self.model.parameters():
                if not one.any():
                    one.data.copy_(torch.as_tensor(stream.normal(size=tuple(one.shape))))
        found.update({f"before/{key}": value for key, value in parameters(self).items()} if first else {})
        result = step(self, batch, number)
        if first:  # the last scale is that in front of the hidden layers; rows are in the order of their first number
            order = np.argsort(batch["x_cont"][0, :, 0].numpy(), kind="stable")
            found["begins with"] = scaled[-1][0][order]
        found.update({f"after/{self.progress.epoch}/{key}": value for key, value in parameters(self).items()})
        return result

    def noted_loaders(self, ds):
        rows = self.train_idxs[0]
        found.update({f"raw/{key}": value[rows].numpy() for key, value in ds.tensors.items()})
        return loaders(self, ds)

    lightning_modules.TabNNModule.training_step, nn_creator.NNCreator.create_dataloaders = noted_step, noted_loaders
    base.ScaleLayer.forward_cont = noted_scale
    try:
        model = kind(
            n_epochs=EPOCHS,
            batch_size=TRAINED,
            random_state=0,
            device="cpu",
            hidden_sizes=[8] * 3,
            p_drop=0.0,
            n_threads=1,
        )
        val = frame.iloc[TRAINED:], y[TRAINED:]
        model.fit(frame.iloc[:TRAINED], y[:TRAINED], *val)
    finally:
        lightning_modules.TabNNModule.training_step, nn_creator.NNCreator.create_dataloaders = step, loaders
        base.ScaleLayer.forward_cont = scale
    found["predicted"] = model.predict_proba(val[0]) if "Classifier" in kind.__name__ else model.predict(val[0])
    return {f"{name}/{key}": value for key, value in found.items()}


def main():
    warnings.simplefilter("ignore")
    import pytabkit
    import torch

    torch.set_num_threads(1)
    _, _, labels, values = table()
    found = {}
    for name in ("td_s", "td"):
        for end, y in (("Classifier", labels), ("Regressor", values)):
            found |= record(f"{name}/{end}", getattr(pytabkit, f"RealMLP_{name.upper()}_{end}"), y)
    FOLDER.mkdir(exist_ok=True)
    np.savez_compressed(FOLDER / "realmlp.npz", **found)
    for key, value in found.items():
        print(key, value.shape)


if __name__ == "__main__":
    sys.exit(main())
