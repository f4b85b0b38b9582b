#!/usr/bin/env bash
# The program in virtual machines with other kernels; see run.py.
set -euo pipefail
exec "${GRAPNEL_BUILD_DIR:-build}/venv/bin/python" tests/guest/run.py "$@"
