#!/usr/bin/env python3
"""`grapnel trace`: real workloads, and who is charged with what. Nothing here measures time."""

import contextlib
import functools
import json
import mmap
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "e2e"), str(TESTS / "faults"), str(TESTS / "hooks")]
from harness import case, cases, main, skip  # noqa: E402

import disturbed  # noqa: E402
import grapnel_cli as grapnel  # noqa: E402
import page_cache  # noqa: E402
import tracing  # noqa: E402
from kernel_rights import has_kernel_rights  # noqa: E402
from running import as_nobody  # noqa: E402
from tracing import READ_WHOLE, Trace, drop, run_python, write  # noqa: E402

PAGE = mmap.PAGESIZE
MIB = 1 << 20
ATTEMPTS = 6
URING_READER = grapnel.BUILD / "test_uring_reader"


def need_kernel_rights():
    if not has_kernel_rights():
        skip("a trace needs CAP_BPF or CAP_SYS_ADMIN")


def up_to_page(size):
    return (size + PAGE - 1) // PAGE * PAGE


class EventsMissing(AssertionError):
    """Fewer bytes from the device than the file has."""


def near(device_bytes, size):
    """What a file took from its device: whole pages, and readahead may be dropped and come again."""
    if device_bytes < up_to_page(size):
        raise EventsMissing(f"{device_bytes} of {size} bytes")
    return device_bytes <= up_to_page(size) * 1.05 + 64 * PAGE


def despite_missing_events(test):
    """For tests that want every block request seen. On some virtual machines the kernel handles a whole
    interrupt of the disk without calling any program of its tracepoints (docs/trace.md): once in
    ATTEMPTS all must be seen; too much never."""
    @functools.wraps(test)
    def attempts(tmp, **parameters):
        for left in reversed(range(ATTEMPTS)):
            try:
                return test(tmp, **parameters)
            except EventsMissing as missing:
                print(f"    again, not all of the device's events came: {missing}", flush=True)
                if left == 0:
                    raise
    return attempts


def in_state(path, state):
    """For `with`: the file "cold" at the beginning, or "cached" and held there."""
    if state == "cached":
        return page_cache.held(path)
    drop(path)
    return contextlib.nullcontext()


# --- One file, one reader ---


@cases(size=[1, 4096, 1_000_003, 20 * MIB], block=[1 << 12, 1 << 17])
def cached_read_takes_nothing_from_the_device(tmp, size, block):
    need_kernel_rights()
    path = write(tmp / "file", size)
    with page_cache.held(path), Trace("--file", path) as trace:
        pid = run_python(READ_WHOLE, block, path)
    row = trace.row(path)
    assert (row["pid"], row["process"], row["opens"]) == (pid, "process", 1), row
    assert row["read_bytes"] == row["cached_bytes"] == size, row
    assert row["calls"] == size // block + 2 - (size % block == 0), row
    assert row["asked_bytes"] == row["calls"] * block, row
    assert row["device_bytes"] == row["added_bytes"] == row["direct_bytes"] == 0, row
    assert row["named"] and row["inode"] == os.stat(path).st_ino, row
    assert trace.code == 0, trace.code
    assert sum(trace.total()["syscall_log2_ns"]) == row["calls"], trace.total()


@cases(size=[1, 4096, 1_000_003, 20 * MIB])
@despite_missing_events
def cold_read_takes_all_from_the_device(tmp, size):
    need_kernel_rights()
    path = write(tmp / "file", size)
    drop(path)
    with Trace("--file", path) as trace:
        pid = run_python(READ_WHOLE, 1 << 17, path)
    row = trace.row(path)
    assert row["pid"] == pid and row["read_bytes"] == size, row
    assert near(row["device_bytes"], size) and near(row["added_bytes"], size), row
    assert row["cached_bytes"] == 0, row
    assert row["requests"] >= 1, row
    assert trace.total()["requests"] == row["requests"], (trace.total(), row)
    assert sum(trace.total()["block_log2_ns"]) >= row["requests"], trace.total()


