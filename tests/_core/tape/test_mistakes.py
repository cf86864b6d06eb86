"""What cannot be differentiated is refused, with a word on what to do instead."""

import math

import numpy as np
import pytest

from multilayer import GradientTape, Variable, autodiff
from multilayer._core.tape import Tensor
from multilayer._core.tape.eager import EagerArray

X = np.array([[1.0, 2.0], [3.0, 4.0]])


def into_an_array(x):
    a = np.zeros((2, 2))
    a[0] = x[0]


def onto_an_array(x):
    a = np.zeros((2, 2))
    np.add(a, x, out=a)
    return a


def into_the_tensor(x):
    x[0] = 1.0


TURNED = "cannot be turned into"
NO_RULE = r"of a tensor that is being recorded has no derivative here.*`ops.stop_gradient\(tensor\)`"
CONSTANT = "does not depend on what it is to be differentiated by.*`argmax`"

# What is done, the error, and what its message says.
MISTAKES = {
    "argmax": (np.argmax, ValueError, CONSTANT),
    "a comparison": (lambda x: np.sum(x > 2), ValueError, CONSTANT),
    "numpy()": (lambda x: np.sum(x.numpy()), ValueError, CONSTANT),
    "whole numbers": (lambda x: np.sum(x.astype(int)), ValueError, CONSTANT),
    "nothing returned": (lambda x: None, ValueError, "returned None: is there a `return`"),
    "several numbers": (lambda x: x * 2, ValueError, r"gave a tensor of shape \(2, 2\). Take its sum or mean"),
    "written into a tensor": (into_the_tensor, TypeError, "cannot be written into.*`np.where.*In .*test_mistakes"),
    "written into an array": (into_an_array, TypeError, TURNED),
    "added onto an array": (
        onto_an_array,
        TypeError,
        r"`add` was asked to write its result into an array.*x = x \+ y.*In .*test_mistakes",
    ),
    "out=": (lambda x: np.exp(x, out=np.zeros((2, 2))), TypeError, "`exp` was asked to write its result"),
    "out= of a sum": (lambda x: np.sum(x, out=np.zeros(())), TypeError, "`sum` was asked to write its result"),
    "out= of a running sum": (lambda x: np.cumsum(x, 0, None, X), TypeError, "takes from 1 to 3 positional arguments"),
    "where= of a sum": (lambda x: np.sum(x, where=[True, False]), TypeError, "got where.*take `np.where"),
    "where= of a variance": (lambda x: np.var(x, where=[True, False]), TypeError, "got where.*take `np.where"),
    "where= of a ufunc": (lambda x: np.exp(x, where=[True, False]), TypeError, r"takes no \['where'\]: use `np.where`"),
    "np.asarray": (np.asarray, TypeError, f"{TURNED} an array.*`ops.stop_gradient.*line"),
    "np.array of tensors": (lambda x: np.array([x[0], x[1]]), TypeError, TURNED),
    "float": (lambda x: float(x[0, 0]), TypeError, f"{TURNED} a number of Python's"),
    "int": (lambda x: int(x[0, 0]), TypeError, f"{TURNED} a number of Python's"),
    "item": (lambda x: x[0, 0].item(), TypeError, f"{TURNED} a number of Python's"),
    "math.exp": (lambda x: math.exp(x[0, 0]), TypeError, f"{TURNED} a number of Python's"),
    "range": (lambda x: range(x[0, 0]), TypeError, f"{TURNED} an index"),
    "tolist": (lambda x: x.tolist(), TypeError, f"{TURNED} lists of numbers"),
    "truth of several": (lambda x: 1.0 if x > 0 else 0.0, ValueError, "truth value of an array"),
    "iteration over a number": (lambda x: list(x[0, 0]), TypeError, "cannot be iterated over"),
    "shapes": (
        lambda x: x * np.ones(3),
        ValueError,
        r"`multiply` of operands of shapes \(2, 2\), \(3,\): they cannot be broadcast together. \(In .*test_mistakes",
    ),
    "matmul": (
        lambda x: x @ np.ones(3),
        ValueError,
        r"`matmul` of operands of shapes \(2, 2\), \(3,\): their inner axes differ.*, 2 and 3. \(In .*test_mistakes",
    ),
    "reshape": (lambda x: np.reshape(x, (3,)), ValueError, r"`reshape` of operands of shapes \(2, 2\).*line"),
    "concatenate": (lambda x: np.concatenate([x, np.ones((1, 3))]), ValueError, r"`concatenate` of operands of shapes"),
    "index": (lambda x: x[5], IndexError, r"`indexing` of operands of shapes \(2, 2\): index 5 is out of bounds.*line"),
    "no rule": (np.unwrap, TypeError, f"`numpy.unwrap` {NO_RULE}"),
    "no rule, of a ufunc": (lambda x: np.add.at(np.zeros(2), [0], x[0]), TypeError, f"`numpy.add.at` {NO_RULE}"),
    "no rule, in place": (lambda x: np.copyto(np.zeros((2, 2)), x), TypeError, f"`numpy.copyto` {NO_RULE}"),
    "no rule, of somebody else's": (np.frompyfunc(math.erf, 1, 1), TypeError, f"`erf \\(vectorized\\)` {NO_RULE}"),
    "no such argument": (lambda x: np.cov(x, aweights=[1, 2]), TypeError, "`numpy.cov` of a tensor got an unexpected"),
    "singular values' vectors": (lambda x: np.linalg.svd(x[:1]), TypeError, "full_matrices=False"),
    "q and r of a wide matrix": (lambda x: np.linalg.qr(x[:1]), TypeError, "as many rows as columns, or more"),
    "a tensor as an option": (
        lambda x: np.pad(x, 1, constant_values=x[0, 0]),
        TypeError,
        "no tensor as `constant_values`",
    ),
    "a quantile's share": (lambda x: np.quantile(X, x[0, 0] / 4), TypeError, "no derivative by a quantile's `q`"),
    "complex numbers": (lambda x: np.sum(x * 1j), TypeError, "real numbers alone"),
    "a matrix": (lambda x: np.sum(x * X.view(np.matrix)), TypeError, "got matrix, which reckons by rules of its own"),
    "a masked array": (lambda x: np.sum(x * np.ma.masked_less(X, 2)), TypeError, "got MaskedArray.*np.where"),
    "padding by the mean": (lambda x: np.sum(np.pad(x, 1, "mean")), TypeError, "'wrap', and no odd reflection; got 'm"),
    "odd reflection": (lambda x: np.pad(x, 1, "reflect", reflect_type="odd"), TypeError, "no odd reflection"),
    "the inverse of a matrix of rank 1": (
        lambda x: np.sum(np.linalg.pinv(np.outer(x[0], x[1]))),
        np.linalg.LinAlgError,
        "of full rank.*has no derivative",
    ),
    "order of a memory in no order": (
        lambda x: np.sum(np.ravel(x[:, ::-1], order="K")),
        TypeError,
        "lies in neither order",
    ),
    "einsum without letters": (lambda x: np.einsum(x, [0, 1], [1]), TypeError, "form with letters"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_has_no_derivative_is_refused(name):
    mistake, error, message = MISTAKES[name]
    with pytest.raises(error, match=f"(?s){message}"):
        autodiff.gradient(mistake)(X)
    assert np.sum(autodiff.gradient(np.sum)(X)) == 4  # nothing is left of it


def test_the_line_is_that_of_the_users_code():
    def loss(x):
        return np.sum(x * np.ones(3))  # the line

    with pytest.raises(ValueError, match=f"line {loss.__code__.co_firstlineno + 1}"):
        autodiff.gradient(loss)(X)


def recorded(**options):
    w = Variable(np.array([1.0, 2.0]), name="w")
    with GradientTape(**options) as tape:
        y = np.sum(w * w)
    return tape, y, w


def test_a_tape_is_asked_once():
    tape, y, w = recorded()
    tape.gradient(y, w)
    with pytest.raises(RuntimeError, match="one set of gradients.*persistent=True"):
        tape.gradient(y, w)
    with pytest.raises(RuntimeError, match="one set of gradients"):
        tape.jacobian(y, w)


def test_a_tape_is_entered_once_at_a_time():
    with GradientTape() as tape, pytest.raises(ValueError, match="still recording"), tape:
        pass


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (lambda tape, y, w: tape.gradient(y, np.ones(2)), TypeError, "`x = tape.watch"),
        (lambda tape, y, w: tape.gradient(y, "w"), TypeError, "an object of type str"),
        (lambda tape, y, w: tape.gradient(y, w, np.ones(3)), ValueError, r"shape \(\) has shape \(3,\)"),
        (lambda tape, y, w: tape.gradient([y, y], w, [1.0]), ValueError, "2 targets and 1 `output_gradients`"),
        (lambda tape, y, w: tape.gradient(y, w, unconnected_gradients="no"), ValueError, "'none' or 'zero'"),
        (lambda tape, y, w: tape.gradient(None, w), TypeError, "target is None"),
        (lambda tape, y, w: tape.jacobian(5.0, w), ValueError, "wants one tensor"),
        (lambda tape, y, w: tape.batch_jacobian(y, w), ValueError, "as many rows"),
        (lambda tape, y, w: tape.watch(w), ValueError, "into the block of the tape"),
    ],
)
def test_questions_that_a_tape_cannot_answer(ask, error, message):
    tape, y, w = recorded()
    with pytest.raises(error, match=message):
        ask(tape, y, w)


