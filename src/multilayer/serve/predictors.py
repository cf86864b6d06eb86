"""What is asked: networks of numbers, of digits, and of tables, behind one door.

A question becomes rows that the network takes, checked, whatever it came as; several become one prediction.
"""

from __future__ import annotations

import csv
import io
import math
import warnings
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np

from multilayer import _pictures as pictures
from multilayer._tables import Table
from multilayer._tables.chunks import joined
from multilayer._tables.dialects import find_encoding, find_separator
from multilayer._tables.forms import listed, plain
from multilayer._tables.reading import TextFile, codec
from multilayer.functional import Array
from multilayer.models import Model
from multilayer.serve.limits import Limits
from multilayer.serve.problems import ProblemError

_MOST_LISTED = 12  # names in a message
_BODY = Path("The body")  # what a body is called in messages about files
_SAMPLED_LINES = 50  # by which the separator is found out
_SMALLEST_PICTURE = 8  # pixels a side of what can show a digit


class Asked(NamedTuple):
    """A question.

    Attributes:
        rows: What the network takes: an array for each input, or a table.
        size: How many rows it has.
        form: What questions have in common that can be asked together.
        notes: What whoever asked should know, in sentences.
        pictures: Of a picture, what was done to each digit that was found in it.
    """

    rows: Any
    size: int
    form: Any = None
    notes: tuple[str, ...] = ()
    pictures: list[dict[str, Any]] | None = None


class Predictor(Protocol):
    """What a service asks of a network."""

    @property
    def takes_pictures(self) -> bool:
        """Whether it reads digits."""
        ...

    @property
    def labels(self) -> list[Any] | None:
        """The classes, in the order of the probabilities; None of what predicts numbers."""
        ...

    def of_json(self, rows: list[Any]) -> Asked:
        """The question that a list of rows is."""
        ...

    def of_csv(self, body: bytes) -> Asked:
        """The question that a text with values separated by commas is."""
        ...

    def of_picture(self, body: bytes) -> Asked:
        """The question that a picture is."""
        ...

    def predict(self, batch: Sequence[Asked]) -> list[dict[str, Any]]:
        """The answer to each of some questions, found together."""
        ...


def _check_count(count: int, limits: Limits) -> None:
    if not count:
        raise ProblemError(422, "There are no rows. Expected at least one.")
    if count > limits.rows:
        raise ProblemError(413, f"There are more than {limits.rows:,} rows. Send them in parts.")


def _answer(
    asked: Asked, predictions: list[Any], labels: list[Any] | None, probabilities: Array | None
) -> dict[str, Any]:
    answer: dict[str, Any] = {"predictions": predictions}
    if labels is not None and probabilities is not None:
        answer |= {"probabilities": probabilities.astype(np.float64).round(7).tolist(), "labels": labels}
    if asked.pictures is not None:
        answer["pictures"] = asked.pictures
    if asked.notes:
        answer["notes"] = list(asked.notes)
    return answer


def _finite(values: Array) -> list[Any]:
    """An array as lists, None in place of what is no finite number: JSON has no such."""
    whole = values.astype(np.float64)
    if np.isfinite(whole).all():
        return list(whole.tolist())
    found = whole.astype(object)
    found[~np.isfinite(whole)] = None
    return list(found.tolist())


