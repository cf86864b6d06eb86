"""Metrics that are more than a mean over samples: one table with all of them, and the tests that each has to pass."""

import json

import numpy as np
import pytest

import multilayer as keras
from multilayer import metrics
from multilayer.metrics.confusion import confusion_counts

RNG = np.random.default_rng(0)
N = 37
BITS, SHARES = RNG.integers(2, size=(N, 3)).astype("float32"), RNG.uniform(size=(N, 3)).astype("float32")
ONE_BIT, ONE_SHARE = BITS[:, :1], SHARES[:, :1]
LABELS = RNG.integers(3, size=N)
NUMBERS, NUMBERS_HAT = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 3))
T, Y = RNG.uniform(0.1, 1.0, size=(N, 3)), RNG.uniform(0.1, 1.0, size=(N, 3))
WHOLE_WEIGHTS = RNG.integers(0, 3, size=N)

# Each row: how the metric is made, targets and predictions.
ROWS = {
    "TruePositives": (metrics.TruePositives, BITS, SHARES),
    "TruePositives, thresholds": (lambda: metrics.TruePositives([0.7, 0.2, 0.5]), BITS, SHARES),
    "TrueNegatives": (metrics.TrueNegatives, ONE_BIT, ONE_SHARE),
    "FalsePositives": (metrics.FalsePositives, BITS, SHARES),
    "FalseNegatives": (lambda: metrics.FalseNegatives(0.3), BITS, SHARES),
    "Precision": (metrics.Precision, BITS, SHARES),
    "Precision, top k": (lambda: metrics.Precision(top_k=2), BITS, SHARES),
    "Precision, class": (lambda: metrics.Precision(class_id=1, thresholds=[0.2, 0.8]), BITS, SHARES),
    "Recall": (metrics.Recall, ONE_BIT, ONE_SHARE),
    "Recall, top k": (lambda: metrics.Recall(top_k=1, thresholds=0.4), BITS, SHARES),
    "SensitivityAtSpecificity": (lambda: metrics.SensitivityAtSpecificity(0.4), BITS, SHARES),
    "SpecificityAtSensitivity": (lambda: metrics.SpecificityAtSensitivity(0.4, num_thresholds=1), BITS, SHARES),
    "PrecisionAtRecall": (lambda: metrics.PrecisionAtRecall(0.5, class_id=2), BITS, SHARES),
    "RecallAtPrecision": (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=50), BITS, SHARES),
    "AUC": (metrics.AUC, ONE_BIT, ONE_SHARE),
    "AUC, PR": (lambda: metrics.AUC(curve="PR"), BITS, SHARES),
    "AUC, gain": (lambda: metrics.AUC(curve="PRGAIN", summation_method="majoring"), BITS, SHARES),
    "AUC, labels": (lambda: metrics.AUC(multi_label=True, label_weights=[1.0, 2.0, 0.5]), BITS, SHARES),
    "AUC, thresholds": (lambda: metrics.AUC(thresholds=[0.1, 0.5, 0.9], summation_method="minoring"), BITS, SHARES),
    "AUC, logits": (lambda: metrics.AUC(from_logits=True, num_thresholds=20), BITS, NUMBERS_HAT),
    "FBetaScore": (lambda: metrics.FBetaScore(average="macro", beta=2.0, threshold=0.4), BITS, SHARES),
    "FBetaScore, micro": (lambda: metrics.FBetaScore(average="micro"), BITS, SHARES),
    "F1Score": (metrics.F1Score, BITS, SHARES),
    "F1Score, weighted": (lambda: metrics.F1Score(average="weighted"), BITS, SHARES),
    "R2Score": (metrics.R2Score, NUMBERS, NUMBERS_HAT),
    "R2Score, by variance": (lambda: metrics.R2Score("variance_weighted_average"), NUMBERS, NUMBERS_HAT),
    "R2Score, each": (lambda: metrics.R2Score(None), NUMBERS, NUMBERS_HAT),
    "RootMeanSquaredError": (metrics.RootMeanSquaredError, NUMBERS, NUMBERS_HAT),
    "CosineSimilarity": (metrics.CosineSimilarity, NUMBERS, NUMBERS_HAT),
    "PearsonCorrelation": (metrics.PearsonCorrelation, NUMBERS, NUMBERS_HAT),
    "ConcordanceCorrelation": (metrics.ConcordanceCorrelation, NUMBERS, NUMBERS_HAT),
    "MeanAbsolutePercentageError": (metrics.MeanAbsolutePercentageError, T, Y),
    "MeanSquaredLogarithmicError": (metrics.MeanSquaredLogarithmicError, T, Y),
    "LogCoshError": (metrics.LogCoshError, T, Y),
    "KLDivergence": (metrics.KLDivergence, T, Y),
    "Poisson": (metrics.Poisson, T, Y),
    "Hinge": (metrics.Hinge, BITS, NUMBERS_HAT),
    "SquaredHinge": (metrics.SquaredHinge, BITS, NUMBERS_HAT),
    "CategoricalHinge": (metrics.CategoricalHinge, np.eye(3)[LABELS], NUMBERS_HAT),
    "TopKCategoricalAccuracy": (lambda: metrics.TopKCategoricalAccuracy(2), np.eye(3)[LABELS], SHARES),
    "SparseTopKCategoricalAccuracy": (lambda: metrics.SparseTopKCategoricalAccuracy(2), LABELS, SHARES),
    "SparseTopKCategoricalAccuracy, sorted": (
        lambda: metrics.SparseTopKCategoricalAccuracy(2, from_sorted_ids=True),
        LABELS,
        np.argsort(-SHARES, axis=1),
    ),
}
every_row = pytest.mark.parametrize("row", ROWS)


