#!/usr/bin/env bash
# data [SCALE...]: build/data/tpch-sfSCALE/lineitem.{tbl,csv}. The row counts are checked when the
# files are made; afterwards their sizes.
set -euo pipefail
. tools/dev/lib.sh
bash tools/dev/setup.sh

rows_at() {
  case "$1" in
  0.01) echo 60175 ;;
  0.1) echo 600572 ;;
  1) echo 6001215 ;;
  10) echo 59986052 ;;
  *) echo "" ;;
  esac
}

sizes() { stat -c '%n %s' "$1/lineitem.tbl" "$1/lineitem.csv" 2>/dev/null; }

make_data() {
  local scale="$1" dir="$2" format found expected
  expected="$(rows_at "$scale")"
  mkdir -p "$dir"
  for format in tbl csv; do
    rm -f "$dir/lineitem.$format"
    build/venv/bin/tpchgen-cli "$format" -s "$scale" -T lineitem -o "$dir"
    found="$(wc -l <"$dir/lineitem.$format")"
    [[ $format == csv ]] && found=$((found - 1))
    echo "lineitem.$format: $found rows"
    if [[ -n $expected && $found != "$expected" ]]; then
      echo "expected $expected rows"
      return 1
    fi
  done
  if ! sed -n '2{p;q}' "$dir/lineitem.csv" | grep -q '"$'; then
    echo "lineitem.csv: the comment column should be quoted"
    return 1
  fi
  sizes "$dir" >"$dir/.complete"
}

[[ $# -gt 0 ]] || set -- 0.01 1
for scale in "$@"; do
  [[ $scale =~ ^[0-9]+(\.[0-9]+)?$ ]] || die "data: '$scale' is no scale factor"
  dir="build/data/tpch-sf$scale"
  [[ -s $dir/.complete && "$(sizes "$dir")" == "$(cat "$dir/.complete")" ]] && continue
  step "data: TPC-H scale $scale" "Is there space left on the disk?" make_data "$scale" "$dir"
done