class OfNumbers:
    """A model: rows of numbers come in, and go out as probabilities or numbers.

    Args:
        model_of: Gives the model, built; while one is trained, another with the same inputs and outputs may follow it.
        labels: Its classes' names; by default they are numbered.
        limits: How much one question may ask.
        as_digits: Whether pictures are prepared as MNIST's digits were, or resized alone.
    """

    def __init__(
        self, model_of: Callable[[], Model], labels: Sequence[Any] | None, limits: Limits, as_digits: bool = True
    ) -> None:
        self._model_of, self._limits, self._as_digits = model_of, limits, as_digits
        model = self.model
        self.names = model.input_names
        self.shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
        self._types = [np.dtype(one) for one in model.input_dtypes]
        self._outputs = model.output_names
        classes = _classes(model)
        if labels is not None and len(labels) != classes:
            raise ValueError(f"There are {len(labels)} labels, and the model gives {classes or 'no'} probabilities.")
        self.labels = list(labels) if labels is not None else list(range(classes)) if classes else None

    @property
    def model(self) -> Model:
        """The model."""
        return self._model_of()

    @property
    def side(self) -> int:
        """The side of the square pictures that it reads, or 0."""
        if len(self.shapes) > 1 or self.labels is None:
            return 0
        try:
            side = pictures.side_of(self.model)
        except ValueError:
            return 0
        return side if side >= _SMALLEST_PICTURE else 0

    @property
    def takes_pictures(self) -> bool:
        return self.side > 0

    def of_json(self, rows: list[Any]) -> Asked:
        _check_count(len(rows), self._limits)
        if len(self.names) == 1 and not isinstance(rows[0], dict):
            return self._asked([self._array(rows, 0)])
        for i, row in enumerate(rows):
            if not isinstance(row, dict) or set(row) != set(self.names):
                raise ProblemError(
                    422, f"Row {i} is not an object with a value for each input: {listed(self.names, 12)}."
                )
        return self._asked([self._array([row[name] for row in rows], i) for i, name in enumerate(self.names)])

    def _array(self, rows: list[Any], i: int) -> Array:
        """Rows as an input takes them."""
        shape, dtype = self.shapes[i], self._types[i]
        try:
            # With a text among them, NumPy would give each number the place that the longest text takes.
            found = np.array(rows) if _holds_numbers(rows) else np.array("no numbers")
        except (ValueError, OverflowError, RecursionError):  # rows of different lengths
            raise self._misfit(rows, shape) from None
        if found.dtype.kind not in "fiub":
            raise self._misfit(rows, shape)
        if found.shape[1:] != shape:
            flat = found.shape[1:] == (_size(shape),)
            fits = len(found.shape[1:]) == len(shape) and all(
                want in (None, has) for want, has in zip(shape, found.shape[1:], strict=True)
            )
            if not (flat or fits):
                raise self._misfit(rows, shape)
            found = found.reshape(-1, *shape) if flat else found
        with np.errstate(over="ignore"):
            given = found.astype(dtype)
        # What a float32 cannot hold, and halves where whole numbers are wanted, would be another question.
        wrong = ~np.isfinite(given) if dtype.kind == "f" else given != found
        if wrong.any():
            place = np.argwhere(wrong)[0].tolist()
            raise ProblemError(
                422, f"Row {place[0]} has {found[tuple(place)]!s}. Expected numbers that {dtype} can hold."
            )
        return given

    def _misfit(self, rows: list[Any], shape: tuple[int | None, ...]) -> ProblemError:
        """Which row it is that does not fit, and how."""
        expected = _sides(shape)
        for i, row in enumerate(rows):
            values = row if isinstance(row, list) else [row]
            strange = next((one for one in values if isinstance(one, (str, dict)) or one is None), None)
            if strange is not None or any(one is None for one in values):
                shown = "null" if strange is None else repr(strange)[:60]
                return ProblemError(422, f"Row {i} has {shown}. Expected {expected} numbers.")
            if _size(shape) and len(values) not in (shape[0] if shape else 1, _size(shape)):
                return ProblemError(422, f"Row {i} has {len(values)} values. Expected {expected} numbers.")
        return ProblemError(422, f"The rows are not all of {expected} numbers that fit.")

    def _asked(self, arrays: list[Array], **more: Any) -> Asked:
        return Asked(arrays, len(arrays[0]), tuple(one.shape[1:] for one in arrays), **more)

    def of_csv(self, body: bytes) -> Asked:
        if len(self.names) > 1:
            raise ProblemError(
                415, f"The network has {len(self.names)} inputs. Expected JSON, with an object for each row."
            )
        try:
            text = body.decode("utf-8-sig")
            separator = find_separator(text.splitlines()[:_SAMPLED_LINES])
            reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
            found = ((reader.line_num, line) for line in reader if line)
            lines = list(islice(found, self._limits.rows + 2))  # as text they take a thirtieth of what lists take
        except (UnicodeDecodeError, csv.Error) as error:
            raise ProblemError(400, f"The body is no CSV in UTF-8: {error}.") from None
        comma = "," if separator != "," else "."  # 1,5 is a number where commas separate nothing
        if (
            lines
            and all(map(str.strip, lines[0][1]))
            and not any(_number(one, comma) is not None for one in lines[0][1])
        ):
            del lines[0]  # names
        _check_count(len(lines), self._limits)
        return self.of_json([self._numbers(line, values, comma) for line, values in lines])

    def _numbers(self, line: int, values: list[str], comma: str) -> list[float]:
        found = []
        for text in values:
            number = _number(text, comma)
            if number is None:
                shown = repr(text[:60]) if text.strip() else "nothing"
                raise ProblemError(422, f"Line {line} has {shown}. Expected {_sides(self.shapes[0])} numbers.")
            found.append(number)
        return found

    def of_picture(self, body: bytes) -> Asked:
        if not self.takes_pictures:
            raise ProblemError(415, "The network reads no pictures. Expected JSON or CSV.")
        try:
            image = pictures.decode(body, "The picture", ("PNG", "JPEG"), self._limits.pixels)
        except pictures.TooLargeError as error:
            raise ProblemError(413, str(error)) from None
        except ValueError as error:
            raise ProblemError(400, str(error)) from None
        if self._as_digits:
            found = pictures.prepare(image, self.side, None)
        else:
            found = [pictures.Prepared(pictures.fit([image], self.side, invert=False)[0])]
        pixels = pictures.as_input(np.stack([one.pixels for one in found]), self.model)
        said = [{"prepared": list(one.done), "doubt": one.doubt or None, "box": one.box} for one in found]
        return self._asked([pixels.astype(self._types[0])], pictures=said)

    def predict(self, batch: Sequence[Asked]) -> list[dict[str, Any]]:
        arrays = [np.concatenate([one.rows[i] for one in batch]) for i in range(len(self.names))]
        given: Any = arrays[0] if len(arrays) == 1 else dict(zip(self.names, arrays, strict=True))
        said = self.model.predict(given, batch_size=1024, verbose=0)
        ends = np.cumsum([one.size for one in batch])
        return [self._answer(one, said, slice(end - one.size, end)) for one, end in zip(batch, ends, strict=True)]

    def _answer(self, asked: Asked, said: Any, rows: slice) -> dict[str, Any]:
        if self.labels is not None:
            own = said[rows]
            if own.shape[1] == 1:  # one probability, of the second class
                own = np.concatenate([1 - own, own], axis=1)
            return _answer(asked, [self.labels[i] for i in own.argmax(axis=1)], self.labels, own)
        if not isinstance(said, (list, tuple, dict)):
            own = said[rows]
            return _answer(asked, _finite(own[:, 0] if own.shape[1:] == (1,) else own), None, None)
        outputs = said.values() if isinstance(said, dict) else said
        columns = [_finite(one[rows]) for one in outputs]
        predictions = [dict(zip(self._outputs, values, strict=True)) for values in zip(*columns, strict=True)]
        return _answer(asked, predictions, None, None)


