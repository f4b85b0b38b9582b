"""The program among others: pipes that break, disks that are full, streams that are closed, exit
codes, exact numbers, and the library used without the program."""

import json
import os
import pty
import shutil
import subprocess
import time
from decimal import Decimal

import grapnel_cli as grapnel
from harness import case, cases, skip


def numbers(tmp, rows=1000):
    path = tmp / "numbers.csv"
    with open(path, "w") as file:
        file.write("n,half,text\n")
        for n in range(rows):
            file.write(f"{n},{n / 2:.1f},t{n % 7}\n")
    return path


def shell(command, **rest):
    return subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60,
                          env={**os.environ, "GRAPNEL": str(grapnel.PROGRAM)}, **rest)


@case
def a_reader_that_goes_away_is_no_noise(tmp):
    path = numbers(tmp, 200_000)
    done = shell(f"\"$GRAPNEL\" query -q --format csv \"SELECT * FROM '{path}'\" | head -n 2")
    assert done.stdout == "n,half,text\n0,0.0,t0\n", done.stdout
    assert done.stderr == "", done.stderr


@cases(format=["table", "csv", "json"])
def a_full_disk_is_an_error(tmp, format):
    done = shell(f"\"$GRAPNEL\" query -q --format {format} \"SELECT * FROM '{numbers(tmp)}'\" "
                 ">/dev/full")
    assert done.returncode == 1, done.returncode
    assert "No space left" in done.stderr, done.stderr


@cases(command=["query \"SELECT count(*) FROM '{path}'\"", "schema {path}", "doctor"])
def closed_standard_output_is_an_error(tmp, command):
    done = shell(f"\"$GRAPNEL\" {command.format(path=numbers(tmp))} >&-")
    assert done.returncode == 1, (done.returncode, done.stderr)
    assert "standard output" in done.stderr, done.stderr


@case
def closed_standard_streams_hit_no_file(tmp):
    path = numbers(tmp)
    before = path.read_bytes()
    done = shell(f"\"$GRAPNEL\" query -q --format csv \"SELECT count(*) FROM '{path}'\" <&- 2>&-")
    assert done.returncode == 0 and done.stdout == "count_star()\n1000\n", done
    assert path.read_bytes() == before


@case
def help_into_a_full_disk_is_an_error(tmp):
    assert shell("\"$GRAPNEL\" --help >/dev/full").returncode != 0


@case
def without_the_compiler_no_hook_in_the_kernel_is_chosen(tmp):
    alone = tmp / "bin" / "grapnel"
    alone.parent.mkdir()
    shutil.copy(grapnel.PROGRAM, alone)
    environment = {name: value for name, value in os.environ.items()
                   if name != "GRAPNEL_PLUGIN_DIR"}
    environment["XDG_CACHE_HOME"] = str(tmp / "cache")
    sql = f"SELECT sum(n) AS s FROM '{numbers(tmp, 300_000)}'"

    def run(*arguments):
        return subprocess.run([str(alone), "query", *arguments], env=environment, text=True,
                              capture_output=True, timeout=60)

    plan = run("EXPLAIN " + sql)
    assert plan.returncode == 0 and "libgrapnel-jit.so is missing" in plan.stdout, plan
    assert "* pipe" not in plan.stdout, plan.stdout
    answer = run("--format", "csv", sql)
    assert answer.returncode == 0 and answer.stdout == "s\n44999850000\n", answer
    forced = run("--hook", "pipe", sql)
    assert forced.returncode == 4 and forced.stdout == "", forced


@case
def statement_from_standard_input(tmp):
    answer = grapnel.query("-", stdin=f"SELECT sum(n) AS s\nFROM '{numbers(tmp)}'\n").expect()
    assert answer.out == "s\n499500\n", answer.out


@case
def refused_sql_shows_the_place(tmp):
    answer = grapnel.query(f"SELECT n,\n  nn FROM '{numbers(tmp)}'").expect(2)
    lines = answer.err.splitlines()
    caret = next(i for i, line in enumerate(lines) if line.strip() == "^")
    assert lines[caret - 1][lines[caret].index("^"):].startswith("nn"), answer.err


@case
def json_numbers_keep_their_digits(tmp):
    path = tmp / "wide.csv"
    path.write_text("d,h,x\n123456789012345678901234567890.12,9223372036854775807,0.1\n,,\n")
    answer = grapnel.query(
        f"SELECT d, h, x FROM csv('{path}', columns => 'd DECIMAL(38,2), h BIGINT, x DOUBLE')",
        format="json").expect()
    rows = json.loads(answer.out, parse_float=Decimal)
    assert rows == [{"d": Decimal("123456789012345678901234567890.12"), "h": 9223372036854775807,
                     "x": Decimal("0.1")}, {"d": None, "h": None, "x": None}], rows


