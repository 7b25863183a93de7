"""Names of tables as Django means them, and keys as generic foreign keys name them."""

import re

from psycopg import sql

_NUMBER = "^(0|-?[1-9][0-9]{0,17})$"
_UUID = "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
_PATTERNS = {"smallint": _NUMBER, "integer": _NUMBER, "bigint": _NUMBER, "uuid": _UUID}
_QUALIFIED = re.compile(r'"(?:[^"]|"")+"(?:\."(?:[^"]|"")+")*')


def quoted(name: str) -> str:
    """The name for SQL: as Django quotes it where that is a name, and else with everything in it meaning itself.

    What a model has quoted itself, to name a schema, is not quoted again.

    >>> quoted("shop_order"), quoted('"audit"."log"'), quoted('audit"."log'), quoted('a "b')
    ('"shop_order"', '"audit"."log"', '"audit"."log"', '"a ""b"')
    """
    by_django = name if name.startswith('"') and name.endswith('"') else f'"{name}"'
    return by_django if _QUALIFIED.fullmatch(by_django) else sql.Identifier(name).as_string(None)


def for_compiler(name: str) -> str:
    """The same for a statement whose values are put in later: a percent sign is written twice there."""
    return quoted(name).replace("%", "%%")


def as_key(value: sql.Composable, key_type: str) -> sql.Composable:
    """What a generic foreign key holds, as a key of this type: NULL where it is none, and so points nowhere.

    A text may hold the keys of any model. It is the text that is made a key, so that an index of keys can be used.
    """
    if key_type.startswith(("character", "text")):
        # Not cast to the type, whose length would cut it.
        return sql.SQL("{}::text").format(value)
    if key_type not in _PATTERNS:
        return sql.SQL("{}::text::{}").format(value, sql.SQL(key_type))
    kind = "bigint" if _PATTERNS[key_type] is _NUMBER else key_type
    return sql.SQL("CASE WHEN {v}::text ~ {} THEN {v}::text::{} END").format(
        sql.Literal(_PATTERNS[key_type]), sql.SQL(kind), v=value
    )
