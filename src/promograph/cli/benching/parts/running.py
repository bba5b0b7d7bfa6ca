"""One part on one store, from empty to verified."""

from pathlib import Path

from rich.progress import Progress

from promograph.cli.benching.driving import LoadClient
from promograph.cli.benching.figures import StoreReport
from promograph.cli.benching.ground import Bars
from promograph.cli.benching.parts.part import Part, Site
from promograph.cli.benching.stores import verified, version_of


def measure_part(
    part: Part,
    count: int,
    store: str,
    url: str,
    folder: Path,
    *,
    quick: bool,
    client: LoadClient,
    progress: Progress,
) -> StoreReport:
    """What the part says of the empty store at `url`, whose name is `store`."""
    bars = Bars(progress, f"{part.name}, {store}")
    site = Site(url=url, folder=folder, count=count, quick=quick, client=client, bars=bars)
    rows = part.measure(site)
    with bars.waiting("verifying"):
        verification, differences = verified(url)
    return StoreReport(
        part=part.name,
        store=store,
        version=version_of(url),
        rows=[*rows, verification],
        wrong=sum(window.wrong for window in site.windows),
        first_wrong=next((window.first_wrong for window in site.windows if window.first_wrong), None),
        differences=differences,
    )
