"""The tables and models of tables.py, which starts this file in a process of its own.

python benchmarks/table_models.py tables.jsonl [NAME ...] [--quick]
"""

import json
import logging
import os
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn import datasets, ensemble, linear_model, neural_network
from sklearn.compose import TransformedTargetRegressor, make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

FOLDS = 5
QUICK = ("breast cancer", "diabetes", "claims")


# --- tables: (X, y), y of whole numbers for classes


def shops(rng, rows=1500):
    """Takings by shop, kind, area, staff, weather and season: forty shops, a tenth of the areas missing."""
    shop, day = rng.integers(40, size=rows), rng.integers(365, size=rows)
    kind = rng.choice(["corner", "mall", "online", "street"], rows)
    area, staff, rain = rng.lognormal(size=rows), rng.poisson(4, rows), rng.gamma(2, 2, rows)
    y = 3 * rng.normal(size=40)[shop] + 2 * np.log(area) + 4 * np.sin(2 * np.pi * day / 365)
    y += 0.8 * np.minimum(staff, 5) - 0.3 * rain * (kind == "street") + 2 * rng.normal(size=rows)
    area[rng.random(rows) < 0.1] = np.nan
    columns = {"shop": pd.Categorical(shop), "kind": pd.Categorical(kind)}
    return pd.DataFrame(columns | {"day": day, "area": area, "staff": staff, "rain": rain}), y


def claims(rng, rows=3000):
    """Who has a claim, about one in twelve: sixty models of cars, some mileages missing."""
    car, region = rng.integers(60, size=rows), rng.integers(8, size=rows)
    age, power, km = rng.integers(18, 85, rows), rng.gamma(6, 15, rows), rng.lognormal(9.3, 0.6, rows)
    score = 0.7 * rng.normal(size=60)[car] + 0.006 * power + 0.5 * (np.log(km) - 9.3) - 3.6
    score += 1.3 * (age < 25) + 0.09 * np.maximum(age - 65, 0) + 0.8 * ((region < 2) & (power > 100))
    km[rng.random(rows) < 0.15] = np.nan
    columns = {"car": pd.Categorical(car), "region": pd.Categorical(region)}
    y = rng.random(rows) < 1 / (1 + np.exp(-score))
    return pd.DataFrame(columns | {"age": age, "power": power, "km": km}), y.astype(int)


def tables():
    """Name -> (X, y, task)."""
    from_arrays = {
        "iris": datasets.load_iris(return_X_y=True),
        "wine": datasets.load_wine(return_X_y=True),
        "breast cancer": datasets.load_breast_cancer(return_X_y=True),
        "digits": datasets.load_digits(return_X_y=True),
        "diabetes": datasets.load_diabetes(return_X_y=True),
        "moons": datasets.make_moons(1000, noise=0.35, random_state=0),
        "Hastie's 10.2": datasets.make_hastie_10_2(2000, random_state=0),
        "two classes": datasets.make_classification(1000, 20, n_informative=6, flip_y=0.1, random_state=0),
        "three classes": datasets.make_classification(
            1000, 25, n_informative=7, n_classes=3, flip_y=0.1, class_sep=0.8, random_state=0
        ),
        "Friedman's 1": datasets.make_friedman1(600, noise=1.5, random_state=0),
        "Friedman's 2": datasets.make_friedman2(2000, noise=100.0, random_state=0),
    }
    found = {name: (pd.DataFrame(X).add_prefix("x"), y) for name, (X, y) in from_arrays.items()}
    found |= {"shops": shops(np.random.default_rng(0)), "claims": claims(np.random.default_rng(0))}
    numeric = ("diabetes", "Friedman's 1", "Friedman's 2", "shops")
    return {
        name: (X, y, "regression") if name in numeric else (X, np.unique(y, return_inverse=True)[1], "classes")
        for name, (X, y) in found.items()
    }


# --- models: functions from "are there classes?" to an estimator


def columns(scale):
    """Medians for what is missing, standardized where asked; categories one-hot."""
    numbers = [SimpleImputer(strategy="median"), *[StandardScaler()] * scale]
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
    return make_column_transformer(
        (make_pipeline(*numbers), make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_include="category")),
    )


def mlp(module, classes):
    if classes:
        return make_pipeline(columns(True), module.MLPClassifier(random_state=0))
    network = TransformedTargetRegressor(module.MLPRegressor(random_state=0), transformer=StandardScaler())
    return make_pipeline(columns(True), network)


def our_mlp(classes):
    import multilayer.sklearn

    return mlp(multilayer.sklearn, classes)


def tabular(classes, recipe="default"):
    from multilayer import tabular

    kind = tabular.TabularClassifier if classes else tabular.TabularRegressor
    return kind(recipe, random_state=0)


