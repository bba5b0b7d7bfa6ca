"""Selections of codes as the jobs that work on them keep them."""

from datetime import datetime
from typing import Any

from promograph.domain.codes.states import CodeState
from promograph.domain.stock.selections import CodeSelection
from promograph.errors import BadInput, InputProblem
from promograph.store import promotions
from promograph.store.databases.database import Database

_INSTANTS = ("added_from", "added_until", "issued_from", "issued_until")


def dumped(selection: CodeSelection) -> dict[str, Any]:
    """The selection as JSON can say it."""
    instants = {name: getattr(selection, name) for name in _INSTANTS}
    return {
        "promotion_id": selection.promotion.id,
        "states": sorted(selection.states),
        "batch_id": selection.batch_id,
        "channel": selection.channel,
        "customer": selection.customer,
        **{name: None if instant is None else instant.isoformat() for name, instant in instants.items()},
    }


async def loaded(database: Database, kept: dict[str, Any]) -> CodeSelection:
    """From `dumped`, with the promotion as it is by now."""
    id_ = kept["promotion_id"]
    found = await database.read(lambda connection: promotions.by_id(connection, [id_]))
    if id_ not in found:
        raise BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("promotion",))
    asked: dict[str, Any] = {name: kept[name] for name in ("batch_id", "channel", "customer")}
    for name in _INSTANTS:
        asked[name] = None if kept[name] is None else datetime.fromisoformat(kept[name])
    states = frozenset(CodeState(state) for state in kept["states"])
    return CodeSelection(promotion=found[id_], states=states, **asked)
