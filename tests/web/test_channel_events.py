"""POST /channels/NAME/events over HTTP."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from promograph import Capability, ProviderEvent, ProviderRequest
from promograph.config import Settings
from promograph.domain.sending.deliveries import DeliveryState
from promograph.services.app import Services
from promograph.testing.fake_channel import FakeChannel, FakeProvider
from promograph.web.app import create_app

pytestmark = pytest.mark.anyio


class Confused(FakeChannel):
    def receive(self, request: ProviderRequest) -> list[ProviderEvent]:
        raise ValueError(f"signed, and makes no sense: {request.body!r}")


class Deaf:
    name, title, description = "deaf", "Deaf", "Hears nothing."
    can: frozenset[Capability] = frozenset()


@asynccontextmanager
async def opened(store: str) -> AsyncIterator[tuple[httpx2.AsyncClient, Services]]:
    services = Services.open(store)
    await services.prepare()
    app = create_app(Settings(store=store, max_body_bytes=1000), services)
    services.inbound.connect({"fake": FakeChannel(), "confused": Confused(), "deaf": Deaf()})
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://promograph.test") as client:
        yield client, services
    await services.close()


@pytest.fixture
async def client(tmp_path: Path, anyio_backend: str) -> AsyncIterator[httpx2.AsyncClient]:
    """For what no store has a part in."""
    async with opened(f"sqlite:///{tmp_path}/promograph.db") as (client, services):
        yield client
        assert await services.inbound.work() == 0, "something was kept"


async def sent(client: httpx2.AsyncClient, request: ProviderRequest) -> int:
    answer = await client.post(request.url, content=request.body, headers=list(request.headers))
    return answer.status_code


async def test_what_is_said_is_kept_and_answered(store_url: str) -> None:
    provider = FakeProvider()
    async with opened(store_url) as (client, services):
        for word in ("DELIVERED", "SENT", "DELIVERED", "teleported"):
            assert await sent(client, provider.says("send-1.1", word)) == 200
        assert list((await services.inbound.states("fake", ["send-1.1"])).values()) == [DeliveryState.DELIVERED]
        assert await services.inbound.work() == 3


async def test_nothing_of_what_is_forged_is_kept(client: httpx2.AsyncClient) -> None:
    assert await sent(client, FakeProvider().says("send-1.1", "BOUNCED", secret="a guess")) == 401
    bare = await client.post("/channels/fake/events", content=b"{}")
    assert (bare.status_code, bare.text) == (401, "The signature does not fit.\n")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/channels/pigeons/events", 404), ("/channels/deaf/events", 404), ("/channels/confused/events", 400)],
)
async def test_where_nobody_hears(client: httpx2.AsyncClient, path: str, status: int) -> None:
    answer = await client.post(path, content=b"s3cret")
    assert answer.status_code == status
    assert "s3cret" not in answer.text


async def test_bodies_are_bounded_and_posted(client: httpx2.AsyncClient) -> None:
    assert (await client.post("/channels/fake/events", content=b"x" * 1001)).status_code == 413
    assert (await client.get("/channels/fake/events")).status_code == 405


async def test_the_shipped_channels_hear(tmp_path: Path) -> None:
    app = create_app(Settings(store=f"sqlite:///{tmp_path}/promograph.db"))
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="https://promograph.test") as shipped:
        for name in ("email", "sms", "ecommerce"):
            assert (await shipped.post(f"/channels/{name}/events", content=b"{}")).status_code == 401
