"""The figures of the overview: tables, which the page also draws as charts and offers as CSV."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_babel import format_date, format_time, gettext

from campaign.analytics.film_views import MILESTONES, film_views
from campaign.analytics.page_views import page_views
from campaign.analytics.shares import share_counts
from campaign.core.database import db, iso, utcnow
from campaign.mail.queue_status import queue_status
from campaign.petition import totals
from campaign.petition.cleanup import NO_CHANNEL
from campaign.sharing.channels import CHANNELS
from campaign.web.countries import country_name
from campaign.web.i18n import language_name

HOURS = 48
DAYS = 60


@dataclass(frozen=True, slots=True)
class FigureRow:
    """One row: its key for machines, its label for people, and its numbers."""

    key: str
    label: str
    numbers: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FigureTable:
    """A table of rows; `columns` names the numbers. `over_time` marks rows at equal intervals of time."""

    key: str
    title: str
    first: str
    columns: tuple[str, ...]
    lines: list[FigureRow] = field(default_factory=list)
    over_time: bool = False

    @property
    def most(self) -> int:
        """The largest of the first numbers, at least one."""
        return max((line.numbers[0] for line in self.lines), default=0) or 1

    @property
    def total(self) -> int:
        """All first numbers together."""
        return sum(line.numbers[0] for line in self.lines)


def by_hour() -> FigureTable:
    """Return the confirmed signatures of the last 48 hours, UTC."""
    first = utcnow().replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)
    counts = totals.by_hour(db.session, since=first)
    moments = [first + timedelta(hours=number) for number in range(HOURS)]
    lines = [FigureRow(iso(moment), _hour(moment), (counts.get(moment, 0),)) for moment in moments]
    return FigureTable("hours", gettext("Last 48 hours"), gettext("Hour (UTC)"), _signatures(), lines, over_time=True)


def by_day() -> FigureTable:
    """Return the confirmed signatures of each day, UTC, from the first one on."""
    counts = totals.by_day(db.session)
    today = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    first = min(next(iter(counts), today), today - timedelta(days=1))
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    lines = [
        FigureRow(str(day.date()), format_date(day, "medium", rebase=False), (counts.get(day, 0),)) for day in days
    ]
    return FigureTable("days", gettext("By day"), gettext("Day (UTC)"), _signatures(), lines, over_time=True)


def by_country() -> FigureTable:
    """Return the confirmed signatures by country, the most first."""
    lines = [
        FigureRow(code, country_name(code), (number,))
        for code, number in totals.by_dimension(db.session, "country").items()
    ]
    return FigureTable("countries", gettext("Countries"), gettext("Country"), _signatures(), lines)


def by_language() -> FigureTable:
    """Return the confirmed signatures by the language that they were given in."""
    counts = totals.by_dimension(db.session, "language").items()
    lines = [FigureRow(language, language_name(language), (number,)) for language, number in counts]
    return FigureTable("languages", gettext("Languages"), gettext("Language"), _signatures(), lines)


def by_channel() -> FigureTable:
    """Return, by channel, the signatures it brought and the number of its uses."""
    counts = totals.by_channel(db.session, share_counts(db.session))
    lines = [FigureRow(key, _channel(key), (came, shares)) for key, (shares, came) in counts.items()]
    lines.sort(key=lambda line: line.numbers, reverse=True)
    columns = (*_signatures(), gettext("Shares"))
    return FigureTable("channels", gettext("Sources"), gettext("Source"), columns, lines)


def funnel() -> FigureTable:
    """Return how many came how far, from opening the page to passing it on."""
    views, marks = page_views(db.session), film_views(db.session)
    plays, ends = (
        sum(number for _, _, percent, number in marks if percent == mark) for mark in (MILESTONES[0], MILESTONES[-1])
    )
    lines = [
        FigureRow("views", gettext("Page views"), (views.get("viewed", 0),)),
        FigureRow("plays", gettext("Film starts"), (plays,)),
        FigureRow("watched", gettext("Watched to the end"), (ends,)),
        FigureRow("signed", gettext("Signatures"), (views.get("signed", 0),)),
        FigureRow("confirmed", gettext("Confirmed signatures"), (totals.confirmed(db.session),)),
        FigureRow("shared", gettext("Shares"), (sum(share_counts(db.session).values()),)),
    ]
    return FigureTable("funnel", gettext("From film to signature"), gettext("Step"), (gettext("Count"),), lines)


def mail() -> FigureTable:
    """Return the numbers of waiting, bounced and dead messages."""
    queue = queue_status(db.session)
    lines = [
        FigureRow("waiting", gettext("In queue"), (queue.waiting,)),
        FigureRow("bounced", gettext("Bounced"), (queue.bounced,)),
        FigureRow("dead", gettext("Failed"), (queue.dead,)),
    ]
    return FigureTable("mail", gettext("Emails"), gettext("Status"), (gettext("Emails"),), lines)


FIGURES: dict[str, Callable[[], FigureTable]] = {
    "hours": by_hour,
    "days": by_day,
    "countries": by_country,
    "channels": by_channel,
    "languages": by_language,
    "funnel": funnel,
    "mail": mail,
}


def today() -> int:
    """Return how many signatures were confirmed since midnight, UTC."""
    midnight = utcnow().replace(hour=0, minute=0, second=0, microsecond=0)
    return sum(totals.by_hour(db.session, since=midnight).values())


def _signatures() -> tuple[str]:
    return (gettext("Signatures"),)


def _hour(moment: datetime) -> str:
    return f"{format_date(moment, 'd MMM', rebase=False)}, {format_time(moment, 'HH:mm', rebase=False)}"


def _channel(key: str) -> str:
    names = {
        NO_CHANNEL: gettext("Direct"),
        "copy": gettext("Copied link"),
        "email": gettext("Email"),
        "embed": gettext("Embedded film"),
        "poster": gettext("Poster"),
        "qr": gettext("QR code"),
        "sheet": gettext("Device share menu"),
    }
    return str(names[key]) if key in names else CHANNELS[key].name
