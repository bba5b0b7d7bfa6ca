"""Use cases of those who set webhooks up."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import timedelta

from promograph.domain.clock import Clock
from promograph.domain.webhooks.addresses import checked_url
from promograph.domain.webhooks.endpoints import MOST_WEBHOOKS, Webhook, checked_description, checked_types, rotated
from promograph.domain.webhooks.events import Notice, WebhookType
from promograph.domain.webhooks.signing import new_secret
from promograph.errors import BadInput, InputProblem
from promograph.services.keyed_writes import write_again
from promograph.services.webhooks.couriers import Couriers
from promograph.store.databases.database import Connection, Database
from promograph.store.listing import Page, Slice
from promograph.store.webhooks import endpoints, outbox


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookChange:
    """What is None stays as it is."""

    url: str | None = None
    description: str | None = None
    types: Collection[WebhookType] | None = None
    is_enabled: bool | None = None


class Webhooks:
    """Webhooks by id. BadInput with its field."""

    def __init__(self, database: Database, clock: Clock, couriers: Couriers) -> None:
        self._database = database
        self._clock = clock
        self._couriers = couriers

    async def create(
        self, *, url: str, types: Collection[WebhookType], description: str = "", is_enabled: bool = True
    ) -> Webhook:
        """A new one; its secret is shown to whoever made it, and to nobody else."""
        url, wanted, description = self._checked_url(url), checked_types(types), checked_description(description)
        now = self._clock()

        def work(connection: Connection) -> Webhook:
            if endpoints.count(connection) >= MOST_WEBHOOKS:
                sentence = f"There are {MOST_WEBHOOKS} webhooks, which is the most; delete one that nobody needs."
                raise BadInput(InputProblem.TOO_MANY, sentence)
            _check_free(connection, url, None)
            secret = new_secret()
            id_ = endpoints.insert(
                connection,
                url=url,
                description=description,
                types=wanted,
                is_enabled=is_enabled,
                secret=secret,
                now=now,
            )
            return _there(endpoints.read(connection, id_))

        return await write_again(self._database, work)

    async def update(self, id_: int, change: WebhookChange) -> Webhook:
        """Switched on again, what waits for it is told at once."""
        url = None if change.url is None else self._checked_url(change.url)
        types = None if change.types is None else checked_types(change.types)
        description = None if change.description is None else checked_description(change.description)
        is_enabled = change.is_enabled

        def changed(connection: Connection, webhook: Webhook) -> Webhook:
            if url is not None:
                _check_free(connection, url, id_)
            is_on = webhook.is_enabled if is_enabled is None else is_enabled
            begins_anew = url is not None or (is_on and not webhook.is_enabled)
            return replace(
                webhook,
                url=url or webhook.url,
                types=types or webhook.types,
                description=webhook.description if description is None else description,
                is_enabled=is_on,
                off_because=webhook.off_because if is_enabled is None else None,
                failures=0 if begins_anew else webhook.failures,
                rests_until=None if begins_anew else webhook.rests_until,
            )

        return await self._change(id_, changed)

    async def rotate_secret(self, id_: int, overlap: timedelta) -> Webhook:
        """It has a new secret; the old one signs too for so long."""
        now = self._clock()

        def changed(_: Connection, webhook: Webhook) -> Webhook:
            return replace(webhook, secret=new_secret(), old_secrets=rotated(webhook, overlap, now))

        return await self._change(id_, changed)

    async def delete(self, id_: int) -> Webhook:
        """The webhook that was; nothing is told to it any more, and what it was told is forgotten."""
        now = self._clock()

        def work(connection: Connection) -> Webhook:
            webhook = _there(endpoints.lock(connection, id_))
            endpoints.delete(connection, id_, now)
            return webhook

        return await self._database.write(work)

    async def test(self, id_: int) -> Webhook:
        """Send it something that means nothing, whatever it wants to be told of."""
        now = self._clock()

        def work(connection: Connection) -> Webhook:
            webhook = _there(endpoints.lock(connection, id_))
            if not webhook.is_enabled:
                raise BadInput(InputProblem.STATE, "This webhook is off; switch it on first.", field=("id",))
            notice = Notice(WebhookType.WEBHOOK_TEST, now, {"message": "This is a test: nothing has happened."})
            outbox.tell_one(connection, id_, notice)
            return webhook

        webhook = await self._database.write(work)
        self._couriers.wake()
        return webhook

    async def get(self, id_: int) -> Webhook | None:
        return await self._database.read(lambda connection: endpoints.read(connection, id_))

    async def get_many(self, ids: list[int]) -> dict[int, Webhook]:
        return await self._database.read(lambda connection: endpoints.many(connection, ids))

    async def page(self, part: Slice) -> Page:
        """`Webhook`s, the oldest first."""
        return await self._database.read(lambda connection: endpoints.page(connection, part))

    async def _change(self, id_: int, changed: Callable[[Connection, Webhook], Webhook]) -> Webhook:
        now = self._clock()

        def work(connection: Connection) -> Webhook:
            webhook = changed(connection, _there(endpoints.lock(connection, id_)))
            endpoints.save(connection, replace(webhook, updated_at=now))
            return _there(endpoints.read(connection, id_))

        webhook = await write_again(self._database, work)
        self._couriers.wake()
        return webhook

    def _checked_url(self, url: str) -> str:
        rules = self._couriers.rules
        return checked_url(url, over_http=rules.over_http, to_private=rules.to_private)


def _there(webhook: Webhook | None) -> Webhook:
    if webhook is None:
        raise BadInput(InputProblem.NOT_FOUND, "No webhook has this id.", field=("id",))
    return webhook


def _check_free(connection: Connection, url: str, id_: int | None) -> None:
    if endpoints.with_url(connection, url) not in (None, id_):
        sentence = "A webhook has this address; change that one, or rotate its secret if you do not know it."
        raise BadInput(InputProblem.TAKEN, sentence, field=("url",))
