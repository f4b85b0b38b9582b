#!/usr/bin/env bash
# format [FILE...]: in place; all C and C++ files of the tree by default
set -euo pipefail
if [[ $# -gt 0 ]]; then
  clang-format-19 -i "$@"
else
  git ls-files -co --exclude-standard -z -- '*.h' '*.c' '*.cpp' | xargs -0 -r clang-format-19 -i
fi
