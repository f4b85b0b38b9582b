#!/usr/bin/env bash
# bench [hooks|regret|scenario|trace|watch] [OPTIONS]: everything is in bench/; here only what it stands on.
set -euo pipefail
. tools/dev/lib.sh
case ${1:-} in
  hooks) script=bench/hooks.py; shift ;;
  regret) script=bench/regret.py; shift ;;
  scenario)
    script=bench/scenario/run.py
    shift
    bash tools/dev/scenario_setup.sh
    python_bin=build/scenario/venv/bin/python
    export RIPGREP="$PWD/build/scenario/root/usr/bin/rg"
    ;;
  trace | watch) script=bench/$1.py; shift ;;
  *) script=bench/run.py ;;
esac
bash tools/dev/build.sh
bash tools/dev/data.sh 1
exec "$python_bin" "$script" "$@"
