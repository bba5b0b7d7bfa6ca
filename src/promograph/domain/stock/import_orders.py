"""What an import is asked to do, and how far it is."""

from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from promograph.domain.promotions import IssuePolicy, Promotion
from promograph.domain.sheets import Reading
from promograph.domain.stock.lists import CodeColumns
from promograph.domain.stock.rows import Batch
from promograph.errors import BadInput, InputProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOrder:
    """`channel` is for rows that name none. `dry_run`: say what would become of the rows, and change nothing."""

    promotion_id: int
    channel: str | None = None
    reading: Reading = field(default_factory=Reading)
    columns: CodeColumns = field(default_factory=CodeColumns)
    dry_run: bool = False

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "ImportOrder":
        """From `asdict` of one."""
        return cls(**kept | {"reading": Reading(**kept["reading"]), "columns": CodeColumns(**kept["columns"])})

    @property
    def is_parted(self) -> bool:
        """Whether its codes may be for several channels, or some of them for people."""
        return self.columns.customer is not None or self.columns.channel is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The codes of a file that become one batch: those for a channel, `assigned` to people or not; about `count`."""

    channel: str | None
    assigned: bool = False
    count: int = 0

    def of(self, batch: Batch, order: ImportOrder) -> Batch:
        """Its codes of a batch."""
        if not order.is_parted or order.dry_run:
            return batch
        return batch.only(
            [
                place
                for place, about in enumerate(batch.about)
                if (about.customer is not None) == self.assigned and (about.channel or order.channel) == self.channel
            ]
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportState:
    """How far an import is; JSON can say all of it.

    `parts` are the parts of the file, None until they are known, and `part` is the one at hand: of the file's batches
    `batch` are done in it, and `offset` codes of the next one. `first` and `next` are numbers of codes, and so is
    `load`, the line's end (None when nothing is claimed). The counts are of codes; `lines` are parts of the report.
    """

    report: int
    parts: tuple[Part, ...] | None = None
    part: int = 0
    batch: int = 0
    offset: int = 0
    load: int | None = None
    next: int = 0
    added: int = 0
    here: int = 0
    elsewhere: int = 0
    unassigned: int = 0
    lines: int = 1
    rows: int = 0
    batches: tuple[int, ...] = ()

    @classmethod
    def of(cls, kept: dict[str, Any]) -> "ImportState":
        """From `dump` of one."""
        parts = None if kept["parts"] is None else tuple(Part(**part) for part in kept["parts"])
        return cls(**kept | {"parts": parts, "batches": tuple(kept["batches"])})

    def dump(self) -> dict[str, Any]:
        named = {each.name: getattr(self, each.name) for each in fields(self)}
        return named | {"parts": None if self.parts is None else [asdict(part) for part in self.parts]}

    @property
    def at_hand(self) -> Part | None:
        """None when every part is done, or none is known yet."""
        if self.parts is None or self.part == len(self.parts):
            return None
        return self.parts[self.part]

    def with_part_done(self) -> "ImportState":
        return replace(self, part=self.part + 1, batch=0, offset=0)


def check_assignable(promotion: Promotion) -> None:
    """BadInput unless a code that a customer gets ahead is the one that the next issue gives."""
    if promotion.terms.issue_policy is not IssuePolicy.PER_CUSTOMER:
        raise BadInput(
            InputProblem.STATE,
            "Codes can be given to people ahead only where each customer has one code of the promotion (PER_CUSTOMER); "
            "this one gives out a code for each send or message.",
            field=("columns", "customer"),
        )
