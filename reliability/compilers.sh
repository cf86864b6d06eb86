#!/bin/sh
# The kernels under the compilers that are installed, GCC and Clang, with every warning an error; and the way that Microsoft's
# compiler takes, without vectors' types, kinds of processors and POSIX threads, with its tests.
#
#     sh reliability/compilers.sh
set -e
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$here/src/multilayer" "$scratch/"
kernels=$scratch/multilayer/_core/kernels
rm -f "$kernels"/_native*.so
include="-isystem $(python -c 'import sysconfig; print(sysconfig.get_paths()["include"])') -isystem $(python -c 'import numpy; print(numpy.get_include())')"
flags="-shared -fPIC -DNDEBUG -fwrapv -O3 -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd -pthread"
strict="-std=c11 -Wall -Wextra -pedantic-errors -Werror"
module=$kernels/_native$(python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')

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
