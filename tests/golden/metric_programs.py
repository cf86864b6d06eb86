"""Golden programs about metrics: figures of batches, with and without weights, and walks that keep them."""

import numpy as np

from golden.table import AMOUNTS, LABELS, ONE_HOT, SEVERAL, WEIGHTS, YES_NO, X, program, variants, walk

_STREAM = np.random.RandomState(5)
BITS = (_STREAM.uniform(size=(12, 3)) > 0.5).astype("float32")
SHARES = _STREAM.uniform(size=(12, 3)).astype("float32")
T, Y = _STREAM.uniform(0.1, 0.9, size=(2, 12, 3)).astype("float32")
SCORES = _STREAM.normal(size=(12, 3)).astype("float32")
PICKED = _STREAM.randint(3, size=12)
W = _STREAM.uniform(0.0, 2.0, size=12).astype("float32")
ONE = np.eye(3, dtype="float32")[PICKED]


def _of_bits(of):
    return {
        "TruePositives": of.TruePositives(),
        "TruePositives, thresholds": of.TruePositives([0.25, 0.75]),
        "TrueNegatives": of.TrueNegatives(0.3),
        "FalsePositives": of.FalsePositives(),
        "FalseNegatives": of.FalseNegatives(),
        "Precision": of.Precision(),
        "Precision, thresholds": of.Precision(thresholds=[0.25, 0.75]),
        "Precision, even thresholds": of.Precision(thresholds=[0.0, 0.5, 1.0]),
        "Precision, top k": of.Precision(top_k=2),
        "Precision, class": of.Precision(class_id=1),
        "Recall": of.Recall(),
        "Recall, top k": of.Recall(top_k=1, thresholds=0.4),
        "SensitivityAtSpecificity": of.SensitivityAtSpecificity(0.5),
        "SpecificityAtSensitivity": of.SpecificityAtSensitivity(0.5, num_thresholds=10),
        "PrecisionAtRecall": of.PrecisionAtRecall(0.6),
        "RecallAtPrecision": of.RecallAtPrecision(0.6, class_id=0),
        "AUC": of.AUC(),
        "AUC, few": of.AUC(num_thresholds=5),
        "AUC, PR": of.AUC(curve="PR"),
        "AUC, PR, minoring": of.AUC(curve="PR", summation_method="minoring"),
        "AUC, majoring": of.AUC(summation_method="majoring"),
        "AUC, gain": of.AUC(curve="PRGAIN"),
        "AUC, thresholds": of.AUC(thresholds=[0.1, 0.4, 0.7]),
        "AUC, labels": of.AUC(multi_label=True),
        "AUC, label weights": of.AUC(multi_label=True, num_labels=3, label_weights=[1.0, 2.0, 0.5]),
        "AUC, labels, PR": of.AUC(multi_label=True, curve="PR"),
        "FBetaScore": of.FBetaScore(beta=2.0, average="macro"),
        "FBetaScore, threshold": of.FBetaScore(beta=0.5, threshold=0.4),
        "F1Score": of.F1Score(),
        "F1Score, micro": of.F1Score(average="micro"),
        "F1Score, weighted": of.F1Score(average="weighted", threshold=0.5),
        "BinaryAccuracy": of.BinaryAccuracy(threshold=0.4),
        "BinaryAccuracy, of scores": of.BinaryAccuracy(threshold=0.0),
        "BinaryCrossentropy": of.BinaryCrossentropy(label_smoothing=0.1),
    }


def _of_amounts(of):
    return {
        "MeanSquaredError": of.MeanSquaredError(),
        "RootMeanSquaredError": of.RootMeanSquaredError(),
        "MeanAbsoluteError": of.MeanAbsoluteError(),
        "MeanAbsolutePercentageError": of.MeanAbsolutePercentageError(),
        "MeanSquaredLogarithmicError": of.MeanSquaredLogarithmicError(),
        "LogCoshError": of.LogCoshError(),
        "CosineSimilarity": of.CosineSimilarity(),
        "PearsonCorrelation": of.PearsonCorrelation(),
        "ConcordanceCorrelation": of.ConcordanceCorrelation(),
        "KLDivergence": of.KLDivergence(),
        "Poisson": of.Poisson(),
        "R2Score": of.R2Score(),
        "R2Score, by variance": of.R2Score(class_aggregation="variance_weighted_average"),
        "R2Score, each": of.R2Score(class_aggregation=None),
        "R2Score, adjusted": of.R2Score(num_regressors=2),
    }


def _of_scores(of):
    return {
        "Hinge": of.Hinge(),
        "SquaredHinge": of.SquaredHinge(),
        "CategoricalHinge": of.CategoricalHinge(),
        "CategoricalAccuracy": of.CategoricalAccuracy(),
        "TopKCategoricalAccuracy": of.TopKCategoricalAccuracy(k=2),
        "CategoricalCrossentropy": of.CategoricalCrossentropy(from_logits=True),
    }


def _of_labels(of):
    return {
        "SparseCategoricalAccuracy": of.SparseCategoricalAccuracy(),
        "SparseTopKCategoricalAccuracy": of.SparseTopKCategoricalAccuracy(k=2),
        "SparseCategoricalCrossentropy": of.SparseCategoricalCrossentropy(from_logits=True),
        "SparseCategoricalCrossentropy, ignored": of.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1),
    }


