"""The job that tells a shop of a promotion and its codes: all that the shop does not know, and nothing twice.

What the shop is about to be asked is written down first, and what it answered afterwards. A server that dies between
the two leaves codes on their way: whoever goes on looks in the shop which of them have arrived.
"""

from promograph.domain.clock import Clock
from promograph.domain.jobs import Progress, Result
from promograph.errors import BadInput
from promograph.services.jobs.runs import Run
from promograph.services.shops import Shops
from promograph.services.shops.push_runs import PushRun
from promograph.store.databases.database import Connection, Database
from promograph.store.shops import pushes


class Pushing:
    """The kind PROMOTION_PUSH. Its input: `shop` by name, and whether to try refused codes `again`."""

    def __init__(self, database: Database, clock: Clock, shops: Shops) -> None:
        self._database = database
        self._clock = clock
        self._shops = shops

    async def run(self, run: Run) -> None:
        """A `Kind`'s."""
        id_, name = run.job.promotion_id, run.input["shop"]
        assert id_ is not None, "the job is of a promotion"
        push = await self._database.read(lambda connection: pushes.read(connection, id_, name))
        assert push is not None, "the job has taken it"
        work = PushRun(self._database, self._clock, run, self._shops, push)
        try:
            await work.to_the_end()
        except BadInput as problem:
            why, now = str(problem), self._clock()

            def turned_down(connection: Connection) -> Progress:
                pushes.ended(connection, push.id, work.stamp, why, now)
                return run.progress

            await run.step(turned_down, heavy=False)
            raise
        now = self._clock()

        def end(connection: Connection) -> Result:
            # As things stood at the beginning: what has changed since is for the next one.
            pushes.ended(connection, push.id, work.stamp, None, now)
            return work.result(connection)

        await run.finish(end)

    async def undo(self, run: Run) -> None:
        """A `Kind`'s. Nothing: what the shop knows, it knows; the next push goes on from there."""
