"""Hooks in the kernel while others are at the same file, while its pages are taken away, and when the
query is killed."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import grapnel_cli as grapnel

ROUNDS = 4

_libc = ctypes.CDLL(None, use_errno=True)
_BPF, _BPF_PROG_GET_FD_BY_ID = 321, 13

# Both run until they are killed; their argument is the file.
READER = """
import os, random, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
while True:
    while os.read(fd, 100_003):
        os.pread(fd, random.randrange(1, 9000), random.randrange(size))
    os.lseek(fd, 0, os.SEEK_SET)
"""
DROPPER = """
import os, random, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
while True:
    begin = random.randrange(size) // 4096 * 4096
    os.posix_fadvise(fd, begin, random.choice([4096, 1 << 16, 1 << 21, size]), os.POSIX_FADV_DONTNEED)
    time.sleep(random.choice([0, 0, 0.0005]))
"""


@contextlib.contextmanager
def beside(script, path):
    """Another process is at the file."""
    other = subprocess.Popen([sys.executable, "-c", script, str(path)], stdin=subprocess.DEVNULL)
    try:
        yield
        assert other.poll() is None, f"the other process ended with {other.returncode}"
    finally:
        other.kill()
        other.wait()


@contextlib.contextmanager
def memory_group(limit_bytes):
    """A control group of this size, or None where none can be made; the with-block gets the file whose
    writers belong to it."""
    for base, limit in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
                        ("/sys/fs/cgroup", "memory.max")):
        group = Path(base) / f"grapnel-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            try:
                (group / limit).write_text(str(limit_bytes))
            except OSError:
                continue
            yield group / "cgroup.procs"
            return
        finally:
            group.rmdir()
    yield None


def query_in_group(members, sql, *, hook, threads):
    """As grapnel.query, by a process that joins the group first."""
    script = ('echo $$ >"$1" && shift && exec "$@"')
    done = subprocess.run(
        ["sh", "-c", script, "sh", str(members), str(grapnel.PROGRAM), "query", "--format", "csv",
         "--stats", "json", "--hook", hook, "--threads", str(threads), sql],
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=300)
    return grapnel.Answer(done.returncode, done.stdout, done.stderr, 0,
                          grapnel.find_stats(done.stderr))


def programs_of(pid):
    """Ids of the BPF programs that a process holds descriptors of, itself or by links."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fdinfo").iterdir():
            with contextlib.suppress(OSError):
                for line in entry.read_text().splitlines():
                    if line.startswith("prog_id:"):
                        found.add(int(line.split()[1]))
    return found


def is_loaded(program_id):
    """Does the kernel still have the program?"""
    attributes = (ctypes.c_uint32 * 32)(program_id)
    fd = _libc.syscall(_BPF, _BPF_PROG_GET_FD_BY_ID, ctypes.byref(attributes),
                       ctypes.sizeof(attributes))
    if fd < 0:
        return False
    os.close(fd)
    return True


def kill_while_loaded(sql, hook):
    """Kills a query that has programs in the kernel; their ids, or an empty set if it was too quick."""
    command = [str(grapnel.PROGRAM), "query", "--hook", hook, "--threads", "1", sql]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    programs = set()
    try:
        while process.poll() is None and len(programs) < 2:
            programs |= programs_of(process.pid)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    return programs if process.returncode == -signal.SIGKILL else set()


def wait_until_gone(programs, patience_s=20):
    """What of them is left in the kernel; it frees programs some time after their last user."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        left = {program for program in programs if is_loaded(program)}
        if not left:
            return left
        time.sleep(0.02)
    return left
