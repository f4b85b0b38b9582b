"""./dev demo: three queries on this machine, one through a server. Run by tools/dev/demo.sh."""

import re
import sys
import textwrap

import grapnel_cli as grapnel

SCALE_1_Q6 = "123141078.2283"


def megabytes(count):
    return f"{count / 1e6:,.1f} MB" if count >= 1e5 else f"{count:,} bytes"


def show(title, sql, answer):
    short = re.sub(r"columns => '[^']*'", "columns => '...'", sql)
    print(f"\n=== {title}\n" + textwrap.fill(short, 100, break_long_words=False) + "\n")
    if answer.code != 0:
        print(answer.out)
        print(answer.err, file=sys.stderr)
        raise SystemExit(f"demo: grapnel ended with code {answer.code}")
    print(answer.out.rstrip())
    stats = answer.stats
    if not stats:
        raise SystemExit("demo: no statistics on stderr:\n" + answer.err)
    copied = sum(hook["bytes_copied"] for hook in stats["hooks"].values())
    print()
    print(f"  hook        {stats['hook']}: {stats['why']}")
    print(f"  bytes read  {megabytes(stats['file_bytes'])} looked at, "
          f"{megabytes(copied)} copied to user space")
    print(f"  bytes sent  {megabytes(stats['bytes_sent'])}")
    print(f"  time        {answer.seconds:.3f} s from start to end of the process, "
          f"{stats['wall_seconds']:.3f} s of it the scan "
          f"({stats['file_bytes'] / max(1e-9, stats['wall_seconds']) / 1e9:.2f} GB/s, "
          f"{stats['threads']} threads)", flush=True)
    for warning in stats.get("warnings", []):
        print(f"  warning     {warning}")


def main():
    data = grapnel.DATA / "tpch-sf1"
    tbl, csv = data / "lineitem.tbl", data / "lineitem.csv"

    def ask(title, sql, **options):
        answer = grapnel.query(sql, format="table", **options)
        show(title, sql, answer)
        return answer

    ask("TPC-H Q6, .csv with a quoted column", grapnel.q6(grapnel.lineitem(csv)))
    ask("TPC-H Q1, .tbl", grapnel.q1(grapnel.lineitem(tbl)))
    ask("Lines that match", f"SELECT count(*) FROM lines('{tbl}') WHERE line LIKE '%AIR%special%'")
    with grapnel.Server(data) as server:
        answer = ask(f"TPC-H Q6 again, asked of a server ({server.address})",
                     grapnel.q6(grapnel.lineitem(tbl.name)), on=server.address)
    if SCALE_1_Q6 not in answer.out:
        raise SystemExit(f"demo: Q6 at scale 1 should be {SCALE_1_Q6}")


if __name__ == "__main__":
    main()
