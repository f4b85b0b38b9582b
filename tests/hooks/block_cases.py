"""The block hook: all of what comes from the device, and nothing of what does not. Part of run.py."""

import os

import disturbed
import grapnel_cli as grapnel
import page_cache
import tables
from harness import cases, skip
from kernel_rights import has_kernel_rights

# Trace events of the block layer get lost now and then, a few in a row (src/hooks/block/README.md):
# each answer must be exact, and one of them nearly all the hook's.
ATTEMPTS = 8

# What looks absent, and the place that takes over (src/hooks/block/places.cpp).
PLACES = {"raw_tp": "tp_btf/block_rq_complete", "raw_tp,tp_btf": "fentry/blk_update_request",
          "raw_tp,tp_btf,fentry": "kprobe/blk_update_request"}


def query(path, table, format, *, hook="block", threads=1):
    if not has_kernel_rights():
        skip("hooks in the kernel need CAP_BPF or CAP_SYS_ADMIN")
    answer = grapnel.query(tables.query_of(format, table), hook=hook, threads=threads)
    if answer.code == grapnel.EXIT["hook cannot"] and "neither ext4 nor xfs" in answer.err:
        skip("the build does not lie on ext4 or xfs")
    return answer


def best_share(prepare, ask, expected, wanted):
    """The largest share of `wanted(counters)` bytes that the hook computed, of some attempts."""
    best = 0
    for _ in range(ATTEMPTS):
        prepare()
        answer = ask()
        if answer.code == grapnel.EXIT["hook cannot"] and "nothing of it was seen" in answer.err:
            continue  # the first extent's events were lost: a refusal, and as honest
        answer.expect()
        assert answer.rows() == [expected], (answer.rows(), expected)
        counters = answer.stats["hooks"]["block"]
        best = max(best, counters["bytes"] / wanted(counters))
        if best >= 0.99:
            break
    return best