@case
def second_reader_is_served_from_the_cache(tmp):
    need_kernel_rights()
    path = write(tmp / "file", 4 * MIB)
    drop(path)
    with Trace("--file", path) as trace:
        first = run_python(READ_WHOLE, 1 << 16, path)
        with page_cache.held(path):
            second = run_python(READ_WHOLE, 1 << 16, path)
    assert trace.row(path, pid=first)["cached_bytes"] == 0, trace.rows(path)
    row = trace.row(path, pid=second)
    assert row["cached_bytes"] == row["read_bytes"] == 4 * MIB and row["device_bytes"] == 0, row


@case
def direct_read_passes_the_cache(tmp):
    need_kernel_rights()
    path = write(tmp / "file", 8 * MIB)
    with Trace("--file", path) as trace:
        reader = subprocess.Popen(["dd", f"if={path}", "of=/dev/null", "bs=1M", "iflag=direct"],
                                  stderr=subprocess.DEVNULL)
        assert reader.wait() == 0
    row = trace.row(path)
    assert (row["pid"], row["command"]) == (reader.pid, "dd"), row
    assert row["direct_bytes"] == row["read_bytes"] == row["device_bytes"] == 8 * MIB, row
    assert row["cached_bytes"] == row["added_bytes"] == 0, row


SENDER = """
import os, socket, sys, threading
here, there = socket.socketpair()
def swallow():
    while there.recv(1 << 20): pass
thread = threading.Thread(target=swallow)
thread.start()
fd = os.open(sys.argv[1], os.O_RDONLY)
offset, size = 0, os.fstat(fd).st_size
while offset < size:
    offset += os.sendfile(here.fileno(), fd, offset, size - offset)
here.close()
thread.join()
"""


@cases(state=["cold", "cached"])
@despite_missing_events
def sendfile_is_sent_not_read(tmp, state):
    need_kernel_rights()
    size = 4 * MIB + 123
    path = write(tmp / "file", size)
    with in_state(path, state), Trace("--file", path) as trace:
        pid = run_python(SENDER, path)
    row = trace.row(path)
    assert row["pid"] == pid and row["sent_bytes"] == size and row["read_bytes"] == 0, row
    if state == "cold":
        assert near(row["device_bytes"], size) and row["cached_bytes"] == 0, row
    else:
        assert row["device_bytes"] == 0 and row["cached_bytes"] == size, row


MAPPER = """
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDONLY)
with mmap.mmap(fd, 0, prot=mmap.PROT_READ) as memory:
    sum(memory[at] for at in range(0, len(memory), 4096))
"""


@cases(state=["cold", "cached"])
@despite_missing_events
def mapped_file(tmp, state):
    need_kernel_rights()
    size = 4 * MIB
    path = write(tmp / "file", size)
    with in_state(path, state), Trace("--file", path) as trace:
        pid = run_python(MAPPER, path)
    row = trace.row(path)
    assert row["pid"] == pid and row["maps"] == 1 and row["mapped_bytes"] == size, row
    assert row["read_bytes"] == 0, row
    if trace.sees("page faults"):
        assert row["faults"] > 0, row
    assert near(row["device_bytes"], size) if state == "cold" else row["device_bytes"] == 0, row


@cases(way=["buffered", "direct"], poll=[False, True])
@despite_missing_events
def io_uring(tmp, way, poll):
    need_kernel_rights()
    size = 4 * MIB
    path = write(tmp / "file", size)
    drop(path)
    options = (["--direct"] if way == "direct" else []) + (["--sqpoll"] if poll else [])
    with Trace("--file", path) as trace:
        reader = subprocess.Popen([str(URING_READER), *options, str(1 << 17), str(path)],
                                  stdout=subprocess.PIPE, text=True)
        said = reader.communicate()[0]
    assert said.split() == [str(size)], said
    assert trace.sees("io_uring"), trace.lines[:10]
    row = trace.row(path)
    assert row["pid"] == reader.pid and row["process"] == "process", row
    assert row["read_bytes"] == size and row["calls"] == size // (1 << 17) + 1, row
    assert near(row["device_bytes"], size), row
    assert row["direct_bytes"] == (size if way == "direct" else 0), row
    assert row["cached_bytes"] == 0, row


# --- Many ---


@case
def one_process_with_many_files(tmp):
    need_kernel_rights()
    paths = [write(tmp / f"file {number}", 1000 * number + 1) for number in range(40)]
    with Trace("--file", tmp / "file *") as trace:
        pid = run_python(READ_WHOLE, 1 << 12, *paths)
    for number, path in enumerate(paths):
        row = trace.row(path)
        assert row["pid"] == pid and row["opens"] == 1, row
        assert row["read_bytes"] == 1000 * number + 1, row


