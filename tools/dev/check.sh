#!/usr/bin/env bash
# check [--quick]: --quick leaves out the build with clang and clang-tidy, which take minutes.
set -euo pipefail
. tools/dev/lib.sh
bash tools/dev/setup.sh

quick=0
case "${1:-}" in
--quick) quick=1 ;;
"") ;;
*) die "check takes only --quick" ;;
esac

check_format() {
  git ls-files -co --exclude-standard -z -- '*.h' '*.c' '*.cpp' |
    xargs -0 -r -n 40 clang-format-19 --dry-run -Werror
}

check_shell() {
  local files
  mapfile -t files < <(git ls-files -co --exclude-standard -- '*.sh' dev .ci/run)
  shellcheck -x -P SCRIPTDIR -P . "${files[@]}"
}

check_python() {
  git ls-files -co --exclude-standard -z -- '*.py' |
    xargs -0 -r "$python_bin" -W error -c 'import ast, sys
for name in sys.argv[1:]: ast.parse(open(name, encoding="utf-8").read(), name)'
}

status=0
part() {
  local name="$1"
  shift
  run_step "$name" "$@"
  if [[ $step_status != 0 ]]; then
    show_log 60
    status=1
  fi
}

part "check: source rules" "$python_bin" tools/check/tidy_source.py
part "check: clang-format" check_format
part "check: shell scripts" check_shell
part "check: python syntax" check_python
if [[ $quick == 0 ]]; then
  # Both compilers take warnings as errors.
  bash tools/dev/build.sh
  bash tools/dev/build.sh --clang
  part "check: clang-tidy" "$python_bin" tools/check/clang_tidy.py build/clang
fi
if [[ $status != 0 ]]; then
  die "check failed; layout is cured by ./dev format, the rest by hand"
fi
echo "check: all ok"
