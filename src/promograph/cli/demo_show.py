"""The demo from beginning to end."""

import asyncio
import tempfile
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from time import perf_counter

from promograph.cli import demo_documents as documents
from promograph.cli.client import Api, connected
from promograph.cli.common import settings_for
from promograph.cli.demo_checkout import check_out
from promograph.cli.demo_lobby import show_lobby
from promograph.cli.demo_others import more_promotions
from promograph.cli.demo_sale import HANDLE, give_codes, open_sale, try_out
from promograph.cli.demo_server import Server, running_server
from promograph.cli.demo_stage import Stage
from promograph.cli.demo_world import TILLS, Counted, World
from promograph.domain.access import Scope
from promograph.services.app import Services

_QUERY = "{ promotions(first: 10) { nodes { name status inventory { issued total } } } }"


async def play(stage: Stage, *, members: int, once: bool) -> None:
    """Play all acts on a store and a server made for them; both are gone at the end. PromographError where one fails.

    Unless `once`, the server then serves on until this task is cancelled, which is no failure.
    """
    began = perf_counter()
    stage.say("promograph demo: a flash sale at Larkspur Mountain, a resort that does not exist", style="bold")
    stage.say("All of it goes over HTTP to a server of its own, and each line is checked before it is shown.")
    with tempfile.TemporaryDirectory(prefix="promograph-demo-") as name:
        folder = Path(name)
        store = f"sqlite:///{folder}/demo.db"
        # The server takes the rest from the environment; what it could not use is found before it starts.
        settings = settings_for(host="127.0.0.1", port=0, workers=1, store=store)
        async with AsyncExitStack() as held:
            stage.heading("1. The promotion")
            world, server = await _opened(held, stage, folder, store)
            counted = await _sale(world, folder / "codes.csv", members)
            stage.heading("4. More promotions")
            counted += await more_promotions(world)
            stage.heading("5. The lobby")
            await show_lobby(world, counted)
            stage.heading("6. The proof")
            await _prove(stage, store)
            stage.say(f"\nAll {stage.promises} promises were kept, in {perf_counter() - began:.1f} s.", style="bold")
            if not once:
                await _stay(world, server, graphiql=settings.graphiql)


async def _opened(held: AsyncExitStack, stage: Stage, folder: Path, store: str) -> tuple[World, Server]:
    """A server, and a token of its own for each who asks it."""
    with stage.waiting("The server starts"):
        token = await _first_token(store)
        server = await held.enter_async_context(running_server(folder, store))
    http = await held.enter_async_context(connected(server.url, connections=TILLS))
    admin = Api(http, token)
    world = World(
        stage=stage,
        admin=admin,
        channel=await _with_scope(admin, "channel", Scope.CODES_ISSUE),
        checkout=await _with_scope(admin, "checkout", Scope.CODES_REDEEM),
        screen=await _with_scope(admin, "screen", Scope.INVENTORY_READ),
    )
    lobby = await world.screen.ask(documents.LOBBY)
    stage.promise(
        f"A server answers at {server.url}; its store, in a temporary folder, is empty.",
        holds=lobby["promotions"]["nodes"] == [],
        found=lobby,
    )
    return world, server


async def _first_token(store: str) -> str:
    """What `promograph token create admin --scope admin` does; with it, others can be made over the API."""
    services = Services.open(store)
    try:
        await services.prepare()
        text, _ = await services.access.create("admin", [Scope.ADMIN])
        return text
    finally:
        await services.close()


async def _with_scope(admin: Api, name: str, scope: Scope) -> Api:
    payload = await admin.do(documents.TOKEN_CREATE, name=name, scopes=[scope.name])
    return Api(admin.http, payload["text"])


async def _sale(world: World, file: Path, members: int) -> list[Counted]:
    """Acts 1 to 3; what the lobby must say of the sale."""
    codes = await open_sale(world, file, members)
    world.stage.heading("2. The members")
    held = await give_codes(world, codes)
    placeholder = await try_out(world)
    world.stage.heading("3. The checkout")
    redemptions = await check_out(world, held, placeholder)
    return [Counted(handle=HANDLE, total=members, issued=members, redemptions=redemptions)]


async def _prove(stage: Stage, store: str) -> None:
    """What `promograph verify` does, beside the server."""
    services = Services.open(store)
    try:
        with stage.waiting("Everything is counted again"):
            differences = await services.verify()
    finally:
        await services.close()
    stage.promise(
        "promograph verify: every counter agrees with its rows, and no limit is exceeded.",
        holds=not differences,
        found=differences,
    )


async def _stay(world: World, server: Server, *, graphiql: bool) -> None:
    stage = world.stage
    stage.heading("Look around, until you press Ctrl-C. Then server, store and token are gone.")
    if graphiql:
        stage.say(f"  GraphiQL   {server.url}/graphiql/", whole=True)
    stage.say(f"  API        {server.url}/graphql", whole=True)
    stage.say(f'  Headers    {{"Authorization": "Bearer {world.admin.token}"}}', whole=True)
    stage.say(f"  A query    {_QUERY}", whole=True)
    # The regular end of the demo, and no longer an interruption.
    with suppress(asyncio.CancelledError):
        await server.watch()
