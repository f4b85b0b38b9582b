"""Puts a file's pages into the page cache or out of it, and looks at each page afterwards."""

import contextlib
import ctypes
import mmap
import os

PAGE = 4096
# Pages of one folio leave the cache together, and a folio can have 2 MiB.
PART = 8 << 20
ATTEMPTS = 5

_libc = ctypes.CDLL(None, use_errno=True)
_CACHESTAT = 451  # Linux 6.5


class _Range(ctypes.Structure):
    _fields_ = [("offset", ctypes.c_uint64), ("length", ctypes.c_uint64)]


class _Cachestat(ctypes.Structure):
    _fields_ = [(name, ctypes.c_uint64)
                for name in ("cache", "dirty", "writeback", "evicted", "recently_evicted")]


def _map(fd, length):
    """The file's bytes in memory, to read, shared; the address."""
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int,
                           ctypes.c_int, ctypes.c_long]
    address = _libc.mmap(None, length, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0)
    if address == ctypes.c_void_p(-1).value:
        raise OSError(ctypes.get_errno(), "mmap")
    return address


def _by_cachestat(fd, pages):
    cached = bytearray(pages)
    for page in range(pages):
        answer = _Cachestat()
        wanted = _Range(page * PAGE, PAGE)
        if _libc.syscall(_CACHESTAT, fd, ctypes.byref(wanted), ctypes.byref(answer), 0) != 0:
            return None
        cached[page] = 1 if answer.cache else 0
    return cached


def _by_mincore(fd, pages):
    """Only trustworthy for who owns the file, which the tests do."""
    length = pages * PAGE
    address = _map(fd, length)
    answer = (ctypes.c_ubyte * pages)()
    failed = _libc.mincore(ctypes.c_void_p(address), ctypes.c_size_t(length), answer)
    _libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(length))
    if failed:
        raise OSError(ctypes.get_errno(), "mincore")
    return bytearray(byte & 1 for byte in answer)


def cached_pages(path):
    """One byte per page of the file: 1 if it is in the page cache."""
    pages = (os.path.getsize(path) + PAGE - 1) // PAGE
    fd = os.open(path, os.O_RDONLY)
    try:
        by_cachestat = _by_cachestat(fd, pages)
        return _by_mincore(fd, pages) if by_cachestat is None else by_cachestat
    finally:
        os.close(fd)


@contextlib.contextmanager
def held(path):
    """All of the file is in the page cache and stays there: locked memory is not reclaimed, by DAMON
    neither (shrink_folio_list() leaves what is not evictable). Wants CAP_IPC_LOCK, or files smaller than
    `ulimit -l`."""
    size = os.path.getsize(path)
    fd = os.open(path, os.O_RDONLY)
    try:
        address = _map(fd, size)
        try:
            if _libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(size)) != 0:
                raise OSError(ctypes.get_errno(), f"mlock of {path}")
            yield
        finally:
            _libc.munmap(ctypes.c_void_p(address), ctypes.c_size_t(size))
    finally:
        os.close(fd)


def is_dropped(offset):
    """Half cached: every second part of the file is not."""
    return offset // PART % 2 == 1


def prepare(path, state):
    """Brings the file into `state` ("cold", "half cached" or "cached") and proves it page by page. Tried
    again where the kernel has taken pages away meanwhile: some do so without need (DAMON)."""
    for _ in range(ATTEMPTS):
        drop_some(path, state)
        wrong, pages = _wrong_pages(path, state)
        # The kernel may keep a page that somebody looks at just now.
        if wrong <= pages // 50:
            return
    raise AssertionError(f"{wrong} of {pages} pages are not as in '{state}'")


def drop_some(path, state):
    """The same without the proof: others may be at the file."""
    size = os.path.getsize(path)
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        if state == "cold":
            os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        else:
            while os.read(fd, 1 << 20):
                pass
        if state == "half cached":
            for begin in range(0, size, PART):
                if is_dropped(begin):
                    os.posix_fadvise(fd, begin, PART, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def _wrong_pages(path, state):
    pages = cached_pages(path)
    wanted = {"cold": lambda page: 0, "cached": lambda page: 1,
              "half cached": lambda page: 0 if is_dropped(page * PAGE) else 1}[state]
    return sum(pages[page] != wanted(page) for page in range(len(pages))), len(pages)
