"""What `import multilayer` costs beside `import numpy`: whole processes, alternating, medians.

python benchmarks/import_time.py
"""

import statistics
import subprocess
import sys
import time

ROUNDS = 15


def seconds(statement):
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
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
