"""Every entry of the library with every kind of table: what it gives is what the table's array gives."""

import functools
import tracemalloc

import numpy as np
import pytest

import multilayer as keras
from multilayer import layers

RNG = np.random.default_rng(0)
ROWS = 24
COLUMNS = {
    "a": RNG.integers(0, 2, ROWS).astype(bool),
    "b": RNG.integers(0, 5, ROWS),
    "c": RNG.random(ROWS),
    "d": RNG.random(ROWS).astype("float32"),
}
ARRAY = np.stack([column.astype("float64") for column in COLUMNS.values()], axis=1)
LABELS, WEIGHTS = (ARRAY[:, 2] > 0.5).astype(int), RNG.random(ROWS) + 0.5


# --- Kinds: a frame, and a column from an array ---


def numpys():
    return ARRAY, np.asarray


def pandas_of(convert=lambda one: one):
    pandas = pytest.importorskip("pandas")
    backwards = np.arange(ROWS)[::-1]  # labels of rows say nothing about their place
    return convert(pandas.DataFrame(COLUMNS, backwards)), lambda x: convert(pandas.Series(x, backwards))


def pandas_nullable():
    return pandas_of(lambda one: one.convert_dtypes())


def pandas_of_objects():
    return pandas_of(lambda one: one.astype(object))


def pandas_sparse():
    pytest.importorskip("scipy")
    pandas = pytest.importorskip("pandas")
    return pandas_of(lambda one: one.astype("float64").astype(pandas.SparseDtype("float64", 0.0)))


def polars():
    polars = pytest.importorskip("polars")
    return polars.DataFrame(COLUMNS), polars.Series


def arrow():
    arrow = pytest.importorskip("pyarrow")
    return arrow.table(COLUMNS), lambda x: arrow.chunked_array([x[:10], x[10:]])


def scipys(form):
    return getattr(pytest.importorskip("scipy.sparse"), form)(ARRAY), np.asarray


KINDS = {
    "pandas": pandas_of,
    "nullable": pandas_nullable,
    "objects": pandas_of_objects,
    "pandas' sparse": pandas_sparse,
    "polars": polars,
    "pyarrow": arrow,
    "csr_array": functools.partial(scipys, "csr_array"),
    "coo_array": functools.partial(scipys, "coo_array"),
    "csr_matrix": functools.partial(scipys, "csr_matrix"),
}


# --- Entries: what each gives for inputs x, targets y, weights w, and predictions p ---


class OfItsOwn(keras.Model):
    def __init__(self):
        super().__init__()
        self.dense = layers.Dense(1, "sigmoid")

    def call(self, x):
        return self.dense(x)


class StepOfItsOwn(keras.Sequential):
    def train_step(self, data):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(data)
        return {"loss": np.mean((self(x) - y.reshape(-1, 1)) ** 2)}


class Dataset(keras.utils.PyDataset):
    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.batch


def model(kind=None):
    keras.utils.set_random_seed(1)
    made = kind() if kind is OfItsOwn else (kind or keras.Sequential)([keras.Input((4,)), layers.Dense(1, "sigmoid")])
    made.compile("sgd", "binary_crossentropy", metrics=["accuracy"])
    return made


def fitted(*args, kind=None, figure="loss", **kwargs):
    return model(kind).fit(*args, **{"verbose": 0, "epochs": 2, "shuffle": False} | kwargs).history[figure]


def adapted(data):
    layer = layers.Normalization()
    layer.adapt(data)
    return [layer.mean.numpy(), layer.variance.numpy()]


def updated(metric, *args):
    metric.update_state(*args)
    return metric.result()


def split(x, y):
    parts = keras.utils.split_dataset((x, y), left_size=0.75, shuffle=True, seed=1)
    return [model().predict_on_batch(x) for x, _ in parts] + [keras.utils.to_categorical(y) for _, y in parts]


