"""--hook ship: the server sends the file, the client computes; the answer is that of pushing."""

import json
import os
import random
import signal
import struct
import subprocess
import time
from pathlib import Path

import grapnel_cli as grapnel
from harness import case, cases

SMALL = grapnel.DATA / "tpch-sf0.01"
LARGE = grapnel.DATA / "tpch-sf1"
PATIENCE_S = 60  # for what happens at once; only a hang takes this long
TABLE_BYTES = 10 << 20  # several extents, whatever the query

SEED = int(os.environ.get("GRAPNEL_TEST_SEED", random.SystemRandom().randrange(10**9)))


def quoted(path, rng):
    """Quotes, doubled ones, line ends inside them, and one field longer than an extent of rows."""
    words = ['"a, b"', '"line\nend"', '"say ""so"""', "plain", "", '"' + "1,x\n" * 50 + '"']
    with open(path, "w") as file:
        file.write("n,text,amount\n")
        while file.tell() < TABLE_BYTES // 2:
            file.writelines(f"{rng.randrange(1000)},{rng.choice(words)},{rng.randrange(99)}.5\n"
                            for _ in range(1000))
        file.write('7,"' + "8,inside,1.5\n" * 250_000 + '",2.5\n')
        while file.tell() < TABLE_BYTES:
            file.writelines(f"{rng.randrange(1000)},{rng.choice(words)},{rng.randrange(99)}.5\n"
                            for _ in range(1000))
    return f"'{path.name}'"


def plain_tbl(path, rng):
    with open(path, "w") as file:
        while file.tell() < TABLE_BYTES:
            file.writelines(f"{rng.randrange(1000)}|{'x' * rng.randrange(30)}|{rng.random():.2f}|\n"
                            for _ in range(1000))
    return (f"csv('{path.name}', delim => '|', quote => '', header => false, "
            "columns => 'n BIGINT, text VARCHAR, amount DECIMAL(9,2)')")


def lines(path, rng):
    with open(path, "w") as file:
        while file.tell() < TABLE_BYTES:
            file.writelines(f"{'error' if rng.random() < 0.1 else 'note'} {rng.random()}\n"
                            for _ in range(1000))
    return f"lines('{path.name}')"


