"""Two hundred texts that mean something to SQL, to a driver, to CSV, to COPY or to Python, and that mean themselves."""

from itertools import islice, product

_PICKED = [
    "", " ", "'", "''", "'''", '"', '""', "\\", "\\\\", "\\'", "\\.", "\\.\n", "\n\\.\n", "\\N", "NULL", "null", "`",
    ";", "%", "%%", "%s", "%%s", "%(a)s", "%(a)", "%b", "%t", "%d", "%1$s", "100%", "{}", "{0}", "{a}", "{{}}", "$1",
    "$$", "$$x$$", "$a$;$a$", ":a", "?", "@a", "--", "-- x", "/*", "*/", "/* x */", "#", "\n", "\r", "\r\n", "\t",
    "\b", "\x01", "\x1a", "\x7f", "\u0085", "\u00a0", "\u2028", "\ufeff", "\ufffe", "\u202e", "e\u0301", "ß", "İ",
    "日本", "\U0001f600", "💥'💥", "E'x'", "E'\\x27'", "U&'\\0027'", "N'x'", "B'1'", "X'1F'",
    "x'; DROP TABLE shop_note; --", "'; COMMIT; --", "') OR ('1'='1", "1 OR 1=1",
    "x' OR TRUE) TO STDOUT WITH (FORMAT CSV, HEADER) --", ") TO PROGRAM 'id' --", "HEADER", "FORMAT binary",
    "DELIMITER ','", "QUOTE '\"'", "FORCE_QUOTE *", "STDIN", "WITH (ENCODING 'LATIN1')", "a,b", "a;b", "a\tb", 'a"b',
    "'a,\"b\"\nc'", "=1+1", "+1", "-1", "@SUM(A1)", "t", "f", "true", "0", "-0", "1e5", "NaN", "infinity", "now",
    "2026-01-02", "{1,2}", "(1,2)", "[1,2)", '{"a": "b"}', "<a href='x'>", "&amp;", "../../etc/passwd",
    "current_user", "pg_sleep(9)", "id", "t.id", "*", "k0", "isekai_stage_0", "pg_temp", "public", "select", "user",
    "x" * 10_000, "'" * 3_000, '"' * 3_001, "\\" * 3_000, "%" * 3_001, "\n" * 3_000, "日" * 5_000,
]  # fmt: skip
_BITS = ["'", '"', "\\", "%s", "%", "\n", "--", ";", "$$", ",", "\\.", "é", "{}", "/*"]


def _made():
    for first, second in product(_BITS, _BITS):
        if first != second:
            yield f"{first}{second}a {second}{first}"


HOSTILE = list(islice(dict.fromkeys([*_PICKED, *_made()]), 200))
"""All of them different, none with a NUL, which no text of PostgreSQL can hold."""


def _fitting(text, number):
    """A name of 63 bytes at most, which tells the texts apart. Two quotes in a name are one for Django."""
    while '""' in text:
        text = text.replace('""', '"')
    return f"{text.encode()[:50].decode(errors='ignore')}{number}"


HOSTILE_NAMES = [_fitting(text, number) for number, text in enumerate(HOSTILE)]
"""Names of tables and columns."""
