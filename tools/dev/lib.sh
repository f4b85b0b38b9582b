# Shared by the scripts in tools/dev: sourced, with the working directory at the top of the tree.
# shellcheck shell=bash
mkdir -p build/logs build/setup

if [[ -t 1 ]]; then on_terminal=1; else on_terminal=0; fi

die() {
  echo "dev: $*" >&2
  exit 1
}

now_ms() { date +%s%3N; }

seconds_since() {
  local ms=$(($(now_ms) - $1))
  printf '%d.%d s' $((ms / 1000)) $((ms % 1000 / 100))
}

# run_step NAME COMMAND...   Runs the command with its output in build/logs/NAME.log, shows one line
# with the elapsed time; leaves the command's status in step_status. In the dark (no terminal) it
# gives a sign of life every half minute. Never call it (or step) in a condition, that is behind if,
# !, && or ||: there bash ignores set -e, also inside functions, and COMMAND's failures with it.
run_step() {
  local name="$1" start pid line ticks=0
  step_status=0
  shift
  step_log="build/logs/${name//[^A-Za-z0-9._-]/-}.log"
  start="$(now_ms)"
  [[ $on_terminal == 1 ]] || printf '%-28s' "$name"
  set -m # a process group of its own
  "$@" >"$step_log" 2>&1 </dev/null &
  pid=$!
  set +m
  # Left alone, the command would survive ctrl-C and keep the build's lock: end its whole group.
  trap 'kill -TERM -- -'"$pid"' 2>/dev/null || true; exit 130' INT TERM
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    ticks=$((ticks + 1))
    if [[ $on_terminal == 1 && $((ticks % 3)) == 0 ]]; then
      line="$(tail -c 300 "$step_log" | tr '\r' '\n' | tail -n 1 | tr -cd '[:print:]')"
      printf '\r\033[K%-28s%9s  %s' "$name" "$(seconds_since "$start")" "${line:0:60}"
    elif [[ $on_terminal == 0 && $((ticks % 300)) == 0 ]]; then
      printf '(%s) ' "$(seconds_since "$start")"
    fi
  done
  wait "$pid" || step_status=$?
  trap - INT TERM
  [[ $on_terminal == 1 ]] && printf '\r\033[K%-28s' "$name"
  if [[ $step_status == 0 ]]; then
    printf '%9s  ok\n' "$(seconds_since "$start")"
  else
    printf '%9s  FAILED (%d)\n' "$(seconds_since "$start")" "$step_status"
  fi
}

# show_log [LINES]
# shellcheck disable=SC2120
show_log() {
  {
    echo "--- end of $step_log"
    tail -n "${1:-40}" "$step_log"
    echo "---"
  } >&2
}

# step NAME ADVICE COMMAND...   run_step, and the end of everything when it fails.
step() {
  local name="$1" advice="$2"
  shift 2
  run_step "$name" "$@"
  if [[ $step_status == 0 ]]; then return; fi
  show_log 40
  die "$name failed. $advice Full log: $step_log"
}

# shellcheck disable=SC2034
python_bin="build/venv/bin/python"
