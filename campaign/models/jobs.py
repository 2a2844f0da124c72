"""Background jobs and their results, which any server can show."""

from datetime import datetime

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime


class Job(Base):
    """A background job by the hash of its token, and its progress as JSON."""

    __tablename__ = "jobs"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(16), primary_key=True)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    progress: Mapped[str] = mapped_column(Text)


class JobPart(Base):
    """A part of the file that a job made, encrypted with a key that only its token gives."""

    __tablename__ = "job_parts"

    token_hash: Mapped[bytes] = mapped_column(ForeignKey("jobs.token_hash", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