def _figures(metrics, t, y):
    """After a batch, after a second one with weights, and anew; and how they are called and made."""
    found = {}
    for name, metric in metrics.items():
        metric.update_state(t[:5], y[:5])
        found[name] = np.atleast_1d(metric.result())
        metric.update_state(t[5:], y[5:], sample_weight=W[5:])
        found[f"{name}, more"] = np.atleast_1d(metric.result())
        metric.reset_state()
        metric.update_state(t, y, sample_weight=W)
        found[f"{name}, weighted"] = np.atleast_1d(metric.result())
        found[f"{name}, name"] = metric.name
    return found


@program
def figures_of_bits(keras):
    return _figures(_of_bits(keras.metrics), BITS, SHARES)


@program
def figures_of_amounts(keras):
    return _figures(_of_amounts(keras.metrics), T, Y)


@program
def figures_of_scores(keras):
    return _figures(_of_scores(keras.metrics), ONE, SCORES)


@program
def figures_of_labels(keras):
    return _figures(_of_labels(keras.metrics), PICKED, SCORES)


@program
def figures_of_values(keras):
    found = {}
    for make in (keras.metrics.Mean, keras.metrics.Sum):
        metric = make()
        metric.update_state([1.0, 3.0, 5.0])
        metric.update_state([[1.0, 2.0], [3.0, 4.0]], sample_weight=[0.5, 2.0])
        found[metric.name] = np.atleast_1d(metric.result())
    return found


@program
def figures_of_called_metrics(keras):
    mean, total = keras.metrics.Mean(), keras.metrics.Sum()
    called = [mean(3.0), mean([1.0, 2.0], sample_weight=[0.0, 2.0]), total([1.0, 2.0]), total(4.0)]
    accuracy = keras.metrics.BinaryAccuracy()
    return {"called": [float(one) for one in [*called, accuracy(BITS, SHARES), accuracy(BITS, 1 - SHARES)]]}


def _network(keras, units, activation):
    return keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(5, activation="tanh"), keras.layers.Dense(units, activation=activation)]
    )


@variants(
    names=lambda keras: ["AUC", "precision", "Recall", "binary_accuracy", "TruePositives"],
    objects=lambda keras: [
        keras.metrics.AUC(curve="PR", name="pr"),
        keras.metrics.Precision(thresholds=0.4),
        keras.metrics.SensitivityAtSpecificity(0.7, name="at"),
    ],
)
def metrics_of_a_yes_or_no(keras, metrics):
    model = _network(keras, 1, "sigmoid")
    model.compile("adam", "binary_crossentropy", metrics=metrics, weighted_metrics=["accuracy", "mse"])
    return walk(model, X, YES_NO, sample_weight=WEIGHTS, validation_split=0.2)


@program
def metrics_of_several_bits(keras):
    model = _network(keras, 3, "sigmoid")
    f1 = keras.metrics.F1Score(average="macro", threshold=0.5)
    model.compile("adam", "binary_crossentropy", metrics=[f1, keras.metrics.AUC(multi_label=True), "accuracy"])
    return walk(model, X, SEVERAL)


@program
def metrics_of_classes(keras):
    model = _network(keras, 3, "softmax")
    top = keras.metrics.SparseTopKCategoricalAccuracy(k=2)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=[top, "sparse_categorical_accuracy"])
    return walk(model, X, LABELS)


@program
def metrics_of_one_hot(keras):
    model = _network(keras, 3, "softmax")
    names = ["top_k_categorical_accuracy", "kl_divergence", "cosine_similarity", "categorical_hinge"]
    model.compile("adam", "categorical_crossentropy", metrics=[*names, keras.metrics.F1Score(average="weighted")])
    return walk(model, X, ONE_HOT)


@variants(
    plain=lambda keras: keras.metrics.CategoricalCrossentropy(),
    smoothed=lambda keras: keras.metrics.CategoricalCrossentropy(label_smoothing=0.1),
    promised_logits=lambda keras: keras.metrics.CategoricalCrossentropy(from_logits=True),
)
def metrics_of_one_hot_that_are_sure_and_wrong(keras, metric):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, activation="softmax")])
    weighted = keras.metrics.CategoricalCrossentropy(name="weighted")
    model.compile("adam", "categorical_crossentropy", metrics=[metric], weighted_metrics=[weighted])
    return walk(model, 100.0 * X, ONE_HOT[::-1], sample_weight=WEIGHTS)


@program
def metrics_of_several_bits_that_are_sure_and_wrong(keras):
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(3, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["binary_crossentropy", "accuracy"])
    return walk(model, 100.0 * X, 1 - SEVERAL)


@program
def metrics_of_classes_with_one_ignored(keras):
    model = _network(keras, 3, "softmax")
    plain = keras.metrics.SparseCategoricalCrossentropy(ignore_class=2)
    weighted = keras.metrics.SparseCategoricalCrossentropy(ignore_class=2, name="weighted")
    loss = keras.losses.SparseCategoricalCrossentropy(ignore_class=2)
    model.compile("adam", loss, metrics=[plain], weighted_metrics=[weighted])
    return walk(model, X, LABELS, sample_weight=WEIGHTS)


@program
def metrics_of_amounts(keras):
    model = _network(keras, 1, "softplus")
    names = ["mae", "mape", "msle", "RootMeanSquaredError", "LogCoshError", "poisson"]
    model.compile("adam", "mse", metrics=[*names, keras.metrics.R2Score()])
    return walk(model, X, np.abs(AMOUNTS) + 0.5)
