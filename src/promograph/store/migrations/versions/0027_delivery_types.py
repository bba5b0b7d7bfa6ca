"""what webhooks were told of one kind is found by an index, however rare that is"""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("webhook_delivery_type", "webhook_delivery", ["type", "id"])


def downgrade() -> None:
    op.drop_index("webhook_delivery_type", table_name="webhook_delivery")
