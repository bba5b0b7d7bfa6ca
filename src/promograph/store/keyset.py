"""Pages of a list that is written as SQL, by one key: a page begins after the last row of the one before."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from promograph.store.listing import Page, Slice
from promograph.store.statements import Statement


def page(
    connection: Connection, columns: str, rows: str, params: Mapping[str, Any], part: Slice, *, descending: bool = False
) -> Page:
    """`columns`, the key first, of `rows`, such as `FROM audience a WHERE true`. The key is unique.

    One row more than asked tells whether the list goes on.
    """
    key = columns.partition(",")[0]
    down = descending != part.backward
    sql, values = f"SELECT {columns} {rows}", dict(params)
    if part.start is not None:
        sql += f" AND {key} {'<' if down else '>'} :start"
        values["start"] = part.start[0]
    sql += f" ORDER BY {key} {'DESC' if down else 'ASC'} LIMIT {part.count + 1}"
    found = [tuple(row) for row in Statement(sql).fetch(connection, **values)]
    more, found = len(found) > part.count, found[: part.count]
    if part.backward:
        found.reverse()
    before = part.start is not None
    return Page(
        [((row[0],), row) for row in found],
        before if part.backward else more,
        more if part.backward else before,
    )