def register(table_of):
    @cases(format=list(tables.FORMATS), threads=[1, 2])
    def block_computes_what_is_cold(tmp, format, threads):
        path, table, expected = table_of(format)
        answers = []

        def ask():
            answers.append(query(path, table, format, threads=threads))
            return answers[-1]

        share = best_share(lambda: page_cache.prepare(path, "cold"), ask, expected,
                           lambda counters: counters["device_bytes"])
        for answer in (answer for answer in answers if answer.code == 0):
            assert set(answer.stats["hooks"]) == {"block"}, answer.stats
            counters, stitched = answer.stats["hooks"]["block"], answer.stats["stitched"]
            done = counters["bytes"] + counters.get("rest_bytes", 0) + stitched["bytes"]
            header = os.path.getsize(path) - done
            assert 0 <= header < 100, answer.stats
            assert counters["longest_run_seconds"] > 0, counters
        assert share >= 0.99, answers[-1].stats

    @cases(format=list(tables.FORMATS), threads=[1, 2])
    def block_computes_nothing_cached(tmp, format, threads):
        path, table, expected = table_of(format)
        for _ in range(ATTEMPTS):
            page_cache.prepare(path, "cached")
            answer = query(path, table, format, threads=threads)
            if answer.code != 0:
                break
            # The kernel has taken pages away meanwhile.
            assert answer.stats["hooks"]["block"]["device_bytes"] > 0, answer.stats
        answer.expect(grapnel.EXIT["hook cannot"])
        assert "cached: nothing of it comes from the device" in answer.err, answer.err
        answer = query(path, table, format, hook="block,any", threads=threads).expect()
        assert answer.rows() == [expected], (answer.rows(), expected)
        done = answer.stats["hooks"].get("block", {"bytes": 0, "device_bytes": 0})
        assert done["bytes"] <= done["device_bytes"], answer.stats

    @cases(format=list(tables.FORMATS), threads=[1, 2])
    def block_beside_others_half_cached(tmp, format, threads):
        path, table, expected = table_of(format)
        dropped = sum(page_cache.is_dropped(at) for at in range(0, os.path.getsize(path), 4096)) * 4096
        share = best_share(lambda: page_cache.prepare(path, "half cached"),
                           lambda: query(path, table, format, hook="block,any", threads=threads),
                           # More, where the kernel has taken pages away meanwhile.
                           expected, lambda counters: max(dropped, counters["device_bytes"]))
        assert 0.98 <= share <= 1.02, share  # as exact as prepare() proves

    @cases(format=["tbl", "lines", "fixed"])
    def block_with_every_second_page_cached(tmp, format):
        path, table, expected = table_of(format)
        size = os.path.getsize(path)
        first = (size - 1) // page_cache.PAGE % 2 * page_cache.PAGE ^ page_cache.PAGE

        def prepare():
            page_cache.prepare(path, "cold")
            fd = os.open(path, os.O_RDONLY)
            try:
                os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_RANDOM)
                # Not the last page: it can be an extent of its own.
                for at in range(first, size - page_cache.PAGE, 2 * page_cache.PAGE):
                    os.pread(fd, 1, at)
            finally:
                os.close(fd)
            cached = page_cache.cached_pages(path)
            wrong = sum(cached[page] != (page % 2 == first // page_cache.PAGE) for page in range(len(cached)))
            assert wrong <= len(cached) // 50, f"{wrong} of {len(cached)} pages"

        share = best_share(prepare, lambda: query(path, table, format), expected,
                           lambda counters: counters["device_bytes"])
        assert 0.9 <= share <= 1, share

    @cases(threads=[1, 2])
    def block_guesses_wrong(tmp, threads):
        """Extents begin inside a field that looks like records: they are done again, and by then what
        the hook has read is cached."""
        path = tmp / "guess.csv"
        row = "8,inside,1.5\n"
        path.write_text(row * 300_000 + '7,"' + row * 400_000 + '",2.5\n' + row * 300_000)
        table = f"csv('{path}', header => false, columns => 'n BIGINT, text VARCHAR, x DECIMAL(9,1)')"

        def ask():
            answer = grapnel.query(f"SELECT count(*), sum(n), sum(x) FROM {table}", hook="block",
                                   threads=threads)
            if answer.code == grapnel.EXIT["hook cannot"] and "neither ext4 nor xfs" in answer.err:
                skip("the build does not lie on ext4 or xfs")
            return answer

        if not has_kernel_rights():
            skip("hooks in the kernel need CAP_BPF or CAP_SYS_ADMIN")
        share = best_share(lambda: page_cache.prepare(path, "cold"), ask, "600001,4800007,900002.5",
                           lambda counters: counters["device_bytes"])
        assert 0.3 <= share <= 1, share  # of the field nothing is a record

    @cases(format=["tbl", "quoted csv", "fixed"], script=["READER", "DROPPER"], threads=[1, 2])
    def block_disturbed(tmp, format, script, threads):
        """Others read the file, or take its pages away, so that some come twice."""
        path, table, expected = table_of(format)
        with disturbed.beside(getattr(disturbed, script), path):
            for _ in range(disturbed.ROUNDS):
                page_cache.drop_some(path, "cold")
                answer = query(path, table, format, hook="block,any", threads=threads).expect()
                assert answer.rows() == [expected], (answer.rows(), expected)

    @cases(absent=list(PLACES))
    def block_at_other_places(tmp, absent):
        """Where this machine permits the next place: all of what is cold; else each place, and why not."""
        path, table, expected = table_of("tbl")
        env = {"GRAPNEL_PRETEND_ABSENT": absent}
        query(path, table, "tbl", hook="block,any")  # skips
        sql = tables.query_of("tbl", table)
        page_cache.prepare(path, "cold")
        plan = grapnel.query("EXPLAIN " + sql, hook="block", env=env)
        if plan.code == grapnel.EXIT["hook cannot"]:
            for place in PLACES.values():
                assert place in plan.err, plan.err
            return
        assert f"via {PLACES[absent]}" in plan.expect().out, plan.out
        share = best_share(lambda: page_cache.prepare(path, "cold"),
                           lambda: grapnel.query(sql, hook="block", threads=1, env=env), expected,
                           lambda counters: counters["device_bytes"])
        assert share >= 0.99, share

    @cases(threads=[1])
    def block_killed_leaves_nothing(tmp, threads):
        path, table, _ = table_of("tbl")
        query(path, table, "tbl", hook="block,any").expect()  # compiled, now
        for _ in range(20):
            page_cache.drop_some(path, "cold")
            programs = disturbed.kill_while_loaded(tables.query_of("tbl", table), "block")
            if programs:
                break
        assert programs, "the query was never caught with a program in the kernel"
        left = disturbed.wait_until_gone(programs)
        assert not left, f"programs {left} are still in the kernel"
