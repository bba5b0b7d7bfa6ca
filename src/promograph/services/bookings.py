"""Use cases of bookings: codes of a pool set aside for one send, and given back."""

from dataclasses import dataclass

from promograph.domain.clock import Clock
from promograph.domain.keys import checked_key, checked_optional
from promograph.domain.promotions import CodeKind, Promotion, PromotionStatus
from promograph.domain.sending.bookings import MOST_CODES, MOST_OPEN, Booking
from promograph.errors import BadInput, InputProblem
from promograph.services.keyed_writes import Once, write_again
from promograph.store import bookings, locking, stock, stock_telling
from promograph.store.databases.database import Connection, Database
from promograph.store.issuing import unknown_promotion
from promograph.store.stock import Stock

_OVER = (PromotionStatus.ENDED, PromotionStatus.ARCHIVED)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBooking:
    """So many codes of a promotion (its handle) for the send with this key."""

    promotion: str
    send: str
    codes: int


class Bookings:
    """Bookings by id. A send has at most one of a promotion at a time."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, new: NewBooking, *, key: str | None = None) -> Booking:
        """Set the codes aside, all of them or none; or the booking that this idempotency key made before."""
        checked_optional(key, "idempotencyKey")
        checked_key(new.promotion, "promotion")
        checked_key(new.send, "send")
        if not 1 <= new.codes <= MOST_CODES:
            sentence = f"codes must be 1 to {MOST_CODES:,}."
            raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("codes",))
        now = self._clock()
        asked = [new.promotion, new.send, new.codes]
        once = Once(operation="bookingCreate", key=key, asked=asked, now=now, dump=lambda id_: id_, load=int)

        def make(connection: Connection) -> int:
            promotion, counters = _locked(connection, new.promotion)
            if promotion.status(now) in _OVER:
                sentence = f"This promotion is {promotion.status(now)}; it issues no codes any more."
                raise BadInput(InputProblem.STATE, sentence, field=("promotion",))
            _check_room(connection, promotion, counters, new)
            id_ = bookings.insert(connection, counters, send=new.send, codes=new.codes, now=now)
            stock_telling.tell(connection, [(promotion, counters)], now)
            stock.save(connection, [counters])
            return id_

        return await write_again(
            self._database, lambda connection: _read(connection, once.answer(connection, lambda: make(connection)))
        )

    async def release(self, id_: int) -> Booking:
        """Give back what remains. One that was released before is returned as it was then."""
        now = self._clock()

        def work(connection: Connection) -> Booking:
            found = _read(connection, id_)
            counters = stock.lock(connection, [found.promotion_id])[found.promotion_id]
            found = _read(connection, id_)  # as it is under the lock
            if found.released_at is None:
                bookings.release(connection, counters, found, now)
                stock_telling.tell_by_id(connection, [counters], now)
                stock.save(connection, [counters])
            return _read(connection, id_)

        return await self._database.write(work)

    async def release_of_ended(self) -> None:
        """Give back what sends have left that have ended. Whichever server looks next does it, should one die first."""
        for id_ in await self._database.read(bookings.of_ended_sends):
            await self.release(id_)

    async def get(self, id_: int) -> Booking | None:
        return await self._database.read(lambda connection: bookings.by_id(connection, id_))

    async def every_open(self, promotion: str) -> list[Booking]:
        """Of the promotion with this handle, those that were not released, by their sends."""
        checked_key(promotion, "promotion")
        return await self._database.read(lambda connection: bookings.every_open(connection, promotion))


def _locked(connection: Connection, handle: str) -> tuple[Promotion, Stock]:
    found = list(locking.by_handle(connection, [handle]).values())
    if not found:
        raise unknown_promotion(handle)
    return found[0]


def _check_room(connection: Connection, promotion: Promotion, counters: Stock, new: NewBooking) -> None:
    if promotion.terms.code_kind is CodeKind.SINGLE:
        sentence = "This promotion has one code for everybody: there is nothing to set aside."
        raise BadInput(InputProblem.STATE, sentence, field=("promotion",))
    others = bookings.every_open(connection, new.promotion)
    own = next((booking for booking in others if booking.send == new.send), None)
    if own is not None:
        sentence = f"This send has {own.codes:,} codes of this promotion booked already; release that booking first."
        raise BadInput(InputProblem.TAKEN, sentence, field=("send",))
    if len(others) >= MOST_OPEN:
        sentence = f"At most {MOST_OPEN:,} sends have codes of a promotion booked; release some."
        raise BadInput(InputProblem.TOO_MANY, sentence, field=("promotion",))
    if counters.free < new.codes:
        free, missing = counters.free, new.codes - counters.free
        sentence = f"{free:,} codes of this promotion are free, {missing:,} too few: add some, or book fewer."
        raise BadInput(InputProblem.OUT_OF_RANGE, sentence, field=("codes",))


def _read(connection: Connection, id_: int) -> Booking:
    found = bookings.by_id(connection, id_)
    if found is None:
        raise BadInput(InputProblem.NOT_FOUND, "No booking has this id.", field=("id",))
    return found
