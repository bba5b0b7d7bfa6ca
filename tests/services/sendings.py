"""What tests of sends say most often."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

from promograph.domain.people.audiences import AudienceKind
from promograph.domain.sending.messages import MessageContent
from promograph.domain.sending.sends import Send, SendProgress, SendTerms
from promograph.services.app import Services
from promograph.services.audiences import NewAudience
from promograph.testing.fake_channel import FakeChannel, FakeProvider

from .world import World

TEXT = MessageContent(subject="For you", text="Your code: {{ promocode }}")


class Post:
    """A world whose e-mail goes to a provider in memory."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.provider = FakeProvider()
        self.connect(world.services)

    def connect(self, services: Services) -> Services:
        services.carriers.connect({"email": FakeChannel(self.provider, name="email")})
        return services

    def reopen(self) -> Services:
        """As another server has it."""
        return self.connect(self.world.reopen())

    async def people(self, count: int, *, first: int = 1, **more: Any) -> list[str]:
        """Customers `c00001` and so on who have an address and agreed to be written to."""
        ids = [f"c{number:05}" for number in range(first, first + count)]
        told = {"consent": {"email": True}, **more}
        await self.world.services.people.upsert([{"id": id_, "email": f"{id_}@example.com", **told} for id_ in ids])
        return ids

    async def audience(self, customers: Iterable[str], name: str = "Everybody") -> int:
        new = NewAudience(name=name, kind=AudienceKind.STATIC, customers=list(customers))
        return (await self.world.services.audiences.create(new)).id

    async def send(self, customers: Iterable[str], promotion: str, **terms: Any) -> Send:
        """A draft to these."""
        terms.setdefault("key", "s1")
        terms.setdefault("name", "Newsletter")
        terms.setdefault("channel", "email")
        terms.setdefault("content", TEXT)
        audience = await self.audience(customers, name=f"Of {terms['key']}")
        return await self.world.services.sends.create(SendTerms(audience=audience, promotion=promotion, **terms))

    async def sent(self, send: Send) -> SendProgress:
        """Started, and carried out as far as it goes."""
        await self.world.services.sends.start(send.id)
        await self.world.services.dispatcher.work()
        return await self.progress(send)

    async def progress(self, send: Send) -> SendProgress:
        return (await self.world.services.sends.progress([send.id]))[send.id]

    @property
    def codes(self) -> dict[str, set[str]]:
        """The codes in the messages that each address got."""
        found: dict[str, set[str]] = {}
        for taken in self.provider.taken:
            found.setdefault(taken.to, set()).add(taken.text.rpartition(" ")[2])
        return found

    @property
    def repeats(self) -> int:
        """How many messages came more than once, counted by their keys."""
        return sum(count - 1 for count in Counter(taken.key for taken in self.provider.taken).values())


def counted(progress: SendProgress) -> dict[str, int]:
    """By status, without those that there are none of."""
    found = Counter[str]()
    for (status, _), count in progress.counts.items():
        found[status] += count
    return {status: count for status, count in sorted(found.items()) if count}
