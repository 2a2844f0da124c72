"""A daily budget of emails for each mail domain, against floods aimed at a company or a school.

Large public providers have no budget, since thousands of their users may sign on a busy day. Messages over the budget
are held until the next day (UTC) and not lost: most may be real supporters at a university. Notices and decoys count
like confirmations, so that the budget does not reveal signers.
"""

import hmac
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Insert, bindparam, select, update
from sqlalchemy.orm import Session

from campaign.core.database import Base, dialect_insert, insert, transaction, utcnow
from campaign.models import DomainEmailCount, OutboxMessage

_HOLD_BATCH = 1000  # in one transaction, since signers wait for it

# Providers where anybody can open a mailbox, by country. Families such as yahoo.* are matched below.
_PROVIDERS = frozenset(
    # Worldwide
    "gmail.com googlemail.com icloud.com me.com mac.com aol.com aim.com mail.com email.com proton.me protonmail.com "
    "pm.me fastmail.com fastmail.fm tutanota.com tutanota.de tuta.com tuta.io zoho.com hushmail.com duck.com hey.com "
    "rocketmail.com riseup.net mailbox.org posteo.de posteo.net disroot.org yandex.com inbox.com "
    # Russia and its neighbours
    "mail.ru inbox.ru list.ru bk.ru internet.ru yandex.ru ya.ru yandex.by yandex.kz yandex.ua rambler.ru lenta.ru "
    "autorambler.ru myrambler.ru ro.ru ukr.net i.ua meta.ua bigmir.net tut.by mail.kz "
    # France, Belgium, Switzerland
    "orange.fr wanadoo.fr free.fr sfr.fr laposte.net bbox.fr neuf.fr aliceadsl.fr numericable.fr skynet.be telenet.be "
    "proximus.be bluewin.ch "
    # Germany, Austria
    "web.de t-online.de freenet.de arcor.de 1und1.de online.de vodafone.de kabelmail.de aon.at chello.at a1.net "
    # Italy, Spain, Portugal
    "libero.it virgilio.it tiscali.it alice.it tim.it tin.it inwind.it iol.it fastwebnet.it telefonica.net terra.es "
    "movistar.es sapo.pt mail.telepac.pt netcabo.pt clix.pt "
    # Brazil and Latin America
    "uol.com.br bol.com.br terra.com.br ig.com.br globo.com globomail.com r7.com prodigy.net.mx "
    # Netherlands, Nordic countries, Poland, Czechia
    "ziggo.nl kpnmail.nl kpnplanet.nl planet.nl home.nl hetnet.nl xs4all.nl upcmail.nl casema.nl telia.com "
    "bredband.net online.no broadpark.no jubii.dk wp.pl o2.pl onet.pl op.pl interia.pl gazeta.pl seznam.cz email.cz "
    "centrum.cz "
    # Britain, Ireland, North America, Australia
    "btinternet.com sky.com talktalk.net virginmedia.com ntlworld.com blueyonder.co.uk eircom.net comcast.net "
    "verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net juno.com optonline.net shaw.ca "
    "rogers.com sympatico.ca telus.net bigpond.com optusnet.com.au xtra.co.nz "
    # Asia and the Arab world
    "qq.com 163.com 126.com sina.com naver.com daum.net hanmail.net rediffmail.com docomo.ne.jp ezweb.ne.jp "
    "softbank.ne.jp walla.co.il walla.com maktoob.com".split()
)
_FAMILIES = re.compile(r"(yahoo|ymail|hotmail|outlook|live|msn|gmx)\.(com|net|[a-z]{2}|com?\.[a-z]{2})")


@dataclass(frozen=True, slots=True)
class FullDomain:
    """A mail domain whose budget was used up on `day`, with `held` messages postponed to the next day."""

    domain: str
    day: date
    sent: int
    held: int
    released: bool


def domain_of(address: str) -> str:
    """Return the domain of a normalised address."""
    return address.rpartition("@")[2]


def domain_hash(key: bytes, domain: str) -> bytes | None:
    """Return 16 bytes that identify a normalised mail domain, or None for a large provider, which has no budget."""
    if domain in _PROVIDERS or _FAMILIES.fullmatch(domain):
        return None
    return hmac.digest(key, b"domain " + domain.encode(), "sha256")[:16]


def remaining_today(session: Session, hashes: Iterable[bytes], *, limit: int) -> dict[bytes, float]:
    """Return how many more emails each domain may get today (UTC), of `limit` a day."""
    room: dict[bytes, float] = dict.fromkeys(hashes, limit)
    if room:
        columns = (DomainEmailCount.domain_hash, DomainEmailCount.sent, DomainEmailCount.released)
        query = select(*columns).where(DomainEmailCount.domain_hash.in_(room), DomainEmailCount.day == _today())
        for row in session.execute(query):
            room[row.domain_hash] = float("inf") if row.released else limit - row.sent
    return room


