"""Golden programs about steps that are padding: which losses and metrics leave out, and layers and models hand on."""

import numpy as np

from golden.model_programs import FIT, ops_of
from golden.step_programs import tape_of
from golden.table import AMOUNTS, WEIGHTS, N, X, go_on, program, start, variants

_STREAM = np.random.RandomState(11)
WORDS = _STREAM.randint(1, 7, size=(N, 4)) * (np.arange(4) < _STREAM.randint(1, 5, size=(N, 1)))  # 0 is padding
TAGS = (WORDS * 2) % 3
OF_WORDS = (WORDS[..., None] % 3 - 1.0).astype("float32")
SERIES = np.repeat(X[:, None, :3], 4, axis=1) * np.arange(1, 5).reshape(1, 4, 1).astype("float32") / 4
SERIES[WORDS == 0] = 0.0
STEP_WEIGHTS = np.outer(WEIGHTS, [1.0, 0.5, 2.0, 1.5])


@program
def tags_of_words(keras):
    layers = [keras.layers.Embedding(7, 4, mask_zero=True), keras.layers.Dense(3, activation="softmax")]
    model = keras.Sequential([keras.Input((4,), dtype="int32"), *layers])
    model.compile(
        keras.optimizers.SGD(0.5),
        "sparse_categorical_crossentropy",
        metrics=["accuracy", "sparse_categorical_crossentropy"],
        weighted_metrics=["sparse_top_k_categorical_accuracy"],
    )
    start(model)
    return {
        **go_on(model, WORDS, TAGS, validation_split=0.2),
        "batch": model.train_on_batch(WORDS[:7], TAGS[:7], return_dict=True),
        "tested": model.test_on_batch(WORDS[:7], TAGS[:7], return_dict=True),
    }


@variants(
    mean=lambda keras: "sum_over_batch_size",
    sum=lambda keras: "sum",
    by_weight=lambda keras: "mean_with_sample_weight",
)
def amounts_of_steps(keras, reduction):
    model = keras.Sequential(
        [
            keras.Input((4, 3)),
            keras.layers.Masking(),
            keras.layers.TimeDistributed(keras.layers.Dense(4, activation="tanh")),
            keras.layers.Dropout(0.0),
            keras.layers.Dense(1),
        ]
    )
    model.compile(keras.optimizers.SGD(0.01), keras.losses.MeanSquaredError(reduction=reduction), metrics=["mae"])
    start(model)
    found = go_on(model, SERIES, OF_WORDS)
    weighted = model.fit(SERIES, OF_WORDS, sample_weight=STEP_WEIGHTS, **FIT).history
    return {**found, "weighted": weighted, "weights after": model.get_weights()}


@program
def one_output_of_steps_and_one_of_samples(keras):
    x = keras.Input((4,), dtype="int32", name="words")
    words = keras.layers.Embedding(7, 4, mask_zero=True)(x)
    tags = keras.layers.Dense(3, activation="softmax", name="tags")(words)
    amount = keras.layers.Dense(1, name="amount")(keras.layers.GlobalAveragePooling1D()(words))
    model = keras.Model(x, {"amount": amount, "tags": tags})
    losses = {"amount": "mse", "tags": "sparse_categorical_crossentropy"}
    model.compile("sgd", losses, metrics={"amount": ["mae"], "tags": ["accuracy"]})
    start(model)
    targets = {"amount": AMOUNTS, "tags": TAGS}
    return {
        "history": model.fit(WORDS, targets, **FIT).history,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(WORDS, targets, verbose=0, return_dict=True),
    }


