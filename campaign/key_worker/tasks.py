"""The tasks of the key worker. Each decrypts the keys it needs, then returns its answer and how to continue."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, BinaryIO
from uuid import UUID

from campaign.accounts import invitations
from campaign.core.database import db
from campaign.crypto import key_holders
from campaign.crypto.age import encrypt_to
from campaign.crypto.campaign_keys import parse_recovery_keys, unknown_keys
from campaign.crypto.data_keys import Decryptor, EncryptedPerson
from campaign.errors import InvalidRecoveryKey, UnknownLink
from campaign.exports.columns import LAYOUTS
from campaign.exports.export import ExportFilter, iter_rows
from campaign.exports.formats import FORMATS
from campaign.key_worker.protocol import EXIT_INCOMPLETE
from campaign.key_worker.results import Job, Progress
from campaign.models import Signature

if TYPE_CHECKING:
    from nacl.public import PrivateKey


@dataclass(frozen=True, slots=True)
class TaskResult:
    """The first answer, and the rest of the work: a function that writes output and returns the exit status."""

    answer: dict[str, Any] = field(default_factory=dict)
    run: Callable[[BinaryIO], int] = lambda _output: 0


def grant_keys(*, organiser_id: str, passphrase: str, token: str, recovery_keys: str = "") -> TaskResult:
    """Grant an organiser the keys that their invitation carries, or those typed as recovery keys.

    Raises `InvalidRecoveryKey`, `UnknownInvitation`.
    """
    private_keys = parse_recovery_keys(recovery_keys) if recovery_keys else invitations.decrypt_keys(db.session, token)
    if unknown_keys(db.session, private_keys):
        raise InvalidRecoveryKey("this recovery key belongs to another campaign")
    key_holders.grant_keys(db.session, UUID(organiser_id), passphrase, private_keys)
    return TaskResult()


def change_passphrase(*, organiser_id: str, passphrase: str, new: str) -> TaskResult:
    """Change an organiser's passphrase."""
    key_holders.change_passphrase(db.session, UUID(organiser_id), old=passphrase, new=new)
    return TaskResult()


def invite(*, organiser_id: str, passphrase: str, email: str, role: Any, known: str | None) -> TaskResult:
    """Create an invitation that carries the keys, on behalf of an organiser who holds them.

    `known` is the id of the organiser it is meant for, if they are registered already.
    """
    private_keys = key_holders.unlock_keys(db.session, UUID(organiser_id), passphrase)
    token = invitations.invite(
        db.session,
        email=email,
        role=role,
        may_export=True,
        private_keys=private_keys,
        organiser_id=UUID(known) if known else None,
    )
    return TaskResult({"token": token})


def show(*, organiser_id: str, passphrase: str, signature_id: str) -> TaskResult:
    """Decrypt one signature. Raises `UnknownLink` when it is gone."""
    decryptor, row = _decryptor(organiser_id, passphrase), db.session.get(Signature, UUID(signature_id))
    if row is None:
        raise UnknownLink("the signature is gone")
    return TaskResult(
        asdict(decryptor.decrypt(EncryptedPerson(row.data_key_id, row.encrypted_person), identity=row.id))
    )


def export(
    *, organiser_id: str, passphrase: str, purpose: str, dialect: str, choice: dict[str, Any], recipient: str | None
) -> TaskResult:
    """Write signatures in the format of `dialect`, encrypted to the age `recipient` if there is one."""
    decryptor, layout, unreadable = _decryptor(organiser_id, passphrase), LAYOUTS[purpose], list[UUID]()
    period = {name: datetime.fromisoformat(choice[name]) for name in ("since", "until") if choice[name]}
    filters = ExportFilter(**choice | period)
    rows = iter_rows(db.engine, decryptor, filters, layout, on_unreadable=unreadable.append)
    chunks = FORMATS[dialect].write(rows, header=layout.header)

    def run(output: BinaryIO) -> int:
        if recipient:
            encrypt_to(chunks, recipient, output)
        else:
            output.writelines(chunks)
        output.flush()
        return EXIT_INCOMPLETE if unreadable else 0

    return TaskResult(run=run)


def deliver(*, organiser_id: str, passphrase: str, token: str, wanted: dict[str, Any]) -> TaskResult:
    """Create the PDF for delivery, and store it encrypted with the job of that `token`."""
    from campaign.key_worker import delivery  # noqa: PLC0415 - importing the PDF library takes a while

    decryptor, job = _decryptor(organiser_id, passphrase), Job(db.session, token)
    job.report(Progress(0, 0))

    def run(_output: BinaryIO) -> int:
        unreadable = delivery.make(db.session, decryptor, delivery.parse_request(wanted), job)
        return EXIT_INCOMPLETE if unreadable else 0

    return TaskResult(run=run)


TASKS: dict[str, Callable[..., TaskResult]] = {
    "grant_keys": grant_keys,
    "change_passphrase": change_passphrase,
    "invite": invite,
    "show": show,
    "export": export,
    "deliver": deliver,
}


def _decryptor(organiser_id: str, passphrase: str) -> Decryptor:
    private_keys: list[PrivateKey] = key_holders.unlock_keys(db.session, UUID(organiser_id), passphrase)
    return Decryptor(db.session, private_keys)
