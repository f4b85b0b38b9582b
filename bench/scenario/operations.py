"""The operations of the scenario: what grapnel is asked, what the peers are asked, the file."""

import dataclasses
import struct
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import grapnel_cli as cli  # noqa: E402

WORD = "furiously"
FIXED_COLUMNS = "a BIGINT, b BIGINT, c BIGINT, d BIGINT"
PART_KEYS = {1: 200_000, 10: 2_000_000}  # l_partkey is even between 1 and this, by scale
# In per cent of the rows.
SELECTIVITIES = [0.001, 0.1, 1, 10, 50, 100]


@dataclasses.dataclass
class Case:
    name: str
    kind: str          # "fixed", "lines", "q6", "q1", "filter"
    path: Path
    sql: str           # for grapnel, with {path}
    selectivity: float = 0.0

    def statement(self, path):
        return self.sql.replace("{path}", str(path))


def make_fixed(path, size_bytes):
    """Records of four 64-bit integers, a repeated pattern of 64 MiB."""
    if path.exists() and path.stat().st_size == size_bytes:
        return
    state, values = 1, []
    for _ in range(8 << 20):
        state = (state * 6364136223846793005 + 1442695040888963407) & ((1 << 64) - 1)
        values.append(state >> 44)
    pattern = struct.pack(f"<{len(values)}q", *values)
    with open(path, "wb") as out:
        for _ in range(size_bytes // len(pattern)):
            out.write(pattern)


def all_cases(scale):
    """At scale 1 files of 0.77 and 1 GB, at scale 10 of 7.8 and 10 GB."""
    csv = cli.DATA / f"tpch-sf{scale}" / "lineitem.csv"
    fixed = cli.DATA / f"scenario-fixed-{scale}.bin"
    make_fixed(fixed, (15 if scale == 1 else 150) * (64 << 20))
    source = "'{path}'"
    made = [
        Case("sum over fixed records", "fixed", fixed,
             f"SELECT sum(c) FROM fixed('{{path}}', columns => '{FIXED_COLUMNS}')"),
        Case(f"lines with '{WORD}'", "lines", csv,
             f"SELECT count(*) FROM lines('{{path}}') WHERE line LIKE '%{WORD}%'"),
        Case("TPC-H Q6 on CSV", "q6", csv, cli.q6(source)),
        Case("TPC-H Q1 on CSV", "q1", csv, cli.q1(source)),
    ]
    for share in SELECTIVITIES:
        most = round(PART_KEYS[scale] * share / 100)
        made.append(Case(f"rows, {share:g} %", "filter", csv,
                         f"SELECT * FROM '{{path}}' WHERE l_partkey <= {most}", share))
    return made
