"""One store from empty to verified, each measurement in its turn."""

import asyncio
from pathlib import Path

from rich.progress import Progress

from promograph.cli.benching import bulk, customers, driver_alone, one_by_one, page, ruled, store_alone
from promograph.cli.benching.driving import Job, LoadClient
from promograph.cli.benching.figures import Row, StoreReport
from promograph.cli.benching.ground import Bars, Ground
from promograph.cli.benching.operations import NOTHING
from promograph.cli.benching.plan import Plan
from promograph.cli.benching.processes import Server, product_server
from promograph.cli.benching.stores import settle, verified, version_of
from promograph.cli.benching.supplies import Stocked, stock
from promograph.domain.codes.formats import CodeFormat
from promograph.domain.codes.making import generate
from promograph.services.app import Services


def bare_answers(idle: Server, client: LoadClient, plan: Plan) -> float:
    """Answers a second of a bare ASGI application: more than that neither the server nor the client can do."""
    job = Job(
        port=idle.port,
        token="",
        operation=NOTHING,
        inputs=[None],
        connections=plan.connections[-1],
        seconds=plan.seconds,
        warm_up=plan.warm_up,
        cycle=True,
        path="/echo",
    )
    return client.run(job).rate


def measure_store(
    store: str,
    url: str,
    folder: Path,
    plan: Plan,
    *,
    idle: Server,
    client: LoadClient,
    bare: float,
    progress: Progress,
) -> StoreReport:
    """Everything about the empty store at `url`; `folder` is the bench's own. BenchFailed where that is impossible."""
    bars = Bars(progress, store)
    with bars.waiting("preparing codes"):
        stocked = asyncio.run(_stocked(url, plan))
    with product_server(url, folder) as server:
        ground = Ground(
            url=url,
            folder=folder,
            plan=plan,
            stocked=stocked,
            server=server,
            idle=idle,
            client=client,
            bare=bare,
            bars=bars,
        )
        given = one_by_one.supplies(ground)
        rows = [*one_by_one.measure(ground, given), page.page(ground), *_in_bulk(ground)]
    # The server has ended, so that the store is alone in earnest.
    rows += store_alone.measure(ground, given)
    with bars.waiting("verifying"):
        verification, differences = verified(url)
    return StoreReport(
        store=store,
        version=version_of(url),
        rows=[*rows, verification],
        wrong=ground.wrong,
        first_wrong=ground.first_wrong,
        differences=differences,
    )


def _in_bulk(ground: Ground) -> list[Row]:
    with ground.bars.waiting("preparing a file"):
        file, driver_seconds = _file(ground)
    loads = [bulk.generate(ground, driver_seconds), bulk.import_file(ground, file, driver_seconds)]
    with ground.bars.waiting("letting the store settle"):
        asyncio.run(settle(ground.url, "code"))
    return [*loads, *bulk.issue_many(ground), *customers.upsert(ground), *bulk.inventory(ground)]


def _file(ground: Ground) -> tuple[Path, float]:
    """A list of codes that the store does not have, and how long the driver alone takes for as many rows."""
    keys = generate(CodeFormat(prefix="FILE-"), ground.plan.bulk)
    file = ground.folder / "codes.csv"
    file.write_text("\n".join(keys) + "\n", encoding="ascii")
    rows = driver_alone.code_rows(keys)
    if ground.url.startswith("sqlite"):
        return file, driver_alone.sqlite_seconds(Path(ground.url.removeprefix("sqlite:///")), rows)
    return file, driver_alone.postgres_seconds(ground.url, rows)


async def _stocked(url: str, plan: Plan) -> Stocked:
    services = Services.open(url)
    try:
        await services.prepare()
        await ruled.set_up(services, plan.codes)
        return await stock(services, plan, ruled=ruled.RULED)
    finally:
        await services.close()
