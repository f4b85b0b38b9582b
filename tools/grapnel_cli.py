"""Runs the built program the way a person does: used by the demo, the tests and the bench.

What it relies on, which is the contract of the command line:
  grapnel query [--on HOST:PORT] [--hook X[,any]] [--threads N] [--format table|csv|json]
                [--stats json] "SQL"
  grapnel serve --root DIR --listen ADDRESS:PORT
  results on stdout, everything else on stderr; --stats json writes one JSON object, on a line of its
  own, to stderr:
    {"hook": "read", "why": "...", "hooks": {"read": {"bytes": N, "records": N, "escapes": N,
     "escape_bytes": N, "failed_extents": N, "bytes_copied": N, "device_bytes": N,
     "cpu_seconds": x}, ...}, "file_bytes": N, "bytes_sent": N, "wall_seconds": x, "threads": N,
     "stability": "checked", "warnings": []}
  exit codes: see EXIT below.
"""

import dataclasses
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("GRAPNEL_BUILD_DIR", ROOT / "build"))
DATA = Path(os.environ.get("GRAPNEL_DATA", BUILD / "data"))
PROGRAM = BUILD / "grapnel"

EXIT = {"ok": 0, "error": 1, "refused": 2, "not covered": 3, "hook cannot": 4}

LINEITEM_COLUMNS = (
    "l_orderkey BIGINT, l_partkey BIGINT, l_suppkey BIGINT, l_linenumber INTEGER, "
    "l_quantity DECIMAL(15,2), l_extendedprice DECIMAL(15,2), l_discount DECIMAL(15,2), "
    "l_tax DECIMAL(15,2), l_returnflag VARCHAR, l_linestatus VARCHAR, l_shipdate DATE, "
    "l_commitdate DATE, l_receiptdate DATE, l_shipinstruct VARCHAR, l_shipmode VARCHAR, "
    "l_comment VARCHAR")


def lineitem(path):
    """The FROM clause for lineitem: .csv brings its names along, .tbl has none."""
    if str(path).endswith(".csv"):
        return f"'{path}'"
    return f"csv('{path}', delim => '|', header => false, columns => '{LINEITEM_COLUMNS}')"


def q6(source):
    return (f"SELECT sum(l_extendedprice * l_discount) AS revenue FROM {source} "
            "WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' "
            "AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24")


def q1(source):
    return ("SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, "
            "sum(l_extendedprice) AS sum_base_price, "
            "sum(l_extendedprice * (1 - l_discount)) AS sum_disc_price, "
            "sum(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS sum_charge, "
            "avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, "
            f"avg(l_discount) AS avg_disc, count(*) AS count_order FROM {source} "
            "WHERE l_shipdate <= DATE '1998-09-02' GROUP BY l_returnflag, l_linestatus "
            "ORDER BY l_returnflag, l_linestatus")


@dataclasses.dataclass
class Answer:
    code: int
    out: str
    err: str
    seconds: float
    stats: dict

    def expect(self, code=0):
        """Itself, if the program ended with this code; else an error that shows what it said."""
        if self.code != code:
            raise AssertionError(f"exit code {self.code}, expected {code}\n"
                                 f"stdout: {self.out[-500:]}\nstderr: {self.err[-1500:]}")
        return self

    def rows(self):
        """The rows of --format csv without the header, as they were printed."""
        return self.out.splitlines()[1:]

    def computed_by(self, hook):
        """Share of the file's bytes that this hook itself computed."""
        done = self.stats["hooks"].get(hook, {}).get("bytes", 0)
        return done / max(1, self.stats["file_bytes"])


def find_stats(text):
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError:
                continue
    return {}


def run(*arguments, timeout=300, env=None, stdin=None, cwd=None):
    """Runs grapnel with these arguments and waits for its end."""
    start = time.monotonic()
    done = subprocess.run([str(PROGRAM), *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, input=stdin, cwd=cwd,
                          stdin=None if stdin is not None else subprocess.DEVNULL,
                          env=None if env is None else {**os.environ, **env})
    return Answer(done.returncode, done.stdout, done.stderr, time.monotonic() - start,
                  find_stats(done.stderr))


def query(sql, *, hook=None, on=None, threads=None, format="csv", stats=True, **rest):
    arguments = ["query", "--format", format]
    if stats:
        arguments += ["--stats", "json"]
    for option, value in (("--hook", hook), ("--on", on), ("--threads", threads)):
        if value is not None:
            arguments += [option, str(value)]
    return run(*arguments, sql, **rest)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server on a free port of this machine, for the length of a with-block."""

    def __init__(self, root, *arguments, host="127.0.0.1"):
        self.root, self.arguments = Path(root), arguments
        self.host, self.port = host, free_port()
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"

    def __enter__(self):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [str(PROGRAM), "serve", "--root", str(self.root), "--listen", self.address,
             *self.arguments], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with code {self.process.returncode}:\n"
                                   + self.said())
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return self
            except OSError:
                time.sleep(0.01)
        self.__exit__()
        raise RuntimeError("the server does not listen after 20 s:\n" + self.said())

    def said(self):
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