def taped(x, y):
    trained = model()
    with keras.autodiff.GradientTape() as tape:
        loss = keras.losses.BinaryCrossentropy()(y, trained(x))
    return tape.gradient(loss, trained.trainable_weights)


ENTRIES = {
    "fit": lambda x, y, w, p: fitted(x, y, sample_weight=w),
    "fit, shuffled": lambda x, y, w, p: fitted(x, y, shuffle=True, batch_size=8),
    "class_weight": lambda x, y, w, p: fitted(x, y, class_weight={0: 1, 1: 3}),
    "validation_split": lambda x, y, w, p: fitted(x, y, validation_split=0.25, figure="val_loss"),
    "validation_data": lambda x, y, w, p: fitted(ARRAY, LABELS, validation_data=(x, y, w), figure="val_loss"),
    "generator": lambda x, y, w, p: fitted(iter([(x, y, w)] * 2), epochs=1),
    "PyDataset": lambda x, y, w, p: fitted(Dataset(x, y, w)),
    "validation generator": lambda x, y, w, p: fitted(
        ARRAY, LABELS, epochs=1, validation_data=iter([(x, y)] * 2), figure="val_loss"
    ),
    "evaluate": lambda x, y, w, p: model().evaluate(x, y, sample_weight=w, verbose=0),
    "evaluate a generator": lambda x, y, w, p: model().evaluate(iter([(x, y)]), verbose=0),
    "predict": lambda x, y, w, p: model().predict(x, verbose=0),
    "predict a generator": lambda x, y, w, p: model().predict(iter([x, x]), verbose=0),
    "train_on_batch": lambda x, y, w, p: model().train_on_batch(x, y, sample_weight=w),
    "test_on_batch": lambda x, y, w, p: model().test_on_batch(x, y, sample_weight=w),
    "predict_on_batch": lambda x, y, w, p: model().predict_on_batch(x),
    "a model called": lambda x, y, w, p: model()(x),
    "a layer called": lambda x, y, w, p: layers.Rescaling(2.0)(x),
    "with a call of its own": lambda x, y, w, p: fitted(x, y, kind=OfItsOwn),
    "with a call of its own, called": lambda x, y, w, p: model(OfItsOwn)(x),
    "with a step of its own": lambda x, y, w, p: fitted(x, y, kind=StepOfItsOwn),
    "gradients": lambda x, y, w, p: model().gradients(x, y),
    "trace": lambda x, y, w, p: model().trace(x, y)["dW1"],
    "on a tape": lambda x, y, w, p: taped(x, y),
    "adapt": lambda x, y, w, p: adapted(x),
    "adapt to batches": lambda x, y, w, p: adapted(iter([x, x])),
    "CategoryEncoding": lambda x, y, w, p: layers.CategoryEncoding(5, "one_hot")(y),
    "count_weights": lambda x, y, w, p: layers.CategoryEncoding(5, "count")(y, count_weights=w),
    "to_categorical": lambda x, y, w, p: keras.utils.to_categorical(y),
    "normalize": lambda x, y, w, p: keras.utils.normalize(x),
    "split_dataset": lambda x, y, w, p: split(x, y),
    "a loss": lambda x, y, w, p: keras.losses.BinaryCrossentropy()(y, p, sample_weight=w),
    "a loss's function": lambda x, y, w, p: keras.losses.mean_squared_error(x, x),
    "update_state": lambda x, y, w, p: updated(keras.metrics.AUC(), y, p, w),
    "a metric called": lambda x, y, w, p: keras.metrics.BinaryAccuracy()(y, p, sample_weight=w),
    "a mean": lambda x, y, w, p: keras.metrics.Mean()(w, sample_weight=w),
}


def given_by(entry, frame, column):
    keras.utils.set_random_seed(2)
    found = ENTRIES[entry](frame, column(LABELS), column(WEIGHTS), column(WEIGHTS / 2))
    return np.concatenate([np.ravel(np.asarray(one)) for one in (found if isinstance(found, list) else [found])])


