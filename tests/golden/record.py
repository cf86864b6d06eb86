"""Records what Keras does, for `multilayer` to be compared with.

Run it where Keras 3.15 and TensorFlow are installed, from the root of the repository:

    PYTHONPATH=tests python tests/golden/record.py            # everything
    PYTHONPATH=tests python tests/golden/record.py optimizer  # only programs whose names begin so

Every program of the table is run in one process, on the CPU, in float32, unshuffled, from weights of a frozen stream.
The files in `recorded/` come out the same, but for the last digits where a processor rounds differently.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from types import ModuleType
from typing import Any

import numpy as np

from golden import recordings
from golden.configs import config_of, things
from golden.mistakes import MISTAKES
from golden.programs import PROGRAMS
from golden.surface import members, surface


def main(prefix: str) -> None:
    """Records all programs, or those whose names begin with the prefix."""
    chosen = {name: program for name, program in PROGRAMS.items() if name.startswith(prefix)}
    if not chosen:
        sys.exit(f"No golden program's name begins with {prefix!r}; nothing was recorded.")
    keras = import_keras()
    for name, program in chosen.items():
        print(name, flush=True)
        keras.utils.clear_session()
        recordings.write(f"programs/{name}", program(keras))
    if not prefix:
        recordings.write("configs", {name: config_of(thing) for name, thing in things(keras).items()})
        recordings.write("mistakes", {name: _refusal(keras, name) for name in MISTAKES})
        recordings.write("surface", {"names": surface(keras), "members": members(keras)})
        recordings.write("versions", _versions(keras))


def import_keras() -> ModuleType:
    """Keras on TensorFlow, on the CPU, with the screen that recordings are made for."""
    os.environ |= {"KERAS_BACKEND": "tensorflow", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ["COLUMNS"] = str(recordings.SCREEN_WIDTH)
    import keras

    return keras


def _refusal(keras: Any, name: str) -> dict[str, str]:
    """The type and text of the error that a mistake raises."""
    keras.utils.clear_session()
    try:
        MISTAKES[name].make(keras)
    except Exception as error:
        message = _without_traceback(str(error))
        missing = [word for word in MISTAKES[name].words if word not in message]
        assert not missing, f"{name}: Keras' message does not say {missing}: {message}"
        return {"type": type(error).__name__, "message": message}
    raise AssertionError(f"{name}: Keras raises nothing")


def _without_traceback(message: str) -> str:
    """A message without colours and data, and, where TensorFlow puts a traceback into it, only what follows that."""
    message = re.sub(r"\x1b\[\d*m", "", message)
    if "most recent call last" in message:
        message = re.split(r'\n *File "[^\n]*\n', message)[-1].strip().split("\n")[0]
    return message if len(message) < 1000 else message[:200] + " ..."


def _versions(keras: Any) -> dict[str, str]:
    import tensorflow

    found = {"keras": keras.__version__, "tensorflow": tensorflow.__version__, "numpy": np.__version__}
    return {**found, "python": platform.python_version()}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "")
    print(recordings.read("versions"))
