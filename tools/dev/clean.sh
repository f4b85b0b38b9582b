#!/usr/bin/env bash
# clean [--all]
set -euo pipefail
case "${1:-}" in
--all)
  rm -rf build
  ;;
"")
  # What took a download or minutes to make stays: venv, data, guest kernels.
  [[ -d build ]] || exit 0
  find build -mindepth 1 -maxdepth 1 \
    ! -name venv ! -name data ! -name guests ! -name setup -exec rm -rf {} +
  ;;
*)
  echo "dev: clean takes only --all" >&2
  exit 2
  ;;
esac