@functools.cache
def expected(entry):
    return given_by(entry, *numpys())


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_gives_for_a_table_what_it_gives_for_its_array(kind):
    frame, column = KINDS[kind]()
    for entry in ENTRIES:
        np.testing.assert_allclose(given_by(entry, frame, column), expected(entry), 1e-5, 1e-7, err_msg=entry)


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_an_entry_names_the_column_that_lacks_a_value(kind):
    module = pytest.importorskip(kind)
    make = module.table if kind == "pyarrow" else module.DataFrame
    x = make({**{name: list(column) for name, column in COLUMNS.items()}, "c": [1.0, None, *[0.5] * (ROWS - 2)]})
    of_labels = {"count_weights", "CategoryEncoding", "to_categorical"}
    of_predictions = {"a loss", "update_state", "a metric called", "a mean"}
    for entry in set(ENTRIES) - of_labels - of_predictions - {"split_dataset"}:  # this one in another order
        with pytest.raises(ValueError, match=r"The column `(x|y_true|data)\['c'\]` holds nan in row 1"):
            ENTRIES[entry](x, LABELS, WEIGHTS, WEIGHTS)


# --- Several inputs and outputs: the columns of their names ---


def several(form):
    keras.utils.set_random_seed(1)
    inputs = {name: keras.Input((1,), name=name) for name in COLUMNS}
    joined = layers.Concatenate()(list(inputs.values()))
    outputs = {name: layers.Dense(1, name=name)(joined) for name in ("low", "high")}
    made = keras.Model(form(inputs.values()) if form is list else inputs, outputs)
    made.compile("sgd", "mse")
    return made


@pytest.mark.parametrize("form", [list, dict])
@pytest.mark.parametrize("kind", ["pandas", "nullable", "polars", "pyarrow"])
def test_a_frame_for_several_inputs_gives_each_the_column_of_its_name(form, kind, recwarn):
    frame, column = KINDS[kind]()
    arrays = {name: ARRAY[:, i] for i, name in enumerate(COLUMNS)}
    targets = {"low": ARRAY[:, 0], "high": ARRAY[:, 1]}
    if kind == "pandas":
        frame = frame.assign(unasked=["text"] * ROWS)[["unasked", "d", "c", "b", "a"]]
    for found, wanted in zip(several(form)(frame).values(), several(form)(arrays).values(), strict=True):
        np.testing.assert_allclose(found, wanted, 1e-6)
    names = {name: column(values) for name, values in targets.items()}
    given = (frame, names), (arrays, targets)
    histories = [several(form).fit(x, y, verbose=0, shuffle=False).history for x, y in given]
    assert histories[0] == histories[1]
    assert not [one for one in recwarn if "structure" in str(one.message)]


def test_frames_that_several_inputs_cannot_be_told_from():
    pandas = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"keys \['a', 'z'\], but the model also expects \['b', 'c', 'd'\]"):
        several(dict).predict(pandas.DataFrame({"a": [1.0], "z": [1.0]}), verbose=0)
    with pytest.raises(ValueError, match=r"`x` has several columns that are called 'b'"):
        several(dict).predict(pandas.DataFrame([[1.0] * 5], columns=list("abbcd")), verbose=0)
    with pytest.raises(ValueError, match=r"The column `x\['c'\]` does not hold numbers"):
        several(dict).predict(pandas.DataFrame({**COLUMNS, "c": ["x"] * ROWS}), verbose=0)
    with pytest.raises(ValueError, match=r"pass `x\.collect\(\)`"):
        several(dict).predict(pytest.importorskip("polars").LazyFrame(COLUMNS), verbose=0)


def test_a_single_input_in_a_dict_takes_the_column_of_its_name_or_all():
    pandas = pytest.importorskip("pandas")
    for name, shape, wanted in (("b", 1, ARRAY[:, 1:2]), ("all", 4, ARRAY)):
        x = keras.Input((shape,), name=name)
        predicted = keras.Model({name: x}, layers.Rescaling(1.0)(x)).predict(pandas.DataFrame(COLUMNS), verbose=0)
        np.testing.assert_allclose(predicted, wanted, 1e-6)


