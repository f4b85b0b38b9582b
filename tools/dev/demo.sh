#!/usr/bin/env bash
# demo: from a bare machine to answers
set -euo pipefail
. tools/dev/lib.sh
bash tools/dev/build.sh
[[ -x build/grapnel ]] || die "the build left no build/grapnel (see the warnings in build/logs/build--configure.log)"
bash tools/dev/data.sh 1
exec "$python_bin" tools/demo.py
