# Sourced by the scripts beside it: a copy of the package without its kernels, and what it takes to compile them there.
set -e
here=$(cd "$(dirname "$0")/.." && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cp -r "$here/src/multilayer" "$scratch/"
kernels=$scratch/multilayer/_core/kernels
rm -f "$kernels"/_native*.so
include="-isystem $(python -c 'import sysconfig; print(sysconfig.get_paths()["include"])') -isystem $(python -c 'import numpy; print(numpy.get_include())')"
module=$kernels/_native$(python -c 'import sysconfig; print(sysconfig.get_config_var("EXT_SUFFIX"))')
