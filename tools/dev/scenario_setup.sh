#!/usr/bin/env bash
# What `./dev bench scenario` needs beyond set-up: nginx and ripgrep are unpacked below build/scenario and not
# installed (nginx would start a service), the Python engines get a venv of their own.
set -euo pipefail
. tools/dev/lib.sh
[[ $EUID == 0 ]] || die "the scenario needs root: it makes network namespaces"
folder=build/scenario
mkdir -p "$folder"

install_commands() {
  local missing=() pair
  for pair in ip:iproute2 tc:iproute2 curl:curl mawk:mawk chrt:util-linux; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  [[ ${#missing[@]} == 0 ]] || DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"
}

unpack_programs() {
  local work="$folder/packages"
  rm -rf "$work" "$folder/root"
  mkdir -p "$work"
  (cd "$work" && apt-get -q -o APT::Sandbox::User=root download nginx ripgrep)
  for package in "$work"/*.deb; do dpkg -x "$package" "$folder/root"; done
  "$folder/root/usr/sbin/nginx" -v
  "$folder/root/usr/bin/rg" --version
}

make_venv() {
  rm -rf "$folder/venv"
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --disable-pip-version-check --no-input --require-hashes --no-deps \
    --only-binary :all: -r tools/setup/scenario.txt
  sha256sum tools/setup/scenario.txt | cut -d' ' -f1 >"$folder/venv/.grapnel-key"
}

step "scenario: commands" "Does apt-get reach an archive?" install_commands
if [[ ! -x $folder/root/usr/sbin/nginx || ! -x $folder/root/usr/bin/rg ]]; then
  step "scenario: nginx, ripgrep" "Does apt-get reach an archive?" unpack_programs
fi
if [[ "$(cat "$folder/venv/.grapnel-key" 2>/dev/null)" != "$(sha256sum tools/setup/scenario.txt | cut -d' ' -f1)" ]]; then
  step "scenario: Python engines" "Does pip reach an index?" make_venv
fi
