"""One run of one engine on one case: seconds and the answer's first row."""

import os
import subprocess
import time

import duckdb
import grapnel_cli as cli


def drop_cached(path):
    """Drops our own test file's pages from the page cache; nobody else's."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def make_cached(path):
    with open(path, "rb", buffering=0) as file:
        buffer = bytearray(1 << 20)
        while file.readinto(buffer):
            pass


class DuckDb:
    """One connection for all runs: its start is not measured, only the query."""

    def __init__(self):
        self.connection = duckdb.connect()

    def run(self, case):
        self.connection.execute(f"SET threads = {case.threads}")
        start = time.perf_counter()
        rows = self.connection.execute(case.duckdb).fetchall()
        seconds = time.perf_counter() - start
        return seconds, [[str(value) for value in row] for row in rows]


class Engines:
    def __init__(self):
        self.duckdb = DuckDb()

    def run(self, engine, case):
        """(seconds, rows or None). grapnel is timed as a whole process, start and end included."""
        if engine == "duckdb":
            return self.duckdb.run(case)
        if engine in ("bare_io_uring", "copy_sum"):
            return self._helper(engine, case), None
        answer = cli.query(case.sql, hook=engine, threads=case.threads).expect()
        if answer.computed_by(engine) < 0.95:
            raise AssertionError(f"{case.name}: '{engine}' did not do the work: {answer.stats}")
        return answer.seconds, [row.split(",") for row in answer.rows()]

    @staticmethod
    def _helper(engine, case):
        """Timed as grapnel is: the whole process."""
        program = {"bare_io_uring": "bench_io_uring_reader", "copy_sum": "bench_copy_sum"}[engine]
        command = [str(cli.BUILD / program), str(case.path)]
        if engine == "bare_io_uring":  # as many bytes in flight as grapnel's threads have together
            command += [str(256 << 10), str(32 * case.threads)]
        start = time.perf_counter()
        subprocess.run(command, capture_output=True, check=True)
        return time.perf_counter() - start
