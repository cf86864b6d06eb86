"""Tables in, predictions out: `TabularClassifier` and `TabularRegressor`, after scikit-learn's conventions."""

from __future__ import annotations

import inspect
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from multilayer._checks.arguments import listed
from multilayer._checks.scalars import real_number, shown, whole_number
from multilayer._containers.errors import refusing
from multilayer._language import tr
from multilayer._tables import Column, Table
from multilayer._tracebacks import filter_traceback
from multilayer.functional import Array
from multilayer.models.base import Model
from multilayer.tabular import files
from multilayer.tabular.arguments import (
    NotTrainedError,
    TableWarning,
    checked_weights,
    class_factors,
    groups_of,
    scaled_to_one,
    seed_of,
    with_class_weights,
)
from multilayer.tabular.distinct import distinct
from multilayer.tabular.partial import partial_fit
from multilayer.tabular.preprocessing import Preprocessing
from multilayer.tabular.recipes import FOLDS, RECIPES, Task, Trained, trained
from multilayer.tabular.targets import Classes, Scale, as_labels, as_values

_T = TypeVar("_T", bound="TabularEstimator")
_Classifier = TypeVar("_Classifier", bound="TabularClassifier")
_Regressor = TypeVar("_Regressor", bound="TabularRegressor")
_BATCH = 1024  # rows that are predicted at once: what lies between the layers stays in the cache