def linear(classes):
    kind = linear_model.LogisticRegression(max_iter=1000) if classes else linear_model.Ridge()
    return make_pipeline(columns(True), kind)


def forest(classes):
    kind = ensemble.RandomForestClassifier if classes else ensemble.RandomForestRegressor
    return make_pipeline(columns(False), kind(random_state=0))


def histogram_boosting(classes):
    kind = ensemble.HistGradientBoostingClassifier if classes else ensemble.HistGradientBoostingRegressor
    return kind(random_state=0)


def light(classes):
    import lightgbm

    return (lightgbm.LGBMClassifier if classes else lightgbm.LGBMRegressor)(n_jobs=1, verbose=-1)


class Cat:
    """CatBoost, told which columns are categories."""

    def __init__(self, classes):
        import catboost

        kind = catboost.CatBoostClassifier if classes else catboost.CatBoostRegressor
        self.model = kind(thread_count=1, verbose=0, allow_writing_files=False)
        self.predict, self.predict_proba = self.model.predict, getattr(self.model, "predict_proba", None)

    def fit(self, X, y):
        self.model.fit(X, y, cat_features=list(X.select_dtypes("category")))


def real_mlp(classes, name):
    """pytabkit's; it takes no missing numbers.

    For classes it keeps the epoch with the best log loss, and TD smooths no labels: its defaults are made for accuracy,
    and TabArena's runs change the same two.
    """
    import pytabkit

    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    kind = getattr(pytabkit, f"{name}_{'Classifier' if classes else 'Regressor'}")
    options = {"val_metric_name": "cross_entropy"} if classes else {}
    if classes and name == "RealMLP_TD":
        options["use_ls"] = False
    network = kind(n_threads=1, device="cpu", random_state=0, verbosity=0, **options)
    impute = make_column_transformer(
        (SimpleImputer(strategy="median"), make_column_selector(dtype_include="number")),
        remainder="passthrough",
        verbose_feature_names_out=False,
    )
    return make_pipeline(impute.set_output(transform="pandas"), network)


MODELS = {
    "linear": linear,
    "scikit-learn's MLP": lambda classes: mlp(neural_network, classes),
    "multilayer.sklearn's MLP": our_mlp,
    "random forest": forest,
    "HistGradientBoosting": histogram_boosting,
    "LightGBM": light,
    "CatBoost": Cat,
    "pytabkit's RealMLP-TD-S": lambda classes: real_mlp(classes, "RealMLP_TD_S"),
    "pytabkit's RealMLP-TD": lambda classes: real_mlp(classes, "RealMLP_TD"),
    "multilayer's RealMLP-TD-S": lambda classes: tabular(classes, "realmlp-td-s"),
    "multilayer's RealMLP-TD": lambda classes: tabular(classes, "realmlp-td"),
    "multilayer's default": tabular,
}


# --- measurement


def processor_seconds():
    """This process's and those of the processes it started and that ended."""
    return sum(os.times()[:4])


def measure(make, X, y, task, train, test):
    """What a line of the output says."""
    classes = task == "classes"
    model = make(classes)
    start = processor_seconds()
    model.fit(X.iloc[train], y[train])
    fitted = processor_seconds()
    found = (model.predict_proba if classes else model.predict)(X.iloc[test])
    end = processor_seconds()
    if classes:
        scores = found[:, 1] if found.shape[1] == 2 else found
        error = 1 - roc_auc_score(y[test], scores, multi_class="ovr")
        loss = log_loss(y[test], np.asarray(found, float))
    else:
        error = loss = np.sqrt(np.mean((np.ravel(found) - y[test]) ** 2)) / np.std(y)
    return {"error": error, "log_loss": loss, "fit_s": fitted - start, "predict_s": end - fitted}


def main():
    path, *names = [argument for argument in sys.argv[1:] if argument != "--quick"]
    quick = "--quick" in sys.argv
    path = Path(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    done = {(line["table"], line["fold"], line["model"]) for line in lines}
    warnings.simplefilter("ignore")
    missing = set()
    for name, (X, y, task) in tables().items():
        if quick and name not in QUICK:
            continue
        splitter = StratifiedKFold if task == "classes" else KFold
        for fold, (train, test) in enumerate(splitter(FOLDS, shuffle=True, random_state=0).split(X, y)):
            for model in names or MODELS:
                if (quick and fold >= 2) or model in missing or (name, fold, model) in done:
                    continue
                try:
                    found = measure(MODELS[model], X, y, task, train, test)
                except ImportError as reason:
                    print(f"left out: {model} ({reason})", file=sys.stderr)
                    missing.add(model)
                    continue
                size = f"{X.shape[0]:,} x {X.shape[1]}"
                about = {"table": name, "size": size, "task": task, "fold": fold, "model": model}
                with path.open("a") as file:
                    file.write(json.dumps(about | found) + "\n")


if __name__ == "__main__":
    main()