def fixed(path, rng):
    with open(path, "wb") as file:
        for _ in range(TABLE_BYTES // 12):
            file.write(struct.pack("<qi", rng.randrange(1000), rng.randrange(10**6)))
    return f"fixed('{path.name}', columns => 'n BIGINT, m INTEGER')"


COUNTED = ["SELECT count(*) FROM {}", "SELECT * FROM {}", "SELECT * FROM {} LIMIT 7 OFFSET 3"]
NUMBERED = COUNTED + [
    "SELECT sum(n), min(n) FROM {} WHERE n > 500",
    "SELECT n % 10 AS k, count(*) FROM {} GROUP BY n % 10 ORDER BY k DESC",
    "SELECT * FROM {} WHERE n < 20 ORDER BY n DESC, 2 LIMIT 50"]
FORMATS = {"quoted": (quoted, "t.csv", NUMBERED),
           "tbl": (plain_tbl, "t.tbl", NUMBERED),
           "lines": (lines, "t.log", COUNTED + ["SELECT count(*) FROM {} WHERE line LIKE '%error%'",
                                                "SELECT line_offset FROM {} WHERE line LIKE 'e%9'"]),
           "fixed": (fixed, "t.bin", NUMBERED)}


def shipped_alone(answer):
    """The hook itself did it, all of it."""
    stats = answer.stats
    assert set(stats["hooks"]) == {"ship"} and stats["hook"] == "ship", stats
    return stats


@cases(format=list(FORMATS), threads=[1, 3])
def same_answer_as_pushed(tmp, format, threads):
    print(f"seed {SEED}")
    write, name, queries = FORMATS[format]
    table = write(tmp / name, random.Random(SEED))
    size = (tmp / name).stat().st_size
    with grapnel.Server(tmp) as server:
        for query in queries:
            sql = query.format(table)
            pushed = grapnel.query(sql, on=server.address).expect()
            shipped = grapnel.query(sql, on=server.address, hook="ship", threads=threads).expect()
            assert shipped.out == pushed.out, sql
            stats = shipped_alone(shipped)
            assert stats["table"] == pushed.stats["table"] and stats["file_bytes"] == size, stats
            if "LIMIT 7" not in sql:
                done = stats["hooks"]["ship"]["bytes"] + stats["stitched"]["bytes"]
                assert done >= size - 100, (done, size)  # but for the header
                again = 6 << 20 if format == "quoted" else 0  # what a wrong guess was wrong about
                assert size <= stats["bytes_sent"] <= size + again, stats


@case
def tpch_answers(tmp):
    with grapnel.Server(LARGE) as server:
        table = grapnel.lineitem("lineitem.tbl")
        answer = grapnel.query(grapnel.q6(table), on=server.address, hook="ship").expect()
        assert answer.rows() == ["123141078.2283"], answer.out
        shipped_alone(answer)


@case
def a_limit_stops_the_transfer(tmp):
    with grapnel.Server(LARGE) as server:
        sql = f"SELECT l_orderkey FROM {grapnel.lineitem('lineitem.tbl')} LIMIT 5"
        answer = grapnel.query(sql, on=server.address, hook="ship").expect()
    assert len(answer.rows()) == 5
    assert answer.stats["bytes_sent"] < 200 << 20, answer.stats


@cases(content=["a\n", "a,b\n1,2\n", "1,2", "a,b\n1,2\n3,4", "\ufeffa,b\r\n1,2\r\n"])
def tiny_files(tmp, content):
    (tmp / "t.csv").write_text(content)
    with grapnel.Server(tmp) as server:
        for sql in ("SELECT * FROM 't.csv'", "SELECT count(*) FROM lines('t.csv')"):
            pushed = grapnel.query(sql, on=server.address)
            shipped = grapnel.query(sql, on=server.address, hook="ship")
            assert (shipped.code, shipped.out) == (pushed.code, pushed.out), (sql, shipped.err)
            if pushed.code == 0:
                assert shipped.stats["bytes_sent"] == len(content.encode()), shipped.stats


def message(answer):
    """What the program says of an error, without --stats."""
    return [line for line in answer.err.splitlines() if not line.startswith("{")]


def same_error(server, sql, code=grapnel.EXIT["error"], *options):
    arguments = ["query", "--format", "csv", "--on", server.address, *options]
    pushed = grapnel.run(*arguments, sql).expect(code)
    shipped = grapnel.run(*arguments, "--hook", "ship", sql).expect(code)
    assert message(shipped) == message(pushed) and shipped.out == pushed.out == "", \
        (message(shipped), message(pushed))
    return shipped.err


@case
def the_same_errors(tmp):
    table = plain_tbl(tmp / "t.tbl", random.Random(SEED))
    with open(tmp / "t.tbl", "r+b") as file:  # in the middle of the file
        file.seek(TABLE_BYTES // 2)
        file.readline()
        file.write(b"x")
    (tmp / "zipped.csv").write_bytes(b"\x1f\x8b" + b"0" * 1000)
    (tmp / "empty.csv").write_text("")
    with grapnel.Server(tmp) as server:
        said = same_error(server, f"SELECT sum(n) FROM {table}")
        assert "line" in said and "byte offset" in said, said
        same_error(server, "SELECT * FROM 'zipped.csv'")
        same_error(server, "SELECT * FROM 'empty.csv'")
        same_error(server, "SELECT * FROM 'missing.csv'")
        same_error(server, "SELECT * FROM 'unknown.suffix'", grapnel.EXIT["refused"])
        same_error(server, f"SELECT nothing FROM {table}", grapnel.EXIT["refused"])
        same_error(server, f"SELEC n FROM {table}", grapnel.EXIT["refused"])


@cases(path=["../outside.csv", "/etc/passwd", "link.csv", "sub/../../outside.csv", "sub", "pipe"])
def paths_stay_inside(tmp, path):
    root = tmp / "root"
    (root / "sub").mkdir(parents=True)
    (tmp / "outside.csv").write_text("a\n1\n")
    os.symlink(tmp / "outside.csv", root / "link.csv")
    os.mkfifo(root / "pipe")
    sql = f"SELECT * FROM csv('{path}', columns => 'a VARCHAR')"
    code = grapnel.EXIT["refused" if path in ("sub", "pipe") else "error"]
    with grapnel.Server(root) as server:
        same_error(server, sql, code)


@case
def files_made_up_as_they_are_read(tmp):
    with grapnel.Server("/proc/sys/kernel") as server:
        assert "made up" in same_error(server, "SELECT * FROM lines('ostype')")


def varint(value):
    out = b""
    while value >= 0x80:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def file_ticket(path, begin, end):
    name = path.encode()
    return (b"grapnel.file:" + b"\x0a" + varint(len(name)) + name + b"\x10" + varint(begin)
            + b"\x18" + varint(end))


@case
def other_clients_get_bytes_too(tmp):
    from pyarrow import flight
    content = os.urandom(3 << 20)
    (tmp / "raw").write_bytes(content)
    (tmp.parent / (tmp.name + "-outside")).write_text("secret")
    try:
        with grapnel.Server(tmp) as server:
            client = flight.connect(f"grpc://{server.address}")
            def bytes_of(*request):
                table = client.do_get(flight.Ticket(file_ticket(*request))).read_all()
                return b"".join(table.column("bytes").to_pylist())
            assert bytes_of("raw", 0, 1 << 40) == content
            assert bytes_of("raw", 1000, 2_000_001) == content[1000:2_000_001]
            assert bytes_of("raw", 4 << 20, 5 << 20) == b""
            for bad in (file_ticket(f"../{tmp.name}-outside", 0, 10), file_ticket("raw", 10, 0),
                        file_ticket("", 0, 10), b"grapnel.file:", b"grapnel.file:\x0a\xff\xff\x01",
                        b"grapnel.file:" + os.urandom(50)):
                try:
                    got = client.do_get(flight.Ticket(bad)).read_all()
                except (flight.FlightError, ValueError, OSError, NotImplementedError) as error:
                    assert "secret" not in str(error)
                else:
                    raise AssertionError(f"{bad} gives {got}")
            client.close()
            assert grapnel.query("SELECT count(*) FROM lines('raw')", on=server.address).code == 0
    finally:
        (tmp.parent / (tmp.name + "-outside")).unlink()


# --- the file, the server, the client go away in the middle ----------------------------------------

SPARSE = "fixed('zeros', columns => 'a BIGINT, b BIGINT')"
SPARSE_BYTES = 768 << 20


def bytes_read(process):
    return int(Path(f"/proc/{process.pid}/io").read_text().split("rchar: ")[1].split()[0])


class Shipping:
    """A query whose file is on its way: the server has read some of it, and not nearly all."""

    def __init__(self, server, *options):
        before = bytes_read(server.process)
        self.client = subprocess.Popen(
            [str(grapnel.PROGRAM), "query", "--format", "csv", "--stats", "json", "--hook", "ship",
             "--on", server.address, *options, f"SELECT count(*), sum(a + b) FROM {SPARSE}"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        deadline = time.monotonic() + PATIENCE_S
        while bytes_read(server.process) - before < 32 << 20:
            assert self.client.poll() is None, self.client.stderr.read()
            assert time.monotonic() < deadline, "the server does not read"
            time.sleep(0.001)

    def finish(self):
        out, err = self.client.communicate(timeout=PATIENCE_S)
        return grapnel.Answer(self.client.returncode, out.decode(), err.decode(), 0,
                              grapnel.find_stats(err.decode()))


def sparse(tmp, size=SPARSE_BYTES):
    with open(tmp / "zeros", "wb") as file:
        os.truncate(file.fileno(), size)
    return tmp / "zeros"


def write_over(path):
    with open(path, "r+b") as file:
        file.write(b"\0")


def replace(path):
    os.replace(sparse(path.parent / "other"), path)


CHANGES = {"truncated": (lambda path: os.truncate(path, 4096), ("truncated", "shrank")),
           "written to": (write_over, ("written to",)),
           "replaced": (replace, ("replaced",))}


@cases(change=list(CHANGES))
def the_file_changes(tmp, change):
    act, words = CHANGES[change]
    path = sparse(tmp)
    (tmp / "other").mkdir()
    with grapnel.Server(tmp) as server:
        query = Shipping(server)
        act(path)  # not held up by the server's lease
        answer = query.finish().expect(grapnel.EXIT["error"])
    assert answer.out == "", answer.out
    assert any(word in answer.err for word in words) and "zeros" in answer.err, answer.err


@cases(option=["warn", "error"])
def the_file_grows(tmp, option):
    path = sparse(tmp)
    with grapnel.Server(tmp) as server:
        query = Shipping(server, "--if-changed", option)
        os.truncate(path, SPARSE_BYTES + 160)
        answer = query.finish().expect(grapnel.EXIT["ok" if option == "warn" else "error"])
    assert "grew" in answer.err, answer.err
    if option == "warn":
        assert answer.rows() == [f"{SPARSE_BYTES // 16},0"], answer.out
        assert any("grew" in warning for warning in answer.stats["warnings"]), answer.stats


def asking_for_ship(server, sql):
    """A function that runs `sql` through ship with the options that it is given."""
    return lambda *options: grapnel.run("query", "--hook", "ship", "--on", server.address,
                                        "--stats", "json", *options, sql)


@case
def stability_is_told(tmp):
    (tmp / "t.csv").write_text("a,b\n" + "1,2\n" * 500_000)
    sql = "SELECT sum(a) FROM 't.csv'"
    with grapnel.Server(tmp) as server:
        ask = asking_for_ship(server, sql)
        assert ask("--strict").expect().stats["stability"] == "leased"
        with open(tmp / "t.csv", "r+b"):
            assert ask().expect().stats["stability"] == "open for writing"
            said = ask("--strict").expect(grapnel.EXIT["error"])
            assert "open for writing" in said.err, said.err


def is_idle(server):
    """No more reads for a while; the machine may be slow, so it may take some time to be."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        before = bytes_read(server.process)
        time.sleep(0.3)
        if bytes_read(server.process) - before < 1 << 20:
            return True
    return False


@cases(number=[signal.SIGINT, signal.SIGKILL])
def a_client_that_ends_stops_the_server(tmp, number):
    sparse(tmp, 64 << 30)
    (tmp / "t.csv").write_text("a\n1\n")
    with grapnel.Server(tmp) as server:
        query = Shipping(server)
        query.client.send_signal(number)
        answer = query.finish()
        assert answer.code == (130 if number == signal.SIGINT else -number), answer.err
        assert is_idle(server), "the server still reads for nobody"
        grapnel.query("SELECT a FROM 't.csv'", on=server.address, hook="ship").expect()


@case
def a_server_that_vanishes(tmp):
    sparse(tmp)
    with grapnel.Server(tmp) as server:
        query = Shipping(server)
        server.process.kill()
        answer = query.finish().expect(grapnel.EXIT["error"])
    assert server.address in answer.err and "zeros" in answer.err and answer.out == "", answer.err


# --- the choice ------------------------------------------------------------------------------------

SERVER_QUERIES = 64  # that it runs at once


class Busy:
    """A server's queries, all that it runs at once, each so slow that it lasts."""

    def __init__(self, server, sql):
        from pyarrow import flight
        self.client = flight.connect(f"grpc://{server.address}")
        self.sql, self.streams = sql, []
        for _ in range(SERVER_QUERIES):
            self.streams.append(self.begin({"threads": 1, "max_cpus": 0.005}))

    def begin(self, options):
        from pyarrow import flight
        name = b"type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
        command = b"\x0a" + varint(len(self.sql)) + self.sql.encode()
        ticket = b"\x0a" + varint(len(name)) + name + b"\x12" + varint(len(command)) + command
        header = (b"x-grapnel-options", json.dumps(options).encode())
        return self.client.do_get(flight.Ticket(ticket),
                                  options=flight.FlightCallOptions(headers=[header]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for stream in self.streams:
            stream.cancel()
        self.client.close()


@case
def a_server_with_too_much_to_do_sends_the_file(tmp):
    table = lines(tmp / "t.log", random.Random(SEED))
    sparse(tmp, 64 << 30)
    sql = f"SELECT count(*) FROM {table} WHERE line LIKE '%error%'"
    expected = grapnel.query(sql, cwd=tmp).expect().out
    with grapnel.Server(tmp) as server:
        with Busy(server, f"SELECT sum(a) FROM {SPARSE}") as busy:
            answer = grapnel.query(sql, on=server.address).expect()
            assert answer.out == expected, answer.out
            assert "queries already" in shipped_alone(answer)["why"], answer.stats
            plan = grapnel.query(f"EXPLAIN ANALYZE {sql}", on=server.address,
                                 format="table").expect().out
            assert "queries already" in plan, plan
            # Who wants a hook of the server is refused, and who was promised something about its
            # cache, and who cannot compute.
            for option in (["--hook", "read"], ["--polite"]):
                said = grapnel.run("query", "--on", server.address, *option, sql).expect(1)
                assert "queries already" in said.err, said.err
            try:
                busy.begin({}).read_all()
            except Exception as error:  # pyarrow has many kinds
                assert "queries already" in str(error), error
            else:
                raise AssertionError("one query too many was begun")


@case
def a_server_that_computes_nothing_sends_files(tmp):
    table = lines(tmp / "t.log", random.Random(SEED))
    sql = f"SELECT count(*) FROM {table} WHERE line LIKE '%error%'"
    expected = grapnel.query(sql, cwd=tmp).expect().out
    with grapnel.Server(tmp, "--max-queries", "0", "--max-files", "1") as server:
        answer = grapnel.query(sql, on=server.address).expect()
        assert answer.out == expected, answer.out
        assert "--max-queries 0" in shipped_alone(answer)["why"], answer.stats
        said = grapnel.run("query", "--on", server.address, "--hook", "read", sql).expect(1).err
        assert "computes nothing itself" in said and "leave --hook" in said, said


@case
def a_server_that_sends_no_files_computes_all_the_same(tmp):
    table = lines(tmp / "t.log", random.Random(SEED))
    sql = f"SELECT count(*) FROM {table} WHERE line LIKE '%error%'"
    with grapnel.Server(tmp, "--max-files", "0") as server:
        answer = grapnel.query(sql, on=server.address).expect()
        assert "ship" not in answer.stats["hooks"], answer.stats
        said = grapnel.query(sql, on=server.address, hook="ship").expect(1).err
        assert "sends 0 files already, its limit" in said, said
    for option in ("--max-queries", "--max-files"):
        for wrong in ("-1", "4097", "x"):
            grapnel.run("serve", "--root", tmp, option, wrong).expect(grapnel.EXIT["refused"])


@case
def explain_compares_pushing_and_shipping(tmp):
    table = plain_tbl(tmp / "t.tbl", random.Random(SEED))
    env = {"XDG_CACHE_HOME": str(tmp / "cache")}
    with grapnel.Server(tmp) as server:
        def plan(sql):
            return grapnel.query(f"EXPLAIN {sql}", on=server.address, format="table",
                                 env=env).expect().out
        assert "not known" in plan(f"SELECT sum(n) FROM {table}")
        grapnel.run("calibrate", "--on", server.address, env=env).expect()
        said = plan(f"SELECT sum(n) FROM {table}")
        assert "pushed: push" in said and "not clearly cheaper" in said, said
        answer = grapnel.query(f"SELECT sum(n) FROM {table}", on=server.address, env=env).expect()
        assert "ship" not in answer.stats["hooks"], answer.stats


# --- wrong use -------------------------------------------------------------------------------------

@case
def a_local_file_is_not_shipped(tmp):
    (tmp / "t.csv").write_text("a\n1\n")
    sql = f"SELECT a FROM '{tmp}/t.csv'"
    said = grapnel.query(sql, hook="ship").expect(grapnel.EXIT["hook cannot"])
    assert "--on" in said.err and "ship" in said.err, said.err
    assert "ship" in grapnel.query(sql, hook="nonsense").expect(grapnel.EXIT["refused"]).err
    # Where others may help, they do.
    assert grapnel.query(sql, hook="ship,any").expect().stats["hook"] == "read"


@case
def limits_bind(tmp):
    (tmp / "t.csv").write_text("a\n" + "1\n" * 2_000_000)
    sql = "SELECT sum(a) FROM 't.csv'"
    with grapnel.Server(tmp) as server:
        ask = asking_for_ship(server, sql)
        assert ask("--no-kernel").expect().stats["hook"] == "ship"
        assert ask("--max-cpu", "1").expect().stats["threads"] == 1
        said = ask("--polite").expect(grapnel.EXIT["hook cannot"])
        assert "polite" in said.err, said.err


@case
def explain_says_it(tmp):
    (tmp / "t.csv").write_text("a\n1\n")
    with grapnel.Server(tmp) as server:
        for explain in ("EXPLAIN", "EXPLAIN ANALYZE", "EXPLAIN (FORMAT JSON)"):
            plan = grapnel.query(f"{explain} SELECT sum(a) FROM 't.csv'", on=server.address,
                                 hook="ship", format="table").expect().out
            assert "ship" in plan, plan
        described = grapnel.run("schema", "--on", server.address, "t.csv").expect().out
        assert "BIGINT" in described, described
