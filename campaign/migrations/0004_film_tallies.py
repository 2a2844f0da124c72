"""How much of the film is watched."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "film_tallies",
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("film", sa.String(length=40), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=False),
        sa.Column("viewers", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour", "film", "language", "percent", name=op.f("pk_film_tallies")),
    )


def downgrade() -> None:
    op.drop_table("film_tallies")
