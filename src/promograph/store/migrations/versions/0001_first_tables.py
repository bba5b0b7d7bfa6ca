"""first tables"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "code",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=256), nullable=False),
        sa.Column("text", sa.String(length=64), nullable=True),
        sa.Column("blocked", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("uses", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "seq"),
        sa.UniqueConstraint("key"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "code_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("happened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("code_event_code", "code_event", ["promotion_id", "seq"], unique=False)
    op.create_table(
        "hold",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("customer", sa.String(length=128), nullable=True),
        sa.Column("order_ref", sa.String(length=128), nullable=True),
        sa.Column("discount_minor", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("discount_currency", sa.String(length=3), nullable=True),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("taken", sa.Text(), nullable=True),
        sa.Column("held_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.String(length=8), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("redemption", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("promotion_id", "number"),
        sa.UniqueConstraint("token"),
    )
    op.create_index(
        "hold_code",
        "hold",
        ["promotion_id", "seq"],
        unique=False,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_index(
        "hold_customer",
        "hold",
        ["customer", "promotion_id"],
        unique=False,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_index("hold_history", "hold", ["promotion_id", "seq", "number"], unique=False)
    op.create_index(
        "hold_lapse",
        "hold",
        ["promotion_id", "expires_at"],
        unique=False,
        sqlite_where=sa.text("ended IS NULL"),
        postgresql_where=sa.text("ended IS NULL"),
    )
    op.create_table(
        "issuance",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("customer", sa.String(length=128), nullable=False),
        sa.Column("occasion", sa.String(length=132), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("send", sa.String(length=128), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "issuance_code",
        "issuance",
        ["promotion_id", "seq"],
        unique=True,
        sqlite_where=sa.text("kind = 'INITIAL' AND seq <> 0"),
        postgresql_where=sa.text("kind = 'INITIAL' AND seq <> 0"),
    )
    op.create_index("issuance_occasion", "issuance", ["customer", "promotion_id", "occasion"], unique=True)
    op.create_table(
        "redemption",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("customer", sa.String(length=128), nullable=True),
        sa.Column("order_ref", sa.String(length=128), nullable=True),
        sa.Column("order_minor", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("order_currency", sa.String(length=3), nullable=True),
        sa.Column("discount_minor", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("discount_currency", sa.String(length=3), nullable=True),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("taken", sa.Text(), nullable=True),
        sa.Column("redeemed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "number"),
        sqlite_with_rowid=False,
    )
    op.create_index("redemption_code", "redemption", ["promotion_id", "seq"], unique=False)
    op.create_index("redemption_customer", "redemption", ["customer", "promotion_id"], unique=False)
    op.create_table(
        "replay",
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("operation", "key"),
    )
    op.create_table(
        "returned_code",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_returned_code_promotion_id"), "returned_code", ["promotion_id"], unique=False)
    op.create_table(
        "reward_type",
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("effect", sa.String(length=16), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("handle"),
    )
    op.create_table(
        "rollback",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("part", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("is_whole", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("minor", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("rolled_back_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("promotion_id", "number", "part"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "token",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("digest"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "promotion",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("handle", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("searched", sa.Text(), nullable=False),
        sa.Column("properties", sa.JSON(), nullable=False),
        sa.Column("reward", sa.JSON(), nullable=False),
        sa.Column("reward_type", sa.String(length=64), nullable=True),
        sa.Column("condition", sa.JSON(), nullable=True),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("end_reason", sa.String(length=16), nullable=True),
        sa.Column("stop_redeeming", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code_kind", sa.String(length=16), nullable=False),
        sa.Column("issue_policy", sa.String(length=16), nullable=False),
        sa.Column("on_empty", sa.String(length=16), nullable=False),
        sa.Column("code_format", sa.JSON(), nullable=False),
        sa.Column("time_zone", sa.String(length=64), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=True),
        sa.Column("ends_at", sa.BigInteger(), nullable=True),
        sa.Column("valid_for_seconds", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("audience_cap", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("uses_per_code", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("uses_per_customer", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("period_uses", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("period", sa.String(length=8), nullable=True),
        sa.Column("redemption_cap", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("budget_minor", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("budget_currency", sa.String(length=3), nullable=True),
        sa.Column("holder_only", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("code_required", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("combinable", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["reward_type"],
            ["reward_type.handle"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("handle"),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=True),
        sa.Column("first_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("report", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.id"],
        ),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_batch_promotion_id"), "batch", ["promotion_id"], unique=False)
    op.create_table(
        "stock",
        sa.Column("promotion_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("head", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("tail", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("made", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("available", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("issued", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("blocked", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("redeemed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("issuances", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("fallback_issued", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("customers", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("redemptions", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("redemption_number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("hold_number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("holds", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("spent", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("held", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("loader", sa.String(length=36), nullable=True),
        sa.Column("loader_seen_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotion.id"],
        ),
        sa.PrimaryKeyConstraint("promotion_id"),
    )


def downgrade() -> None:
    for table in (
        "stock",
        "batch",
        "promotion",
        "token",
        "rollback",
        "reward_type",
        "returned_code",
        "replay",
        "redemption",
        "issuance",
        "hold",
        "code_event",
        "code",
    ):
        op.drop_table(table)
