"""Tables of feature flags, of settings that replace defaults, and of facts about the installation."""

from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from campaign.core.database import Base, UtcDateTime


class FeatureFlag(Base):
    """A feature that is switched on; a feature without a row is off."""

    __tablename__ = "feature_flags"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    enabled_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Setting(Base):
    """A setting that replaces a default; `language` is empty if it is the same in all languages."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    language: Mapped[str] = mapped_column(String(8), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class InstallationFact(Base):
    """A fact that all servers of the campaign share: the oldest code that fits, the secret key's fingerprint."""

    __tablename__ = "installation"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    value: Mapped[str] = mapped_column(String(64))
