"""`import multilayer.as_keras`: each program in a process of its own, as what it changes is the whole process."""

import subprocess
import sys

PROGRAM = """
import tensorflow as tf
from keras.datasets import synthetic_digits
from tensorflow import keras
from tensorflow.keras.layers import Dense

import keras as again
import multilayer
from keras import layers

assert keras is again is tf.keras is multilayer
assert Dense is layers.Dense is multilayer.layers.Dense
assert multilayer.__spec__.name == "multilayer" and layers.__spec__.name == "multilayer.layers"
model = keras.Sequential([keras.Input((2,)), Dense(1)])
model.compile("sgd", "mse")
model.fit(tf.ones((4, 2)).numpy(), tf.zeros((4, 1)).numpy(), verbose=0)

w, x = tf.Variable(tf.ones((2, 1))), tf.constant([[1.0, 2.0]])
with tf.GradientTape() as tape:
    loss = tf.reduce_sum(tf.square(tf.matmul(x, w)), axis=[0, 1]) + tf.math.reduce_mean(tf.nn.relu(w))
print(tape.gradient(loss, w).ravel())
"""


def run(*arguments, code=""):
    return subprocess.run([sys.executable, *arguments], input=code, capture_output=True, text=True, timeout=120)


def test_a_program_for_keras_and_tensorflow_runs_as_it_is(tmp_path):
    path = tmp_path / "program.py"
    path.write_text(PROGRAM)
    result = run("-m", "multilayer.as_keras", str(path))
    assert result.stdout == "[ 6.5 12.5]\n", result.stderr
    assert result.stderr.startswith("multilayer")
    assert result.stderr.count("\n") == 1  # said once


def test_what_is_not_there_says_what_is():
    code = """
import multilayer.as_keras
import tensorflow as tf
for statement in [
    "tf.data.Dataset",
    "tf.math.zeta",
    "from keras.layers import LSTM",
    "import keras.applications.vgg16",
    "import tensorflow.data",
]:
    try:
        exec(statement)
    except (AttributeError, ImportError) as error:
        print(type(error).__name__, error)
"""
    lines = run(code=code).stdout.splitlines()
    assert lines[0].startswith("AttributeError `tf.data` is not among what `multilayer.as_keras` has of TensorFlow: ")
    assert " reduce_mean, " in lines[0]
    assert lines[1].startswith("AttributeError `tf.math.zeta` is not among")
    assert lines[2].startswith("ImportError multilayer.layers.LSTM is out of scope: ")
    assert lines[3].startswith("ModuleNotFoundError multilayer.applications is out of scope: ")
    assert lines[4].startswith("ModuleNotFoundError")
    assert "`tensorflow.data` is multilayer's here" in lines[4]


def test_it_can_be_removed():
    code = """
import sys
import multilayer.as_keras
import keras
multilayer.as_keras.remove()
print("keras" in sys.modules, keras.__name__, any("_as_keras" in type(one).__module__ for one in sys.meta_path))
"""
    assert run(code=code).stdout == "False multilayer False\n"


def test_the_real_one_is_not_taken_out_of_the_hands_of_who_has_it():
    code = """
import sys, types
sys.modules["tensorflow"] = types.ModuleType("tensorflow")
import multilayer.as_keras
"""
    error = run(code=code).stderr
    assert "ImportError: `tensorflow` is loaded already" in error
    assert "before every other import" in error
