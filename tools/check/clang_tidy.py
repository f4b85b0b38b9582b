"""clang-tidy on every C++ file of a binary directory, in parallel, only where something changed.

A file is checked again when it, a header that it includes, the configuration or its command changed:
the dependencies are ninja's own record (ninja -t deps), which is exact after a build.
"""

import concurrent.futures
import hashlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def dependencies(build):
    """Object file -> the files it was made from, as ninja recorded them."""
    text = subprocess.run(["ninja", "-C", build, "-t", "deps"], check=True, capture_output=True,
                          text=True).stdout
    found, current = {}, None
    for line in text.splitlines():
        if line.startswith("    "):
            current.append(line.strip())
        elif line and not line.startswith("ninja:"):
            current = found.setdefault(line.split(":")[0], [])
    return found


def configuration(source):
    """Of all folders above the file, the outermost first."""
    folders = [folder for folder in reversed(source.parents) if folder.is_relative_to(ROOT)]
    files = [folder / ".clang-tidy" for folder in folders]
    return b"".join(file.read_bytes() for file in files if file.exists())


def output_of(entry):
    words = shlex.split(entry["command"])
    return words[words.index("-o") + 1]


class Hasher:
    def __init__(self, build):
        self.build, self.known = build, {}

    def file(self, name):
        path = os.path.normpath(os.path.join(self.build, name))
        if path not in self.known:
            # System headers change only with their packages, whose date is enough.
            if path.startswith("/usr/"):
                self.known[path] = str(os.stat(path).st_mtime_ns).encode()
            else:
                with open(path, "rb") as file:
                    self.known[path] = hashlib.sha256(file.read()).digest()
        return self.known[path]


def main():
    build = Path(sys.argv[1]).resolve()
    wanted = [Path(name).resolve() for name in sys.argv[2:]]
    commands = json.loads((build / "compile_commands.json").read_text())
    depends, hasher = dependencies(build), Hasher(build)
    stamps = build / "tidy"
    stamps.mkdir(exist_ok=True)

    jobs, unchanged, seen = [], 0, set()
    for entry in commands:
        source = Path(entry["file"])
        if source.suffix != ".cpp" or not source.is_relative_to(ROOT) or source in seen:
            continue
        if source.is_relative_to(build) or (wanted and source not in wanted):
            continue
        seen.add(source)
        key = hashlib.sha256(configuration(source) + entry["command"].encode())
        for name in [str(source)] + sorted(depends.get(output_of(entry), [])):
            key.update(hasher.file(name))
        stamp = stamps / hashlib.sha256(str(source).encode()).hexdigest()[:16]
        if stamp.exists() and stamp.read_text() == key.hexdigest():
            unchanged += 1
        else:
            jobs.append((source, stamp, key.hexdigest()))

    def check(job):
        source, stamp, key = job
        run = subprocess.run(["clang-tidy-19", "--quiet", "-p", str(build), str(source)],
                             capture_output=True, text=True, cwd=ROOT)
        if run.returncode == 0:
            stamp.write_text(key)
        return source, run

    failed = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (source, run) in enumerate(pool.map(check, jobs), 1):
            name = source.relative_to(ROOT)
            print(f"[{number}/{len(jobs)}] {name}", flush=True)
            if run.returncode != 0:
                failed.append(str(name))
                print(run.stdout + run.stderr, flush=True)
    print(f"{len(jobs)} files checked, {unchanged} unchanged since they passed, {len(failed)} failed")
    for name in failed:
        print(f"  {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
