"""how many codes customers were given since when is told by an index alone, on PostgreSQL"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_COLUMNS = ["customer", "promotion_id", "occasion"]


def upgrade() -> None:
    _make_anew(include=["issued_at"])


def downgrade() -> None:
    _make_anew(include=[])


def _make_anew(include: list[str]) -> None:
    # SQLite's indexes have no columns beside their keys.
    if op.get_context().dialect.name == "postgresql":
        op.drop_index("issuance_occasion", table_name="issuance")
        op.create_index("issuance_occasion", "issuance", _COLUMNS, unique=True, postgresql_include=include)
