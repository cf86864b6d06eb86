"""Loads NumPy with an OpenBLAS whose threads go to sleep soon after a product.

By default they spin for 25 ms, which is longer than the next product takes to come: while a network trains they never
sleep, and hold the core that the native kernels' threads could use in between. OpenBLAS reads its setting once, when it
is loaded. So this module is imported before NumPy is; where NumPy is loaded already, or the user has chosen, nothing
is changed.
"""

import os
import sys

VARIABLE = "OPENBLAS_THREAD_TIMEOUT"
TIMEOUT = "20"  # 2^20 cycles of the processor: a third to half a millisecond

if "numpy" not in sys.modules and VARIABLE not in os.environ:
    os.environ[VARIABLE] = TIMEOUT
    try:
        import numpy  # noqa: F401
    finally:
        del os.environ[VARIABLE]  # processes started from here are not meant