def of_ones_own(keras):
    """Layers of one's own: one that heeds masks, one that hands them on, one that makes them."""
    ops = ops_of(keras)

    class MeanOfSteps(keras.layers.Layer):
        def call(self, x, mask=None):
            counts = ops.expand_dims(ops.cast(mask, "float32"), -1)
            return ops.sum(x * counts, axis=1) / (ops.sum(counts, axis=1) + 1.0)

        def compute_mask(self, x, mask=None):
            return None

    class Twice(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.supports_masking = True

        def call(self, x):
            return x * 2.0

    class FirstSteps(keras.layers.Layer):
        def call(self, x):
            return x + 0.0

        def compute_mask(self, x, mask=None):
            first = ops.any(ops.not_equal(x, 0.0), axis=-1)
            return first if mask is None else ops.logical_and(first, mask)

    return MeanOfSteps, Twice, FirstSteps


@program
def masks_among_layers_of_ones_own(keras):
    mean_kind, twice, first_steps = of_ones_own(keras)
    x = keras.Input((4, 3))
    steps = keras.layers.Dense(4, activation="tanh")(twice()(first_steps()(x)))
    model = keras.Model(x, [keras.layers.Dense(1)(mean_kind()(steps)), keras.layers.Dense(1)(twice()(steps))])
    model.compile("sgd", ["mse", "mae"])
    start(model)
    return {
        "history": model.fit(SERIES, [AMOUNTS, OF_WORDS], **FIT).history,
        "weights": model.get_weights(),
        "predict": model.predict(SERIES[:5], verbose=0),
    }


def tagger(keras):
    """A model whose `call` hands nothing on but tensors, as the masks go with them."""
    mean_kind, twice, _ = of_ones_own(keras)

    class Tagger(keras.Model):
        def __init__(self):
            super().__init__()
            self.words = keras.layers.Embedding(7, 4, mask_zero=True)
            self.twice, self.mean = twice(), mean_kind()
            self.pooled = keras.layers.GlobalAveragePooling1D()
            self.hidden, self.tags = keras.layers.Dense(4), keras.layers.Dense(3)

        def call(self, x, training=False):
            words = self.twice(self.words(x))
            whole = self.hidden(self.pooled(words) + self.mean(words))
            return self.tags(words) + whole[:, None, :1]

    return Tagger


@program
def masks_within_a_call(keras):
    """The sum at its end has no mask any more, so that the loss is of all steps."""
    model = tagger(keras)()
    model(WORDS[:1])
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    start(model)
    return {
        "history": model.fit(WORDS, TAGS, **FIT).history,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(WORDS, TAGS, verbose=0),
    }


def words_of_ones_own(keras):
    """A model of one's own whose output still has its mask."""

    class Words(keras.Model):
        def __init__(self):
            super().__init__()
            self.words = keras.layers.Embedding(7, 4, mask_zero=True)
            self.tags = keras.layers.Dense(3, activation="softmax")

        def call(self, x, training=False):
            return self.tags(self.words(x))

    return Words


@program
def masks_out_of_a_call(keras):
    model = words_of_ones_own(keras)()
    model(WORDS[:1])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start(model)
    return {
        "history": model.fit(WORDS, TAGS, **FIT).history,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(WORDS, TAGS, verbose=0),
    }


@program
def masks_in_a_step_of_ones_own(keras):
    tape_kind = tape_of(keras)

    class Own(words_of_ones_own(keras)):
        def train_step(self, data):
            x, y = data
            with tape_kind() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {metric.name: metric.result() for metric in self.metrics}

    model = Own()
    model(WORDS[:1])
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    start(model)
    return {
        "history": model.fit(WORDS, TAGS, **FIT).history,
        "weights": model.get_weights(),
        "evaluate": model.evaluate(WORDS, TAGS, verbose=0),
    }


@program
def masks_of_single_layers(keras):
    words = keras.layers.Embedding(7, 2, mask_zero=True)
    words.build((None, 4))
    words.set_weights([np.arange(14.0).reshape(7, 2) / 7])
    embedded = words(WORDS[:6])
    masked = keras.layers.Masking()(SERIES[:6])
    return {
        "pooled": np.asarray(keras.layers.GlobalAveragePooling1D()(embedded)),
        "given": np.asarray(keras.layers.GlobalAveragePooling1D()(SERIES[:6], mask=WORDS[:6] != 3)),
        "mask": np.asarray(words.compute_mask(WORDS[:6])).tolist(),
        "loss": float(keras.losses.MeanSquaredError()(SERIES[:6] + 1.0, masked)),
        "metric": float(keras.metrics.MeanSquaredError()(SERIES[:6] + 1.0, masked)),
        "supports": [words.supports_masking, keras.layers.Flatten().supports_masking],
    }