@case
@despite_missing_events
def many_processes_with_one_file(tmp):
    need_kernel_rights()
    size = 3_000_001
    path = write(tmp / "file", size)
    drop(path)
    with Trace("--file", path) as trace:
        readers = [subprocess.Popen([sys.executable, "-c", READ_WHOLE, "65536", str(path)])
                   for _ in range(8)]
        assert [reader.wait() for reader in readers] == [0] * 8
    rows = {row["pid"]: row for row in trace.rows(path)}
    assert set(rows) == {reader.pid for reader in readers}, rows
    assert all(row["read_bytes"] == size for row in rows.values()), rows
    # Each page came once, whoever had it brought, and was the first reader's once.
    assert near(sum(row["device_bytes"] for row in rows.values()), size), rows
    assert sum(row["read_bytes"] - row["cached_bytes"] for row in rows.values()) <= size, rows


def neighbours(tmp):
    """Small files that lie side by side on the device."""
    paths = [tmp / f"small{number:02}" for number in range(24)]
    for path in paths:
        path.write_bytes(os.urandom(PAGE))
    os.sync()
    for path in paths:
        drop(path)
    return paths


@case
def request_that_holds_several_files(tmp):
    need_kernel_rights()
    paths = neighbours(tmp)
    # More than two reads in one submission are collected before the device gets them.
    with Trace("--events", "--file", tmp / "small*") as trace:
        reader = subprocess.Popen([str(URING_READER), "--direct", "--together", str(PAGE),
                                   *map(str, paths)], stdout=subprocess.PIPE, text=True)
        said = reader.communicate()[0]
    assert said.split() == [str(len(paths) * PAGE)], said
    for path in paths:
        row = trace.row(path)
        assert row["pid"] == reader.pid and row["device_bytes"] == row["read_bytes"] == PAGE, row
    total = trace.total()
    requests = {}
    for path in paths:
        for event in trace.events(path, "block"):
            requests.setdefault(event["request"], set()).add(event["path"])
    many = [request for request, files in requests.items() if len(files) > 1]
    assert total["requests_many_files"] == len(many), (total, requests)
    if not many:
        skip(f"the device took {len(requests)} requests for {len(paths)} files: none was merged")
    assert total["requests"] < len(paths), total


@case
def processes_are_told_apart(tmp):
    """--pid leaves out all others."""
    need_kernel_rights()
    path = write(tmp / "file", 100_000)
    script = "import sys; sys.stdin.readline()\n" + READ_WHOLE.replace("sys.argv[2:]", "sys.argv[2:] * 2")
    reader = subprocess.Popen([sys.executable, "-c", script, "4096", str(path)], stdin=subprocess.PIPE)
    with Trace("--pid", reader.pid) as trace:
        run_python(READ_WHOLE, 1 << 12, path)
        reader.communicate(b"go\n")
    assert trace.row(path)["pid"] == reader.pid and trace.row(path)["read_bytes"] == 200_000
    assert {row["pid"] for row in trace.of_type("total_row")} == {reader.pid}, trace.lines


# --- Names and namespaces ---


@case
def files_that_appear_later(tmp):
    need_kernel_rights()
    other = write(tmp / "other.log", 5000)
    with Trace("--file", tmp / "*.data") as trace:
        late = write(tmp / "late.data", 7000)
        (tmp / "deeper").mkdir()
        deep = write(tmp / "deeper" / "x.data", 7000)
        run_python(READ_WHOLE, 4096, late, other, deep)
    # The test itself has written and so opened it, too: a row of its own.
    assert sum(row["read_bytes"] for row in trace.rows(late)) == 7000, trace.rows(late)
    assert not trace.rows(other) and not trace.rows(deep), trace.of_type("total_row")


@case
def odd_names(tmp):
    need_kernel_rights()
    names = ["with space", "new\nline", "ünï", "x" * 255]
    paths = [write(tmp / name, 100) for name in names]
    with Trace("--file", tmp / "*") as trace:
        run_python(READ_WHOLE, 4096, *paths)
    for path in paths:
        assert trace.row(path)["read_bytes"] == 100