def _size(shape: tuple[int | None, ...]) -> int:
    """How many numbers an array of this shape has, 0 where a side may be of any length."""
    return math.prod(side or 0 for side in shape)


def _classes(model: Model) -> int:
    """How many classes a model gives the probabilities of, by its last activation; 0 where it predicts numbers."""
    if len(model.outputs) != 1 or len(model.outputs[0].shape) != 2 or not model.layers:
        return 0
    last, width = model.layers[-1], model.outputs[0].shape[1] or 0
    name = getattr(getattr(last, "activation", None), "name", None) or type(last).__name__.lower()
    if name == "softmax" and width > 1:
        return width
    return 2 if name == "sigmoid" and width == 1 else 0


def _sides(shape: tuple[int | None, ...]) -> str:
    """A shape in a sentence about numbers."""
    return " x ".join("n" if one is None else str(one) for one in shape) or "no"


def _holds_numbers(rows: list[Any]) -> bool:
    """Whether lists, or lists of lists, hold numbers and truth values alone."""
    types = set(map(type, rows))
    if list not in types:
        return types <= {int, float, bool}
    return types == {list} and all(map(_holds_numbers, rows))


def _number(text: str, comma: str = ".") -> float | None:
    """The number that a text is, None where it is none; Python alone takes 1_000 for one."""
    try:
        return None if "_" in text else float(text.replace(comma, "."))
    except ValueError:
        return None


