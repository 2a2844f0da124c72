"""Synthetic signatures for trials and benchmarks, encrypted and counted like real ones."""

import random
from collections.abc import Callable, Iterator
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from campaign.core.database import insert, new_id, transaction, utcnow
from campaign.core.languages import LANGUAGES
from campaign.crypto.data_keys import Person
from campaign.errors import RealSignaturesExist
from campaign.models import Signature
from campaign.petition import totals
from campaign.petition.signatures import Keys, Signer, new_signature

BATCH = 5000
_SPREAD = timedelta(days=30)
_LATEST = timedelta(hours=1)  # from signing to confirming
_GIVEN_NAMES = ("Ada", "Grace", "Olga", "Zoë", "Мария", "ليلى", "José", "Ngọc", "Åse", "D’Arcy")
_FAMILY = ("Test", "Sample", "Probe", "Muster", "Образец", "مثال", "Ejemplo", "O'Example")
_COUNTRIES = ("GB", "US", "FR", "DE", "ES", "BR", "RU", "NL", "IT", "PT", "EG", "JP")
_CHANNELS = (None, None, "whatsapp", "facebook", "x", "telegram", "email", "copy")


def seed(session: Session, keys: Keys, number: int, *, progress: Callable[[int], None]) -> None:
    """Store `number` synthetic confirmed signatures over the last 30 days; `progress` gets the number of each batch.

    Raises `RealSignaturesExist` if there are real ones, whose number must stay right.
    """
    if session.scalar(select(Signature.id).where(Signature.synthetic.is_(False)).limit(1)) is not None:
        raise RealSignaturesExist("real signatures exist, so no synthetic ones are added")
    rows = _rows(session, keys, number)
    while batch := list(islice(rows, BATCH)):
        with transaction(session):
            session.connection().execute(insert(session, Signature), batch)
        progress(len(batch))
    totals.roll_up(session)


def _rows(session: Session, keys: Keys, number: int) -> Iterator[dict[str, Any]]:
    start = utcnow() - _SPREAD - _LATEST
    step = _SPREAD / max(number, 1)
    return (_row(session, keys, signed_at=start + step * n) for n in range(number))


def _row(session: Session, keys: Keys, *, signed_at: datetime) -> dict[str, Any]:
    identity = new_id()
    via = random.choice(_CHANNELS)
    row = new_signature(session, keys, _signer(identity), identity=identity, signed_at=signed_at, via=via)
    return asdict(row) | {"confirmed_at": signed_at + _LATEST * random.random(), "synthetic": True}


def _signer(identity: UUID) -> Signer:
    email = f"seed-{identity.hex}@example.org"
    return Signer(
        Person(random.choice(_GIVEN_NAMES), random.choice(_FAMILY), email, message=""),
        country=random.choice(_COUNTRIES),
        language=random.choice(LANGUAGES),
        updates=random.random() < 0.4,
        show_name=random.random() < 0.2,
    )
