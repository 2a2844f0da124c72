"""Step-up: when a session confirmed its owner's identity again; look-ups of signatures, counted by organiser."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("organiser_sessions", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("organiser_sessions", sa.Column("proof_hash", sa.LargeBinary(length=32), nullable=True))
    op.add_column("organisers", sa.Column("lookups", sa.Integer(), server_default="0", nullable=False))
    op.add_column("organisers", sa.Column("lookups_since", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    for column in ("lookups_since", "lookups"):
        op.drop_column("organisers", column)
    for column in ("proof_hash", "confirmed_at"):
        op.drop_column("organiser_sessions", column)
