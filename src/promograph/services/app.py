"""All use cases over one store, made together and closed together."""

from collections.abc import Mapping
from contextlib import suppress

from promograph.channels import Channel
from promograph.domain.clock import Clock, system_clock
from promograph.domain.codes.words import OURS, Words
from promograph.domain.jobs import JobKind
from promograph.errors import StoreReadOnly
from promograph.services.access import Access
from promograph.services.audiences import Audiences
from promograph.services.bookings import Bookings
from promograph.services.changing import Changing
from promograph.services.changing_many import ChangingMany
from promograph.services.desk import ChannelDesk
from promograph.services.erasing import Erasing
from promograph.services.event_telling import EventTelling
from promograph.services.exporting import CodesExport, Exporting
from promograph.services.generating import Generating
from promograph.services.happenings import Happenings
from promograph.services.importing.codes import CodeImports
from promograph.services.importing.customers import CustomerImports
from promograph.services.issuing import Issuing
from promograph.services.jobs import Jobs
from promograph.services.jobs.files import JobFiles
from promograph.services.jobs.runner import Runner
from promograph.services.jobs.runs import Kind
from promograph.services.lobby import Lobby
from promograph.services.lookup import Lookup
from promograph.services.orders import Orders
from promograph.services.people import People
from promograph.services.promoting import Promoting
from promograph.services.redeeming import Redeeming
from promograph.services.replacing import Replacing
from promograph.services.reverting import Reverting
from promograph.services.reviewing import Reviewing
from promograph.services.reward_types import RewardTypes
from promograph.services.segmenting import Segmenting
from promograph.services.sending.carriers import Carriers
from promograph.services.sending.dispatching import Dispatcher
from promograph.services.sending.inbound import Inbound
from promograph.services.sending.plans import SendPlans
from promograph.services.sending.posting import Posting
from promograph.services.sending.sends import Sends
from promograph.services.sending.settling import Settling
from promograph.services.sending.templating import Templating
from promograph.services.sending.trials import Trials
from promograph.services.sending.triggering import Triggers
from promograph.services.shops import Shops
from promograph.services.shops.following import Following
from promograph.services.shops.pushing import Pushing
from promograph.services.shops.reconciling import Reconciling
from promograph.services.stocking import Stocking
from promograph.services.telling import Telling
from promograph.services.watching import Watching
from promograph.services.webhooks.couriers import Couriers
from promograph.services.webhooks.endpoints import Webhooks
from promograph.services.webhooks.listing import WebhookDeliveries
from promograph.store import migrating
from promograph.store.databases.clocks import check_clock
from promograph.store.databases.database import Database
from promograph.store.databases.opening import open_database
from promograph.store.databases.statistics import freshen
from promograph.store.verifying import recount


