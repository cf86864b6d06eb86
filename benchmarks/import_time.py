"""What `import multilayer` costs beside `import numpy`: whole processes, alternating, medians.

python benchmarks/import_time.py
"""

import os
import statistics
import subprocess
import sys
import time

ROUNDS = 15
# Without this, Python would compile the package anew in every process, which users do not do.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def seconds(statement):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=ENVIRONMENT)
    return time.perf_counter() - start


def main():
    statements = ("pass", "import numpy", "import multilayer")
    times = {statement: [] for statement in statements}
    for _ in range(ROUNDS):
        for statement in statements:
            times[statement].append(seconds(statement))
    bare, numpy, ours = (statistics.median(times[statement]) for statement in statements)
    print(f"python alone {bare * 1e3:.0f} ms, import numpy +{(numpy - bare) * 1e3:.0f} ms")
    print(f"import multilayer +{(ours - bare) * 1e3:.0f} ms: {(ours - bare) / (numpy - bare):.2f} times numpy alone")


if __name__ == "__main__":
    main()