# --- Memory ---


def test_frames_of_one_type_are_gathered_row_by_row():
    columns = np.asfortranarray(RNG.random((50, 3)))
    trained = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    for x in (columns, columns.astype("float32"), columns[:40]):
        trained.compile("sgd", "mse")
        prepared = trained._prepare(x, np.zeros(len(x)))
        assert trained._batches(prepared, 8, np.random.default_rng(0)).xs[0].flags.c_contiguous


def test_what_is_on_disk_stays_there(tmp_path):
    np.save(tmp_path / "x.npy", np.asfortranarray(RNG.random((50, 3)).astype("float32")))
    x = np.load(tmp_path / "x.npy", mmap_mode="r")
    trained = keras.Sequential([keras.Input((3,)), layers.Dense(1)])
    trained.compile("sgd", "mse")
    batches = trained._batches(trained._prepare(x, np.zeros(50)), 8, np.random.default_rng(0))
    assert np.shares_memory(batches.xs[0], x)


def chunks(kind, rows, number):
    """A table in pieces, as a reader gives them: none is kept."""
    for _ in range(number):
        x = np.random.default_rng(0).random((rows, 20))
        yield KINDS_OF_CHUNKS[kind]({str(i): x[:, i] for i in range(20)}), x[:, 0]


KINDS_OF_CHUNKS = {
    "pandas": lambda columns: pytest.importorskip("pandas").DataFrame(columns),
    "polars": lambda columns: pytest.importorskip("polars").DataFrame(columns),
    "pyarrow": lambda columns: pytest.importorskip("pyarrow").table(columns),
}


@pytest.mark.parametrize("kind", KINDS_OF_CHUNKS)
def test_a_table_in_chunks_takes_the_memory_of_a_few(kind):
    def run(number):
        trained = keras.Sequential([keras.Input((20,)), layers.Dense(1)])
        trained.compile("sgd", "mse")
        trained.fit(chunks(kind, 500, 1), verbose=0)
        tracemalloc.start()
        trained.fit(chunks(kind, 500, number), verbose=0)
        trained.evaluate(chunks(kind, 500, number), verbose=0)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert run(30) < 1.5 * run(5)  # 2.4 MB in all, of which 5 chunks are 400 kB


def test_a_reader_of_pandas_or_pyarrow_is_predicted_for_chunk_by_chunk(tmp_path):
    pandas, arrow = pytest.importorskip("pandas"), pytest.importorskip("pyarrow")
    frame = pandas.DataFrame(COLUMNS).astype("float64")
    frame.to_csv(tmp_path / "x.csv", index=False)
    expected = model().predict(ARRAY, verbose=0)
    with pandas.read_csv(tmp_path / "x.csv", chunksize=7) as reader:
        np.testing.assert_allclose(model().predict(reader, verbose=0), expected, 1e-5)
    reader = arrow.table(COLUMNS).to_reader(max_chunksize=7)
    np.testing.assert_allclose(model().predict(reader, verbose=0), expected, 1e-5)


def test_a_wide_sparse_matrix_is_made_dense_in_pieces_by_models_of_all_kinds():
    scipy = pytest.importorskip("scipy.sparse")
    rows, columns = 2000, 20_000  # 160 MB of float32, if it were
    x = scipy.csr_array((np.ones(rows, "float32"), (np.arange(rows), np.arange(rows))), shape=(rows, columns))
    kinds = model(OfItsOwn), StepOfItsOwn([keras.Input((columns,)), layers.Dense(1)])
    kinds[1].compile("sgd", "mse")
    tracemalloc.start()
    for one in kinds:
        one.fit(x, np.ones(rows), verbose=0)
    adapted(x)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
