"""Indexes for what pages and workers ask about the outbox, however many messages wait."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Name, column and condition
_INDEXES = (
    ("ix_outbox_waiting", "created_at", "due_at IS NOT NULL"),
    ("ix_outbox_untried", "due_at", "attempts = 0"),
    ("ix_outbox_reminders", "id", "kind = 'reminder'"),
)


def upgrade() -> None:
    for name, column, condition in _INDEXES:
        op.create_index(name, "outbox", [column], sqlite_where=sa.text(condition), postgresql_where=sa.text(condition))


def downgrade() -> None:
    for name, _, _ in _INDEXES:
        op.drop_index(name, "outbox")
