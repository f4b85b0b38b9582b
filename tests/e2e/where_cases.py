"""`grapnel where`, `calibrate`, `estimate --query`, and the limits --no-kernel, --max-cpu, --polite."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree
from pathlib import Path

import grapnel_cli as grapnel
from harness import case, cases, skip

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "hooks"))
import page_cache  # noqa: E402

ROWS = 40_000
FACTS = ("permitted", "eligible", "sees_cached", "sees_uncached", "knows_file_by",
         "knows_process_by", "copied_share", "kind", "since", "exact", "pinned", "context", "tax",
         "foundation", "uses")


def numbers_csv(tmp, rows=ROWS):
    path = tmp / "numbers.csv"
    path.write_text("n,text\n" + "".join(f"{n},some words of row {n}\n" for n in range(rows)))
    with open(path, "rb+") as file:
        os.fsync(file.fileno())  # else dirty pages cannot leave the cache
    return path


def where(*arguments, **rest):
    return json.loads(grapnel.run("where", "--json", *arguments, **rest).expect().out)


def hooks_of_this_build():
    topics = [finding["topic"] for finding in
              json.loads(grapnel.run("doctor", "--format", "json").expect().out)]
    return {topic.split()[1] for topic in topics if topic.startswith("hook ")}


def own_cache(tmp):
    """A cache directory of its own: what other tests have learnt does not matter."""
    return {"XDG_CACHE_HOME": str(tmp / "cache")}


@case
def where_has_a_row_for_every_hook_with_all_facts(tmp):
    table = where(numbers_csv(tmp), "SELECT sum(n) WHERE n > 5")
    rows = {row["hook"]: row for row in table["hooks"]}
    assert set(rows) == hooks_of_this_build(), sorted(rows)
    for name, row in rows.items():
        for fact in FACTS:
            assert fact in row and row[fact] != "", (name, fact)
        assert row["permitted"] or row["reason"], name
        assert not (row["in_kernel"] and row["permitted"]) or row["attach_point"] or \
            not row["eligible"], name
        if row["permitted"] and row["eligible"]:
            assert row["predicted"]["wall_seconds"] > 0, name
        assert row["measured"] is None
    assert rows["direct"]["fills_cache"] is False and rows["read"]["fills_cache"] is True
    assert table["file_bytes"] > table["data_bytes"] > 0


@case
def the_pick_is_that_of_explain(tmp):
    path = numbers_csv(tmp)
    for sql in (f"SELECT sum(n) FROM '{path}'", f"SELECT n FROM '{path}' WHERE n = 17"):
        table = where(sql)
        plan = grapnel.query(f"EXPLAIN {sql}", format="table").expect().out
        picked = [line.split("*")[1].split()[0] for line in plan.splitlines() if " * " in line]
        assert table["pick"] in picked, (table["pick"], plan)
        assert table["why"].startswith(table["pick"]) or table["pick"] in table["why"]
        chosen = {row["hook"] for row in table["hooks"] if row["chosen"]}
        assert chosen == set(picked), (chosen, picked)


@case
def measured_rows_agree_and_show_their_work(tmp):
    path = numbers_csv(tmp)
    table = where(path, "SELECT count(*), sum(n) WHERE n % 3 = 0 GROUP BY n % 10", "--measure",
                  "--rounds", "2")
    measured = {row["hook"]: row["measured"] for row in table["hooks"] if row["measured"]}
    done = {name: row for name, row in measured.items() if "refused" not in row}
    assert "read" in done and "mmap" in done, measured
    for name, row in done.items():
        assert row["rounds"] == 2 and row["wall_seconds"] > 0, (name, row)
        assert row["computed_share"] > 0.5, (name, row)
    assert done["read"]["bytes_copied"] > 0 and done["mmap"]["bytes_copied"] == 0
    assert table["fastest"] in done and table["pick_excess"] >= 0
    assert table["stability"]["stable"] in done and table["stability"]["percent"] >= 0


@case
def measuring_leaves_the_cache_as_it_was(tmp):
    path = numbers_csv(tmp, 400_000)
    page_cache.prepare(path, "half cached")
    before = page_cache.cached_pages(path)
    where(path, "SELECT sum(n)", "--measure", "--rounds", "1")
    assert_same_pages(before, page_cache.cached_pages(path))


def assert_same_pages(before, after):
    """Pages may leave meanwhile (the kernel takes some), but none may have come."""
    came = sum(1 for old, new in zip(before, after) if new and not old)
    assert came == 0, f"{came} of {len(before)} pages came into the cache"


@case
def html_is_well_formed_and_needs_nothing_else(tmp):
    page = tmp / "where.html"
    grapnel.run("where", numbers_csv(tmp), "SELECT sum(n) WHERE text LIKE 'a<b&c%'", "--measure",
                "--rounds", "1", "--html", page).expect()
    text = page.read_text()
    # An HTML page that is also XML: every element is closed.
    tree = xml.etree.ElementTree.fromstring(text.removeprefix("<!DOCTYPE html>\n"))
    svg = "{http://www.w3.org/2000/svg}svg"
    assert len(list(tree.iter(svg))) == 3, "three figures"
    for element in tree.iter():
        for attribute in ("src", "href"):
            assert attribute not in element.attrib, element.tag
    for loaded in ("url(", "@import", "<script"):
        assert loaded not in text, loaded
    assert "a&lt;b&amp;c%" in text


@case
def where_text_fits_a_terminal(tmp):
    out = grapnel.run("where", numbers_csv(tmp), "SELECT sum(n)").expect().out
    assert "pick" in out and "* " in out
    longest = max(out.splitlines(), key=len)
    assert len(longest) <= 130, longest


@case
def where_refuses_as_query_does(tmp):
    path = numbers_csv(tmp)
    answer = grapnel.run("where", path, "SELECT nothing").expect(grapnel.EXIT["refused"])
    assert "nothing" in answer.err
    grapnel.run("where", tmp / "none.csv", "SELECT 1").expect(grapnel.EXIT["error"])
    two = grapnel.run("where", path, f"SELECT count(*) FROM '{tmp}/other.csv'")
    two.expect(grapnel.EXIT["refused"])
    assert "FROM" in two.err and str(path) in two.err, two.err
    grapnel.run("where").expect(grapnel.EXIT["refused"])


@case
def where_asks_a_server(tmp):
    numbers_csv(tmp)
    with grapnel.Server(tmp) as server:
        table = where("numbers.csv", "SELECT sum(n)", "--on", server.address, "--measure",
                      "--rounds", "1")
    assert table["pick"] and table["measured"]
    done = [row["measured"] for row in table["hooks"]
            if row["measured"] and "refused" not in row["measured"]]
    assert done
    for row in done:  # what cannot be known of a server is not 0
        assert row["memory_bytes"] is None and row["cache_added_bytes"] is None, row
    assert any("page cache" in note for note in table["notes"]), table["notes"]


@case
def estimate_of_a_query_is_filled(tmp):
    path = numbers_csv(tmp)
    sql = f"SELECT sum(n) FROM '{path}'"
    ways = json.loads(grapnel.run("estimate", "--query", sql, "--format", "json").expect().out)
    names = [way["approach"] for way in ways]
    assert any(name.startswith("push: read") for name in names), names
    small = {way["approach"]: way["total_seconds"] for way in ways}
    larger = json.loads(grapnel.run("estimate", "--query", sql, "--size", "10GB", "--format",
                                    "json").expect().out)
    for way in larger:  # the option wins
        assert way["total_seconds"] > small[way["approach"]], way
    setup = {way["approach"]: term["seconds"] for way in ways for term in way["terms"]
             if term["name"] == "setup"}
    assert not any(name.startswith("push: read") for name in setup), setup
    for way in ways:  # nothing of what EXPLAIN itself took
        assert [term["seconds"] for term in way["terms"] if term["name"] == "plan"] == [0.002], way
    slowed = json.loads(grapnel.run("estimate", "--query", sql, "--hook-rate", "mmap=1KB/s",
                                    "--format", "json").expect().out)
    slow = {way["approach"]: way["total_seconds"] for way in slowed}
    assert slow["push: mmap, 1 thread"] > 10, slow
    assert slow["push: read, 1 thread"] < 10, slow
    none = grapnel.run("estimate", "--query", sql, "--hook-rate", "none=1GB/s")
    assert "mmap" in none.expect(grapnel.EXIT["refused"]).err, none.err
    grapnel.run("estimate", "--query", "SELECT").expect(grapnel.EXIT["refused"])


@case
def estimate_and_calibrate_measure_the_link(tmp):
    numbers_csv(tmp)
    env = own_cache(tmp)
    with grapnel.Server(tmp) as server:
        grapnel.run("estimate", "--query", "SELECT sum(n) FROM 'numbers.csv'", "--on",
                    server.address, env=env).expect()
        known = json.loads(grapnel.run("calibrate", "--show", "--json", env=env).expect().out)
        links = [figure for figure in known["figures"] if figure["kind"] == "link"]
        assert [link["what"] for link in links] == [server.address], links
        assert links[0]["value"] > 1e6 and 0 < links[0]["second_value"] < 1
        again = grapnel.run("calibrate", "--if-needed", "--on", server.address, "--json", env=env)
        assert json.loads(again.expect().out)["seconds"] == 0, "the link is known"
    other = grapnel.run("calibrate", "--if-needed", "--on", "127.0.0.1:1", env=env)
    other.expect(grapnel.EXIT["error"])  # of that one nothing is known
    gone = grapnel.run("calibrate", "--on", server.address, env=env)
    assert gone.code == grapnel.EXIT["error"] and server.address in gone.err, gone.err


@case
def explain_analyze_sets_predicted_beside_measured(tmp):
    answer = grapnel.query(f"EXPLAIN ANALYZE SELECT sum(n) FROM '{numbers_csv(tmp)}'",
                           format="table").expect()
    for term in ("predicted", "scan", "CPU", "device", "setting up"):
        assert term in answer.out, answer.out


def kinds(calibration):
    return {figure["kind"] for figure in calibration["figures"]}


@case
def calibrate_measures_keeps_and_survives(tmp):
    env = own_cache(tmp)
    show = ["calibrate", "--show", "--json"]
    before = json.loads(grapnel.run(*show, env=env).expect().out)
    assert before["needed"] and not before["figures"], before

    first = json.loads(grapnel.run("calibrate", "--json", env=env).expect().out)
    assert not first["needed"] and first["kept_in"], first
    assert {"access", "op", "setup"} <= kinds(first), kinds(first)
    natives = {figure["where"] for figure in first["figures"]
               if figure["kind"] == "op" and figure["what"] == "native"}
    assert {"csv sum", "csv group", "lines count", "fixed sum"} <= natives, natives
    for figure in first["figures"]:
        assert figure["value"] > 0 and figure["spread"] >= 0, figure
    known = json.loads(grapnel.run(*show, env=env).expect().out)
    assert kinds(known) == kinds(first)
    again = json.loads(grapnel.run("calibrate", "--if-needed", "--json", env=env).expect().out)
    assert again["seconds"] == 0, "nothing was needed"
    other = grapnel.run("calibrate", "--if-needed", "--dir", tmp / "none", env=env)
    other.expect(grapnel.EXIT["error"])  # another device is another matter
    leftovers = [name for name in os.listdir(tmp / "cache" / "grapnel") if not name.endswith(".o")]
    assert not leftovers, leftovers

    # Garbage in place of what was kept, of the same size.
    for path in (tmp / "cache" / "grapnel").glob("*.o"):
        path.write_bytes(os.urandom(path.stat().st_size))
    broken = json.loads(grapnel.run(*show, env=env).expect().out)
    assert broken["needed"] and not broken["figures"], broken
    grapnel.query(f"SELECT sum(n) FROM '{numbers_csv(tmp)}'", env=env).expect()


@case
def calibrate_without_a_place_says_so(tmp):
    blocked = tmp / "no-directory"
    blocked.write_text("a file")
    env = {"XDG_CACHE_HOME": str(blocked)}
    answer = grapnel.run("calibrate", "--dir", tmp, "--json", env=env).expect()
    outcome = json.loads(answer.out)
    assert outcome["figures"] and not outcome["kept_in"] and outcome["problem"], outcome
    wrong = grapnel.run("calibrate", "--dir", tmp / "none")
    assert wrong.code == grapnel.EXIT["error"] and "--dir" in wrong.err, wrong.err


@case
def no_kernel_takes_no_kernel_hook(tmp):
    path = numbers_csv(tmp)
    sql = f"SELECT sum(n) FROM '{path}'"
    in_kernel = {row["hook"] for row in where(sql)["hooks"] if row["in_kernel"]}
    assert in_kernel, "this build has hooks in the kernel"
    answer = grapnel.run("query", "--no-kernel", "--stats", "json", sql).expect()
    assert not in_kernel & set(answer.stats["hooks"]), answer.stats
    table = where("--no-kernel", sql)
    for row in table["hooks"]:
        assert row["ruled_out"] == row["in_kernel"], row
    forced = grapnel.run("query", "--no-kernel", "--hook", "pipe", sql)
    forced.expect(grapnel.EXIT["hook cannot"])
    assert "--no-kernel" in forced.err
    other = grapnel.run("query", "--no-kernel", "--hook", "pipe,any", "--stats", "json", sql)
    assert not in_kernel & set(other.expect().stats["hooks"]), other.stats


@case
def no_kernel_as_ordinary_user(tmp):
    if os.geteuid() != 0:
        skip("this is not root: every other test runs as an ordinary user")
    path = numbers_csv(tmp)
    os.chmod(tmp, 0o755)
    command = [str(grapnel.PROGRAM), "query", "--no-kernel", "--quiet", "--format", "csv",
               f"SELECT count(*) FROM '{path}'"]
    reachable = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "test", "-x",
                                str(grapnel.PROGRAM)], capture_output=True)
    if reachable.returncode != 0:
        skip("the program lies where an ordinary user cannot reach it")
    answer = subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", *command],
                            capture_output=True, text=True, env={"XDG_CACHE_HOME": "/nonexistent"})
    assert answer.returncode == 0 and str(ROWS) in answer.stdout, answer.stderr


@cases(state=["cold", "half cached", "cached"])
def polite_leaves_the_cache_as_it_was(tmp, state):
    path = numbers_csv(tmp, 800_000)
    page_cache.prepare(path, state)
    before = page_cache.cached_pages(path)
    sql = f"SELECT sum(n) FROM '{path}'"
    answer = grapnel.run("query", "--polite", "--stats", "json", "--format", "csv", sql).expect()
    assert answer.rows() == [str(800_000 * 799_999 // 2)]
    assert_same_pages(before, page_cache.cached_pages(path))
    if state == "cold":
        assert set(answer.stats["hooks"]) == {"direct"}, answer.stats["hooks"]


@case
def polite_refuses_in_words_what_it_cannot(tmp):
    path = numbers_csv(tmp, 400_000)
    page_cache.prepare(path, "cold")
    before = page_cache.cached_pages(path)
    sql = f"SELECT sum(n) FROM '{path}'"
    answer = grapnel.run("query", "--polite", "--hook", "read", sql)
    answer.expect(grapnel.EXIT["hook cannot"])
    assert "--polite" in answer.err and "page cache" in answer.err, answer.err
    assert_same_pages(before, page_cache.cached_pages(path))
    with page_cache.held(path):
        grapnel.run("query", "--polite", "--hook", "read", sql).expect()


@case
def max_cpu_binds_threads(tmp):
    path = numbers_csv(tmp, 400_000)
    sql = f"SELECT sum(n) FROM '{path}'"
    one = grapnel.run("query", "--max-cpu", "1", "--threads", "4", "--stats", "json", sql).expect()
    assert one.stats["threads"] == 1, one.stats
    half = grapnel.run("query", "--max-cpu", "0.5", "--threads", "4", "--stats", "json", sql)
    assert half.expect().stats["threads"] == 1
    for wrong in ("0", "-1", "x", "0%"):
        grapnel.run("query", "--max-cpu", wrong, sql).expect(grapnel.EXIT["refused"])
    table = where("--max-cpu", "50%", sql)
    assert any(row["ruled_out"] for row in table["hooks"] if row["hook"] == "block"), table
