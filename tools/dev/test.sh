#!/usr/bin/env bash
# test [SUITE...]: the very last line is the sum of all suites, 'N passed, N failed, N skipped'.
# A suite that fails does not keep the others from running; one that ends without a count line
# counts as failed.
set -euo pipefail
. tools/dev/lib.sh

all=(source unit asan differential hooks trace watch filesystems e2e faults guests)
chosen=()
accept=()
for argument in "$@"; do
  case "$argument" in
  --all) chosen=("${all[@]/guests/kernels}") ;;
  --source | --unit | --asan | --differential | --hooks | --trace | --watch | --filesystems | --e2e | --faults | \
    --guests | --kernels)
    chosen+=("${argument#--}")
    ;;
  --accept) accept=(--accept) ;;
  *)
    echo "dev: test knows no '$argument'; suites: ${all[*]/#/--} --kernels" >&2
    exit 2
    ;;
  esac
done
[[ ${#chosen[@]} -gt 0 ]] || chosen=("${all[@]}")
if [[ ${#accept[@]} -gt 0 && " ${chosen[*]} " != *" kernels "* ]]; then
  echo "dev: test --accept rewrites the table of kernels and goes with --kernels" >&2
  exit 2
fi

bash tools/dev/build.sh
GRAPNEL_BUILD_DIR="$PWD/build"
GRAPNEL_DATA="$PWD/build/data"
export GRAPNEL_BUILD_DIR GRAPNEL_DATA
export ASAN_OPTIONS="strict_string_checks=1:detect_stack_use_after_return=1"
export UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1"

passed=0
failed=0
skipped=0

# count_suite NAME STATUS: adds the numbers of the log's last line to the sums.
count_suite() {
  local name="$1" status="$2" last
  last="$(grep -v '^[[:space:]]*$' "$step_log" | tail -n 1 || true)"
  if [[ $last =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed,\ ([0-9]+)\ skipped$ ]]; then
    echo "  $name: $last"
    passed=$((passed + BASH_REMATCH[1]))
    failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + BASH_REMATCH[3]))
    if [[ ${BASH_REMATCH[2]} == 0 && $status == 0 ]]; then return; fi
    if [[ ${BASH_REMATCH[2]} == 0 ]]; then
      echo "  $name: exit code $status although no test failed: counted as one failure"
      failed=$((failed + 1))
    fi
  else
    echo "  $name: no count line at the end (exit code $status): counted as one failure"
    failed=$((failed + 1))
  fi
  show_log 120
}

run_suite() {
  local name="$1"
  shift
  run_step "test: $name" "$@"
  count_suite "$name" "$step_status"
}

# What the failed tests of a ctest log printed, shortened: a log is read from its end.
failures_of() {
  awk '/^ *[0-9]+\/[0-9]+ Test +#/ { show = /\*\*\*/ && !/\*\*\*Skipped/; lines = 0 }
       / +Start +[0-9]+: / { next }
       /^[0-9]+% tests passed/ { show = 0 }
       show && lines++ < 50' "$1"
}

# Runs ctest in a binary directory and ends with our count line.
run_ctest() {
  local dir="$1" report="$1/ctest.log" total broken left_out status=0
  ctest --test-dir "$dir" --output-on-failure --no-tests=error -j "$(nproc)" | tee "$report" ||
    status=$?
  if ! [[ "$(grep -E 'tests? failed out of' "$report")" =~ ([0-9]+)\ tests?\ failed\ out\ of\ ([0-9]+) ]]; then
    return 1
  fi
  broken="${BASH_REMATCH[1]}"
  total="${BASH_REMATCH[2]}"
  left_out="$(grep -cE '\*\*\*Skipped' "$report" || true)"
  failures_of "$report"
  echo
  echo "$((total - broken - left_out)) passed, $broken failed, $left_out skipped"
  return "$status"
}

# run_program NAME SCRIPT COMMAND...: a suite that is a program of its own, when it is there.
run_program() {
  local name="$1" script="$2"
  shift 2
  if [[ -f $script ]]; then
    run_suite "$name" "$@" "$script"
  else
    echo "  $name: $script is not there, nothing run"
  fi
}

# run_guests NAME OPTION...: see tests/guest/run.py.
run_guests() {
  local name="$1"
  shift
  need_data
  run_suite "$name" "$python_bin" tests/guest/run.py "$@"
}

need_data() {
  bash tools/dev/data.sh 0.01 1
}

for suite in "${chosen[@]}"; do
  case "$suite" in
  source) run_suite source "$python_bin" tools/check/tidy_source.py ;;
  unit) run_suite unit run_ctest build ;;
  asan)
    if bash tools/dev/build.sh --asan; then
      run_suite asan run_ctest build/asan
    else
      echo "  asan: not built: counted as one failure"
      failed=$((failed + 1))
    fi
    ;;
  guests) run_guests guests ;;
  kernels) run_guests kernels --all "${accept[@]}" ;;
  *)
    need_data
    run_program "$suite" "tests/$suite/run.py" "$python_bin"
    ;;
  esac
done

echo "$passed passed, $failed failed, $skipped skipped"
[[ $failed == 0 && $((passed + skipped)) -gt 0 ]]
