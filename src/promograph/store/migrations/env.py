"""Alembic's entry: migrations run on the connection that promograph hands over, in its transaction."""

from typing import Literal

from alembic import context

from promograph.store.tables import METADATA
from promograph.store.tables.instants import Instant


def _render(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration names plain types only, so that it says the same whatever the code becomes."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    render_item=_render,
    compare_type=True,
    compare_server_default=False,
)
context.run_migrations()
