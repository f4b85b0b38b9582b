"""Random queries on a table, written for both engines.

The two texts differ only in what SQL leaves open and grapnel promises: rows in file order, groups in
order of first appearance, ties by place in the file; and sums of DOUBLE, which DuckDB adds up in
whatever order they come: it hands their values over instead, and the test adds them exactly.
"""

import dataclasses

COMPARISONS = ["=", "<>", "!=", "<", "<=", ">", ">="]


@dataclasses.dataclass
class Query:
    grapnel: str              # with {source} for the table
    oracle: str               # with {source} likewise
    exact_sums: list          # per output: None, 'sum' or 'avg' of a list, 'near' for averages
    ordered: bool = True


class Generator:
    def __init__(self, rng, table):
        self.rng = rng
        self.table = table

    # --- expressions ------------------------------------------------------------------------------

    def literal(self, kind):
        rng = self.rng
        if kind == "int":
            return str(rng.choice([0, 1, 2, 3, 10, -1, 100, 12345, 2**31, rng.randint(-50, 50)]))
        if kind == "dec":
            return rng.choice(["0.5", "1.25", "-0.01", "100.00", "0.07", "12345.678", "-3.0"])
        if kind == "dbl":
            return rng.choice(["1.5e0", "-2e3", "1e-3", "0e0"])
        if kind == "date":
            return rng.choice(["DATE '1994-01-01'", "DATE '1992-01-03'", "DATE '2010-12-31'"])
        if kind == "bool":
            return rng.choice(["TRUE", "FALSE"])
        return rng.choice(["'a'", "'MAIL'", "'über'", "'O''Neil'", "'zzz'", "' padded '"])

    def sample(self, column):
        """A value that stands in the column, mostly."""
        found = self.table.samples.get(column.name)
        if found and self.rng.random() < 0.8:
            value = self.rng.choice(found)
            if value != "NULL":
                return value
        return self.literal(column.kind)

    def name(self, column):
        return f'"{column.name}"'

    def atom(self, kind):
        columns = self.table.of_kind(kind)
        if columns and self.rng.random() < 0.85:
            return self.name(self.rng.choice(columns))
        return self.literal(kind)

    def value(self, kind, depth):
        if depth <= 0 or self.rng.random() < 0.35:
            return self.atom(kind)
        return getattr(self, "make_" + kind)(depth - 1)

    def wide(self, kind, depth):
        """An operand that leaves room for the result, mostly."""
        text = self.value(kind, depth)
        if self.rng.random() < 0.1:
            return text
        return f"CAST({text} AS {'HUGEINT' if kind == 'int' else 'DECIMAL(30,6)'})"

    def make_int(self, depth):
        rng = self.rng
        form = rng.randrange(8)
        if form <= 2:
            return f"({self.wide('int', depth)} {rng.choice('+-')} {self.wide('int', depth)})"
        if form == 3:
            return f"({self.wide('int', depth)} * {rng.choice([2, 3, -7, 1000])})"
        if form == 4:
            divisor = rng.choice([1, 2, 3, 7, -5, 100])
            return f"({self.wide('int', depth)} {rng.choice(['//', '%'])} ({divisor}))"
        if form == 5:
            return f"(-({self.wide('int', depth)}))"
        if form == 6 and self.table.of_kind("date"):
            return f"({self.value('date', depth)} - {self.value('date', 0)})"
        return f"CAST({self.value('dec', depth)} AS HUGEINT)"

    def make_dec(self, depth):
        rng = self.rng
        form = rng.randrange(6)
        if form <= 1:
            return f"({self.value('dec', depth)} {rng.choice('+-')} {self.value('dec', depth)})"
        if form == 2:
            return f"({self.atom('dec')} * {rng.choice(['0.5', '(1 - 0.07)', '2', '-1.25'])})"
        if form == 3:
            return f"({self.wide('dec', depth)} - {self.value('int', 0)})"
        if form == 4:
            return f"(-({self.value('dec', depth)}))"
        return f"CAST({self.value(rng.choice(['int', 'dec']), depth)} AS DECIMAL(38,{rng.randint(0, 4)}))"

    def make_dbl(self, depth):
        rng = self.rng
        form = rng.randrange(4)
        if form == 0:
            return f"({self.value('dbl', depth)} {rng.choice('+-*/')} {self.value('dbl', depth)})"
        if form == 1:
            return f"CAST({self.value(rng.choice(['int', 'dec']), depth)} AS DOUBLE)"
        if form == 2:
            kind = rng.choice(["int", "dec"])
            return f"({self.value(kind, depth)} / {self.value(kind, 0)})"
        return f"(-({self.value('dbl', depth)}))"

    def make_date(self, depth):
        return f"({self.value('date', depth)} {self.rng.choice('+-')} {self.rng.randint(0, 400)})"

    def make_text(self, _depth):
        return self.atom("text")

    def make_bool(self, depth):
        return self.condition(depth)

    # --- conditions -------------------------------------------------------------------------------

    def like_pattern(self, column):
        rng = self.rng
        sample = self.sample(column)[1:-1]
        start = rng.randint(0, max(0, len(sample) - 1))
        piece = sample[start:start + rng.randint(1, 5)].replace("''", "").replace("'", "")
        if rng.random() < 0.2 and piece:
            spot = rng.randrange(len(piece))
            piece = piece[:spot] + "_" + piece[spot + 1:]
        return rng.choice(["%{}%", "{}%", "%{}", "{}", "%{}%a%", "_%{}%"]).format(piece)

    def column_condition(self, column):
        rng = self.rng
        name = self.name(column)
        form = rng.randrange(10)
        if form <= 4:
            sides = [name, self.sample(column)]
            if rng.random() < 0.2:
                sides.reverse()
            return f"{sides[0]} {rng.choice(COMPARISONS)} {sides[1]}"
        if form == 5:
            negation = rng.choice(["", "", "NOT "])
            return f"{name} {negation}BETWEEN {self.sample(column)} AND {self.sample(column)}"
        if form == 6:
            values = ", ".join(self.sample(column) for _ in range(rng.randint(1, 5)))
            return f"{name} {rng.choice(['', 'NOT '])}IN ({values})"
        if form == 7:
            return f"{name} IS {rng.choice(['', 'NOT '])}NULL"
        if column.kind == "text":
            pattern, escape = self.like_pattern(column), ""
            if rng.random() < 0.15:
                pattern, escape = pattern.replace("_", "#_"), " ESCAPE '#'"
            return f"{name} {rng.choice(['', 'NOT '])}LIKE '{pattern}'{escape}"
        if column.kind == "bool":
            return rng.choice([name, f"NOT {name}"])
        return f"{name} {rng.choice(COMPARISONS)} {self.atom(column.kind)}"

    def condition(self, depth):
        rng = self.rng
        form = rng.randrange(10)
        if depth > 0 and form < 4:
            word = rng.choice(["AND", "OR"])
            return f"({self.condition(depth - 1)} {word} {self.condition(depth - 1)})"
        if depth > 0 and form == 4:
            return f"NOT ({self.condition(depth - 1)})"
        if form == 5:
            kind = rng.choice(["int", "dec", "dbl", "date"])
            return (f"{self.value(kind, depth)} {rng.choice(COMPARISONS)} "
                    f"{self.value(kind, depth)}")
        return self.column_condition(rng.choice(self.table.columns))

    def where(self):
        form = self.rng.random()
        if form < 0.3:
            return ""
        if form < 0.8:
            count = self.rng.randint(1, 3)
            parts = [self.column_condition(self.rng.choice(self.table.columns))
                     for _ in range(count)]
            return " WHERE " + " AND ".join(parts)
        return " WHERE " + self.condition(2)

    def any_value(self, depth):
        column = self.rng.choice(self.table.columns)
        return self.value(column.kind, depth), column.kind

    # --- whole queries ----------------------------------------------------------------------------

    def limit(self):
        text = ""
        if self.rng.random() < 0.35:
            text += f" LIMIT {self.rng.choice([0, 1, 3, 10, 100, 10**6])}"
            if self.rng.random() < 0.4:
                text += f" OFFSET {self.rng.choice([0, 1, 5, 50])}"
        return text

    def order_by(self, keys):
        """A random ORDER BY over some of `keys`, without the words; or ''."""
        rng = self.rng
        if not keys or rng.random() < 0.5:
            return ""
        chosen = rng.sample(keys, rng.randint(1, min(2, len(keys))))
        return ", ".join(key + rng.choice(["", " ASC", " DESC"]) +
                         rng.choice(["", "", " NULLS FIRST", " NULLS LAST"]) for key in chosen)

    def finish(self, select, rest, keys, tie_break, exact_sums, oracle_select=None):
        order, limit = self.order_by(keys), self.limit()
        ours = f" ORDER BY {order}" if order else ""
        ties = [part for part in (order, tie_break) if part]
        theirs = f" ORDER BY {', '.join(ties)}" if ties else ""
        return Query(f"SELECT {select} FROM {{source}}{rest}{ours}{limit}",
                     f"SELECT {oracle_select or select} FROM {{source}}{rest}{theirs}{limit}",
                     exact_sums)

    def rows(self):
        rng = self.rng
        if rng.random() < 0.2:
            keys = [self.name(column) for column in self.table.columns]
            return self.finish("*", self.where(), keys, "rowid", [None] * len(keys))
        outputs = [self.any_value(rng.choice([0, 0, 1, 2]))[0] for _ in range(rng.randint(1, 5))]
        if rng.random() < 0.15:
            outputs.append(self.condition(1))
        select = ", ".join(f"{text} AS c{i}" for i, text in enumerate(outputs))
        keys = [f"c{i}" for i in range(len(outputs))] + [str(i + 1) for i in range(len(outputs))]
        keys += [self.name(rng.choice(self.table.columns))]
        return self.finish(select, self.where(), keys, "rowid", [None] * len(outputs))

    def aggregate(self):
        """(text, text for the oracle, how the oracle's list becomes the value, can be compared)"""
        rng = self.rng
        function = rng.choice(["count", "count", "sum", "sum", "avg", "min", "max"])
        if function == "count" and rng.random() < 0.5:
            return "count(*)", "count(*)", None, True
        if function in ("sum", "avg"):
            kinds = [kind for kind in ("int", "dec", "dbl") if self.table.of_kind(kind)] or ["int"]
            kind = rng.choice(kinds)
            value = self.value(kind, rng.choice([0, 0, 1, 2]))
            text = f"{function}({value})"
            if kind == "dbl":
                return text, f"list({value}) FILTER (({value}) IS NOT NULL)", function, False
            return text, text, "near" if function == "avg" else None, function == "sum"
        # DuckDB counts without computing what cannot be NULL, and so misses its overflows.
        value, kind = self.any_value(0 if function == "count" else rng.choice([0, 0, 1]))
        text = f"{function}({value})"
        return text, text, None, function == "count" or kind in ("int", "dec", "date")

    def group_key(self):
        rng = self.rng
        small = [column for column in self.table.columns if column.small]
        column = rng.choice(small or self.table.columns)
        if rng.random() < 0.25:
            key = self.value(column.kind, 1)
            if '"' in key:  # a bare number would mean an output
                return key
        return self.name(column)

    def having(self, aggregates):
        usable = [ours for ours, theirs, exact, comparable in aggregates
                  if comparable and exact is None and ours.startswith(("count", "sum"))]
        if not usable or self.rng.random() < 0.7:
            return ""
        return f" HAVING {self.rng.choice(usable)} {self.rng.choice(COMPARISONS)} {self.rng.randint(-1, 20)}"

    def aggregates(self, grouped):
        rng = self.rng
        keys = [self.group_key() for _ in range(rng.randint(1, 3))] if grouped else []
        aggregates = [self.aggregate() for _ in range(rng.randint(1, 5))]
        parts = [(key, key, None, True) for key in keys] + aggregates
        rng.shuffle(parts)
        select = ", ".join(f"{part[0]} AS c{i}" for i, part in enumerate(parts))
        oracle = ", ".join(f"{part[1]} AS c{i}" for i, part in enumerate(parts))
        rest = self.where()
        if not grouped:
            return self.finish(select, rest, [], "", [part[2] for part in parts], oracle)
        by_number = rng.random() < 0.3
        names = [str(i + 1) for i, part in enumerate(parts) if any(part[0] == key for key in keys)
                 and part[2] is None and part in [(key, key, None, True) for key in keys]]
        rest += " GROUP BY " + ", ".join(names if by_number else keys)
        rest += self.having(aggregates)
        sortable = [f"c{i}" for i, part in enumerate(parts) if part[3] and part[2] is None]
        return self.finish(select, rest, sortable, "min(rowid)", [part[2] for part in parts], oracle)

    def query(self):
        form = self.rng.random()
        if form < 0.4:
            return self.rows()
        return self.aggregates(grouped=form < 0.75)
