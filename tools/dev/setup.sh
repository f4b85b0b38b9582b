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

# The guests' kernels come from suites that the machine itself does not use: apt with lists of its
# own, so that neither rights nor a change of /etc/apt are needed. It checks the archive's signatures.
kernel_apt="$PWD/build/setup/kernel-apt"
kernel_keyring="/usr/share/keyrings/debian-archive-keyring.gpg"

# write_kernel_apt SUITE,...
write_kernel_apt() {
  local suite suites archive
  IFS=, read -ra suites <<<"$1"
  mkdir -p "$kernel_apt/lists/partial" "$kernel_apt/cache/archives/partial"
  : >"$kernel_apt/status"
  for suite in "${suites[@]}"; do
    archive="debian"
    [[ $suite == *-security ]] && archive="debian-security"
    echo "deb [arch=amd64 signed-by=$kernel_keyring] http://deb.debian.org/$archive $suite main"
  done >"$kernel_apt/sources.list"
  cat >"$kernel_apt/apt.conf" <<CONF
Dir::Etc::SourceList "$kernel_apt/sources.list";
Dir::Etc::SourceParts "/dev/null";
Dir::State "$kernel_apt";
Dir::State::Lists "$kernel_apt/lists";
Dir::State::Status "$kernel_apt/status";
Dir::Cache "$kernel_apt/cache";
Acquire::Languages "none";
Acquire::Retries "3";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
APT::Sandbox::User "";
CONF
}

# fetch_lists SUITE,...
fetch_lists() {
  [[ -f $kernel_keyring ]] || { echo "$kernel_keyring is missing: apt-get install debian-archive-keyring"; return 1; }
  write_kernel_apt "$1"
  APT_CONFIG="$kernel_apt/apt.conf" apt-get -q -o APT::Update::Error-Mode=any update
}

# kernel_packages PATTERN: the newest match, and what it was split into.
kernel_packages() {
  local newest
  newest="$(apt-cache search --names-only "$1" | cut -d' ' -f1 | sort -V | tail -n 1)"
  [[ -n $newest ]] || return 0
  echo "$newest"
  apt-cache show --no-all-versions "$newest" | sed -n 's/^Depends: //p' |
    grep -oE 'linux-(binary|modules|base)-[0-9][^ ,]*' || true
}

fetch_guest() {
  local name="$1" pattern="$2" line="$3" dir="build/guests/$1" packages image tree
  export APT_CONFIG="$kernel_apt/apt.conf"
  mapfile -t packages < <(kernel_packages "$pattern")
  if [[ ${#packages[@]} == 0 ]]; then
    echo "no package of $(grep -o 'org/.*' "$kernel_apt/sources.list" | xargs) matches $pattern"
    return 1
  fi
  rm -rf "$dir.new" && mkdir -p "$dir.new/deb" "$dir.new/root"
  (cd "$dir.new/deb" && apt-get -q download "${packages[@]}")
  find "$dir.new/deb" -name '*.deb' -exec dpkg-deb -x {} "$dir.new/root" \;
  image="$(find "$dir.new/root" -name 'vmlinuz*' -print -quit)"
  [[ -n $image ]] || { echo "no kernel image in ${packages[*]}"; return 1; }
  mv "$image" "$dir.new/vmlinuz"
  tree="$(find "$dir.new/root" -path '*lib/modules/*' -name kernel -printf '%h' -quit)"
  [[ -n $tree ]] || { echo "no modules in ${packages[*]}"; return 1; }
  basename "$tree" >"$dir.new/release"
  mv "$tree" "$dir.new/modules"
  find "$dir.new/deb" -name '*.deb' -exec dpkg-deb -W --showformat='${Package} ${Version}\n' {} \; |
    sort >"$dir.new/package"
  echo "$line" >"$dir.new/wanted"
  rm -rf "$dir.new/deb" "$dir.new/root" "$dir"
  mv "$dir.new" "$dir"
}

set_up_guests() {
  local name suites pattern known
  local missing=()
  while read -r name suites pattern; do
    [[ "$(cat "build/guests/$name/wanted" 2>/dev/null)" == "$suites $pattern" ]] || missing+=("$name")
  done < <(list_lines tools/setup/guests.txt)
  for name in "${missing[@]}"; do
    read -r _ suites pattern < <(list_lines tools/setup/guests.txt | grep "^$name ")
    step "setup: lists for guest $name" "Debian's archive (deb.debian.org) could not be reached, or its signature is not in $kernel_keyring." \
      fetch_lists "$suites"
    step "setup: guest kernel $name" "Debian's archive could not be reached, or has no such kernel any more: see tools/setup/guests.txt." \
      fetch_guest "$name" "$pattern" "$suites $pattern"
  done
  # What is no longer in the list must not be tested.
  for known in build/guests/*/; do
    name="$(basename "$known")"
    list_lines tools/setup/guests.txt | grep -q "^$name " || rm -rf "$known"
  done
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
      sed "s/^/guest $(basename "$dir") /" "$dir/package"
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
