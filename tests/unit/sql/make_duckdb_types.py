"""Writes duckdb_types.tsv: expressions over every type, and the type that DuckDB gives them.

    build/venv/bin/python tests/unit/sql/make_duckdb_types.py > tests/unit/sql/duckdb_types.tsv

"refused" stands where DuckDB's binder refuses the expression.
"""

import itertools

import duckdb

COLUMNS = {
    "b": "BOOLEAN", "ti": "TINYINT", "si": "SMALLINT", "i": "INTEGER", "bi": "BIGINT",
    "hi": "HUGEINT", "uti": "UTINYINT", "usi": "USMALLINT", "ui": "UINTEGER", "ubi": "UBIGINT",
    "d15": "DECIMAL(15,2)", "d4": "DECIMAL(4,1)", "d9": "DECIMAL(9,3)", "d18": "DECIMAL(18,9)",
    "d38": "DECIMAL(38,10)", "db": "DOUBLE", "v": "VARCHAR", "dt": "DATE",
}
LITERALS = ["1", "-1", "200", "100000", "3000000000", "99999999999999999999", "0.5", "12.345",
            "1234567890123456.75", "1e3"]


def expressions():
    for a, b in itertools.product(COLUMNS, COLUMNS):
        for operator in ("+", "-", "*", "/", "//", "%"):
            yield f"{a} {operator} {b}"
    for a, literal in itertools.product(COLUMNS, LITERALS):
        for operator in ("+", "-", "*", "//", "%"):
            yield f"{a} {operator} {literal}"
            yield f"{literal} {operator} {a}"
    for a, b in itertools.product(LITERALS, LITERALS):
        yield f"{a} * {b}"
        yield f"{a} - {b}"
    for a in COLUMNS:
        yield f"-{a}"
        for function in ("count", "sum", "avg", "min", "max"):
            yield f"{function}({a})"
    yield from LITERALS
    yield from (".5", "5.", "00.50", "0.05", "2147483647", "2147483648", "-2147483648",
                "-2147483649", "9223372036854775807", "-9223372036854775808",
                "9223372036854775808", "1.0000000000000000000000000000000000001",
                "1.00000000000000000000000000000000000001", "'x'", "TRUE", "DATE '1994-01-01'")
    yield from ("d15*(1-d15)", "d15*(1-d15)*(1+d15)", "d15*d15*d15", "d18*d18*d18", "d38*d38*d38",
                "d38*d38*d38*d38", "sum(d15)*2", "sum(i)*2", "sum(d15)/count(*)", "sum(d15)+1",
                "avg(d15)*0.2", "count(*)*2", "100.00*sum(d15*d4)", "sum(d15*(1-d15))",
                "ti + (1 + 1)", "ti + 1 + 100", "(i + bi) * ti", "dt + 1 - dt", "1 + dt", "dt - 5")


def main():
    connection = duckdb.connect()
    columns = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
    connection.execute(f"CREATE TABLE t({columns})")
    print(f"# DuckDB {duckdb.__version__}; see make_duckdb_types.py")
    for expression in dict.fromkeys(expressions()):
        try:
            row = connection.execute(f"DESCRIBE SELECT {expression} FROM t").fetchone()
            print(f"{expression}\t{row[1]}")
        except duckdb.Error:
            print(f"{expression}\trefused")


main()
