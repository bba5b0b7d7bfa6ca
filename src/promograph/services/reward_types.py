"""Reward types: set up once, named by promotions."""

from dataclasses import asdict, replace
from typing import Any

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_optional
from promograph.domain.rewards import Effect, External, Reward, RewardType, check_fits, checked_reward_type
from promograph.domain.storable import is_storable
from promograph.errors import BadInput, InputProblem
from promograph.services.handles import handle_from
from promograph.services.keyed_writes import Once, write_again
from promograph.store import reward_types
from promograph.store.databases.database import Connection, Database
from promograph.store.reward_types import StoredRewardType
from promograph.store.tables.instants import from_micros, to_micros

MOST_REWARD_TYPES = 500


class RewardTypes:
    """By handle. Every method that changes one returns it as it is then, or as it was last."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, new: RewardType, *, key: str | None = None) -> StoredRewardType:
        """A new type, or the one that this idempotency key made before. An empty handle is made of the name."""
        checked_optional(key, "idempotencyKey")
        checked = checked_reward_type(replace(new, handle=new.handle or handle_from(new.name)))
        now = self._clock()
        once = Once(operation="rewardTypeCreate", key=key, asked=asdict(checked), now=now, dump=_dumped, load=_loaded)

        def make(connection: Connection) -> StoredRewardType:
            _check_free(connection, checked.handle)
            reward_types.insert(connection, checked, now)
            return StoredRewardType(type=checked, created_at=now, updated_at=now)

        return await write_again(self._database, lambda connection: once.answer(connection, lambda: make(connection)))

    async def rename(self, handle: str, name: str) -> StoredRewardType:
        now = self._clock()

        def work(connection: Connection) -> StoredRewardType:
            there = _seized(connection, handle)
            new = checked_reward_type(replace(there.type, name=name))
            reward_types.rename(connection, handle, name, now)
            return replace(there, type=new, updated_at=now)

        return await self._database.write(work)

    async def delete(self, handle: str) -> StoredRewardType:
        """The type that was; BadInput (STATE) while a promotion names it."""

        def work(connection: Connection) -> StoredRewardType:
            there = _seized(connection, handle)
            user = reward_types.used_by(connection, handle)
            if user is not None:
                raise BadInput(
                    InputProblem.STATE,
                    f"The promotion {user!r} rewards with this type; what a promotion names stays.",
                    field=("handle",),
                )
            reward_types.delete(connection, handle)
            return there

        return await self._database.write(work)

    async def every(self) -> list[StoredRewardType]:
        return await self._database.read(reward_types.every)

    async def get_many(self, handles: list[str]) -> dict[str, StoredRewardType]:
        wanted = sorted({handle for handle in handles if is_storable(handle)})
        return await self._database.read(lambda connection: reward_types.by_handle(connection, wanted))


def check_reward(connection: Connection, reward: Reward) -> None:
    """BadInput unless the reward's type is there and takes such a value; the type stays until the transaction ends."""
    if isinstance(reward, External):
        return
    there = reward_types.held(connection, reward.type)
    if there is None:
        raise BadInput(
            InputProblem.NOT_FOUND,
            f"There is no reward type {reward.type!r}: set it up first.",
            field=("reward", "type"),
        )
    check_fits(reward, there.type)


def _seized(connection: Connection, handle: str) -> StoredRewardType:
    there = reward_types.seized(connection, handle) if is_storable(handle) else None
    if there is None:
        raise BadInput(InputProblem.NOT_FOUND, "No reward type has this handle.", field=("handle",))
    return there


def _check_free(connection: Connection, handle: str) -> None:
    there = reward_types.by_handle(connection, [handle]).get(handle)
    if there is not None:
        raise BadInput(
            InputProblem.TAKEN,
            f"The handle {handle!r} belongs to the reward type {there.type.name!r}; choose another.",
            field=("handle",),
        )
    if reward_types.count(connection) >= MOST_REWARD_TYPES:
        raise BadInput(InputProblem.TOO_MANY, f"There are at most {MOST_REWARD_TYPES} reward types; delete some.")


def _dumped(stored: StoredRewardType) -> Any:
    return [stored.type.handle, stored.type.name, stored.type.effect, to_micros(stored.created_at)]


def _loaded(kept: Any) -> StoredRewardType:
    handle, name, effect, created_at = kept
    made_at = from_micros(created_at)
    return StoredRewardType(
        type=RewardType(handle=handle, name=name, effect=Effect(effect)), created_at=made_at, updated_at=made_at
    )
