"""Programs that read a file, each in its own way: what a watch has to see."""

import subprocess
import sys

import grapnel_cli as grapnel

# Arguments of the scripts: the file, a seed.
_PREAD = """
import os, random, sys
random.seed(int(sys.argv[2]))
fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
for _ in range(400):
    os.pread(fd, random.randrange(1, 200_000), random.randrange(size))
"""
_MMAP = """
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
pages = mmap.mmap(fd, 0, prot=mmap.PROT_READ)
for at in range(0, len(pages), 4096):
    pages[at]
"""
_SENDFILE = """
import os, socket, sys, threading
fd = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(fd).st_size
here, there = socket.socketpair()
def drain():
    while there.recv(1 << 20): pass
thread = threading.Thread(target=drain)
thread.start()
at = 0
while at < size:
    at += os.sendfile(here.fileno(), fd, at, 1 << 20)
here.close()
thread.join()
"""
_DROPPER = """
import os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
at = 0
while True:
    got = len(os.read(fd, 1 << 20))
    if not got: break
    os.posix_fadvise(fd, at, got, os.POSIX_FADV_DONTNEED)
    at += got
"""
_READV = """
import os, random, sys
random.seed(int(sys.argv[2]))
fd = os.open(sys.argv[1], os.O_RDONLY)
while os.readv(fd, [bytearray(random.randrange(1, 50_000)) for _ in range(4)]): pass
"""


def _script(text):
    return lambda path, seed: [sys.executable, "-c", text, str(path), str(seed)]


def _dd(*arguments):
    return lambda path, seed: ["dd", f"if={path}", "of=/dev/null", *arguments]


def _io_uring(*arguments):
    return lambda path, seed: [str(grapnel.BUILD / "bench_io_uring_reader"), str(path), *arguments]


READERS = {
    "cat": lambda path, seed: ["cat", str(path)],
    "dd bs=100003": _dd("bs=100003"),
    "dd bs=1G": _dd("bs=1G"),
    "readv, odd sizes": _script(_READV),
    "pread, random": _script(_PREAD),
    "mmap": _script(_MMAP),
    "sendfile": _script(_SENDFILE),
    "io_uring, buffered": _io_uring("131072", "8", "buffered"),
    "drops behind itself": _script(_DROPPER),
    "dd iflag=direct": _dd("bs=1M", "iflag=direct"),
    "io_uring, direct": _io_uring("131072", "8"),
}


def run(script, path):
    subprocess.run([sys.executable, "-c", script, str(path)], stdin=subprocess.DEVNULL, check=True)


def read(name, path, seed=0):
    subprocess.run(READERS[name](path, seed), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                   stderr=subprocess.PIPE, check=True, timeout=120)
