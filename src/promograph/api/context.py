"""What resolvers are handed with each request."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar, cast

from strawberry.dataloader import DataLoader
from strawberry.types import Info

from promograph.domain.access import Caller, Scope
from promograph.domain.people.customers import Customer
from promograph.domain.promotions import Promotion
from promograph.domain.redeeming import HoldOutcome, RedeemOutcome, Validation
from promograph.domain.refusals import Refusal, coarsened, sharpened
from promograph.domain.sending.sends import SendProgress
from promograph.domain.webhooks.endpoints import Webhook
from promograph.services.app import Services
from promograph.services.shops import Standing
from promograph.store.budgets import Spending
from promograph.store.inventories import Inventory
from promograph.store.reward_types import StoredRewardType

K = TypeVar("K", int, str)
T = TypeVar("T")


@dataclass
class Context:
    """One operation's surroundings. Loaders gather what the fields of one answer ask for, and are made when asked.

    `_shared` is what all operations of an application have in common.
    """

    services: Services
    caller: Caller
    _shared: dict[object, object]
    _loaders: dict[str, object] = field(default_factory=dict)

    @property
    def now(self) -> datetime:
        return self.services.clock()

    def promotion(self, id_: int) -> Awaitable[Promotion | None]:
        return self._loader("promotion", self.services.lobby.get_many).load(id_)

    def inventory(self, id_: int) -> Awaitable[Inventory | None]:
        return self._loader("inventory", self.services.lobby.inventories).load(id_)

    def shared_code(self, id_: int) -> Awaitable[str | None]:
        return self._loader("shared_code", self.services.lobby.shared_codes).load(id_)

    def spending(self, id_: int) -> Awaitable[Spending | None]:
        return self._loader("spending", self.services.lobby.budgets).load(id_)

    def pushes(self, id_: int) -> Awaitable[list[Standing] | None]:
        return self._loader("pushes", self.services.shops.standings).load(id_)

    def reward_type(self, handle: str) -> Awaitable[StoredRewardType | None]:
        return self._loader("reward_type", self.services.reward_types.get_many).load(handle)

    def customer(self, id_: str) -> Awaitable[Customer | None]:
        return self._loader("customer", self.services.people.get_many).load(id_)

    def shared(self, make: Callable[[Services], T]) -> T:
        """What `make` made of the services when it was first asked for in this application."""
        if make not in self._shared:
            self._shared[make] = make(self.services)
        found: Any = self._shared[make]
        return cast("T", found)

    def send_progress(self, id_: int) -> Awaitable[SendProgress | None]:
        return self._loader("send_progress", self.services.sends.progress).load(id_)

    def webhook(self, id_: int) -> Awaitable[Webhook | None]:
        return self._loader("webhook", self.services.webhooks.get_many).load(id_)

    def disclosed(self, answer: RedeemOutcome | HoldOutcome | Validation) -> tuple[Refusal, ...]:
        """The refusals of an answer, as far as this caller may know which codes exist."""
        knows = answer.holder_named or self.caller.may(Scope.PROMOTIONS_WRITE)
        told = answer.refusals if knows else coarsened(answer.refusals)
        return sharpened(told, mistyped=answer.mistyped)

    def _loader(self, name: str, find: Callable[[list[K]], Awaitable[dict[K, T]]]) -> DataLoader[K, T | None]:
        loader = self._loaders.get(name)
        if loader is None:

            async def load(ids: list[K]) -> list[T | None]:
                found = await find(ids)
                return [found.get(id_) for id_ in ids]

            # It gathers and does not remember: a later mutation of the same document has changed what was read.
            loader = self._loaders[name] = DataLoader(load_fn=load, cache=False)
        assert isinstance(loader, DataLoader)
        return loader


Asked = Info[Context, None]
"""The type of `info` in our resolvers."""
