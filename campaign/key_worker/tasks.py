"""What the vault can do. Each task opens what it needs, and returns what to answer and how to go on."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO
from uuid import UUID

from nacl.public import PrivateKey

from campaign.accounts import invitations
from campaign.core.database import db
from campaign.crypto import key_holders
from campaign.crypto.age import encrypting
from campaign.crypto.campaign_keys import foreign, parse_recovery_keys
from campaign.crypto.data_keys import Opener, SealedPerson
from campaign.errors import BadRecoveryKey, UnknownLink
from campaign.exports.columns import LAYOUTS
from campaign.exports.export import Choice, iter_rows
from campaign.exports.formats import FORMATS
from campaign.key_worker.client import EXIT_INCOMPLETE
from campaign.key_worker.results import Job, Progress
from campaign.models import Signature


@dataclass(frozen=True, slots=True)
class Begun:
    """What to answer at once, and what to do after that, which returns the exit status."""

    answer: dict[str, Any] = field(default_factory=dict)
    carry_on: Callable[[BinaryIO], int] = lambda _output: 0


def hold(*, organiser_id: str, passphrase: str, token: str, recovery_keys: str = "") -> Begun:
    """Give an organiser a copy of the keys that an invitation carries, or of those typed as recovery keys.

    Raises `BadRecoveryKey`, `UnknownInvitation`.
    """
    private_keys = parse_recovery_keys(recovery_keys) if recovery_keys else invitations.keys_in(db.session, token)
    if foreign(db.session, private_keys):
        raise BadRecoveryKey("this recovery key belongs to another campaign")
    key_holders.hold(db.session, UUID(organiser_id), passphrase, private_keys)
    return Begun()


def rewrap(*, organiser_id: str, passphrase: str, new: str) -> Begun:
    """Change an organiser's passphrase."""
    key_holders.change_passphrase(db.session, UUID(organiser_id), old=passphrase, new=new)
    return Begun()


def invite(*, organiser_id: str, passphrase: str, email: str, role: Any, known: str | None) -> Begun:
    """Make an invitation that carries the keys, in the name of an organiser who holds them; `known`: whom it is for."""
    private_keys = key_holders.opened(db.session, UUID(organiser_id), passphrase)
    guest = UUID(known) if known else None
    token = invitations.invite(
        db.session, email=email, role=role, exports=True, private_keys=private_keys, organiser_id=guest
    )
    return Begun({"token": token})


def show(*, organiser_id: str, passphrase: str, signature_id: str) -> Begun:
    """Open one signature. Raises `UnknownLink` when it is gone."""
    opener, row = _opener(organiser_id, passphrase), db.session.get(Signature, UUID(signature_id))
    if row is None:
        raise UnknownLink("the signature is gone")
    return Begun(asdict(opener.open(SealedPerson(row.data_key_id, row.sealed), identity=row.id)))


def export(
    *, organiser_id: str, passphrase: str, purpose: str, dialect: str, choice: dict[str, Any], recipient: str | None
) -> Begun:
    """Put out signatures in the format of `dialect`, encrypted to an age `recipient` if there is one."""
    opener, layout, missed = _opener(organiser_id, passphrase), LAYOUTS[purpose], list[UUID]()
    rows = iter_rows(db.engine, opener, _choice(choice), layout, on_unreadable=missed.append)
    chunks = FORMATS[dialect].write(rows, header=layout.header)

    def carry_on(output: BinaryIO) -> int:
        if recipient:
            encrypting(chunks, recipient, output)
        else:
            output.writelines(chunks)
        output.flush()
        return EXIT_INCOMPLETE if missed else 0

    return Begun(carry_on=carry_on)


def hand_in(*, organiser_id: str, passphrase: str, instance: str, token: str, wanted: dict[str, Any]) -> Begun:
    """Make the document to hand in, and keep it with the job of that `token`."""
    from campaign.key_worker import delivery  # noqa: PLC0415 - what sets documents takes a while to load

    opener, job = _opener(organiser_id, passphrase), Job(Path(instance), token)
    job.tell(Progress(0, 0))

    def carry_on(_output: BinaryIO) -> int:
        missed = delivery.make(db.session, opener, delivery.wanted(wanted), job)
        return EXIT_INCOMPLETE if missed else 0

    return Begun(carry_on=carry_on)


def _opener(organiser_id: str, passphrase: str) -> Opener:
    private_keys: list[PrivateKey] = key_holders.opened(db.session, UUID(organiser_id), passphrase)
    return Opener(db.session, private_keys)


def _choice(told: dict[str, Any]) -> Choice:
    period = {name: datetime.fromisoformat(told[name]) for name in ("since", "until") if told[name]}
    return Choice(**told | period)