@every_row
def test_batches_come_to_the_same_as_all_at_once(row):
    make, y_true, y_pred = ROWS[row]
    whole, pieces = make(), make()
    whole.update_state(y_true, y_pred)
    for part in np.array_split(np.arange(N), 4):
        pieces.update_state(y_true[part], y_pred[part])
    np.testing.assert_allclose(pieces.result(), whole.result(), rtol=1e-5)


@every_row
def test_a_whole_weight_is_that_many_samples(row):
    make, y_true, y_pred = ROWS[row]
    weighted, repeated = make(), make()
    weighted.update_state(y_true, y_pred, sample_weight=WHOLE_WEIGHTS.astype("float32"))
    rows = np.repeat(np.arange(N), WHOLE_WEIGHTS)
    repeated.update_state(y_true[rows], y_pred[rows])
    np.testing.assert_allclose(weighted.result(), repeated.result(), rtol=1e-5)


@every_row
def test_it_keeps_no_view_and_starts_anew(row):
    make, y_true, y_pred = ROWS[row]
    metric = make()
    batch = y_true.copy(), y_pred.copy()
    metric.update_state(*batch)
    found = np.array(metric.result())
    for array in batch:
        array.fill(0)
    np.testing.assert_array_equal(metric.result(), found)
    metric.reset_state()
    metric.update_state(y_true, y_pred)
    np.testing.assert_allclose(metric.result(), found, rtol=1e-12)
    assert metric.direction in ("up", "down")


@every_row
def test_a_config_makes_the_same_metric(row):
    make, y_true, y_pred = ROWS[row]
    metric = make()
    twin = metrics.deserialize(json.loads(json.dumps(metrics.serialize(metric))))
    assert twin.get_config() == metric.get_config()
    np.testing.assert_array_equal(twin(y_true, y_pred), metric(y_true, y_pred))


def test_counts_are_those_of_comparing_one_by_one():
    thresholds = [0.0, 0.25, 0.5, 0.5, 1.0, 0.1]
    y = np.concatenate([SHARES.reshape(-1), [0.0, 0.25, 0.5, 1.0]]).astype("float32")
    t = np.concatenate([BITS.reshape(-1), [0, 1, 1, 0]])
    counts = confusion_counts(t, y, thresholds)
    for i, threshold in enumerate(thresholds):
        positive = y > np.float32(threshold)
        expected = [(positive & (t == 1)), (positive & (t == 0)), (~positive & (t == 0)), (~positive & (t == 1))]
        assert [count[i] for count in counts] == [one.sum() for one in expected]