@case
def null_and_empty_text_differ_in_csv(tmp):
    path = tmp / "lines.txt"
    path.write_text("a\n\nb,c\n")
    answer = grapnel.query(f"SELECT line FROM lines('{path}')").expect()
    assert answer.out == 'line\na\n""\n"b,c"\n', answer.out


@case
def tables_align_wide_characters(tmp):
    path = tmp / "words.csv"
    path.write_text("word,n\n日本,1\nabc,10\n")
    answer = grapnel.query(f"SELECT word, n FROM '{path}'", format="table").expect()
    assert answer.out == " word |  n\n------+----\n 日本 |  1\n abc  | 10\n", answer.out


@case
def data_cannot_talk_to_the_terminal(tmp):
    path = tmp / "evil.txt"
    path.write_text("\x1b]0;title\x07x\n")
    answer = grapnel.query(f"SELECT line FROM lines('{path}')", format="table").expect()
    assert "\x1b" not in answer.out and "\\x1b" in answer.out, answer.out


@case
def summary_unless_quiet(tmp):
    sql = f"SELECT n FROM '{numbers(tmp)}' WHERE n < 10"
    told = grapnel.run("query", "--format", "csv", sql).expect()
    assert told.err.startswith("10 of 1000 records, "), told.err
    quiet = grapnel.run("query", "--format", "csv", "--quiet", sql).expect()
    assert quiet.err == "" and quiet.out == told.out, quiet.err


@case
def statistics_as_text(tmp):
    answer = grapnel.run("query", "--stats", "text", f"SELECT count(*) FROM '{numbers(tmp)}'")
    for part in ("hook", "program", "records", "1000"):
        assert part in answer.expect().err, answer.err


@cases(sql=["SELECT n FROM {f} LIMIT 3", "SELECT n FROM {f} LIMIT 3 OFFSET 998",
            "SELECT n FROM {f} LIMIT 0", "SELECT n FROM {f} WHERE n > 5000",
            "SELECT n FROM {f} ORDER BY n DESC LIMIT 2"], threads=[1, 2])
def limits(tmp, sql, threads):
    answer = grapnel.query(sql.format(f=f"'{numbers(tmp)}'"), threads=threads).expect()
    expected = {"LIMIT 3": ["0", "1", "2"], "LIMIT 3 OFFSET 998": ["998", "999"], "LIMIT 0": [],
                "WHERE n > 5000": [], "ORDER BY n DESC LIMIT 2": ["999", "998"]}
    assert answer.rows() == expected[sql.split("{f} ")[1]], answer.out


@case
def no_rows_keep_the_columns(tmp):
    sql = f"SELECT n, text FROM '{numbers(tmp)}' WHERE n < 0"
    assert grapnel.query(sql).expect().out == "n,text\n"
    assert grapnel.query(sql, format="json").expect().out == "[]\n"


@case
def a_limit_reads_little(tmp):
    path = grapnel.DATA / "tpch-sf1" / "lineitem.tbl"
    assert path.exists(), f"{path} is missing: ./dev data 1"
    answer = grapnel.query(f"SELECT l_orderkey FROM {grapnel.lineitem(path)} LIMIT 5",
                           hook="read").expect()
    assert len(answer.rows()) == 5
    copied = answer.stats["hooks"]["read"]["bytes_copied"]
    assert copied < answer.stats["file_bytes"] / 4, answer.stats


@case
def strict_refuses_a_file_with_a_writer(tmp):
    path = numbers(tmp, 300_000)
    sql = f"SELECT count(*) FROM '{path}'"
    grapnel.run("query", "--strict", sql).expect()
    with open(path, "a"):
        refused = [grapnel.run("query", "--strict", sql),
                   grapnel.run("query", "--strict", f"SELECT * FROM '{path}'")]
    for answer in refused:
        assert answer.code == 1 and "open for writing" in answer.err, answer.err
        assert answer.out == "", answer.out[:200]  # refused before a row is read


