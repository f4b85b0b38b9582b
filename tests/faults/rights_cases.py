"""Rights that are missing, files of others, paths that lead out of a server's root."""

import os
from pathlib import Path

import grapnel_cli as grapnel
from harness import case, cases, skip
from kernel_rights import has_kernel_rights
from running import as_nobody

FEW = "1,a\n2,b\n3,c\n"


def need_root():
    if os.geteuid() != 0:
        skip("only root can become somebody else")


def open_way(tmp):
    """Directories down to `tmp` that anybody may pass, and a cache that belongs to nobody."""
    os.chmod(tmp, 0o755)
    cache = tmp / "cache"
    cache.mkdir()
    os.chown(cache, 65534, 65534)
    os.chmod(cache, 0o700)
    return {**os.environ, "XDG_CACHE_HOME": str(cache), "HOME": "/nonexistent"}


def query_as_nobody(sql, env, *arguments):
    done = as_nobody([grapnel.PROGRAM, "query", "--format", "csv", "--stats", "json", *arguments, sql],
                     env=env)
    return grapnel.Answer(done.returncode, done.stdout, done.stderr, 0,
                          grapnel.find_stats(done.stderr))


@case
def a_file_that_may_not_be_read(tmp):
    need_root()
    env = open_way(tmp)
    path = tmp / "secret.csv"
    path.write_text(FEW)
    os.chmod(path, 0o600)
    answer = query_as_nobody(f"SELECT * FROM '{path}'", env).expect(grapnel.EXIT["error"])
    assert "secret.csv" in answer.err and "ermission" in answer.err, answer.err
    assert answer.out == ""


@cases(hook=[None, "read", "mmap", "direct"])
def a_file_of_somebody_else(tmp, hook):
    """cachestat is refused and mincore lies then: residency must not be taken for known."""
    need_root()
    env = open_way(tmp)
    path = tmp / "theirs.csv"
    with open(path, "w") as file:
        for number in range(400_000):
            file.write(f"{number},words of somebody else\n")
    os.chmod(path, 0o644)
    sql = f"SELECT count(*), sum(n) FROM csv('{path}', columns => 'n BIGINT, w VARCHAR')"
    answer = query_as_nobody(sql, env, *(["--hook", hook] if hook else [])).expect()
    assert answer.rows() == [f"400000,{sum(range(400_000))}"], answer.rows()
    assert answer.stats["stability"] == "checked", answer.stats
    if hook:
        assert answer.computed_by(hook) >= 0.95, answer.stats


@case
def hooks_in_the_kernel_without_rights(tmp):
    need_root()
    env = open_way(tmp)
    path = tmp / "few.csv"
    path.write_text(FEW)
    os.chmod(path, 0o644)
    sql = f"SELECT count(*) FROM csv('{path}', columns => 'n BIGINT, w VARCHAR')"
    answer = query_as_nobody(sql, env, "--hook", "pipe").expect(grapnel.EXIT["hook cannot"])
    assert "CAP_" in answer.err or "root" in answer.err, answer.err
    assert query_as_nobody(sql, env, "--hook", "pipe,any").expect().rows() == ["3"]
    assert query_as_nobody(sql, env).expect().rows() == ["3"]


@case
def a_directory_or_device_is_no_table(tmp):
    for path in (tmp, "/dev/zero"):
        answer = grapnel.query(f"SELECT count(*) FROM lines('{path}')")
        assert answer.code in (1, 2) and answer.out == "" and str(path) in answer.err, answer.err


@case
def paths_do_not_leave_the_root(tmp):
    root = tmp / "root"
    (root / "deep").mkdir(parents=True)
    (tmp / "outside").mkdir()
    (tmp / "outside" / "secret.csv").write_text("n\n42\n")
    (root / "inside.csv").write_text("n\n1\n")
    os.symlink("../../outside", root / "deep" / "out")
    os.symlink(tmp / "outside" / "secret.csv", root / "absolute.csv")
    os.symlink("../outside/secret.csv", root / "relative.csv")
    os.symlink("/proc/self/root", root / "magic")
    escapes = ["deep/out/secret.csv", "absolute.csv", "relative.csv", "deep/../../outside/secret.csv",
               str(tmp / "outside" / "secret.csv"), f"magic{tmp}/outside/secret.csv",
               "/proc/self/environ", "./../outside/secret.csv", "..", ".", ""]
    with grapnel.Server(root) as server:
        for path in escapes:
            for table in (f"'{path}'", f"lines('{path}')", f"csv('{path}', header => true)"):
                answer = grapnel.query(f"SELECT * FROM {table}", on=server.address)
                assert answer.code in (1, 2), (table, answer)
                assert answer.out == "" and "42" not in answer.err.replace(str(tmp), ""), (table, answer)
        good = grapnel.query("SELECT n FROM 'deep/../inside.csv'", on=server.address).expect()
        assert good.rows() == ["1"]


@case
def a_file_system_without_splice_is_refused_or_read_otherwise(tmp):
    path = Path("/proc/config.gz")  # has a size, pages nowhere, and no splice
    if not path.exists():
        skip(f"this kernel has no {path}, and nothing else here is known to refuse splice")
    if not has_kernel_rights():
        skip("hooks in the kernel need rights that are missing here")
    sql = f"SELECT count(*) AS n FROM fixed('{path}', columns => 'byte UTINYINT')"
    forced = grapnel.query(sql, hook="pipe").expect(grapnel.EXIT["hook cannot"])
    assert "splice" in forced.err and forced.out == "", forced.err
    answer = grapnel.query(sql, hook="pipe,any").expect()
    assert answer.out == f"n\n{path.stat().st_size}\n", answer.out
    assert answer.stats["hooks"]["read"]["records"] > 0, answer.stats