class OfTable:
    """A classifier or a regressor of tables.

    Args:
        estimator: It, trained.
        limits: How much one question may ask.
    """

    takes_pictures = False

    def __init__(self, estimator: Any, limits: Limits) -> None:
        self.estimator, self._limits = estimator, limits
        self.forms = dict(estimator.preprocessing_.forms)
        classes = getattr(estimator, "classes_", None)
        self.labels = None if classes is None else [plain(one) for one in classes]

    def of_json(self, rows: list[Any]) -> Asked:
        _check_count(len(rows), self._limits)
        names = list(self.forms)
        columns: dict[str, list[Any]] = {name: [] for name in names}
        others: set[str] = set()
        for i, row in enumerate(rows):
            named = row if isinstance(row, dict) else self._named(row, i)
            lacking = [name for name in names if name not in named]
            if lacking:
                raise ProblemError(
                    422, f"Row {i} lacks {listed(lacking, _MOST_LISTED)}. null says that a value is missing."
                )
            others |= named.keys() - columns.keys()
            for name in names:
                value = named[name]
                if not isinstance(value, (str, int, float, bool, type(None))):
                    raise ProblemError(
                        422, f"Row {i} has a {type(value).__name__} as `{name}`. Expected text or a number."
                    )
                columns[name].append(value)
        return self._asked(lambda: Table.of(columns), others)

    def _named(self, row: Any, i: int) -> dict[str, Any]:
        if not isinstance(row, list) or len(row) != len(self.forms):
            got = f"{len(row)} values" if isinstance(row, list) else "no list and no object"
            raise ProblemError(
                422,
                f"Row {i} has {got}. Expected an object with {listed(list(self.forms), _MOST_LISTED)}, or a list of "
                "their values in this order.",
            )
        return dict(zip(self.forms, row, strict=True))

    def of_csv(self, body: bytes) -> Asked:
        try:
            encoding = find_encoding(body)
            with io.TextIOWrapper(io.BytesIO(body), codec(encoding), newline="") as file:
                text = TextFile(file, _BODY, None, encoding)
                rows, lines = text.rows(self._limits.rows + 1)
        except ValueError as error:
            raise ProblemError(400, str(error)) from None
        _check_count(len(rows), self._limits)
        lacking = [name for name in self.forms if name not in text.header]
        if lacking:
            raise ProblemError(422, f"The first line lacks {listed(lacking, _MOST_LISTED)}.")
        types = {name: self.forms.get(name, "text") for name in text.header}
        return self._asked(lambda: text.table(rows, lines, types), set(text.header) - self.forms.keys())

    def _asked(self, table_of: Any, others: set[str]) -> Asked:
        try:
            table = table_of().select(list(self.forms)).as_types(self.forms)
        except (ValueError, OverflowError, TypeError) as error:
            raise ProblemError(422, str(error)) from None
        table.notes, table.lines = [], None  # which would differ between questions
        notes = self._unseen(table)
        if others:
            notes.append(f"Columns that are not predicted from are ignored: {listed(sorted(others), _MOST_LISTED)}.")
        return Asked(table, len(table), notes=tuple(notes))

    def _unseen(self, table: Table) -> list[str]:
        return [
            f"`{encoding.name}` holds {listed([one[:60] for one in new], _MOST_LISTED)}, which training did not have."
            for encoding in self.estimator.preprocessing_.encodings
            if hasattr(encoding, "unseen") and (new := encoding.unseen(table[encoding.name]))
        ]

    def of_picture(self, body: bytes) -> Asked:  # noqa: ARG002
        raise ProblemError(415, "The network is for tables, and reads no pictures. Expected JSON or CSV.")

    def predict(self, batch: Sequence[Asked]) -> list[dict[str, Any]]:
        table = batch[0].rows if len(batch) == 1 else joined([one.rows for one in batch])
        ends = np.cumsum([one.size for one in batch])
        with warnings.catch_warnings():  # what was never seen is in each question's own notes
            warnings.simplefilter("ignore")
            said = self.estimator.predict(table) if self.labels is None else self.estimator.predict_proba(table)
        return [self._answer(one, said[end - one.size : end]) for one, end in zip(batch, ends, strict=True)]

    def _answer(self, asked: Asked, said: Array) -> dict[str, Any]:
        if self.labels is None:
            return _answer(asked, _finite(said), None, None)
        return _answer(asked, [self.labels[i] for i in said.argmax(axis=1)], self.labels, said)