def test_a_metric_written_for_keras_works():
    class Largest(metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.total = self.add_weight(name="total", initializer="zeros")
            self.count = self.add_variable(shape=(), initializer="zeros", name="count", dtype="float32")

        def update_state(self, y_true, y_pred, sample_weight=None):
            self.total.assign_add(np.sum(np.abs(y_true - y_pred)))
            self.count.assign(self.count + len(y_true))

        def result(self):
            return self.total / self.count

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile("sgd", "mae", metrics=[Largest()])
    history = model.fit(NUMBERS, NUMBERS[:, :1], epochs=2, verbose=0).history
    loss, largest = model.evaluate(NUMBERS, NUMBERS[:, :1], verbose=0)
    assert largest == pytest.approx(loss, rel=1e-5)
    assert len(history["largest"]) == 2
    assert [v.name for v in model.metrics[1].variables] == ["total", "count"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: metrics.AUC(num_thresholds=1), "`num_thresholds` must be a whole number of at least 2"),
        (lambda: metrics.AUC(curve="TPR"), 'Invalid AUC curve value: "TPR"'),
        (lambda: metrics.AUC(summation_method="simpson"), "Invalid AUC summation method"),
        (lambda: metrics.AUC(num_labels=3), "only when `multi_label` is True"),
        (lambda: metrics.AUC(multi_label=True).update_state([0], [0.5]), "must have rank 2"),
        (lambda: metrics.Precision(thresholds=1.5), r"Threshold values must be in \[0, 1\]. Received: \[1.5\]"),
        (lambda: metrics.TruePositives(thresholds=[None]), r"Received: \[None\]"),
        (lambda: metrics.Recall(class_id=0).update_state([0], [0.5]), "When class_id is provided"),
        (
            lambda: metrics.SensitivityAtSpecificity(1.5),
            "`specificity` must be a finite number of at least 0 and at most 1",
        ),
        (lambda: metrics.RecallAtPrecision(0.5, num_thresholds=0), "must be a whole number of at least 1"),
        (lambda: metrics.F1Score(average="mean"), "Invalid `average` argument value"),
        (lambda: metrics.FBetaScore(beta=2), "It should be a Python float"),
        (lambda: metrics.FBetaScore(beta=-1.0), "`beta` must be a finite number more than 0"),
        (lambda: metrics.F1Score(threshold=2.0), "Invalid `threshold`"),
        (lambda: metrics.F1Score().update_state([0, 1], [0.5, 0.5]), "expects 2D inputs"),
        (lambda: metrics.R2Score("mean"), "Invalid value for argument `class_aggregation`"),
        (lambda: metrics.R2Score(num_regressors=-1), "`num_regressors` must be a whole number of at least 0"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_adjusted_score_needs_more_samples_than_variables():
    metric = metrics.R2Score(num_regressors=5)
    metric.update_state(NUMBERS[:2, :1], NUMBERS_HAT[:2, :1])
    with pytest.warns(UserWarning, match="More predictors than samples"):
        metric.result()


def test_what_an_f_score_and_a_bound_keep_has_names():
    score = metrics.FBetaScore(threshold=0.5)
    score.update_state([[1, 1], [1, 0]], [[0.2, 0.6], [0.2, 0.6]])
    assert [one.name for one in score.variables][:2] == ["true_positives", "false_positives"]
    assert score.true_positives.tolist() == [0.0, 1.0]
    assert score.false_negatives.tolist() == [2.0, 0.0]
    assert metrics.R2Score().squared_sum == 0.0
    assert metrics.PrecisionAtRecall(0.4).recall == 0.4
    assert metrics.SensitivityAtSpecificity(0.3).specificity == 0.3


def test_an_f_score_weighs_every_number_by_itself():
    score = metrics.FBetaScore(threshold=0.5)
    score.update_state([[1, 1], [1, 0]], [[0.2, 0.6], [0.2, 0.6]], sample_weight=[[0.5, 0.2], [0.3, 0.8]])
    np.testing.assert_allclose(score.result(), [0.0, 1 / 3], atol=1e-5)  # precision 0.2 / 1.0, recall 1
