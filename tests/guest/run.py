"""The program on other kernels: boots each kernel in build/guests under QEMU's software emulation, with
an initial file system that holds the program, its shared libraries, objects compiled beforehand (there
is no compiler in the guest) and small TPC-H files, and checks each answer against DuckDB and who
computed it. Last line: 'N passed, N failed, N skipped'."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import cases  # noqa: E402
import duckdb  # noqa: E402
import grapnel_cli as cli  # noqa: E402

HERE = Path(__file__).resolve().parent
DATA = cli.DATA / "tpch-sf0.01"
BOOT_SECONDS = 300
HOOKS = ("read", "mmap", "pipe")


# Twenty-one aggregates, four keys.
WIDE_PLAN = (
    "SELECT l_returnflag, l_linestatus, l_linenumber, l_shipmode, count(*), "
    "sum(l_quantity), sum(l_extendedprice), sum(l_discount), sum(l_tax), "
    "sum(l_quantity * l_discount), sum(l_extendedprice * l_discount), "
    "sum(l_extendedprice * (1 - l_discount)), sum(l_extendedprice * (1 + l_tax)), "
    "min(l_quantity), max(l_quantity), min(l_extendedprice), max(l_extendedprice), "
    "min(l_discount), max(l_discount), min(l_tax), max(l_tax), "
    "min(l_shipdate), max(l_shipdate), count(l_tax) "
    "FROM {} WHERE l_shipdate >= DATE '1993-01-01' "
    "GROUP BY l_returnflag, l_linestatus, l_linenumber, l_shipmode "
    "ORDER BY l_returnflag, l_linestatus, l_linenumber, l_shipmode")


def statements():
    """[(name, SQL for grapnel, SQL for DuckDB)]; files are named without a folder in the guest."""
    found = []
    for file in ("lineitem.tbl", "lineitem.csv"):
        # Types are given, so that both engines read the same ones.
        dialect = ("delim => '|', header => false" if file.endswith(".tbl") else
                   "delim => ',', header => true")
        ours = f"csv('{file}', {dialect}, columns => '{cli.LINEITEM_COLUMNS}')"
        theirs = cases.duckdb_source(DATA / file)
        kind = file.rsplit(".", 1)[1]
        found += [(f"Q6.{kind}", cli.q6(ours), cli.q6(theirs)),
                  (f"Q1.{kind}", cli.q1(ours), cli.q1(theirs)),
                  (f"wide.{kind}", WIDE_PLAN.format(ours), WIDE_PLAN.format(theirs)),
                  (f"rows.{kind}",
                   f"SELECT l_orderkey, l_comment FROM {ours} WHERE l_quantity = 50 "
                   "AND l_shipdate < DATE '1992-03-01'",
                   f"SELECT l_orderkey, l_comment FROM {theirs} WHERE l_quantity = 50 "
                   "AND l_shipdate < DATE '1992-03-01'")]
    return found


def expected_rows(sql):
    rows = duckdb.connect().execute(sql).fetchall()
    return [[str(value) for value in row] for row in rows]


def compile_objects(cache, work):
    """Runs every statement here once, so that the compile cache holds what the guest needs."""
    for name, ours, _ in work:
        answer = cli.query(ours, hook="pipe", threads=1, cwd=DATA, env={"XDG_CACHE_HOME": cache})
        if answer.code != 0:
            raise RuntimeError(f"{name} does not run on this kernel: {answer.err}")


def libraries(program):
    listing = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    return [Path(path) for path in re.findall(r"(/\S+\.so\S*)", listing)]


def make_root(root, work):
    for folder in ("bin", "data", "cache", "proc", "sys", "dev", "tmp", "root"):
        (root / folder).mkdir(parents=True)
    shutil.copy("/bin/busybox", root / "bin/busybox")
    program = root / "bin/grapnel"
    subprocess.run(["strip", "-o", program, cli.PROGRAM], check=True)
    for library in libraries(program):
        target = root / str(library).lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(library.resolve(), target)
    for file in ("lineitem.tbl", "lineitem.csv"):
        shutil.copy(DATA / file, root / "data")
    compile_objects(str(root / "cache"), work)
    lines = [f"{name}\t{hook}\t{ours}\n" for name, ours, _ in work for hook in HOOKS]
    (root / "statements").write_text("".join(lines), encoding="utf-8")
    shutil.copy(HERE / "init", root / "init")
    (root / "init").chmod(0o755)


def pack(root, image):
    names = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet", "-R", "0:0"], cwd=root,
                             input=names, capture_output=True, check=True).stdout
    image.write_bytes(gzip.compress(archive, 1))


def boot(kernel, image):
    """What the guest wrote to its serial line."""
    command = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "2048",
               "-nographic", "-no-reboot", "-nic", "none", "-kernel", str(kernel), "-initrd",
               str(image), "-append", "console=ttyS0 quiet panic=-1 oops=panic"]
    done = subprocess.run(command, capture_output=True, timeout=BOOT_SECONDS,
                          stdin=subprocess.DEVNULL)
    return done.stdout.decode("utf-8", "replace").replace("\r", "")


def parse(text):
    """{(name, hook): (exit code, stdout, stderr)}"""
    found = {}
    for name, hook, out, code, err in re.findall(
            r"^<<<(\S+) (\S+)\n(.*?)^===(\d+)\n(.*?)^>>>$", text, re.M | re.S):
        found[name, hook] = int(code), out, err
    return found


def check(answer, hook, expected):
    """Empty if all is well, else what is wrong."""
    code, out, err = answer
    if code != 0:
        return f"exit code {code}: {err[-800:]}"
    # No field of these results has a comma but the comment of the row query, which comes last.
    rows = [line.split(",", len(expected[0]) - 1) for line in out.splitlines()[1:]]
    rows = [[field.strip('"') for field in row] for row in rows]
    if len(rows) != len(expected):
        return f"{len(rows)} rows, expected {len(expected)}"
    for row, right in zip(rows, expected):
        for a, b in zip(row, right):
            if a != b and (not _is_number(b) or abs(float(a) - float(b)) > 1e-12 * abs(float(b))):
                return f"{row}, expected {right}"
    stats = cli.find_stats(err)
    done = stats.get("hooks", {}).get(hook, {}).get("bytes", 0)
    if done < 0.95 * stats.get("file_bytes", 1):
        return f"'{hook}' did {done} of {stats.get('file_bytes')} bytes: {json.dumps(stats)}"
    return ""


def _is_number(text):
    try:
        float(text)
        return True
    except ValueError:
        return False


def run_kernel(folder, image, work, expected):
    """(passed, failed)"""
    log = cli.BUILD / "logs" / f"guest-{folder.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    try:
        text = boot(folder / "vmlinuz", image)
    except subprocess.TimeoutExpired as late:
        log.write_bytes(late.stdout or b"")
        print(f"FAILED {folder.name}: not finished after {BOOT_SECONDS} s; see {log}")
        return 0, 1
    log.write_text(text, encoding="utf-8")
    answers = parse(text)
    kernel = re.search(r"<<<kernel (\S+)", text)
    print(f"kernel {kernel[1] if kernel else 'did not boot, see ' + str(log)}")
    passed = failed = 0
    for name, _, _ in work:
        for hook in HOOKS:
            answer = answers.get((name, hook))
            wrong = "no answer" if answer is None else check(answer, hook, expected[name])
            passed, failed = passed + (not wrong), failed + bool(wrong)
            print(f"{'FAILED' if wrong else 'ok    '} {folder.name} {name} {hook} {wrong}")
    return passed, failed


def main():
    if os.geteuid() != 0:
        print("the pipe hook's objects can only be compiled and tried as root")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    kernels = sorted(path.parent for path in (cli.BUILD / "guests").glob("*/vmlinuz"))
    if not kernels:
        print("no kernel in build/guests: ./dev setup fetches them")
        print("0 passed, 1 failed, 0 skipped")
        return 1
    work = statements()
    expected = {name: expected_rows(theirs) for name, _, theirs in work}
    passed = failed = 0
    with tempfile.TemporaryDirectory() as temporary:
        root, image = Path(temporary) / "root", Path(temporary) / "initrd.gz"
        make_root(root, work)
        pack(root, image)
        for kernel in kernels:
            good, bad = run_kernel(kernel, image, work, expected)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
