"""What RealMLP's training has beside the loop of every model."""

import numpy as np
import pytest

import multilayer as keras
from multilayer.layers import Dense, Dropout
from multilayer.tabular import FlatCosine
from multilayer.tabular.fitting import BestEpoch, FadingDropout, WholeBatches


def test_batches_are_whole_and_newly_shuffled():
    x = np.arange(10.0)[:, None]
    batches = WholeBatches([x], x, np.arange(10.0), 4, np.random.default_rng(0))
    epochs = []
    for _ in range(3):
        found = [batches[i] for i in range(len(batches))]
        batches.on_epoch_end()
        for (one,), y, weight in found:
            assert one.shape == (4, 1)
            np.testing.assert_array_equal(one, y)
            np.testing.assert_array_equal(one[:, 0], weight)
        epochs.append(np.concatenate([y[:, 0] for _, y, _ in found]))
        assert len(set(epochs[-1])) == 8
    assert not np.array_equal(epochs[0], epochs[1])


def test_of_few_rows_all_are_one_batch():
    batches = WholeBatches([np.ones((3, 2))], np.ones((3, 1)), None, 256, np.random.default_rng(0))
    assert len(batches) == 1
    assert batches[0][1].shape == (3, 1)


@pytest.mark.parametrize(("highest", "figures", "best"), [(False, [3, 1, 2, 1, 5], 3), (True, [3, 5, 5, 1, 4], 2)])
def test_of_the_best_epochs_the_last_one_is_kept(highest, figures, best):
    model = keras.Sequential([keras.Input((1,)), Dense(1)])
    keeper = BestEpoch("figure", highest)
    keeper.set_model(model)
    for epoch, figure in enumerate(figures):
        model.set_weights([[[epoch]], [0.0]])
        keeper.on_epoch_end(epoch, {"figure": figure})
    keeper.on_train_end()
    assert keeper.epoch == best
    assert model.get_weights()[0] == best


def test_dropout_fades_and_is_what_it_was_afterwards():
    layer = Dropout(0.4)
    fading = FadingDropout(FlatCosine(0.4, 8), [layer])
    rates = []
    for step in range(8):
        fading.on_train_batch_begin(step)
        rates.append(layer.rate)
    fading.on_train_end()
    np.testing.assert_allclose(rates[:5], 0.4)
    np.testing.assert_allclose(rates[6], 0.2)
    assert layer.rate == 0.4
