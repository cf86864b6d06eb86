#!/bin/sh
# The kernels compiled for aarch64 by Debian's cross compiler, and their tests under qemu-user.
#
#     sh reliability/aarch64.sh [arguments for pytest]
#
# Takes gcc-aarch64-linux-gnu, libc6-dev-arm64-cross and qemu-user, on Debian. Python for aarch64 and its libraries come
# from Debian, NumPy and pytest from PyPI: some 60 MB, unpacked into a folder that is kept (MULTILAYER_AARCH64, or the
# user's cache) and installed nowhere. The exit status is 75 where they cannot be had.
set -e
here=$(cd "$(dirname "$0")/.." && pwd)
store=${MULTILAYER_AARCH64:-${XDG_CACHE_HOME:-$HOME/.cache}/multilayer-aarch64}
root=$store/root site=$store/site
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# apt-get with lists of its own, for another processor than the machine's
apt() {
    command=$1
    shift
    "$command" -o Dir::Etc::sourcelist="$store/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State="$store/state" \
        -o Dir::State::status=/dev/null -o Dir::Cache="$store/cache" -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o APT::Sandbox::User="$(id -un)" "$@"
}

get_python() {
    mkdir -p "$store/state/lists/partial" "$store/cache/archives/partial" "$store/packages" "$root.part"
    . /etc/os-release
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $VERSION_CODENAME main" \
        > "$store/sources.list"
    apt apt-get update -qq
    packages=$(apt apt-get install --simulate --no-install-recommends python3 libpython3-dev libstdc++6 | awk '$1 == "Inst" {print $2}')
    (cd "$store/packages" && apt apt-get download -qq $packages && for package in *.deb; do dpkg -x "$package" "$root.part"; done)
    rm -r "$store/packages"
    mv "$root.part" "$root"
}

version() { basename "$(readlink "$root/usr/bin/python3")" | sed 's/python//'; }

get_wheels() {
    pip install --quiet --target "$site.part" --only-binary=:all: --implementation cp --python-version "$(version)" \
        --platform manylinux2014_aarch64 --platform manylinux_2_27_aarch64 --platform manylinux_2_28_aarch64 \
        "numpy>=2" "pytest>=8.2" "pytest-xdist>=3.6" "hypothesis>=6.100" "threadpoolctl>=3" "pooch>=1.8"
    mv "$site.part" "$site"
}

if [ "$1" = fetch ]; then
    [ -d "$root" ] || get_python
    [ -d "$site" ] || get_wheels
    exit
fi
sh "$0" fetch || {
    echo "Python for aarch64, or what its tests take, cannot be had: the tests are left out."
    exit 75
}

cp -r "$here/src/multilayer" "$scratch/"
kernels=$scratch/multilayer/_core/kernels
rm -f "$kernels"/_native*.so
aarch64-linux-gnu-gcc -shared -fPIC -DNDEBUG -fwrapv -O3 -std=c11 -Wall -Wextra -pedantic -Werror -fno-math-errno \
    -fno-trapping-math -ffp-contract=fast -fopenmp-simd -pthread -isystem "$root/usr/include/python$(version)" \
    -idirafter "$root/usr/include" -isystem "$site/numpy/_core/include" "$kernels/_native.c" \
    -o "$kernels/_native.cpython-$(version | tr -d .)-aarch64-linux-gnu.so"

# tests start their own interpreter again, so that it is to be a program that the machine can run
cat > "$scratch/python" << EOF
#!/bin/sh
exec qemu-aarch64 -L "$root" -0 "\$0" "$root/usr/bin/python3" "\$@"
EOF
chmod +x "$scratch/python"
export PYTHONHOME="$root/usr" PYTHONPATH="$scratch:$site" PYTHONDONTWRITEBYTECODE=1
cd "$here"
"$scratch/python" -c 'import platform; from multilayer._core import kernels; print(platform.machine(), kernels.describe())'
"$scratch/python" -m pytest -q -n 0 -p no:cacheprovider "${@:-tests/_core/kernels/test_kernels.py}"
