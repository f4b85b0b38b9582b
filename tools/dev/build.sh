#!/usr/bin/env bash
# build [--asan|--clang] [TARGET...]
set -euo pipefail
. tools/dev/lib.sh
bash tools/dev/setup.sh

variant=""
targets=()
for argument in "$@"; do
  case "$argument" in
  --asan) variant=asan ;;
  --clang) variant=clang ;;
  -*) die "build: no option '$argument'" ;;
  *) targets+=("$argument") ;;
  esac
done

case "$variant" in
"")
  dir=build
  options=()
  ;;
asan)
  dir=build/asan
  options=(-DGRAPNEL_SANITIZE=ON)
  [[ ${#targets[@]} -gt 0 ]] || targets=(unit_tests)
  ;;
clang)
  dir=build/clang
  options=(-DCMAKE_C_COMPILER=clang-19 -DCMAKE_CXX_COMPILER=clang++-19)
  ;;
esac
name="build${variant:+ $variant}"

# Two builds in one directory destroy each other's record of what is done.
mkdir -p "$dir"
exec 9>"$dir/.lock"
if ! flock -n 9; then
  echo "waiting for another build in $dir"
  flock 9
fi

# Re-running cmake is ninja's business once the directory is set up for these options.
options_key="${options[*]} $(sha256sum cmake/*.cmake | sha256sum | cut -d' ' -f1)"
if [[ ! -f $dir/build.ninja || "$(cat "$dir/.configured" 2>/dev/null)" != "$options_key" ]]; then
  step "$name: configure" "The end of the log names the package or file that cmake misses." \
    cmake -S . -B "$dir" -G Ninja "${options[@]}"
  echo "$options_key" >"$dir/.configured"
fi
step "$name" "The first error is what counts; repeat it alone with: ninja -C $dir" \
  ninja -C "$dir" "${targets[@]}"
if [[ -s $dir/left-out.txt ]]; then
  echo "  left out, because of libraries that are not there: $(<"$dir/left-out.txt")"
fi
