"""This library under the names of Keras and TensorFlow; see `multilayer.as_keras`."""
