"""Input that is larger than what grapnel takes, queries that are stopped, caches that are broken."""

import os
import signal
import subprocess
import time

import grapnel_cli as grapnel
from harness import case, cases
from running import PATIENCE_S, Running, sparse_fixed


@cases(hook=["read", "mmap", "direct"], table=["lines('{}')", "csv('{}', columns => 'a VARCHAR')",
                                               "csv('{}', columns => 'a VARCHAR, b VARCHAR')"])
def a_record_that_is_too_long(tmp, hook, table):
    path = tmp / "long.txt"
    with open(path, "wb") as file:
        file.write(b"short,x\n" * 1000 + b"y" * (33 << 20) + b"\nshort,x\n")
    answer = grapnel.query(f"SELECT count(*) FROM {table.format(path)}", hook=hook)
    answer.expect(grapnel.EXIT["error"])
    assert answer.out == "" and "32 MiB" in answer.err and "8000" in answer.err, answer.err


@case
def a_quote_that_is_never_closed(tmp):
    path = tmp / "open.csv"
    with open(path, "wb") as file:
        file.write(b"1,a\n" * 1000 + b'2,"' + b"1,a\n" * (9 << 20))
    answer = grapnel.query(f"SELECT count(*) FROM csv('{path}', columns => 'a BIGINT, b VARCHAR')")
    answer.expect(grapnel.EXIT["error"])
    assert answer.out == "" and "quote" in answer.err, answer.err


@cases(size=["small", "10 TB"])
def memory_does_not_grow_with_the_file(tmp, size):
    """The peak of a scan that is stopped after 8 GiB, in a file of ten terabytes or just that."""
    path = tmp / "zeros"
    table = sparse_fixed(path, (10 << 40) if size == "10 TB" else (8 << 30))
    with Running(f"SELECT count(*), sum(a) FROM {table}", hook="direct") as query:
        query.wait_for_reading(1 << 10)
        peak = 0
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline and query.process.poll() is None:
            try:
                status = open(f"/proc/{query.process.pid}/status").read()
            except OSError:
                break
            if "VmHWM" in status:
                peak = max(peak, int(status.split("VmHWM:")[1].split()[0]) * 1024)
            time.sleep(0.02)
        query.signal(signal.SIGINT)
        query.finish()
    assert 0 < peak < 200e6, f"{peak} bytes"


@cases(hook=["read", "mmap", "direct"])
def interrupted(tmp, hook):
    table = sparse_fixed(tmp / "zeros", 1 << 40)
    with Running(f"SELECT count(*), sum(a * b + a) FROM {table}", hook=hook) as query:
        time.sleep(0.3)  # in the middle or not: it must end either way
        begin = time.monotonic()
        query.signal(signal.SIGINT)
        answer = query.finish()
        print(f"  ended after {(time.monotonic() - begin) * 1000:.0f} ms")
    assert answer.code != 0 and answer.out == "", answer
    assert "cancel" in answer.err or answer.code in (130, -signal.SIGINT), answer


@case
def interrupted_while_nobody_takes_the_rows(tmp):
    path = tmp / "t.csv"
    path.write_text("12345678,some words\n" * 500_000)
    with Running(f"SELECT * FROM csv('{path}', columns => 'a BIGINT, b VARCHAR')") as query:
        query.wait_for_rows()
        query.signal(signal.SIGINT)
        code = query.wait_for_end()
    assert code != 0


def cache_files(directory):
    return [os.path.join(base, name) for base, _, names in os.walk(directory) for name in names]


def flip(data):
    return bytes(byte ^ (0x40 if i % 97 == 0 else 0) for i, byte in enumerate(data))


DAMAGES = {"emptied": lambda data: b"", "cut": lambda data: data[:len(data) // 2],
           "flipped": flip, "zeros": lambda data: bytes(len(data)),
           "longer": lambda data: data + b"more"}


# Small files are the interpreter's unless a level of native code is named; all machines have this one.
COMPILED = {"GRAPNEL_NATIVE": "plain"}


@cases(damage=list(DAMAGES))
def corrupt_compile_cache(tmp, damage):
    path = tmp / "t.csv"
    path.write_text("".join(f"{n},{n % 7}\n" for n in range(1000)))
    sql = f"SELECT b, count(*), sum(a) FROM csv('{path}', columns => 'a BIGINT, b BIGINT') " \
          "WHERE a > 10 GROUP BY b ORDER BY b"
    cache = tmp / "cache"
    cache.mkdir(mode=0o700)
    env = {"XDG_CACHE_HOME": str(cache), **COMPILED}
    expected = grapnel.query(sql, env=env).expect().rows()
    assert len(expected) == 7
    files = cache_files(cache)
    assert files, "nothing was cached"
    for name in files:
        with open(name, "rb") as file:
            data = file.read()
        os.chmod(name, 0o600)
        with open(name, "wb") as file:
            file.write(DAMAGES[damage](data))
    assert grapnel.query(sql, env=env).expect().rows() == expected
    assert grapnel.query(sql, env=env).expect().rows() == expected


@cases(trap=["link", "file", "of somebody else", "open to all", "missing", "not writable"])
def compile_cache_that_cannot_be_used(tmp, trap):
    path = tmp / "t.csv"
    path.write_text("1,2\n3,4\n")
    base = tmp / "cache"
    base.mkdir(mode=0o700)
    ours = base / "grapnel"
    elsewhere = tmp / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if trap == "link":
        os.symlink(elsewhere, ours)
    elif trap == "file":
        ours.write_text("not a directory")
    elif trap == "of somebody else":
        ours.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(ours, 65534, 65534)
    elif trap == "open to all":
        ours.mkdir()
        os.chmod(ours, 0o777)
    elif trap == "missing":
        base.rmdir()
    elif trap == "not writable":
        ours.mkdir(mode=0o700)
        os.chmod(ours, 0o500)
    sql = f"SELECT sum(a * b) FROM csv('{path}', columns => 'a BIGINT, b BIGINT')"
    for _ in range(2):
        assert grapnel.query(sql, env={"XDG_CACHE_HOME": str(base), **COMPILED}).expect().rows() == ["14"]
    assert not cache_files(elsewhere), "it followed a link"
    if trap in ("of somebody else", "open to all"):
        assert not cache_files(ours) or (trap == "of somebody else" and os.geteuid() != 0)


@case
def many_at_once_on_an_empty_compile_cache(tmp):
    path = tmp / "t.csv"
    path.write_text("".join(f"{n},{n}\n" for n in range(1000)))
    cache = tmp / "cache"
    cache.mkdir(mode=0o700)
    sql = f"SELECT sum(a), max(b) FROM csv('{path}', columns => 'a BIGINT, b BIGINT') WHERE a <> 5"
    command = [str(grapnel.PROGRAM), "query", "--format", "csv", sql]
    env = {**os.environ, "XDG_CACHE_HOME": str(cache), **COMPILED}
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env)
               for _ in range(6)]
    for process in running:
        out, err = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0, err
        assert out.decode().splitlines()[1] == f"{sum(range(1000)) - 5},999", out
