#!/bin/sh
# The kernels' tests under AddressSanitizer with UndefinedBehaviorSanitizer, and under ThreadSanitizer.
#
#     sh reliability/sanitizers.sh [address] [thread]
#
# GCC on Linux. The package is copied, and its kernels are built there with the sanitizer in them.
. "$(dirname "$0")/scratch.sh"
flags="-shared -fPIC -g -O1 -fwrapv -fno-math-errno -fno-trapping-math -ffp-contract=fast -fopenmp-simd -pthread"
library() { gcc -print-file-name="$1"; }
export PYTHONPATH="$scratch"
cd "$here"

address() {
    # vectors are read from addresses that are multiples of a float alone, which their types say: no alignment
    gcc $flags $include -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-sanitize=alignment -fno-omit-frame-pointer "$kernels/_native.c" -o "$module"
    LD_PRELOAD="$(library libasan.so) $(library libubsan.so)" ASAN_OPTIONS=detect_leaks=0 PYTHONMALLOC=malloc \
        python -m pytest -q -n 0 tests/_core/kernels/test_memory.py tests/_core/kernels/test_kernels.py
}

# pytest keeps to itself what passing tests print: reports go to files
none_reported() {
    if ls "$scratch"/report* > /dev/null 2>&1; then
        cat "$scratch"/report*
        return 1
    fi
}

thread() {
    gcc $flags $include -fsanitize=thread "$kernels/_native.c" -o "$module"
    # of OpenBLAS, which is not built with the sanitizer, one thread: what several of its own do looks like a race
    OPENBLAS_NUM_THREADS=1 MULTILAYER_NUM_THREADS=2 LD_PRELOAD="$(library libtsan.so)" TSAN_OPTIONS="die_after_fork=0 log_path=$scratch/report" \
        python -m pytest -q -n 0 tests/_core/kernels/test_memory.py tests/_core/kernels/test_kernels.py \
        -k "thread or fork or helper or background or dense" && none_reported
}

for kind in ${@:-address thread}; do "$kind"; done
