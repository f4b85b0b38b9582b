"""A trace beside a workload, and what it said."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grapnel_cli as grapnel
import page_cache

READY_SECONDS = 60
END_SECONDS = 60


class Trace:
    """`grapnel trace --json`, attached for the length of a with-block; then its lines."""

    def __init__(self, *arguments, env=None, prefix=()):
        self.command = [*prefix, str(grapnel.PROGRAM), "trace", "--json", *map(str, arguments)]
        self.env = None if env is None else {**os.environ, **env}

    def __enter__(self):
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self.out,
                                        stderr=self.err, env=self.env, start_new_session=True)
        deadline = time.monotonic() + READY_SECONDS
        # What it looks at is said as soon as all is attached.
        while os.fstat(self.out.fileno()).st_size == 0:
            assert self.process.poll() is None, (
                f"the trace ended with {self.process.returncode}: {self.read(self.err)}")
            assert time.monotonic() < deadline, "the trace does not begin"
            time.sleep(0.02)
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGINT)
        try:
            self.code = self.process.wait(END_SECONDS)
        finally:
            self.process.kill()
            self.process.wait()
        if kind is None and self.code >= 0:
            self.lines = [json.loads(line) for line in self.read(self.out).splitlines()]

    @staticmethod
    def read(file):
        file.flush()
        file.seek(0)
        return file.read()

    def of_type(self, name):
        return [line for line in self.lines if line["type"] == name]

    def rows(self, path, **wanted):
        """Sums over the whole trace for a file."""
        return [row for row in self.of_type("total_row") if row["path"] == str(path)
                and all(row[key] == value for key, value in wanted.items())]

    def row(self, path, **wanted):
        rows = self.rows(path, **wanted)
        assert len(rows) == 1, (f"{len(rows)} rows for {path} {wanted}", rows,
                                [(r["path"], r["command"]) for r in self.of_type("total_row")][:50])
        return rows[0]

    def total(self):
        return self.of_type("total")[0]

    def sees(self, what):
        sights = [sight for sight in self.of_type("sight") if what in sight["what"]]
        assert len(sights) == 1, (what, self.of_type("sight"))
        return sights[0]["seen"]

    def events(self, path, kind):
        return [e for e in self.of_type("event") if e["path"] == str(path) and e["event"] == kind]


def write(path, size):
    """A file of that many bytes on the disk, in the page cache too."""
    block = os.urandom(1 << 16)
    with open(path, "wb") as file:
        left = size
        while left > 0:
            left -= file.write(block[:left])
        file.flush()
        os.fsync(file.fileno())
    return path


def drop(path):
    """Out of the page cache. The kernel may keep pages that are in use: then once more."""
    fd = os.open(path, os.O_RDONLY)
    try:
        for _ in range(20):
            os.fsync(fd)
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
            if sum(page_cache.cached_pages(path)) == 0:
                return
            time.sleep(0.05)
    finally:
        os.close(fd)
    raise AssertionError(f"pages of {path} stay in the page cache")


def run_python(script, *arguments, prefix=()):
    """Runs a script in another process; its number."""
    process = subprocess.Popen([*prefix, sys.executable, "-c", script, *map(str, arguments)],
                               stdin=subprocess.DEVNULL)
    assert process.wait(120) == 0
    return process.pid


READ_WHOLE = """
import os, sys
for path in sys.argv[2:]:
    fd = os.open(path, os.O_RDONLY)
    while os.read(fd, int(sys.argv[1])):
        pass
    os.close(fd)
"""
