"""Files of every format, whose answers are computed while they are written."""

import struct

SIZE = 28 << 20  # parts of 8 MiB: cached, dropped, cached, dropped

QUERY = ("SELECT count(*), sum(amount), min(number), max(number) FROM {table} "
         "WHERE number % 7 <> 3 AND kind <= 5")


def _records():
    """number, kind, amount in cents: enough variety that a lost or doubled record shows."""
    number = 0
    while True:
        number += 1
        yield number, number * 2654435761 % 10, number * 40503 % 2000003 - 1000000


class _Answer:
    def __init__(self):
        self.count = self.amount = 0
        self.least = self.greatest = None

    def add(self, number, kind, amount):
        if number % 7 == 3 or kind > 5:
            return
        self.count += 1
        self.amount += amount
        self.least = number if self.least is None else self.least
        self.greatest = number

    def text(self, scale):
        amount = str(self.amount)
        if scale:
            sign = "-" if self.amount < 0 else ""
            amount = f"{sign}{abs(self.amount) // 100}.{abs(self.amount) % 100:02}"
        return f"{self.count},{amount},{self.least},{self.greatest}"


def _money(cents):
    return f"{'-' if cents < 0 else ''}{abs(cents) // 100}.{abs(cents) % 100:02}"


def _write(path, encode, header=b"", scale=True):
    answer, size = _Answer(), len(header)
    with open(path, "wb") as file:
        file.write(header)
        for number, kind, amount in _records():
            record = encode(number, kind, amount)
            file.write(record)
            answer.add(number, kind, amount)
            size += len(record)
            if size >= SIZE:
                return answer.text(scale)


_COLUMNS = "number BIGINT, kind INTEGER, amount DECIMAL(15,2), remark VARCHAR"


def csv(path):
    answer = _write(path, lambda n, k, a: b"%d,%d,%s,plain words %d\n" % (n, k, _money(a).encode(), n),
                    b"number,kind,amount,remark\n")
    return f"csv('{path}', header => true, columns => '{_COLUMNS}')", answer


def quoted_csv(path):
    """One record in 200 has quotes, doubled quotes, delimiters and line ends in them."""
    def encode(number, kind, amount):
        remark = b"plain words"
        if number % 200 == 0:
            remark = b'"say ""%d""\n1,2,3.00,x\n, or not"' % number
        return b"%d,%d,%s,%s\n" % (number, kind, _money(amount).encode(), remark)
    answer = _write(path, encode, b"number,kind,amount,remark\n")
    return f"csv('{path}', header => true, columns => '{_COLUMNS}')", answer


def tbl(path):
    answer = _write(path,
                    lambda n, k, a: b"%d|%d|%s|plain words %d|\n" % (n, k, _money(a).encode(), n))
    return f"csv('{path}', delim => '|', header => false, columns => '{_COLUMNS}')", answer


def lines(path):
    """Not QUERY but a count of lines that match."""
    count = size = 0
    with open(path, "wb") as file:
        for number, kind, amount in _records():
            line = b"%s words, %d and %d\n" % (b"special" if kind < 2 else b"usual", number, amount)
            file.write(line)
            count += kind < 2
            size += len(line)
            if size >= SIZE:
                break
    return f"lines('{path}')", str(count)


LINES_QUERY = "SELECT count(*) FROM {table} WHERE line LIKE 'special%'"


def fixed(path):
    answer = _write(path, lambda n, k, a: struct.pack("<qiqi", n, k, a, 7), scale=False)
    return f"fixed('{path}', columns => 'number BIGINT, kind INTEGER, amount BIGINT, rest INTEGER')", \
        answer


FORMATS = {"csv": csv, "quoted csv": quoted_csv, "tbl": tbl, "lines": lines, "fixed": fixed}


def query_of(name, table):
    return (LINES_QUERY if name == "lines" else QUERY).format(table=table)