def count_sent(session: Session, numbers: Mapping[bytes, int]) -> None:
    """Count the emails that domains got, decoys included, by their hashes, within the caller's transaction."""
    if numbers:
        connection = session.connection()
        rows = [{"domain_hash": hashed, "day": _today(), "sent": number} for hashed, number in sorted(numbers.items())]
        connection.execute(_count_statement(connection.dialect.name), rows)


@cache
def _count_statement(dialect: str) -> Insert:
    table = Base.metadata.tables[DomainEmailCount.__tablename__]
    given: dict[str, Any] = {name: bindparam(name) for name in ("domain_hash", "day", "sent")}
    new = dialect_insert(dialect, table).values(**given, held=0, released=False)
    return new.on_conflict_do_update(
        index_elements=["domain_hash", "day"], set_={"sent": table.c.sent + new.excluded.sent}
    )


def hold_beyond_limit(
    session: Session,
    rows: Sequence[OutboxMessage],
    limit: int,
    domain_of_row: Callable[[OutboxMessage], str | None],
) -> Sequence[OutboxMessage]:
    """Postpone messages over their domain's daily `limit` (0: none), and return the rows to send now.

    `domain_of_row` decrypts the domain of a message, or returns None if that is not possible.
    """
    if not limit:
        return rows
    budgeted = {row.id: row.domain_hash for row in rows if row.kind != "reminder" and row.domain_hash}
    room = remaining_today(session, budgeted.values(), limit=limit)
    within_limit: list[OutboxMessage] = []
    full: dict[bytes, str] = {}
    for row in rows:
        hashed = budgeted.get(row.id)
        if hashed is not None and room[hashed] < 1 and (domain := domain_of_row(row)):
            full[hashed] = domain
            continue
        if hashed is not None:
            room[hashed] -= 1
        within_limit.append(row)
    for hashed, domain in sorted(full.items()):  # in one order, so that two workers cannot deadlock
        _hold(session, hashed, domain, besides=[row.id for row in within_limit])
    return within_limit


def release(session: Session, key: bytes, domain: str) -> int | None:
    """Lift a domain's budget for today and make its held messages due now; returns how many those are.

    Returns None for a large provider, which has no budget.
    """
    hashed, now = domain_hash(key, domain), utcnow()
    if hashed is None:
        return None
    statement = update(OutboxMessage).where(
        OutboxMessage.domain_hash == hashed, OutboxMessage.kind != "reminder", OutboxMessage.created_at > now
    )
    with transaction(session):
        due = session.execute(statement.values(created_at=now, due_at=now).returning(OutboxMessage.id)).all()
        _add(session, hashed, released=True)
    return len(due)


def full_domains(session: Session) -> list[FullDomain]:
    """Return the domains that reached their budget today or yesterday, the newest and largest first."""
    columns = [getattr(DomainEmailCount, name) for name in FullDomain.__slots__]
    full = select(*columns).where(DomainEmailCount.domain.is_not(None))
    newest_first = full.order_by(DomainEmailCount.day.desc(), DomainEmailCount.held.desc())
    return [FullDomain(*row) for row in session.execute(newest_first)]


def tomorrow() -> datetime:
    """Return when the next day begins (UTC)."""
    return datetime.combine(_today() + timedelta(days=1), time(), UTC)


def oldest_retained_day() -> date:
    """Return the first day whose counts are retained: yesterday."""
    return _today() - timedelta(days=1)


def _hold(session: Session, hashed: bytes, domain: str, *, besides: Iterable[UUID]) -> None:
    """Hold due messages to a domain over its budget until tomorrow, up to 1000, within the caller's transaction.

    Held messages count neither as late nor as retried for long. `besides` are messages within the budget. From now on
    the domain is stored in readable form.
    """
    due = select(OutboxMessage.id).where(
        OutboxMessage.domain_hash == hashed,
        OutboxMessage.kind != "reminder",
        OutboxMessage.due_at <= utcnow(),
        OutboxMessage.id.not_in(list(besides)),
    )
    first = due.order_by(OutboxMessage.due_at).limit(_HOLD_BATCH).with_for_update(skip_locked=True)
    message_ids, later = session.scalars(first).all(), tomorrow()
    put_off = update(OutboxMessage).where(OutboxMessage.id.in_(message_ids))
    session.execute(put_off.values(created_at=later, due_at=later), execution_options={"synchronize_session": False})
    _add(session, hashed, held=len(message_ids), domain=domain)


def _today() -> date:
    return utcnow().date()


def _add(session: Session, hashed: bytes, *, held: int = 0, domain: str | None = None, released: bool = False) -> None:
    row = {"domain_hash": hashed, "day": _today(), "sent": 0, "held": held, "domain": domain, "released": released}
    new = insert(session, DomainEmailCount).values(**row)
    changed = ({"domain": domain} if domain else {}) | ({"released": True} if released else {})
    values = {"held": DomainEmailCount.held + held, **changed}
    session.execute(new.on_conflict_do_update(index_elements=["domain_hash", "day"], set_=values))
