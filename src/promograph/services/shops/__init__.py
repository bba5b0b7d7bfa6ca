"""Shops that can be told of promotions: which there are, how a promotion stands in each, and beginning to tell one."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from promograph.channels import Channel, Shop, ShopChannel
from promograph.domain.clock import Clock
from promograph.domain.jobs import Job, JobKind
from promograph.domain.promotions import Promotion
from promograph.domain.shops import offers
from promograph.domain.shops.offers import Offer
from promograph.domain.shops.pushes import Push, PushState
from promograph.errors import BadInput, InputProblem
from promograph.services.jobs import Asking, Jobs
from promograph.store import promotions
from promograph.store.databases.database import Connection, Database
from promograph.store.jobs import NewJob
from promograph.store.shops import pushes

_OPERATION = "promotionPush"


@dataclass(frozen=True, slots=True)
class Standing:
    """A promotion in a shop, and how it stands there now."""

    push: Push
    state: PushState


class Shops:
    """`shops` is empty until `connect`."""

    def __init__(self, database: Database, clock: Clock, jobs: Jobs) -> None:
        self._database = database
        self._clock = clock
        self._jobs = jobs
        self.shops: Mapping[str, Shop] = {}
        self._channels: Mapping[str, str] = {}

    def connect(self, channels: Mapping[str, Channel]) -> None:
        """Use the shops of these channels from now on."""
        found = [each for each in channels.values() if isinstance(each, ShopChannel)]
        self.shops = {name: shop for each in found for name, shop in sorted(each.shops.items())}
        self._channels = {name: each.name for each in found for name in each.shops}

    def shop(self, name: str) -> Shop:
        """BadInput (NOT_FOUND) where there is no shop of that name."""
        if name not in self.shops:
            there = ", ".join(self.shops) or "none is set up"
            raise BadInput(InputProblem.NOT_FOUND, f"No shop has this name; there are: {there}.", field=("shop",))
        return self.shops[name]

    def channel_of(self, name: str) -> str:
        """The channel that brings the shop, under whose name its orders are counted."""
        return self._channels[name]

    def is_only(self, name: str) -> bool:
        """Whether the shop's channel brings no other."""
        return list(self._channels.values()).count(self._channels[name]) == 1

    async def push(self, promotion_id: int, name: str, *, key: str | None = None, again: bool = True) -> Job:
        """A job that tells the shop all that it does not know, or the one that the key has.

        `again`: codes that the shop refused are told again too. BadInput where the shop cannot be told of it, and
        (BUSY) while another job tells it.
        """
        shop = self.shop(name)
        found = await self._database.read(lambda connection: promotions.by_id(connection, [promotion_id]))
        if promotion_id not in found:
            raise BadInput(InputProblem.NOT_FOUND, "No promotion has this id.", field=("promotion",))
        problems = self.obstacles(found[promotion_id], shop)
        if problems:
            raise BadInput(InputProblem.STATE, " ".join(problems), field=("promotion",))
        new = NewJob(kind=JobKind.PROMOTION_PUSH, input={"shop": name, "again": again}, promotion_id=promotion_id)
        asking = Asking(operation=_OPERATION, key=key, asked=[promotion_id, name])
        return await self._jobs.submit(new, asking, lambda connection, job: _take(connection, job, name))

    async def standings(self, ids: list[int]) -> dict[int, list[Standing]]:
        """Of each promotion, how it stands in the shops that were told of it, by the shops' names."""
        now = self._clock()

        def work(connection: Connection) -> dict[int, list[Standing]]:
            found = pushes.of_promotions(connection, ids)
            known = promotions.by_id(connection, list(found))
            stamps = pushes.stock_stamps(connection, list(found), now)
            return {
                id_: [Standing(one.push, self._state(one, known[id_], stamps[id_], now)) for one in found.get(id_, ())]
                for id_ in found
            }

        return await self._database.read(work)

    def obstacles(self, promotion: Promotion, shop: Shop) -> list[str]:
        """Why the shop cannot be told of it."""
        general = list(offers.obstacles(promotion))
        return general or list(shop.obstacles(offers.offer_of(promotion, self._clock())))

    def offer(self, promotion: Promotion, shop: Shop, now: datetime) -> Offer:
        """As this shop is to have it now."""
        offer = offers.offer_of(promotion, now)
        if shop.offer_on_codes:
            return replace(offer, is_open=offer.is_open and offer.has_begun(now))
        return offer

    def stamp(self, promotion: Promotion, shop: Shop, stock_stamp: str, now: datetime) -> str:
        """A text that is another one once the shop has to be told something new.

        What the clock does to codes, each by itself, is looked at once an hour.
        """
        hour = int(now.timestamp()) // 3600 if promotion.terms.valid_for is not None else 0
        if self.obstacles(promotion, shop):
            return f"{stock_stamp}|{hour}|-"
        words = shop.words(self.offer(promotion, shop, now))
        return f"{stock_stamp}|{hour}|{sha256(words.encode()).hexdigest()[:16]}"

    def _state(self, one: pushes.Resting, promotion: Promotion, stock_stamp: str, now: datetime) -> PushState:
        shop = self.shops.get(one.push.shop)
        stamp = "" if shop is None else self.stamp(promotion, shop, stock_stamp, now)
        return one.push.state(is_running=one.is_running, stamp=stamp)


def _take(connection: Connection, job: Job, name: str) -> None:
    assert job.promotion_id is not None, "the job is of a promotion"
    if pushes.take(connection, job.promotion_id, name, job.id) is None:
        sentence = "This shop is just being told of this promotion: wait until that job has ended."
        raise BadInput(InputProblem.BUSY, sentence, field=("shop",))
