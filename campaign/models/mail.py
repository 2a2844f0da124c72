"""The state of the mail server, shared by all mail workers."""

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime


class MailServer(Base):
    """The recent behaviour of the mail server: one row, or none while it has accepted everything.

    `failures` counts consecutive failures that were the server's fault, since `failing_since`; nothing is sent before
    `retry_at`. `unreachable`: it failed before any recipient was named. `suspects` are keyed hashes of the recipients
    refused since the last acceptance, comma-separated, the first at `refusing_since`. `accepted_at` is when an
    acceptance last ended such a series. `reply` is the server's reply without email addresses.
    """

    __tablename__ = "mail_server"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    failures: Mapped[int] = mapped_column(default=0)
    failing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    retry_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    unreachable: Mapped[bool] = mapped_column(default=False)
    suspects: Mapped[str] = mapped_column(String(400), default="")
    refusing_since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reply: Mapped[str | None] = mapped_column(String(300))