@case
def a_grown_file_warns_or_fails(tmp):
    # A FIFO would be refused, so the file grows while a slow reader holds the rows back.
    path = numbers(tmp, 3_000_000)
    sql = f"SELECT * FROM csv('{path}', columns => 'n BIGINT, half DECIMAL(15,1), text VARCHAR')"
    for option, code in (("warn", 0), ("error", 1)):
        run = subprocess.Popen([str(grapnel.PROGRAM), "query", "-q", "--format", "csv",
                                "--if-changed", option, "--stats", "json", sql],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        run.stdout.readline()
        with open(path, "a") as file:
            file.write("5,2.5,t5\n")
        rest, told = run.communicate(timeout=60)
        assert run.returncode == code, (option, run.returncode, told)
        assert "grown" in told or "grew" in told, told
        if code == 0:
            first = rest.splitlines()[-1]
            assert first.split(",")[0] != "5" or "t5" not in first, first


@case
def interrupted_is_130(tmp):
    path = grapnel.DATA / "tpch-sf1" / "lineitem.tbl"
    sql = f"SELECT * FROM {grapnel.lineitem(path)}"
    run = subprocess.Popen([str(grapnel.PROGRAM), "query", "--format", "csv", sql],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    run.stdout.read(1000)  # it runs, and soon waits for us
    start = time.monotonic()
    run.send_signal(2)
    run.stdout.close()
    run.stderr.read()
    run.stderr.close()
    run.wait(10)
    assert run.returncode in (130, -13), run.returncode
    assert time.monotonic() - start < 2


@case
def schema_is_what_sql_accepts(tmp):
    path = tmp / "odd name's.csv"
    path.write_text("a;b\n1;x\n2;y\n")
    answer = grapnel.run("schema", "--format", "csv", path).expect()
    assert answer.out == "column_name,column_type\na,BIGINT\nb,VARCHAR\n", answer.out
    table = answer.err[answer.err.index("csv("):].strip()
    again = grapnel.query(f"SELECT sum(a) AS s FROM {table}").expect()
    assert again.rows() == ["3"], again.out


@case
def doctor_names_every_hook_and_cure(tmp):
    answer = grapnel.run("doctor").expect()
    for hook in ("read", "mmap", "direct", "pipe"):
        assert f"hook {hook}" in answer.out, answer.out
    for part in ("kernel", "cpu", "plugin flight"):
        assert part in answer.out, answer.out


@case
def doctor_for_programs(tmp):
    text = grapnel.run("doctor").expect().out
    findings = json.loads(grapnel.run("doctor", "--format", "json").expect().out)
    assert {"read", "pipe"} <= {f["topic"].split()[1] for f in findings
                                if f["topic"].startswith("hook ")}, findings
    for finding in findings:
        assert finding["topic"] in text, finding
        assert finding["ok"] or finding["detail"], finding


def attach_points(**rest):
    done = subprocess.run([str(grapnel.PROGRAM), "doctor", "--hooks", "--format", "json"],
                          capture_output=True, text=True, timeout=60, cwd="/", **rest)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return {point["name"]: point for point in json.loads(done.stdout)}


@case
def doctor_tries_attach_points(tmp):
    points = attach_points()
    assert len(points) > 50, sorted(points)
    for point in points.values():
        assert point["ways"], point
        for way in point["ways"].values():
            assert way["ok"] == (way["reason"] == ""), point
    text = grapnel.run("doctor", "--hooks").expect().out
    explained = (grapnel.ROOT / "docs/hooks.md").read_text(encoding="utf-8")
    for name in points:
        assert f"  {name}  " in text, name
        assert f"| `{name}` |" in explained, name


@case
def doctor_takes_features_as_absent(tmp):
    points = attach_points(env={"GRAPNEL_PRETEND_ABSENT": "raw_tp,vfs_read,bpf_loop"})
    answers = [points["vfs_read"]["ways"]["fentry"], points["bpf_loop"]["ways"]["use"],
               points["sys_exit"]["ways"]["raw_tp"], points["raw_tp"]["ways"]["use"]]
    for answer in answers:
        assert not answer["ok"] and "GRAPNEL_PRETEND_ABSENT" in answer["reason"], answer
    assert "PRETEND" not in points["sys_exit"]["ways"]["tp_btf"]["reason"], points["sys_exit"]


@case
def doctor_measures_what_others_pay(tmp):
    done = grapnel.run("doctor", "--tax", "--format", "json").expect()
    taxes = json.loads(done.out)
    assert 0 < taxes["call_ns"] < taxes["read_ns"], taxes
    hooks = {hook["hook"]: hook for hook in taxes["hooks"]}
    assert {"pipe", "pagecache", "sendfile", "syscall", "block"} <= set(hooks), taxes
    for hook in hooks.values():
        assert ("call_ns" in hook and "read_ns" in hook) == (hook["reason"] == ""), hook
    if not hooks["syscall"]["reason"]:
        assert "sys_exit" in hooks["syscall"]["place"] and hooks["pipe"]["place"] == "", taxes
        assert hooks["pipe"]["call_ns"] == 0, taxes
    assert "request_ns" not in hooks["syscall"], taxes
    text = grapnel.run("doctor", "--tax").expect().out
    for name in hooks:
        assert f"  {name} " in text, text


@case
def doctor_as_nobody_names_missing_rights(tmp):
    if os.geteuid() != 0:
        skip("needs root to become somebody else")
    points = attach_points(user=65534, group=65534, extra_groups=[])
    for name in ("syscall", "raw_tp", "bpf_loop"):
        answer = points[name]["ways"]["use"]
        assert not answer["ok"] and "CAP_BPF" in answer["reason"], points[name]


@case
def doctor_as_nobody_names_the_cure(tmp):
    if os.geteuid() != 0:
        skip("needs root to become somebody else")
    done = subprocess.run([str(grapnel.PROGRAM), "doctor"], capture_output=True, text=True,
                          timeout=60, user=65534, group=65534, extra_groups=[], cwd="/")
    assert done.returncode == 0, done.stderr
    pipe = next(line for line in done.stdout.splitlines() if "hook pipe" in line)
    assert pipe.startswith("no"), done.stdout
    assert "cure" in done.stdout, done.stdout


@case
def everything_remote_as_here(tmp):
    path = numbers(tmp)
    with grapnel.Server(tmp) as server:
        for sql in ("SELECT text, sum(half) AS s, avg(n) AS a FROM {f} GROUP BY text",
                    "SELECT * FROM {f} WHERE n BETWEEN 100 AND 110",
                    "SELECT n FROM {f} WHERE n < 0"):
            here = grapnel.query(sql.format(f=f"'{path}'")).expect()
            there = grapnel.query(sql.format(f=f"'{path.name}'"), on=server.address).expect()
            assert here.out == there.out, (here.out, there.out)
            assert here.stats["records"] == there.stats["records"]
        plan = grapnel.run("query", "--on", server.address,
                           f"EXPLAIN ANALYZE SELECT count(*) FROM '{path.name}'").expect()
        assert "read" in plan.out and "1000" in plan.out, plan.out
        assert "BIGINT" in grapnel.run("schema", "--on", server.address, path.name).expect().out
        wrong = grapnel.query(f"SELECT nn FROM '{path.name}'", on=server.address).expect(2)
        assert "^" in wrong.err, wrong.err
        lost = grapnel.query("SELECT * FROM 'none.csv'", on=server.address).expect(1)
        assert "none.csv" in lost.err, lost.err


@case
def no_server_is_a_clear_error(tmp):
    address = f"127.0.0.1:{grapnel.free_port()}"
    answer = grapnel.query("SELECT 1 FROM 'a.csv'", on=address, timeout=30).expect(1)
    assert address in answer.err, answer.err
    grapnel.query("SELECT 1 FROM 'a.csv'", on="nonsense:port").expect(2)


@case
def the_library_without_the_program(tmp):
    embedded = grapnel.BUILD / "bin" / "embedded"
    assert embedded.exists(), f"{embedded} is missing"
    path = numbers(tmp)
    done = subprocess.run([str(embedded), f"SELECT text, sum(half) FROM '{path}' WHERE n < 14 "
                           "GROUP BY text ORDER BY text LIMIT 2"], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0 and done.stdout == "t0\t3.5\nt1\t4.5\n", done
    wrong = subprocess.run([str(embedded), f"SELECT nope FROM '{path}'"], capture_output=True,
                           text=True, timeout=60)
    assert wrong.returncode == 1 and "^" in wrong.stderr, wrong


def on_a_terminal(arguments, env):
    """What the program shows when its output and error stream are a terminal."""
    child, terminal = pty.fork()
    if child == 0:
        os.execve(grapnel.PROGRAM, [str(grapnel.PROGRAM), *arguments], {**os.environ, **env})
    shown = b""
    while True:
        try:
            part = os.read(terminal, 4096)
        except OSError:  # how Linux reports the end of a terminal
            break
        if not part:
            break
        shown += part
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), shown.decode()


@cases(where=["here", "there"])
def progress_on_a_terminal(tmp, where):
    path = grapnel.DATA / "tpch-sf1" / "lineitem.tbl"
    sql = f"SELECT count(*) FROM {grapnel.lineitem(path.name)} WHERE l_comment LIKE '%a%b%c%d%'"
    slow = {"GRAPNEL_NATIVE": "interpreter"}
    os.environ.update(slow)  # the server's too
    try:
        with grapnel.Server(path.parent) as server:
            on = ["--on", server.address] if where == "there" else []
            sql = sql if on else sql.replace(path.name, str(path))
            code, shown = on_a_terminal(["query", "--threads", "1", *on, sql], slow)
    finally:
        del os.environ["GRAPNEL_NATIVE"]
    assert code == 0, shown
    lines = shown.split("\r\x1b[K")
    assert any("%" in line and "/s" in line and "left" in line for line in lines), shown
    # The last thing that happened to the line is that it was erased.
    assert "left" not in lines[-1] and "count_star()" in lines[-1], lines[-1]


@case
def long_results_are_cut_on_a_terminal(tmp):
    code, shown = on_a_terminal(["query", f"SELECT n FROM '{numbers(tmp, 5000)}'"], {})
    assert code == 0 and "of 5000 rows not shown" in shown, shown[-300:]
