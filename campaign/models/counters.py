"""Tables of anonymous counts."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime


class ShareCount(Base):
    """The uses of a share link per hour, channel and language, without any personal data."""

    __tablename__ = "share_counts"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    shares: Mapped[int]


class FilmViewCount(Base):
    """The viewers who have watched `percent` of a film, per hour and language of the page."""

    __tablename__ = "film_view_counts"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    film: Mapped[str] = mapped_column(String(40), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    viewers: Mapped[int]


class PageViewCount(Base):
    """The visitors who viewed the page (`step` "viewed") or signed ("signed"), per hour and language.

    Repeated signings count too; otherwise the figures would reveal whether an email address has signed.
    """

    __tablename__ = "page_view_counts"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    step: Mapped[str] = mapped_column(String(10), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    number: Mapped[int]


class SignatureChange(Base):
    """A signature was confirmed (1) or erased (-1): triggers of the database write it, `petition.totals` adds up."""

    __tablename__ = "signature_changes"

    id: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    confirmed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    country: Mapped[str] = mapped_column(String(2))
    language: Mapped[str] = mapped_column(String(8))
    via: Mapped[str | None] = mapped_column(String(20))
    number: Mapped[int]


class ConfirmedTotal(Base):
    """How many signatures are confirmed, by hour (`kind` "hour"), or ever by country, language or channel."""

    __tablename__ = "confirmed_totals"

    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    period: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    value: Mapped[str] = mapped_column(String(20), primary_key=True)
    number: Mapped[int]