class Services:
    """What the API, the command line and the tests call. `prepare` must be awaited before anything else is."""

    def __init__(self, database: Database, clock: Clock = system_clock, *, words: Words = OURS) -> None:
        self._database = database
        self.reverting = Reverting(database, clock)
        kinds: dict[JobKind, Kind] = {
            JobKind.BATCH_REVERT: self.reverting,
            JobKind.CODES_GENERATE: Generating(database, clock, words),
            JobKind.CODES_EXPORT: CodesExport(database, clock),
        }
        self.runner = Runner(database, clock, kinds)
        self.jobs = Jobs(database, clock, self.runner)
        self.job_files = JobFiles(database, clock)
        self.code_imports = CodeImports(database, clock, self.jobs, self.job_files)
        kinds[JobKind.CODES_IMPORT] = self.code_imports
        self.changing_many = ChangingMany(database, clock, self.jobs, self.job_files)
        kinds[JobKind.CODES_CHANGE] = self.changing_many
        self.audiences = Audiences(database, clock)
        self.customer_imports = CustomerImports(database, clock, self.jobs, self.job_files, self.audiences)
        kinds[JobKind.CUSTOMERS_IMPORT] = self.customer_imports
        self.access = Access(database, clock)
        self.promoting = Promoting(database, clock)
        self.lobby = Lobby(database, clock)
        self.reward_types = RewardTypes(database, clock)
        self.reviewing = Reviewing(database, clock)
        self.stocking = Stocking(database, clock, self.jobs)
        self.changing = Changing(database, clock)
        self.telling = Telling()
        self.issuing = Issuing(database, clock, self.telling, words)
        self.redeeming = Redeeming(database, clock, self.telling)
        self.orders = Orders(database, clock, self.telling)
        self.inbound = Inbound(database, clock, self.telling, self.desk)
        self.settling = Settling(database, clock, self.telling)
        self.inbound.settle_with(self.settling.settle)
        self.shops = Shops(database, clock, self.jobs)
        self.shop_following = Following(database, clock, self.shops)
        self.reconciling = Reconciling(database, clock, self.jobs, self.shops, self.orders)
        self.replacing = Replacing(database, clock, self.telling, words)
        self.exporting = Exporting(database, clock, self.jobs)
        self.lookup = Lookup(database, clock)
        self.people = People(database, clock)
        self.erasing = Erasing(database, clock)
        self.segmenting = Segmenting(database, clock)
        self.bookings = Bookings(database, clock)
        self.send_plans = SendPlans(database, clock)
        self.happenings = Happenings(database, clock)
        self.event_telling = EventTelling(database, self.telling)
        self.templating = Templating(database, clock, self.issuing)
        self.carriers = Carriers()
        self.sends = Sends(database, clock, self.templating, self.carriers)
        posting = Posting(database, clock, self.templating, self.settling)
        self.dispatcher = Dispatcher(database, clock, self.sends, self.carriers, posting, self.bookings)
        self.triggers = Triggers(database, clock, self.dispatcher.wake)
        self.trials = Trials(self.sends, self.templating, self.people, self.carriers)
        self.inbound.settle_with(self.sends.heard)
        self.watching = Watching(database, clock, self.sends)
        self.couriers = Couriers(database, clock)
        self.webhooks = Webhooks(database, clock, self.couriers)
        self.webhook_deliveries = WebhookDeliveries(database, clock, self.couriers)
        self.channels: Mapping[str, Channel] = {}
        self.clock = clock
        self._kinds = kinds

    @classmethod
    def open(cls, store: str, clock: Clock = system_clock, *, words: Words = OURS) -> "Services":
        """Over the store named by a URL; `words` are those that no made code may hold."""
        return cls(open_database(store), clock, words=words)

    def connect(self, channels: Mapping[str, Channel]) -> None:
        """Use these channels from now on."""
        self.channels = channels
        self.inbound.connect(channels)
        self.carriers.connect(channels)
        self.shops.connect(channels)
        if self.shops.shops:
            # Only here: a process without the shop would take up the job and could not do it.
            self._kinds[JobKind.PROMOTION_PUSH] = Pushing(self._database, self.clock, self.shops)
            self._kinds[JobKind.SHOP_RECONCILE] = self.reconciling

    def desk(self, channel: str) -> ChannelDesk:
        """What the channel of that name is handed to work with."""
        return ChannelDesk(
            channel,
            issuing=self.issuing,
            redeeming=self.redeeming,
            orders=self.orders,
            triggers=self.triggers,
            keep=self.inbound.keep,
        )

    async def prepare(self, *, creates: bool = True) -> None:
        """Create the tables in an empty store, or refuse it; StoreOutdated where they are of another version."""
        await migrating.prepare(self._database, creates=creates)

    async def check_clock(self) -> None:
        """StoreError where this machine's clock is too far from that of a store which other servers may share."""
        await check_clock(self._database, self.clock)

    async def migrate(self) -> str:
        """Bring the tables up to date; the revision they are at then."""
        return await migrating.migrate(self._database)

    async def verify(self) -> list[str]:
        """A sentence for each difference between what is counted and what is there; empty when all is well."""
        now = self.clock()
        with suppress(StoreReadOnly):  # a copy that follows the store has the statistics that came with it
            await freshen(self._database)
        return await self._database.snapshot(lambda connection: recount(connection, now))

    async def check(self) -> None:
        """StoreError unless the store answers."""
        await self._database.read(lambda connection: connection.exec_driver_sql("SELECT 1").scalar())

    async def close(self) -> None:
        await self.telling.told()
        await self.couriers.close()
        await self.watching.close()
        await self.dispatcher.close()
        await self.runner.close()
        await self._database.close()
