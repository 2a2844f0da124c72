"""Addresses whose owners want no mail, and letters that say openly which kind they are."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refused_addresses",
        sa.Column("address_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("address_hash", name=op.f("pk_refused_addresses")),
    )
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("signature_id", existing_type=sa.Uuid(), nullable=True)
        outbox.add_column(sa.Column("kind", sa.String(length=20), nullable=True))
        outbox.add_column(sa.Column("refusal", sa.Integer(), nullable=True))
    # Until now the kind was sealed with the letter. A notice that waits right now leaves as a confirmation, whose link
    # opens the same page.
    op.execute("UPDATE outbox SET kind = 'confirmation'")
    with op.batch_alter_table("outbox") as outbox:
        outbox.alter_column("kind", existing_type=sa.String(length=20), nullable=False)


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE kind IN ('blank', 'reminder')")
    with op.batch_alter_table("outbox") as outbox:
        outbox.drop_column("refusal")
        outbox.drop_column("kind")
        outbox.alter_column("signature_id", existing_type=sa.Uuid(), nullable=False)
    op.drop_table("refused_addresses")
