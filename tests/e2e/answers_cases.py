"""TPC-H's answers through every hook, embedded and remote, cold and cached: always the same bytes."""

import os
from decimal import Decimal

import grapnel_cli as grapnel
from harness import cases

HOOKS = ["read", "mmap", "direct", "pipe"]
Q6 = {"0.01": "1193053.2253", "1": "123141078.2283"}
# TPC-H's own answer set for scale 1 (averages rounded to two places there; here to 1e-12).
Q1 = {
    "0.01": [
        "A,F,380456.00,532348211.65,505822441.4861,526165934.000839,14876",
        "N,F,8971.00,12384801.37,11798257.2080,12282485.056933,348",
        "N,O,742802.00,1041502841.45,989737518.6346,1029418531.523350,29181",
        "R,F,381449.00,534594445.35,507996454.4067,528524219.358903,14902",
    ],
    "1": [
        "A,F,37734107.00,56586554400.73,53758257134.8700,55909065222.827692,1478493",
        "N,F,991417.00,1487504710.38,1413082168.0541,1469649223.194375,38854",
        "N,O,74476040.00,111701729697.74,106118230307.6056,110367043872.497010,2920374",
        "R,F,37719753.00,56568041380.90,53741292684.6040,55889619119.831932,1478870",
    ],
}
_first_seen = {}


def typed(path):
    """lineitem with TPC-H's types: sniffed, the .csv's whole quantities would be BIGINT."""
    if str(path).endswith(".csv"):
        return f"csv('{path}', header => true, columns => '{grapnel.LINEITEM_COLUMNS}')"
    return grapnel.lineitem(path)


def lineitem_path(scale, kind):
    path = grapnel.DATA / f"tpch-sf{scale}" / f"lineitem.{kind}"
    assert path.exists(), f"{path} is missing: ./dev data {scale}"
    return path


def set_cache(path, state):
    """cold: nothing of the file in the page cache; half: its first half; cached: all of it."""
    size = path.stat().st_size
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        wanted = {"cold": 0, "half": size // 2, "cached": size}[state]
        while wanted > 0:
            got = len(file.read(min(wanted, 1 << 20)))
            if got == 0:
                break
            wanted -= got
        if state == "half":  # readahead went beyond
            os.posix_fadvise(file.fileno(), size // 2 + (4 << 20), 0, os.POSIX_FADV_DONTNEED)


def check_q6(answer, scale):
    assert answer.out == f"revenue\n{Q6[scale]}\n", answer.out


def check_q1(answer, scale):
    rows = [line.split(",") for line in answer.rows()]
    assert [",".join(row[:6] + row[9:]) for row in rows] == Q1[scale], answer.out
    for row in rows:
        count = int(row[9])
        for total, average in ((row[2], row[6]), (row[3], row[7])):
            assert abs(float(average) - float(Decimal(total) / count)) <= 1e-12 * float(average), row


def check(query, answer, scale, hook, kind):
    answer.expect()
    {"q6": check_q6, "q1": check_q1}[query](answer, scale)
    text = _first_seen.setdefault((query, scale), answer.out)
    assert answer.out == text, f"other bytes than before:\n{answer.out}\n{text}"
    # Statistics must show that the named hook did the work. With pipe, records that have a quote
    # and an escape are done elsewhere; in lineitem the quoted column is skipped only in user space.
    if hook and not (hook == "pipe" and kind == "csv"):
        share = answer.computed_by(hook)
        assert share >= 0.95, f"{hook} computed {share:.1%} of the bytes: {answer.stats}"


@cases(query=["q6", "q1"], kind=["tbl", "csv"], hook=HOOKS, cache=["cold", "half", "cached"],
       threads=[1, 2])
def small_file(tmp, query, kind, hook, cache, threads):
    path = lineitem_path("0.01", kind)
    set_cache(path, cache)
    sql = getattr(grapnel, query)(typed(path))
    check(query, grapnel.query(sql, hook=hook, threads=threads), "0.01", hook, kind)


@cases(query=["q6", "q1"], kind=["tbl", "csv"], hook=HOOKS, threads=[1, 2])
def scale_one(tmp, query, kind, hook, threads):
    path = lineitem_path("1", kind)
    sql = getattr(grapnel, query)(typed(path))
    check(query, grapnel.query(sql, hook=hook, threads=threads), "1", hook, kind)


@cases(query=["q6", "q1"], kind=["tbl", "csv"])
def scale_one_cold_direct(tmp, query, kind):
    path = lineitem_path("1", kind)
    set_cache(path, "cold")
    sql = getattr(grapnel, query)(typed(path))
    check(query, grapnel.query(sql, hook="direct"), "1", "direct", kind)


@cases(query=["q6", "q1"], kind=["tbl", "csv"], cache=["cold", "half", "cached"])
def chosen_by_itself(tmp, query, kind, cache):
    path = lineitem_path("0.01", kind)
    set_cache(path, cache)
    sql = getattr(grapnel, query)(typed(path))
    answer = grapnel.query(sql)
    check(query, answer, "0.01", None, kind)
    assert answer.stats["hook"] and answer.stats["why"], answer.stats


@cases(query=["q6", "q1"], kind=["tbl", "csv"], hook=[None, *HOOKS], scale=["0.01", "1"])
def remote(tmp, query, kind, hook, scale):
    path = lineitem_path(scale, kind)
    sql = getattr(grapnel, query)(typed(path.name))
    with grapnel.Server(path.parent) as server:
        answer = grapnel.query(sql, hook=hook, on=server.address)
    check(query, answer, scale, hook, kind)
    assert 0 < answer.stats["bytes_sent"] < 100_000, answer.stats
