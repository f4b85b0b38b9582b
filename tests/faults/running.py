"""Queries that are caught in the middle of their work."""

import os
import select
import subprocess
import time
from pathlib import Path

import grapnel_cli as grapnel

PATIENCE_S = 60  # for what happens at once; only a hang takes this long


class Running:
    """A query that has begun and cannot end: its rows go into a pipe that nobody empties yet."""

    def __init__(self, sql, *arguments, hook=None, threads=2):
        hook_arguments = ["--hook", hook] if hook else []
        self.process = subprocess.Popen(
            [str(grapnel.PROGRAM), "query", "--format", "csv", "--stats", "json", "--threads",
             str(threads), *hook_arguments, *arguments, sql],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.stdout.close()
        self.process.stderr.close()
        self.process.wait()

    def wait_for_rows(self):
        """Returns when the first rows are out; the pipe holds up the scan soon after."""
        ready, _, _ = select.select([self.process.stdout], [], [], PATIENCE_S)
        assert ready, "no rows"
        return self

    def wait_for_reading(self, size):
        """Returns when the process has read so many bytes."""
        io = Path(f"/proc/{self.process.pid}/io")
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError("the query ended before it was caught: "
                                     + self.process.stderr.read().decode())
            read = int(io.read_text().split("rchar: ")[1].split()[0])
            if read >= size:
                return self
            time.sleep(0.001)
        raise AssertionError(f"it does not read {size} bytes")

    def signal(self, number):
        self.process.send_signal(number)

    def wait_for_end(self):
        """Waits without reading what it writes."""
        return self.process.wait(PATIENCE_S)

    def finish(self):
        """Takes what is left, waits for the end."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        err = err.decode()
        return grapnel.Answer(self.process.returncode, out.decode(), err, 0,
                              grapnel.find_stats(err))


def as_nobody(command, **rest):
    """Runs a command as a user who owns nothing. For root only."""
    return subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
                           *map(str, command)], capture_output=True, text=True, timeout=PATIENCE_S,
                          stdin=subprocess.DEVNULL, **rest)


def sparse_fixed(path, size):
    """A file of nothing but zeros that takes no room on the disk, and how to read it."""
    with open(path, "wb") as file:
        os.truncate(file.fileno(), size)
    return f"fixed('{path}', columns => 'a BIGINT, b BIGINT')"
