#!/bin/sh
# CUDA against the CPU, and how fast every recipe is on the GPU: one command, from a plain checkout, with no network.
#
#   benchmarks/gpu.sh [PYTHON] [rounds=11] [batch=64] [only=WORD]
#
# Needs Python 3.11 to 3.13 with torch, numba and numba-cuda; what else is missing is said, and the rest goes on.
# Writes benchmarks/results/gpu-<card>.json and .md.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
python=python3
if [ -x "$root/.venv/bin/python" ]; then python=$root/.venv/bin/python; fi
case "${1:-}" in ""|*=*) ;; *) python=$1; shift ;; esac

# The package is mapped from top-level folders; where it is not installed, links that lie as it does stand for it.
links=$(mktemp -d)
trap 'rm -rf "$links"' EXIT
mkdir "$links/sliceforge"
for folder in conf engine kernels material recipes; do ln -s "$root/$folder" "$links/sliceforge/$folder"; done
export PYTHONPATH="$links:$root${PYTHONPATH:+:$PYTHONPATH}" NUMBA_CUDA_ARRAY_INTERFACE_SYNC=0
"$python" -m benchmarks.gpu "$@"
