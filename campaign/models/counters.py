"""Tables of anonymous counts."""

from datetime import datetime

from sqlalchemy import BigInteger, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime


class ShareCount(Base):
    """How often a share link was used in an hour, by channel and language; of whom, nobody knows."""

    __tablename__ = "share_tallies"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    channel: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    shares: Mapped[int]


class FilmViewCount(Base):
    """How many have watched `percent` of a film, by hour and language of the page; who, nobody knows."""

    __tablename__ = "film_tallies"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    film: Mapped[str] = mapped_column(String(40), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    percent: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    viewers: Mapped[int]


class PageViewCount(Base):
    """How often in an hour the page was seen (`step` "viewed") or signed ("signed"); by whom, nobody knows.

    Repeated signings count as well: else the figures would tell whether an address has signed.
    """

    __tablename__ = "step_tallies"

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
