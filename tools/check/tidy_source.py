"""Rules for the source tree that no compiler checks.

Each rule is one test; the last line counts them. Looks at every file that git tracks or would
track. A rule is a function from a file to complaints.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 700
MAX_BYTES = 1 << 20
CODE = {".h", ".c", ".cpp", ".py", ".sh", ".cmake", ".md", ".txt", ""}
# The words are put together here so that this file passes its own rules.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "X" + "XX"]) + r")\b")
# Paths of one machine: a home directory, a checkout, a private temporary directory.
MACHINE_PATH = re.compile(r"(?<![\w.$}/])/(?:wo" + r"rk|home|root|mnt|Users|tmp/g)(?:/|\b(?=['\"\s]))")


def tracked_files():
    names = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT, check=True, capture_output=True).stdout
    for name in sorted(filter(None, names.decode().split("\0"))):
        path = ROOT / name
        if path.is_file() and not path.is_symlink():
            yield name, path.read_bytes()


def is_text(data):
    return b"\0" not in data[:8192]


def lines_matching(pattern, text):
    for number, line in enumerate(text.splitlines(), 1):
        if pattern.search(line):
            yield number, line.strip()[:80]


def too_large(name, data, text):
    if len(data) > MAX_BYTES:
        yield f"{name}: {len(data)} bytes, at most {MAX_BYTES} are allowed"


def too_long(name, data, text):
    if text is None or Path(name).suffix not in CODE or name.startswith("LICENSES/"):
        return  # tables of data may be long
    count = text.count("\n")
    if count > MAX_LINES:
        yield f"{name}: {count} lines, at most {MAX_LINES} are allowed; split it by purpose"


def unfinished(name, data, text):
    for number, line in lines_matching(UNFINISHED, text or ""):
        yield f"{name}:{number}: finish it or write it down as an issue: {line}"


def machine_path(name, data, text):
    for number, line in lines_matching(MACHINE_PATH, text or ""):
        yield f"{name}:{number}: a path of one machine: {line}"


def white_space(name, data, text):
    if text is None or Path(name).suffix not in CODE or name.startswith("LICENSE"):
        return
    if "\t" in text and not name.endswith(".tsv"):
        line = text[:text.index("\t")].count("\n") + 1
        yield f"{name}:{line}: a tab; indent with spaces, write \\t in strings"
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield f"{name}:{number}: white space at the end of the line"
    if text and not text.endswith("\n"):
        yield f"{name}: no newline at the end"


def kernel_licence(name, data, text):
    if name.endswith((".bpf.c", ".bpf.h")):
        if "SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0" not in (text or "")[:400]:
            yield f"{name}: first line must say SPDX-License-Identifier: GPL-2.0-only OR Apache-2.0"


def include_guard(name, data, text):
    if name.endswith(".h") and not re.search(r"^#(pragma once|ifndef )", text or "", re.M):
        yield f"{name}: no #pragma once"


RULES = [too_large, too_long, unfinished, machine_path, white_space, kernel_licence, include_guard]


def main():
    complaints = {rule.__name__: [] for rule in RULES}
    for name, data in tracked_files():
        text = data.decode("utf-8", "replace") if is_text(data) else None
        for rule in RULES:
            complaints[rule.__name__] += rule(name, data, text)
    for rule, found in complaints.items():
        print(f"{rule}: {'ok' if not found else f'{len(found)} complaints'}")
        for complaint in found:
            print("  " + complaint)
    failed = sum(bool(found) for found in complaints.values())
    print(f"{len(RULES) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
