#!/bin/sh
# The kernels under the compilers that are installed, GCC and Clang, with every warning an error; and the way that Microsoft's
# compiler takes, without vectors' types, kinds of processors and POSIX threads, with its tests.
#
#     sh reliability/compilers.sh
. "$(dirname "$0")/scratch.sh"
flags="-shared -fPIC -DNDEBUG -fwrapv -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd -pthread"
strict="-std=c11 -Wall -Wextra -pedantic-errors -Werror"

for compiler in gcc clang; do
    if ! command -v $compiler > /dev/null; then
        echo "$compiler is not installed: left out."
        continue
    fi
    for way in "" -DMULTILAYER_PORTABLE; do
        echo "$compiler $strict $way"
        $compiler $flags $strict $way $include "$kernels/_native.c" -o "$module"
    done
done

# what was built last is the portable way
[ -e "$module" ] || { echo "Neither gcc nor clang is installed."; exit 1; }
cd "$here"
PYTHONPATH="$scratch" python -m pytest -q -n 0 tests/_core/kernels/test_kernels.py tests/_core/kernels/test_memory.py
