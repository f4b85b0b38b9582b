#!/usr/bin/env bash
# bench [OPTIONS]: everything is in bench/run.py; here only what it stands on.
set -euo pipefail
. tools/dev/lib.sh
[[ -f bench/run.py ]] || die "there is no bench/run.py in this tree"
bash tools/dev/build.sh
bash tools/dev/data.sh 1
exec "$python_bin" bench/run.py "$@"
