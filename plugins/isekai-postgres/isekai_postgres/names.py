"""Names of tables as Django means them: what a model has quoted itself, to name a schema, is not quoted again."""

import re

from psycopg import sql

_QUALIFIED = re.compile(r'"(?:[^"]|"")+"(?:\."(?:[^"]|"")+")*')


def quoted(name: str) -> str:
    """The name for SQL: as Django quotes it where that is a name, and else with everything in it meaning itself.

    >>> quoted("shop_order"), quoted('"audit"."log"'), quoted('audit"."log'), quoted('a "b')
    ('"shop_order"', '"audit"."log"', '"audit"."log"', '"a ""b"')
    """
    by_django = name if name.startswith('"') and name.endswith('"') else f'"{name}"'
    return by_django if _QUALIFIED.fullmatch(by_django) else sql.Identifier(name).as_string(None)


def for_compiler(name: str) -> str:
    """The same for a statement whose values are put in later: a percent sign is written twice there."""
    return quoted(name).replace("%", "%%")
