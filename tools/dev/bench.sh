#!/usr/bin/env bash
# bench [hooks|watch] [OPTIONS]: everything is in bench/; here only what it stands on.
set -euo pipefail
. tools/dev/lib.sh
case ${1:-} in
  hooks) script=bench/hooks.py; shift ;;
  watch) script=bench/watch.py; shift ;;
  *) script=bench/run.py ;;
esac
bash tools/dev/build.sh
bash tools/dev/data.sh 1
exec "$python_bin" "$script" "$@"