@pytest.mark.parametrize("write", [np.copyto, lambda to, x: np.put(to, [0, 1], x), lambda to, x: np.place(to, [1], x)])
def test_what_a_tape_cannot_see_is_not_written(write):
    _, _, w = recorded()
    for one in (w, Tensor(np.zeros(2))):
        with pytest.raises(TypeError, match="does not write into a tensor or a variable"):
            write(one, np.zeros(2))
    assert w.numpy().tolist() == [1.0, 2.0]


def test_a_variable_that_is_not_trained_is_not_watched():
    frozen = Variable(np.ones(2), trainable=False)
    with GradientTape() as tape, pytest.raises(ValueError, match="'variable', which is not trained"):
        tape.watch(frozen)


def test_whole_numbers_are_not_watched():
    with GradientTape() as tape, pytest.raises(ValueError, match="real numbers alone.*astype"):
        tape.watch(np.arange(3))


def test_a_gradient_by_what_watch_returned():
    x = np.array([3.0])
    with GradientTape() as tape:
        watched = tape.watch(x)
        y = np.sum(watched * watched)
        z = np.sum(x * x)  # of the array itself, of which nothing is known
    with pytest.raises(TypeError, match=r"`x = tape.watch\(x\)`"):
        tape.gradient(z, x)
    assert tape.gradient(y, watched) == 6.0


def test_a_tensor_after_its_tape_is_a_constant():
    _, y, w = recorded()
    with GradientTape() as later:
        z = y * np.sum(w)
    np.testing.assert_array_equal(later.gradient(z, w), [5.0, 5.0])  # y is 5
    assert type(y * 2) is EagerArray
    assert float(y) == 5.0


def test_writing_into_a_tensor_by_an_operator_makes_a_new_one():
    t = Tensor(X)
    before = t
    t += 1
    assert before.tolist() == X.tolist()
