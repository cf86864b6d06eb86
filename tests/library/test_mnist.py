"""The tutorial's programs, on the digits they were written for."""

import numpy as np

import multilayer as keras
from multilayer import tutorial


def test_the_tutorials_keras_program_reads_digits(mnist_data, capsys):
    (x_train_reshaped, y_train), (x_test_reshaped, y_test) = mnist_data
    keras.utils.set_random_seed(0)

    model = keras.models.Sequential()
    model.add(keras.layers.Dense(50, activation="sigmoid", input_shape=(784,)))
    model.add(keras.layers.Dense(10, activation="softmax"))
    model.summary()
    model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x_train_reshaped, y_train, epochs=10)
    test_loss, test_accuracy = model.evaluate(x_test_reshaped, y_test, verbose=2)

    assert test_accuracy > 0.965
    assert 0.05 < test_loss < 0.15
    printed = capsys.readouterr().out
    assert "Total params: 39,760 (155.31 KB)" in printed
    assert "Epoch 10/10\n1875/1875 ━━━━━━━━━━━━━━━━━━━━ " in printed
    assert "313/313 - " in printed


def test_the_tutorials_numpy_program_reads_digits(mnist_data):
    (x_train, y_train), (x_test, y_test) = mnist_data
    record = tutorial.train(
        x_train[:20_000], y_train[:20_000], x_test[:2000], y_test[:2000], iters_num=2400, seed=0, verbose=False
    )
    assert len(record.train_loss_list) == 2400
    assert len(record.train_acc_list) == len(record.test_acc_list) == 12
    assert record.test_acc_list[0] < 0.4
    assert record.test_acc_list[-1] > 0.84
    assert np.mean(record.train_loss_list[-100:]) < 0.6


def test_a_network_that_never_saw_mnist_reads_it(mnist_data):
    _, (x_test, y_test) = mnist_data
    keras.utils.set_random_seed(0)
    (x, y), _ = keras.datasets.synthetic_digits.load_data(num_train=60_000, num_test=1)
    model = keras.Sequential(
        [keras.Input((784,)), keras.layers.Dense(50, "sigmoid"), keras.layers.Dense(10, "softmax")]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x.reshape(-1, 784) / 255.0, y, epochs=5, verbose=0)
    assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.85
