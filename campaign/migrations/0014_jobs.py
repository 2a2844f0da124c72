"""Background jobs and their files, so that any server can show the progress and send the file."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
compatible_from = "0013"  # the oldest code that may use a database of this revision


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("token_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("progress", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name="pk_jobs"),
    )
    op.create_table(
        "job_parts",
        sa.Column("token_hash", sa.LargeBinary(16), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", "number", name="pk_job_parts"),
        sa.ForeignKeyConstraint(
            ["token_hash"], ["jobs.token_hash"], ondelete="CASCADE", name="fk_job_parts_token_hash_jobs"
        ),
    )


def downgrade() -> None:
    op.drop_table("job_parts")
    op.drop_table("jobs")
