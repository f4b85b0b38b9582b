#!/usr/bin/env bash
# Installs what is missing and nothing else. Each part looks at what is there first, so a second run
# takes well under a second. Rights are needed only when a Debian package is missing.
set -euo pipefail
. tools/dev/lib.sh

versions="build/setup/versions.txt"
stamp="build/setup/stamp"

list_lines() { sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$1"; }

lists_key() {
  cat tools/setup/*.txt tools/dev/setup.sh | sha256sum | cut -d' ' -f1
}

# The names in apt.txt that are not installed, or too old.
missing_packages() {
  local name least found
  declare -A installed=()
  while read -r name status found; do
    if [[ $status == ii* || $status == hi* ]]; then installed[$name]="$found"; fi
  done < <(dpkg-query -W -f '${binary:Package} ${db:Status-Abbrev} ${Version}\n' 2>/dev/null |
    sed 's/^\([^ :]*\):amd64 /\1 /')
  while read -r name least; do
    found="${installed[$name]:-}"
    if [[ -z $found ]] || ! version_at_least "$found" "$least"; then echo "$name"; fi
  done < <(list_lines tools/setup/apt.txt)
}

# dpkg --compare-versions costs 3 ms each; equal prefixes, the common case, need no process.
version_at_least() {
  [[ $1 == "$2"* ]] || dpkg --compare-versions "$1" ge "$2"
}

apt() {
  # CI machines often run another package manager's job right after boot: wait for the lock.
  DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
    -o Acquire::Retries=3 -o APT::Sandbox::User=root "$@"
}

install_packages() {
  # A foreign source that is out of reach must not stop us: what matters is whether ours install.
  apt update || echo "apt-get update had errors; going on with the lists at hand"
  apt install --no-install-recommends "$@"
}

set_up_packages() {
  local missing still
  missing="$(missing_packages | xargs)"
  [[ -z $missing ]] && return
  if [[ $EUID != 0 ]]; then
    die "these Debian packages are missing or too old, and installing them needs root: $missing
     Run 'sudo ./dev setup' once, or: sudo apt-get install $missing"
  fi
  # shellcheck disable=SC2086
  step "setup: Debian packages" "Not to be had: some of $missing. Is this Debian 12, and does apt-get reach an archive?" \
    install_packages $missing
  still="$(missing_packages | xargs)"
  [[ -z $still ]] || die "installed, but missing or older than tools/setup/apt.txt asks for: $still"
}

make_venv() {
  local python=/usr/bin/python3
  [[ -x $python ]] || python=python3
  rm -rf build/venv
  "$python" -m venv build/venv
  build/venv/bin/pip install --disable-pip-version-check --no-input --require-hashes --no-deps \
    --only-binary :all: -r tools/setup/requirements.txt
  sha256sum tools/setup/requirements.txt | cut -d' ' -f1 >build/venv/.grapnel-key
}

set_up_python() {
  local key
  key="$(sha256sum tools/setup/requirements.txt | cut -d' ' -f1)"
  if [[ -x $python_bin && "$(cat build/venv/.grapnel-key 2>/dev/null)" == "$key" ]]; then return; fi
  step "setup: Python packages" "Some package of tools/setup/requirements.txt could not be fetched (the wheels are for CPython 3.11, found: $(/usr/bin/python3 -V 2>&1))." \
    make_venv
}

# newest_match PATTERN: the newest Debian package whose name matches.
newest_match() {
  apt-cache search --names-only "$1" | cut -d' ' -f1 | sort -V | tail -n 1
}

fetch_guest() {
  local name="$1" pattern="$2" dir="build/guests/$1" package deb image version
  package="$(newest_match "$pattern")"
  if [[ -z $package && $EUID == 0 ]]; then
    apt update || true
    package="$(newest_match "$pattern")"
  fi
  if [[ -z $package ]]; then
    echo "no package matches $pattern (does 'apt-get update' work?)"
    return 1
  fi
  rm -rf "$dir.new" && mkdir -p "$dir.new/deb"
  # The list can name a version that the archive has replaced meanwhile.
  if ! (cd "$dir.new/deb" && apt download "$package"); then
    [[ $EUID == 0 ]] || return 1
    apt update || true
    (cd "$dir.new/deb" && apt download "$package")
  fi
  deb="$(find "$dir.new/deb" -name '*.deb')"
  dpkg-deb -x "$deb" "$dir.new/root"
  image="$(find "$dir.new/root" -name 'vmlinuz*' -print -quit)"
  [[ -n $image ]] || { echo "$package holds no kernel image"; return 1; }
  mv "$image" "$dir.new/vmlinuz"
  version="$(find "$dir.new/root" -path '*lib/modules/*' -name modules.builtin -printf '%h' -quit)"
  mv "$version" "$dir.new/modules"
  basename "$version" >"$dir.new/release"
  dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb" >"$dir.new/package"
  echo "$pattern" >"$dir.new/pattern"
  rm -rf "$dir.new/deb" "$dir.new/root" "$dir"
  mv "$dir.new" "$dir"
}

set_up_guests() {
  local name pattern
  while read -r name pattern; do
    [[ "$(cat "build/guests/$name/pattern" 2>/dev/null)" == "$pattern" ]] && continue
    step "setup: guest kernel $name" "Debian's archive could not be reached, or has no such kernel any more: see tools/setup/guests.txt." \
      fetch_guest "$name" "$pattern"
  done < <(list_lines tools/setup/guests.txt)
}

record_versions() {
  {
    echo "# Written by ./dev setup: what was found on this machine."
    echo "system $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r)"
    list_lines tools/setup/apt.txt | cut -d' ' -f1 |
      xargs dpkg-query -W -f 'apt ${Package} ${Version}\n'
    "$python_bin" -V | sed 's/^Python /python /'
    "$python_bin" -m pip --disable-pip-version-check list --format=freeze | sed 's/^/pip /; s/==/ /'
    local dir
    for dir in build/guests/*/; do
      echo "guest $(basename "$dir") $(cat "$dir/package" 2>/dev/null)"
    done
  } >"$versions.new"
  mv "$versions.new" "$versions"
}

key="$(lists_key)"
# The stamp vouches for the packages only together with dpkg's own record of the last change.
key+=" $(stat -c %Y /var/lib/dpkg/status 2>/dev/null || echo none)"
if [[ "$(cat "$stamp" 2>/dev/null)" == "$key" && -x $python_bin && -s $versions ]]; then
  exit 0
fi
command -v dpkg-query >/dev/null || die "set-up knows Debian 12 only; elsewhere install what tools/setup/*.txt list by hand"
set_up_packages
set_up_python
set_up_guests
record_versions
echo "$(lists_key) $(stat -c %Y /var/lib/dpkg/status 2>/dev/null || echo none)" >"$stamp"
echo "set-up complete; versions in $versions"