class TabularEstimator:
    """What the classifier and the regressor share."""

    kind: ClassVar[str]

    recipe: str
    members: int | None
    budget: float | None
    tune: int
    n_jobs: int | None
    random_state: Any
    verbose: int

    columns_: list[Column]
    messages_: list[str]
    model_: Model
    n_features_in_: int
    feature_names_in_: Array
    preprocessing_: Preprocessing

    # --- scikit-learn's conventions ---

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - as scikit-learn has it
        """The arguments of the constructor by name."""
        names = [name for name in inspect.signature(type(self).__init__).parameters if name != "self"]
        return {name: getattr(self, name) for name in names}

    def set_params(self: _T, **params: Any) -> _T:
        """Sets arguments of the constructor.

        Raises:
            ValueError: There is no such argument.
        """
        known = self.get_params()
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    tr(
                        "Invalid parameter {name!r} for estimator {estimator}. Valid parameters are: {known}.",
                        name=name,
                        estimator=self,
                        known=sorted(known),
                    )
                )
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        given = [f"{k}={v!r}" for k, v in TabularEstimator.get_params(self).items() if v is not defaults[k].default]
        return f"{type(self).__name__}({', '.join(given)})"

    # --- Training ---

    def fit(
        self: _T,
        X: Any,
        y: Any = None,
        sample_weight: Any = None,
        *,
        validation_data: Sequence[Any] | None = None,
        groups: Any = None,
    ) -> _T:
        """Trains on a table. Everything is checked before the first step.

        Args:
            X: A `Table`, a frame of pandas, polars or pyarrow, a dict of columns, a list of dicts, a matrix, dense or
                sparse.
            y: The target, a value for each row; or the name of its column in X.
            sample_weight: Weights (n,) of the rows, at least 0. Where all are whole numbers, they are how often each
                row was seen, and the same as rows that stand there so often.
            validation_data: `(X, y)` by which to judge training; without it, members judge what they did not see.
            groups: Which rows belong together, (n,), such as those of one patient: none of a group is judged by members
                that have seen others of it.

        Returns:
            Itself.

        Raises:
            ValueError: A column, the target, a weight or an argument cannot be used; the message says which and why.
        """
        before = dict(self.__dict__)
        try:
            return self._fit(X, y, sample_weight, validation_data, groups)
        except BaseException:  # what it was, it stays, also where it is interrupted
            self.__dict__.clear()
            self.__dict__.update(before)
            raise

    def _fit(self: _T, X: Any, y: Any, sample_weight: Any, validation_data: Sequence[Any] | None, groups: Any) -> _T:
        began = time.monotonic()
        table, y = self._with_target(X, y)
        rows = len(table)
        self._check_arguments(rows)
        target = self._as_target(y, rows)
        weight = None if sample_weight is None else checked_weights(sample_weight, rows)
        together = None if groups is None else groups_of(groups, rows)
        held_out: tuple[Table, Array] | None = None
        if validation_data is not None:
            held_out = self._validation(validation_data)
        once = distinct(table, [target, *([] if together is None else [together])], weight, FOLDS)
        table, target = table.rows(once.rows), target[once.rows]
        weight = None if np.ptp(once.weight) == 0 else scaled_to_one(once.weight)
        preprocessing, columns = Preprocessing.learned(table)
        messages = [*table.notes, *(one.warning for one in columns if one.warning)]
        encoded = preprocessing(table)
        task = self._task(encoded.numbers, encoded.codes, preprocessing.cardinalities, target, weight).of_units(
            once.unit
        )
        if task.classes is not None:
            counts = np.bincount(task.targets, weights=once.times, minlength=task.classes)
            messages += self._about(counts.astype(np.intp))
        if held_out is not None:
            further = preprocessing(held_out[0])
            messages += further.notes
            judged = self._encoded_target(held_out[1])
            task = task.judged_by(further.numbers, further.codes, judged, self._validation_weight(judged))
        if together is not None:
            task = task.in_groups(np.unique(together[once.rows], return_inverse=True)[1])
        for message in messages:
            warnings.warn(message, TableWarning, stacklevel=2)
        if (once.times > 1).any():
            alike = tr("{count:,} of {rows:,} rows", count=np.maximum(once.times - 1, 0).sum(), rows=once.times.sum())
            messages.append(
                tr("{alike} are like an earlier one in every column and the target: each counts as often.", alike=alike)
            )
        budget = None if self.budget is None else max(self.budget - (time.monotonic() - began), 0.1)
        found = trained(
            self.recipe,
            task,
            seed=seed_of(self.random_state),
            members=self.members,
            budget=budget,
            tries=self.tune,
            n_jobs=self.n_jobs,
            report=self._report if self.verbose else None,
        )
        self.preprocessing_, self.columns_, self.messages_ = preprocessing, columns, messages
        self._note_names()
        self.__dict__.pop("_learning", None)  # of rows that came in parts
        self._take(found)
        return self

    def _partial_fit(self: _T, X: Any, y: Any, sample_weight: Any, classes: Any) -> _T:
        partial_fit(self, X, y, sample_weight, classes, seed_of(self.random_state))
        return self

    def _take(self, found: Trained) -> None:
        self.model_, self.losses_, self.loss_ = found.model, found.losses, found.loss
        self.n_iter_, self.options_ = len(found.losses), found.options

    def _with_target(self, X: Any, y: Any) -> tuple[Table, Any]:
        table = Table.of(X)
        if isinstance(y, str):
            # Of a file, truth values have the words that they were written in.
            column = (table.as_types({y: "text"}) if y in table.words else table)[y]
            return table.without(y), _whole_again(column)
        return table, y

    def _check_arguments(self, rows: int) -> None:
        """Raises ValueError where an argument of the constructor does not fit."""
        if self.recipe not in RECIPES:
            raise ValueError(
                tr(
                    "Unknown recipe: {recipe}. Expected one of: {known}.",
                    recipe=shown(self.recipe),
                    known=", ".join(map(repr, RECIPES)),
                )
            )
        if self.members is not None:
            whole_number("members", self.members, 1)
        if self.budget is not None:
            real_number("budget", self.budget, above=0)
        whole_number("tune", self.tune, 0)
        if rows < 2:
            raise ValueError(
                tr("The table has {rows} row: n_samples = {rows}, 1 sample or none. Expected at least two.", rows=rows)
            )

    def _validation(self, given: Sequence[Any]) -> tuple[Table, Array]:
        if not isinstance(given, (list, tuple)) or len(given) != 2:
            raise ValueError(
                tr("`validation_data` must be (X, y). Received: validation_data={given}", given=shown(given))
            )
        table, y = self._with_target(*given)
        if not len(table):
            raise ValueError(tr("`validation_data` has no rows. Expected some to judge training by, or None."))
        return table, self._as_target(y, len(table))

    def _as_target(self, y: Any, rows: int) -> Array:
        """What is to be predicted, as the user has it."""
        raise NotImplementedError

    def _task(self, numbers: Array, codes: Array, cardinalities: list[int], y: Array, weight: Array | None) -> Task:
        raise NotImplementedError

    def _learn_targets(self, y: Array, classes: Any = None, weight: Array | None = None) -> None:
        """Takes note of what targets are like: of all their classes, or of their scale."""
        raise NotImplementedError

    def _validation_weight(self, y: Array) -> Array | None:  # noqa: ARG002
        """What rows to judge by weigh."""
        return None

    def _encoded_target(self, y: Array, what: str = "`validation_data`") -> Array:
        raise NotImplementedError

    def _weighted(self, labels: Array, weight: Array) -> Array:  # noqa: ARG002
        """What rows weigh that are a part of all."""
        return weight

    def _about(self, counts: Array) -> list[str]:  # noqa: ARG002
        """What is to be said of how frequent each class is."""
        return []

    def _report(self, epoch: int, loss: float) -> None:
        print(tr("epoch {epoch}: loss of what members did not see {loss:.4f}", epoch=epoch + 1, loss=loss))

    # --- Predicting ---

    def _require_trained(self) -> None:
        if "model_" not in self.__dict__:
            raise NotTrainedError(tr("This {kind} is not trained yet. Call `fit` first.", kind=type(self).__name__))

    def _said(self, X: Any) -> Array:
        """What the network says of rows, (n, outputs)."""
        self._require_trained()
        encoded = self.preprocessing_(Table.of(X))
        for note in encoded.notes:
            warnings.warn(note, TableWarning, stacklevel=3)
        inputs = {"numbers": encoded.numbers, "codes": encoded.codes}
        given = {name: x for name, x in inputs.items() if name in self.model_.input_names}
        said: Array = self.model_.predict(given, batch_size=_BATCH, verbose=0)
        return said

    # --- Files ---

    def save(self, filepath: str | os.PathLike[str]) -> None:
        """Writes all of it to one '.npz' file: preprocessing, columns, classes and the network. `load` reads it.

        Nothing in the file is code, and `multilayer.models.load_model` reads the network in it.

        Raises:
            ValueError: It is not trained, or the name does not end in '.npz'.
            OSError: The folder is missing or not writable, or the disk is full; what was there is as it was.
        """
        self._require_trained()
        files.write(filepath, self.model_, self.state())

    def export(self, filepath: str | os.PathLike[str]) -> None:
        """Writes an ONNX file: an input (n, 1) for each column, then preprocessing, network, and the target's units.

        Numbers are doubles, NaN where they are missing; categories are texts, '' where they are missing, and 'true' or
        'false' where they are truth values. The output is 'probabilities', whose classes the file's metadata name, or
        'values'.

        Raises:
            ImportError: The onnx library is not there.
            ValueError: It is not trained, the file's name does not end in `.onnx`, or a column holds dates, whose
                parts ONNX has no operators for.
            OSError: The folder is missing or not writable.
        """
        from multilayer.tabular.exporting import export

        self._require_trained()
        if not os.fspath(filepath).endswith(".onnx"):
            raise ValueError(
                tr(
                    "A table's network is written as ONNX, and the file's name ends in '.onnx'. Received: "
                    "{filepath!r}. C, Python and pages have no form for what is done with the columns.",
                    filepath=filepath,
                )
            )
        export(filepath, self.model_, self.preprocessing_, self._output_scale(), self._facts())

    def _output_scale(self) -> tuple[Array, Array] | None:
        return None

    def _facts(self) -> dict[str, Any]:
        return {"columns": [one.name for one in self.preprocessing_.encodings]}

    def state(self) -> dict[str, Any]:
        """What a file holds besides the network, as plain data."""
        return {
            "kind": self.kind,
            "preprocessing": self.preprocessing_.config(),
            "columns": [list(column) for column in self.columns_],
            "messages": self.messages_,
            "params": {k: v for k, v in TabularEstimator.get_params(self).items() if _is_plain(v)},
        }

    def set_state(self, state: Mapping[str, Any], model: Model) -> None:
        """Takes over what a file holds."""
        self.preprocessing_ = Preprocessing.from_config(state["preprocessing"])
        self.columns_ = [Column(*column) for column in state["columns"]]
        self.messages_ = list(state["messages"])
        self._note_names()
        shapes = {name: tensor.shape[1] for name, tensor in zip(model.input_names, model.inputs, strict=True)}
        if shapes != {name: width for name, width in self.preprocessing_.widths.items() if width}:
            raise ValueError(
                tr(
                    "its network takes {shapes}, and its columns are {widths}",
                    shapes=shapes,
                    widths=self.preprocessing_.widths,
                )
            )
        self.model_ = model

    def _require_outputs(self, count: int) -> None:
        """Raises ValueError where the network of a file says another number of things of a row."""
        outputs = self.model_.output_shape[-1]
        if outputs != count:
            raise ValueError(
                tr("its network has {outputs} outputs, and {count} are described", outputs=outputs, count=count)
            )

    def _note_names(self) -> None:
        names = self.preprocessing_.names
        self.n_features_in_ = len(names)
        self.__dict__.pop("feature_names_in_", None)  # of an earlier table
        if self.preprocessing_.named:
            self.feature_names_in_ = np.array(names, dtype=object)


