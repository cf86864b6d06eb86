"""From `import multilayer.as_keras` on, `import keras` and `import tensorflow` give this library, in this process.

So a program for Keras, or a notebook, runs as it is but for one line, before all its others:

    import multilayer.as_keras

    from tensorflow import keras
    from tensorflow.keras.layers import Dense

or without that line, too: `python -m multilayer.as_keras program.py`. `remove` undoes it.
"""

import runpy
import sys

from multilayer._as_keras.finder import install, remove

__all__ = ["install", "remove"]

install()

if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit("Which program? python -m multilayer.as_keras program.py [its arguments]")
    del sys.argv[0]
    runpy.run_path(sys.argv[0], run_name="__main__")