@case
def process_in_another_pid_namespace(tmp):
    need_kernel_rights()
    path = write(tmp / "file", 50_000)
    script = READ_WHOLE + "print(os.getpid(), flush=True); sys.stdin.readline()"
    with Trace("--file", path) as trace:
        outside = subprocess.Popen(["unshare", "--pid", "--fork", sys.executable, "-c", script, "4096",
                                    str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        inside = int(outside.stdout.readline())
        children = Path(f"/proc/{outside.pid}/task/{outside.pid}/children").read_text().split()
        outside.communicate(b"end\n")
    assert inside == 1 and len(children) == 1, (inside, children)
    row = trace.row(path)
    assert row["pid"] == int(children[0]) and row["read_bytes"] == 50_000, (row, children)


@case
def trace_inside_a_pid_namespace(tmp):
    """Numbers are those that the caller knows; who is outside has none."""
    need_kernel_rights()
    path, script = write(tmp / "file", 50_000), tmp / "script.sh"
    inner, outer = tmp / "inner", tmp / "outer"
    script.write_text(f'''
"{grapnel.PROGRAM}" trace --json --file "{path}" >"{tmp}/out" & trace=$!
while [ ! -s "{tmp}/out" ]; do sleep 0.05; done
"{sys.executable}" -c 'import os, sys
open(sys.argv[3], "w").write(str(os.getpid()))
{READ_WHOLE.replace("sys.argv[2:]", "sys.argv[2:3]")}' 4096 "{path}" "{inner}"
touch "{outer}"; while [ -e "{outer}" ]; do sleep 0.05; done
kill -INT $trace; wait $trace
''')
    # In the background a shell lets its children ignore SIGINT.
    script.write_text("set -m\n" + script.read_text())
    shell = subprocess.Popen(["unshare", "--pid", "--fork", "--mount-proc", "bash", str(script)],
                             stdin=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not outer.exists():
        assert shell.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    run_python(READ_WHOLE, 4096, path)
    outer.unlink()
    assert shell.wait(120) == 0
    trace = Trace()
    trace.lines = [json.loads(line) for line in (tmp / "out").read_text().splitlines()]
    assert {row["pid"] for row in trace.rows(path)} == {0, int(inner.read_text())}, trace.rows(path)
    assert all(row["read_bytes"] == 50_000 for row in trace.rows(path)), trace.rows(path)


@case
def kernel_threads_are_no_processes(tmp):
    """A loop device reads its file in a thread of the kernel: its rows name no process."""
    need_kernel_rights()
    image, mount = tmp / "image", tmp / "mount"
    write(image, 64 * MIB)
    mount.mkdir()
    done = subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"no file system can be made: {done.stderr}")
    done = subprocess.run(["mount", "-o", "loop", str(image), str(mount)], capture_output=True, text=True)
    if done.returncode != 0:
        skip(f"no loop device can be mounted: {done.stderr}")
    try:
        path = write(mount / "file", 8 * MIB)
        os.sync()
        drop(path)
        drop(image)
        with Trace() as trace:
            pid = run_python(READ_WHOLE, 1 << 17, path)
        row = trace.row(path)
        assert row["pid"] == pid and row["device_bytes"] >= 8 * MIB, row
        below = trace.rows(image)
        assert sum(row["device_bytes"] for row in below) >= 8 * MIB, below
        # It is never the reader's process that is said to have read the image by itself ...
        for row in below:
            assert row["process"] in ("kernel", "kernel for") or row["pid"] == pid, row
            assert row["read_bytes"] == row["opens"] == 0, row
    finally:
        subprocess.run(["umount", str(mount)], check=True)


# --- Events, losses, ends ---


@case
def events_say_the_same_as_sums(tmp):
    need_kernel_rights()
    path = write(tmp / "file", 1_000_000)
    drop(path)
    with Trace("--events", "--file", path) as trace:
        pid = run_python(READ_WHOLE, 10_000, path)
    row = trace.row(path)
    reads = trace.events(path, "read")
    assert len(reads) == row["calls"] == 101 and trace.total()["lost_events"] == 0, row
    assert sum(event["bytes"] for event in reads) == 1_000_000
    assert [event["offset"] for event in reads] == list(range(0, 1_000_001, 10_000))
    assert sum(event["bytes"] for event in trace.events(path, "block")) == row["device_bytes"]
    assert sum(event["bytes"] for event in trace.events(path, "add")) == row["added_bytes"]
    assert len(trace.events(path, "open")) == 1
    assert {event["pid"] for event in trace.of_type("event")} == {pid}
    times = [event["time_ns"] for event in reads]
    assert times == sorted(times)


@case
def lost_events_are_counted(tmp):
    need_kernel_rights()
    path = write(tmp / "file", MIB)
    with Trace("--events", "--ring", PAGE, "--file", path) as trace:
        run_python(READ_WHOLE, 16, path)
    total, row = trace.total(), trace.row(path)
    assert total["lost_events"] > 0, total
    assert row["read_bytes"] == MIB and row["calls"] == MIB // 16 + 1, row
    # Of other files only opens are sent, for their names: some may be among the lost ones.
    assert len(trace.of_type("event")) + total["lost_events"] >= total["events"], total
    assert trace.code == grapnel.EXIT["not covered"], trace.code


@cases(layer=["syscall", "cache", "block"])
def one_layer_alone(tmp, layer):
    need_kernel_rights()
    path = write(tmp / "file", MIB)
    drop(path)
    with Trace("--layer", layer, "--file", path) as trace:
        run_python(READ_WHOLE, 1 << 16, path)
    row = trace.row(path)
    assert row["read_bytes"] == (MIB if layer == "syscall" else 0), row
    assert (row["added_bytes"] > 0) == (layer == "cache"), row
    assert (row["device_bytes"] > 0) == (layer == "block"), row


@case
def what_the_kernel_lacks_is_said(tmp):
    need_kernel_rights()
    path = write(tmp / "file", MIB)
    with Trace("--file", path, env={"GRAPNEL_PRETEND_ABSENT": "mm_filemap_fault"}) as trace:
        run_python(MAPPER, path)
    assert not trace.sees("page faults") and trace.row(path)["faults"] == 0
    done = grapnel.run("trace", "--for", "1s", "--layer", "block",
                       env={"GRAPNEL_PRETEND_ABSENT": "block_rq_complete"})
    done.expect(grapnel.EXIT["hook cannot"])
    assert "block_rq_complete" in done.err and "hint" in done.err, done.err
    done = grapnel.run("trace", "--for", "0.1s", "--file", path,
                       env={"GRAPNEL_PRETEND_ABSENT": "mm_filemap_fault"}).expect()
    assert "not seen on this kernel: page faults" in done.out, done.out


@case
def refused_without_rights(tmp):
    need_kernel_rights()
    done = as_nobody([grapnel.PROGRAM, "trace", "--for", "1s"])
    code, err = done.returncode, done.stderr
    assert code == grapnel.EXIT["error"], (code, err)
    assert "cannot trace" in err and "CAP_BPF" in err and "root" in err, err


@cases(arguments=[["--file", ""], ["--pid", "0"], ["--layer", "disk"], ["--for", "soon"],
                  ["--ring", "5000"], ["--pid", "4194304"]])
def wrong_usage(tmp, arguments):
    done = grapnel.run("trace", "--for", "1s", *arguments).expect(grapnel.EXIT["refused"])
    assert done.err and not done.out, done


@case
def killed_leaves_nothing(tmp):
    need_kernel_rights()
    with Trace("--events") as trace:
        programs = disturbed.programs_of(trace.process.pid)
        assert programs and all(disturbed.is_loaded(program) for program in programs), programs
        trace.process.send_signal(signal.SIGKILL)
        trace.process.wait()
        left = disturbed.wait_until_gone(programs)
        assert not left, left


@cases(arguments=[[], ["--events"]])
def plain_output_fits_80_columns(tmp, arguments):
    need_kernel_rights()
    path = write(tmp / ("long name " * 12), 1_000_000)
    drop(path)
    said = open(tmp / "said", "w+")
    process = subprocess.Popen([str(grapnel.PROGRAM), "trace", *arguments], stdin=subprocess.DEVNULL,
                               stdout=said)
    deadline = time.monotonic() + 60
    while not disturbed.programs_of(process.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    for _ in range(20):
        run_python(READ_WHOLE, 65536, path)
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 0
    out = tracing.Trace.read(said)
    lines = out.splitlines()
    assert all(len(line) <= 80 for line in lines), [line for line in lines if len(line) > 80]
    assert "name" in out and "python" in out and "latency" in out, out


if __name__ == "__main__":
    main()