class TabularClassifier(TabularEstimator):
    """Classes from the columns of a table, with an ensemble of networks whose defaults were chosen by measurement.

    Args:
        recipe: 'default', an ensemble of small networks; 'realmlp-td-s' or 'realmlp-td'.
        members: About how many networks; None for the recipe's number. The default has two kinds, of each half, at
            least two.
        class_weight: A dict from classes to weights, or 'balanced', n / (classes x count).
        budget: Seconds that training may take, about; None for as long as it needs.
        tune: How many other settings of the recipe to try; the best by what members did not see is kept.
        n_jobs: How many of these to try at the same time.
        random_state: A seed, for the same result again; None for another one each time.
        verbose: 1 to print every epoch's loss.

    Attributes:
        classes_: The classes, in the order of `predict_proba`'s columns.
        columns_: What each column was taken for, and why.
        messages_: What was noticed, in sentences.
        model_: The network.
        n_features_in_: The number of columns.

    Example:
        >>> X = {"age": [22, 35, 58, 44] * 10, "city": ["Seoul", "Busan", "Seoul", "Daegu"] * 10}
        >>> y = ["no", "no", "yes", "yes"] * 10
        >>> classifier = TabularClassifier(random_state=0).fit(X, y)
        >>> classifier.predict({"age": [20, 60], "city": ["Busan", "Seoul"]}).tolist()
        ['no', 'yes']
    """

    kind = "classifier"

    def __init__(
        self,
        recipe: str = "default",
        *,
        members: int | None = None,
        class_weight: Any = None,
        budget: float | None = None,
        tune: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.recipe = recipe
        self.members = members
        self.class_weight = class_weight
        self.budget = budget
        self.tune = tune
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(
        self: _Classifier, X: Any, y: Any = None, classes: Any = None, sample_weight: Any = None
    ) -> _Classifier:
        """Goes through some rows of a table once, and goes on where the last call ended.

        What the first rows say of columns, such as quartiles and categories, holds for all that follow: begin with some
        thousand rows that were drawn from the whole table. Rows should come in an order drawn by chance. Members do not
        see rows of their fold, however often these come by, and what they say of 5,000 of all rows so far calibrates
        the probabilities.

        Args:
            X: Rows, as `fit` takes them.
            y: The class of each row, or the name of its column in X.
            classes: All classes there are, at the first call at the latest.
            sample_weight: Weights (n,) of the rows, at least 0.

        Returns:
            Itself.

        Raises:
            ValueError: It is of a file, `classes` are missing, or rows cannot be used; the message says which.

        Example:
            >>> draw = np.random.default_rng(0)
            >>> classifier = TabularClassifier(random_state=0)
            >>> for _ in range(20):
            ...     x = draw.normal(size=(500, 2))
            ...     _ = classifier.partial_fit(x, x[:, 0] > x[:, 1], classes=[False, True])
            >>> classifier.predict([[1, 0], [0, 1]]).tolist()
            [True, False]
        """
        if classes is None and "model_" in self.__dict__:
            classes = self.classes_
        if classes is None:
            raise ValueError(
                tr(
                    "classes must be passed on the first call to partial_fit: these rows may lack some that "
                    "others have."
                )
            )
        return self._partial_fit(X, y, sample_weight, classes)

    @property
    def classes_(self) -> Array:
        """The classes, in the order of `predict_proba`'s columns."""
        return self._classes.values

    def _as_target(self, y: Any, rows: int) -> Array:
        return as_labels(y, rows)

    def _validation_weight(self, y: Array) -> Array | None:
        return with_class_weights(self.class_weight, self._classes.values, y, None)

    def _learn_targets(self, y: Array, classes: Any = None, weight: Array | None = None) -> None:  # noqa: ARG002
        self._classes = Classes.learned(y) if classes is None else Classes.named(classes)

    def _weighted(self, labels: Array, weight: Array) -> Array:
        if isinstance(self.class_weight, str):
            raise ValueError(
                tr(
                    "`class_weight='balanced'` needs to know how frequent each class is in all rows, and "
                    "`partial_fit` sees some. Give the weights as a dict, n / (classes x count)."
                )
            )
        weighted: Array = weight * class_factors(self.class_weight, self._classes.values, labels, weight)[labels]
        return weighted

    def _task(self, numbers: Array, codes: Array, cardinalities: list[int], y: Array, weight: Array | None) -> Task:
        self._learn_targets(y)
        labels = self._classes.numbers(y)
        weight = with_class_weights(self.class_weight, self._classes.values, labels, weight)
        return Task(numbers, codes, cardinalities, labels, len(self._classes.values), weight=weight)

    def _encoded_target(self, y: Array, what: str = "`validation_data`") -> Array:
        strange = set(np.unique(y).tolist()) - set(self.classes_.tolist())
        if strange:
            raise ValueError(
                tr(
                    "{what} has classes that training {verb} not have: {strange}.",
                    what=what,
                    verb=tr("rows do") if what[0] == "`" else tr("does"),
                    strange=sorted(strange)[:10],
                )
            )
        return self._classes.numbers(y)

    def _about(self, counts: Array) -> list[str]:
        least = int(np.argmin(counts))
        name = self._classes.values.tolist()[least]
        if counts[least] < 5:
            return [
                tr(
                    "The class {name!r} has {count} of {rows:,} rows: too few to learn it from.",
                    name=name,
                    count=counts[least],
                    rows=counts.sum(),
                )
            ]
        if counts[least] < 0.05 * counts.sum():
            return [
                tr(
                    "The class {name!r} has {count:,} of {rows:,} rows. Look at AUC and log loss before "
                    "accuracy; `class_weight='balanced'` lets the classes count alike.",
                    name=name,
                    count=counts[least],
                    rows=counts.sum(),
                )
            ]
        return []

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (n, classes), float64, each row's sum 1.

        Raises:
            ValueError: It is not trained, or the columns do not fit; the message names them.
        """
        said = self._said(X).astype(np.float64)
        probabilities: Array = said / said.sum(axis=1, keepdims=True)
        return probabilities

    def predict_log_proba(self, X: Any) -> Array:
        """The logarithms of `predict_proba`."""
        logs: Array = np.log(np.maximum(self.predict_proba(X), np.finfo(np.float64).tiny))
        return logs

    def predict(self, X: Any) -> Array:
        """The most probable class of each row, (n,)."""
        numbers = self.predict_proba(X).argmax(axis=1)
        classes: Array = self.classes_[numbers]
        return classes

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """The accuracy: the share of rows whose class is predicted."""
        table, y = self._with_target(X, y)
        right = self.predict(table) == as_labels(y, len(table))
        return float(np.average(right, weights=sample_weight))

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "classes": self._classes.values.tolist()}

    def state(self) -> dict[str, Any]:
        return {**super().state(), "classes": self._classes.config()}

    def set_state(self, state: Mapping[str, Any], model: Model) -> None:
        super().set_state(state, model)
        self._classes = Classes.from_config(state["classes"])
        self._require_outputs(len(self._classes.values))


class TabularRegressor(TabularEstimator):
    """Numbers from the columns of a table, with an ensemble of networks whose defaults were chosen by measurement.

    Args:
        recipe: 'default', an ensemble of small networks; 'realmlp-td-s' or 'realmlp-td'.
        members: About how many networks; None for the recipe's number. The default has two kinds, of each half, at
            least two.
        quantiles: Between 0 and 1, such as (0.05, 0.95): `predict_quantiles` gives them, and `predict` the median.
        budget: Seconds that training may take, about; None for as long as it needs.
        tune: How many other settings of the recipe to try; the best by what members did not see is kept.
        n_jobs: How many of these to try at the same time.
        random_state: A seed, for the same result again; None for another one each time.
        verbose: 1 to print every epoch's loss.

    Attributes:
        columns_: What each column was taken for, and why.
        coverage_: With quantiles, the share of the rows that training was judged by that lie below each.
        messages_: What was noticed, in sentences.
        model_: The network; its outputs have mean 0 and standard deviation 1 where the targets have theirs.
        n_features_in_: The number of columns.

    Example:
        >>> X = {"size": np.arange(40.0), "floor": ["low", "high"] * 20}
        >>> price = 3 * X["size"] + 10
        >>> regressor = TabularRegressor(random_state=0).fit(X, price)
        >>> bool(regressor.score(X, price) > 0.95)
        True
    """

    kind = "regressor"

    def __init__(
        self,
        recipe: str = "default",
        *,
        members: int | None = None,
        quantiles: Sequence[float] | None = None,
        budget: float | None = None,
        tune: int = 0,
        n_jobs: int | None = None,
        random_state: Any = None,
        verbose: int = 0,
    ) -> None:
        self.recipe = recipe
        self.members = members
        self.quantiles = quantiles
        self.budget = budget
        self.tune = tune
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    def partial_fit(self: _Regressor, X: Any, y: Any = None, sample_weight: Any = None) -> _Regressor:
        """Goes through some rows of a table once, and goes on where the last call ended.

        What the first rows say of columns and of the target's scale holds for all that follow; see
        `TabularClassifier.partial_fit`.

        Args:
            X: Rows, as `fit` takes them.
            y: The value of each row, or the name of its column in X.
            sample_weight: Weights (n,) of the rows, at least 0.

        Returns:
            Itself.

        Raises:
            ValueError: It is of a file, or rows cannot be used; the message says which.
        """
        return self._partial_fit(X, y, sample_weight, None)

    def _check_arguments(self, rows: int) -> None:
        super()._check_arguments(rows)
        for one in self._quantiles():
            real_number("quantiles", one, above=0, below=1)
        if self._quantiles() and self.recipe != "default":
            raise ValueError(
                tr("`quantiles` are for the recipe 'default'. Received: recipe={recipe!r}.", recipe=self.recipe)
            )

    def _quantiles(self) -> tuple[float, ...]:
        return () if self.quantiles is None else tuple(sorted({*map(float, listed("quantiles", self.quantiles)), 0.5}))

    def _as_target(self, y: Any, rows: int) -> Array:
        return as_values(y, rows)

    def _learn_targets(self, y: Array, classes: Any = None, weight: Array | None = None) -> None:  # noqa: ARG002
        self._one_target = y.ndim == 1
        if not self._one_target and self._quantiles():
            raise ValueError(tr("`quantiles` are of a single target. Received y of shape {shape}.", shape=y.shape))
        self._scale = Scale.learned(y.reshape(len(y), -1).astype(np.float64), weight)

    def _task(self, numbers: Array, codes: Array, cardinalities: list[int], y: Array, weight: Array | None) -> Task:
        self._learn_targets(y, weight=weight)
        standardized = self._encoded_target(y)
        return Task(numbers, codes, cardinalities, standardized, None, weight=weight, quantiles=self._quantiles())

    def _encoded_target(self, y: Array, what: str = "`validation_data`") -> Array:
        values = y.reshape(len(y), -1).astype(np.float64)
        if values.shape[1] != len(self._scale.mean):
            raise ValueError(
                tr(
                    "{what} has {shape} targets. Expected {count}, as in training.",
                    what=what,
                    shape=values.shape[1],
                    count=len(self._scale.mean),
                )
            )
        return self._scale.standardized(values)

    def _take(self, found: Trained) -> None:
        super()._take(found)
        self._fitted_quantiles = self._quantiles()
        self._asked = () if self.quantiles is None else tuple(float(one) for one in self.quantiles)
        self._shift = np.zeros(len(self._fitted_quantiles))
        self.__dict__.pop("coverage_", None)  # of an earlier fit
        if self._fitted_quantiles:
            above = found.judged_targets - found.out_of_fold  # (n, quantiles)
            weights = found.judged_weights
            self._shift = self._shifts(above, weights)
            # An honest share: every second row by the shift that the others ask for, and the others by theirs.
            halves = (slice(0, None, 2), slice(1, None, 2))
            below = np.zeros_like(above, bool)
            for own, other in (halves, halves[::-1]):
                below[own] = above[own] <= self._shifts(above[other], weights[other])
            shares = np.average(below, axis=0, weights=weights)
            self.coverage_ = {q: float(share) for q, share in zip(self._fitted_quantiles, shares, strict=True)}

    def predict(self, X: Any) -> Array:
        """The value of each row, (n,), or (n, targets) of several; with quantiles, the median.

        Raises:
            ValueError: It is not trained, or the columns do not fit; the message names them.
        """
        self._require_trained()
        if self._fitted_quantiles:
            return self._all_quantiles(X)[:, self._fitted_quantiles.index(0.5)]
        said = self._said(X)
        values = self._scale.values(said)
        return values[:, 0] if self._one_target else values

    def _shifts(self, above: Array, weights: Array) -> Array:
        """What has to be added to each quantile for the share of the rows below it to be what it says."""
        quantiles = enumerate(self._fitted_quantiles)
        return np.array([np.quantile(above[:, i], q, weights=weights, method="inverted_cdf") for i, q in quantiles])

    def predict_quantiles(self, X: Any) -> Array:
        """The quantiles that were asked for, (n, quantiles), in the order in which they were given.

        Raises:
            ValueError: There are none, it is not trained, or the columns do not fit.
        """
        self._require_trained()
        if not self._asked:
            raise ValueError(
                tr(
                    "There are no quantiles to predict. Pass them when it is made: "
                    "`TabularRegressor(quantiles=(0.05, 0.95))`."
                )
            )
        found = self._all_quantiles(X)
        return found[:, [self._fitted_quantiles.index(q) for q in self._asked]]

    def _all_quantiles(self, X: Any) -> Array:
        # Each output is a member's own guess; sorted, none is above one of a higher share.
        said = self._said(X)
        return np.sort(self._scale.values(said + self._shift), axis=1)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R squared: 1 - sum of (y - y_hat)^2 / sum of (y - mean)^2, the mean of it where there are several targets."""
        table, y = self._with_target(X, y)
        true = as_values(y, len(table)).reshape(len(table), -1).astype(np.float64)
        said = self.predict(table).reshape(true.shape)
        weight = np.ones(len(true)) if sample_weight is None else np.asarray(sample_weight, np.float64)
        mean = np.average(true, axis=0, weights=weight)
        residual, total = weight @ np.square(true - said), weight @ np.square(true - mean)
        perfect = np.where(residual == 0, 1.0, 0.0)
        return float(np.mean(np.where(total == 0, perfect, 1 - residual / np.where(total == 0, 1, total))))

    def _output_scale(self) -> tuple[Array, Array]:
        shift = self._shift if self._fitted_quantiles else 0.0
        return self._scale.deviation, self._scale.mean + shift * self._scale.deviation

    def _facts(self) -> dict[str, Any]:
        return {**super()._facts(), "quantiles": list(self._fitted_quantiles)}

    def state(self) -> dict[str, Any]:
        own = {"scale": self._scale.config(), "one_target": self._one_target, "shift": self._shift.tolist()}
        own |= {"quantiles": list(self._fitted_quantiles), "asked": list(self._asked)}
        return {**super().state(), **own, "coverage": list(getattr(self, "coverage_", {}).items())}

    def set_state(self, state: Mapping[str, Any], model: Model) -> None:
        super().set_state(state, model)
        self._scale = Scale(**state["scale"])
        self._one_target, self._shift = bool(state["one_target"]), np.asarray(state["shift"], np.float64)
        self._fitted_quantiles = tuple(float(one) for one in state["quantiles"])
        self._asked = tuple(float(one) for one in state["asked"])
        self._require_outputs(len(self._fitted_quantiles) or len(self._scale.mean))
        if state["coverage"]:
            self.coverage_ = {float(q): float(share) for q, share in state["coverage"]}


_KINDS: dict[Any, type[TabularEstimator]] = {one.kind: one for one in (TabularClassifier, TabularRegressor)}


@filter_traceback
def load(filepath: str | os.PathLike[str]) -> Any:
    """The `TabularClassifier` or `TabularRegressor` in a file that its `save` wrote.

    Neither scikit-learn nor pandas has to be there. Nothing in the file is run, and no class is found by its word but
    those of this library.

    Args:
        filepath: The file.

    Raises:
        FileNotFoundError: There is no such file.
        ModelFileError: It is damaged, or holds no classifier or regressor.

    Example:
        >>> import pathlib, tempfile
        >>> X, y = {"age": [22, 35, 58, 44] * 5}, [0, 0, 1, 1] * 5
        >>> classifier = TabularClassifier(random_state=0, budget=1).fit(X, y)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder) / "age.npz"
        ...     classifier.save(path)
        ...     again = load(path)
        >>> bool((again.predict_proba(X) == classifier.predict_proba(X)).all())
        True
    """
    model, state = files.read(filepath)
    with refusing(filepath):
        try:
            params = {key: tuple(one) if isinstance(one, list) else one for key, one in state["params"].items()}
            estimator = _KINDS[state["kind"]](**params)
            estimator.set_state(state, model)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ValueError(tr("what it says of its table is damaged: {error!r}.", error=error)) from error
    return estimator


def _whole_again(column: Array) -> Array:
    """A column of a table, whole numbers as such: a table has them as floats, and classes are named by them."""
    whole = column.dtype.kind == "f" and np.isfinite(column).all() and (column % 1 == 0).all()
    return column.astype(np.int64) if whole and np.abs(column).max(initial=0) < 2**53 else column


def _is_plain(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str))
