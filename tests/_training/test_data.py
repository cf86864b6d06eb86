"""What users pass in: checked once, cut into batches, never converted more than needed."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multilayer._checks.arrays import as_numbers, require_finite
from multilayer._training.data import Batches, Prepared, check_inputs, check_lengths, check_weights, split_validation


def collected(batches):
    return [tuple([None if one is None else one.copy() for one in part] for part in batch) for batch in batches]


@given(st.integers(1, 40), st.integers(1, 15), st.booleans())
def test_every_sample_comes_once_with_its_own_target_and_weight(n, batch_size, shuffle):
    x = np.arange(n, dtype="float32")[:, None]
    generator = np.random.default_rng(0) if shuffle else None
    columns = [x], [x[:, 0] * 2], [x[:, 0] * 3]
    batches = Batches(*columns, dtypes=["float32"], batch_size=batch_size, generator=generator)
    seen = collected(batches)
    assert len(seen) == len(batches)
    assert all(len(x) == batch_size for (x,), _, _ in seen[:-1])
    xs = np.concatenate([x[:, 0] for (x,), _, _ in seen])
    assert sorted(xs) == list(range(n))
    if not shuffle:
        np.testing.assert_array_equal(xs, np.arange(n))
    np.testing.assert_array_equal(np.concatenate([y for _, (y,), _ in seen]), xs * 2)
    np.testing.assert_array_equal(np.concatenate([weight for _, _, (weight,) in seen]), xs * 3)


def test_every_pass_is_shuffled_anew():
    x = np.arange(100.0)[:, None]
    batches = Batches([x], dtypes=["float64"], batch_size=100, generator=np.random.default_rng(0))
    ((first,), _, _), ((second,), _, _) = (collected(batches)[0] for _ in range(2))
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("dtype", ["uint8", "int64", "float64", "float32"])
def test_batches_come_in_the_models_type(dtype, shuffle):
    x = np.arange(10, dtype=dtype)[:, None]
    generator = np.random.default_rng(0) if shuffle else None
    batches = Batches([x], dtypes=["float32"], batch_size=4, generator=generator)
    seen = collected(batches)
    assert all(x.dtype == np.float32 for (x,), _, _ in seen)
    assert sorted(np.concatenate([x[:, 0] for (x,), _, _ in seen])) == list(range(10))


def test_whole_numbers_stay_small_in_memory():
    x = np.zeros((100, 10), "uint8")
    assert Batches([x], dtypes=["float32"], batch_size=10).xs[0] is x


def test_pieces_of_the_users_arrays_can_be_read_only():
    x, y, weight = np.zeros((10, 3), "float32"), np.zeros((10, 1), "float32"), np.ones(10, "float32")
    for batch in Batches([x], [y], [weight], dtypes=["float32"], batch_size=4):
        for (part,), whole in zip(batch, (x, y, weight), strict=True):
            assert np.shares_memory(part, whole)
            assert not part.flags.writeable
    assert x.flags.writeable


def test_batches_reuse_their_memory():
    x = np.zeros((100, 10), "float32")
    batches = Batches([x], dtypes=["float32"], batch_size=10, generator=np.random.default_rng(0))
    addresses = {x.ctypes.data for _ in range(2) for (x,), _, _ in batches}
    assert len(addresses) == 2  # one batch is gathered while the other is worked with


@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int64"])
def test_batches_gathered_ahead_are_the_same(dtype):
    x, y = (np.arange(103 * 50).reshape(103, 50) % 200).astype(dtype), np.arange(103)
    given = [
        [
            (part.copy(), targets.copy())
            for (part,), (targets,), _ in Batches(
                [x], [y], dtypes=["float32"], batch_size=10, generator=np.random.default_rng(3), ahead=ahead
            )
        ]
        for ahead in (False, True)
    ]
    for (plain, labels), (ahead, _) in zip(*given, strict=True):
        np.testing.assert_array_equal(plain, x[labels])
        np.testing.assert_array_equal(ahead, plain)


def test_a_pass_that_is_broken_off_leaves_nothing_behind():
    x = np.arange(60_000.0, dtype="float32").reshape(600, 100)
    batches = Batches([x], dtypes=["float32"], batch_size=100, generator=np.random.default_rng(0), ahead=True)
    for _ in range(20):
        next(iter(batches))
    assert sum(len(x) for (x,), _, _ in batches) == 600


def refilling(x, hook):
    """A callback that fills the samples with the number of the batch that comes next."""
    from multilayer.callbacks import Callback, LambdaCallback

    seen = itertools.count(1)

    def refill(number, logs=None):
        x[...] = next(seen)

    if hook == "a LambdaCallback's":
        return LambdaCallback(on_train_batch_end=refill)
    return type("Refilling", (Callback,), {hook: lambda self, *_: refill(0)})()


@pytest.mark.parametrize("hook", ["on_train_batch_end", "on_batch_end", "a LambdaCallback's"])
def test_samples_that_a_hook_changes_in_place_are_in_the_very_next_batch(hook):
    # every sample of batch i is i, and so is its prediction: the loss is the mean of i^2
    from multilayer import Sequential, layers, optimizers

    x = np.zeros((640, 400), np.float32)
    model = Sequential([layers.Input((400,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")])
    model.set_weights([np.full((400, 1), 1 / 400, np.float32)])
    model.compile(optimizers.SGD(0.0), "mse")
    history = model.fit(x, np.zeros((640, 1)), batch_size=64, verbose=0, callbacks=[refilling(x, hook)])
    np.testing.assert_allclose(history.history["loss"], np.mean(np.arange(10.0) ** 2), rtol=1e-5)


@pytest.mark.parametrize(("steps", "expected"), [(None, [0.0, 1.0]), (5, [0.0, 1.0])])
def test_samples_that_change_between_epochs_are_in_the_next_one(steps, expected):
    # where an epoch ends within a pass over the data, too
    from multilayer import Sequential, layers, optimizers

    x = np.zeros((640, 400), np.float32)
    model = Sequential([layers.Input((400,)), layers.Dense(1, use_bias=False)])
    model.set_weights([np.full((400, 1), 1 / 400, np.float32)])
    model.compile(optimizers.SGD(0.0), "mse")
    callback = refilling(x, "on_epoch_end")
    history = model.fit(
        x, np.zeros((640, 1)), batch_size=64, epochs=2, steps_per_epoch=steps, verbose=0, callbacks=[callback]
    )
    np.testing.assert_allclose(history.history["loss"], expected, rtol=1e-5)


def test_whose_hooks_may_change_samples():
    from multilayer import callbacks

    class Quiet(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            pass

    everyone = callbacks.CallbackList
    assert not everyone([callbacks.ProgbarLogger(), callbacks.CSVLogger("never"), Quiet()]).may_change_data()
    assert everyone([Quiet()]).may_change_data(between_batches_alone=False)
    assert everyone([callbacks.LambdaCallback(on_batch_begin=print)]).may_change_data()
    assert not everyone([callbacks.ProgbarLogger()]).may_change_data(between_batches_alone=False)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_found(bad):
    x = np.zeros((5000, 3), "float32")
    x[4711, 2] = bad
    with pytest.raises(ValueError, match=rf"`x` holds {bad} at index \(4711, 2\)"):
        check_inputs(x, "float32")


def test_large_finite_values_pass_though_their_sum_overflows():
    require_finite(np.full((10, 10), 3e38, "float32"), "x")
    assert np.isfinite(check_inputs(np.full((10, 10), 3e38), "float32")).all()


def test_a_value_too_large_for_the_models_type_is_found():
    x = np.ones((3, 2))
    x[1, 1] = 1e300
    with pytest.raises(ValueError, match=r"`x` holds 1e\+300 at index \(1, 1\), which is too large for float32"):
        check_inputs(x, "float32")
    with pytest.raises(ValueError, match="`sample_weight` holds 1e\\+300.*too large for float32"):
        check_weights(x[:, 1], None, np.zeros(3), "float32", (None, 1))
    assert check_inputs(x, "float64") is x


def test_inputs_of_the_models_type_and_whole_numbers_are_not_copied():
    for kind in ("float32", "uint8", "int64"):
        x = np.ones((3, 2), kind)
        assert check_inputs(x, "float32") is x
    assert check_inputs(np.ones((3, 2)), "float32").dtype == "float32"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (["a", "b"], "must hold numbers; got an array of type <U1"),
        ([1j], "must hold numbers; got an array of type complex"),
        ([[1.0], [1.0, 2.0]], "cannot be made into one array"),
        (np.array([None]), "must hold numbers; got an array of type object"),
        (3.0, "one entry a sample; got the single number 3.0"),
    ],
)
def test_what_is_no_array_of_numbers_is_refused(value, message):
    with pytest.raises(ValueError, match=message):
        as_numbers(value, "x")


def test_no_data_is_refused():
    with pytest.raises(ValueError, match=r"`x` is empty: its shape is \(0, 3\)"):
        check_inputs(np.zeros((0, 3)), "float32")


def test_lengths_that_differ_are_named():
    with pytest.raises(ValueError, match="ambiguous.*'x' has 3, 'y' has 2"):
        check_lengths(x=np.zeros(3), y=np.zeros(2), z=None)


LABELS = np.array([0, 1, 2])


def weights(sample_weight=None, class_weight=None, y=LABELS, output_shape=(None, 3)):
    return check_weights(sample_weight, class_weight, y, "float32", output_shape)


def test_weights_come_from_samples_or_from_classes():
    assert weights() is None
    np.testing.assert_array_equal(weights([1, 2, -3]), [1, 2, -3])
    np.testing.assert_array_equal(weights([[1], [2], [3]]), [1, 2, 3])
    np.testing.assert_array_equal(weights(class_weight={1: 5.0, 7: 9.0}), [1, 5, 1])
    np.testing.assert_array_equal(weights(class_weight={2: 7.0}, y=np.eye(3, dtype="float32")), [1, 1, 7])
    column = np.array([[0.0], [1.0]], "float32")
    for keys in ((0, 1), (False, True), np.unique(column)):
        by_class = dict(zip(keys, (2.0, 3.0), strict=True))
        np.testing.assert_array_equal(weights(class_weight=by_class, y=column, output_shape=(None, 1)), [2, 3])


@pytest.mark.parametrize("y", [np.zeros((3, 2, 5)), np.zeros((3, 2), int)])
def test_an_output_of_several_rows_a_sample_may_have_a_weight_for_each(y):
    each = np.arange(6.0).reshape(3, 2)
    for one, expected in ((each, each), (each[..., None], each), (each[:, 0], each[:, 0]), (each[:, :1], each[:, 0])):
        np.testing.assert_array_equal(weights(one, y=y, output_shape=(None, 2, 5)), expected)
    for shape in ((3, 5), (3, 2, 5), (3, 2, 2)):
        with pytest.raises(ValueError, match=r"shape \(3,\) or, one for each row of the output, \(3, 2\); got"):
            weights(np.ones(shape), y=y, output_shape=(None, 2, 5))


@pytest.mark.parametrize(
    ("sample_weight", "class_weight", "message"),
    [
        ([1.0, 1.0], None, "'y' has 3, 'sample_weight' has 2"),
        ([1.0, np.nan, 1.0], None, "`sample_weight` holds nan"),
        ([[1.0, 1.0]] * 3, None, "one weight a sample"),
        ([1.0] * 3, {0: 1.0}, "`class_weight` and `sample_weight` at the same time"),
        (None, [1.0, 2.0, 3.0], r"must be a dict.*dict\(enumerate\(weights\)\)"),
        (None, {0: np.nan}, "finite numbers of at least 0. Received: nan for class 0"),
        (None, {0: np.inf}, "Received: inf for class 0"),
        (None, {0: -1.0}, "Received: -1.0 for class 0"),
        (None, {0: "1"}, "Received: '1' for class 0"),
        (None, {"0": 1.0}, "whole numbers such as 0. Received: '0'"),
        (None, {0.5: 1.0}, "whole numbers such as 0. Received: 0.5"),
        (None, {np.nan: 1.0}, "whole numbers such as 0. Received: nan"),
    ],
)
def test_weights_that_do_not_fit_are_refused(sample_weight, class_weight, message):
    with pytest.raises(ValueError, match=message):
        weights(sample_weight, class_weight)


def test_validation_takes_the_end():
    front, back = split_validation(Prepared([np.arange(10)], [np.arange(10) * 2, None], [None, None]), 0.3)
    np.testing.assert_array_equal(front.xs, [np.arange(7)])
    np.testing.assert_array_equal(back.xs, [[7, 8, 9]])
    np.testing.assert_array_equal(back.ys[0], [14, 16, 18])
    assert front.ys[1] is back.ys[1] is None


@pytest.mark.parametrize(("n", "share"), [(1, 0.5), (10, 1.0), (10, -0.1), (10, 1.5)])
def test_a_split_that_leaves_nothing_is_refused(n, share):
    with pytest.raises(ValueError, match="validation_split"):
        split_validation(Prepared([np.arange(n)], [None], [None]), share)
