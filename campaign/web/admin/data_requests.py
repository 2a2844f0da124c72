"""Data requests: organisers look up a signature, send its link again, or erase it."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext, ngettext

from campaign.accounts import audit_log
from campaign.accounts.organisers import count_lookup
from campaign.context import current_context
from campaign.core.database import db
from campaign.errors import TooManyLookups
from campaign.petition import signatures
from campaign.petition.lookup import StoredSignature, find_by_email
from campaign.web.admin.access import (
    current_organiser,
    record,
    record_refused,
    recording,
    requires_role,
    run_with_passphrase,
    step_up,
)
from campaign.web.admin.step_up import Question, asks_confirmation, describe
from campaign.web.countries import country_name
from campaign.web.forms.admin import DecryptForm, EmailForm
from campaign.web.i18n import format_day

bp = Blueprint("data_requests", __name__)


@bp.get("/signatures")
@requires_role("organiser")
def show() -> ResponseReturnValue:
    """Show the form for the email address."""
    return _page(EmailForm(formdata=None))


@bp.post("/signatures")
@requires_role("organiser")
@step_up
def find() -> ResponseReturnValue:
    """Show the stored data for an email address. A POST, so that the address appears in no log."""
    form = EmailForm()
    if not form.validate():
        return _page(form, 422)
    return _page(form, signature=_find(form.address))


@bp.post("/signatures/open")
@requires_role("organiser")
@step_up
def open_() -> ResponseReturnValue:
    """Show the encrypted data too, decrypted with the passphrase."""
    form = DecryptForm()
    signature = _find(form.address) if form.validate() else None
    if signature is None:
        return _page(form, 422)
    with form.refusing(form.passphrase, gettext("Wrong passphrase. Nothing was decrypted. Try again.")):
        person = run_with_passphrase("show", str(form.passphrase.data), signature_id=str(signature.id)).finish()
        record("opened", signature=signature.id)
        return _page(form, signature=signature, decrypted=person)
    return _page(form, form.status, signature=signature, decrypt_form=form)


@bp.post("/signatures/send")
@requires_role("organiser")
@step_up
def send() -> ResponseReturnValue:
    """Send the link of a confirmed signature again, only to the email address itself."""
    form = EmailForm()
    signature = _find(form.address) if form.validate() else None
    if signature is None or signature.confirmed_at is None:
        return _page(form, 422)
    signatures.send_link(
        db.session, current_context().keys, email=form.address, language=signature.language, at_once=True
    )
    record("sent-link", signature=signature.id)
    return _page(form, signature=signature, status_message=gettext("The link is on its way to this email address."))


def _erase_question() -> Question | None:
    """Return the question before a signature is erased."""
    form = EmailForm()
    signature = _find(form.address) if form.validate() else None
    if signature is None:
        return None
    date_and_country = (
        f"{gettext('Signed')}: {format_day(signature.signed_at.date())}, {country_name(signature.country)}"
    )
    confirmed = gettext("It’s confirmed, so the public count will go down by one.") if signature.confirmed_at else ""
    facts = (date_and_country, confirmed, gettext("All stored data will be deleted. This can’t be undone."))
    return Question(
        describe(gettext("Delete the signature of %(email)s?"), form.address), facts, gettext("Delete permanently")
    )


@bp.post("/signatures/erase")
@requires_role("organiser")
@step_up
@asks_confirmation(_erase_question, private=True)
def erase() -> ResponseReturnValue:
    """Erase all submissions with the email address, and their queued messages."""
    form = EmailForm()
    signature = _find(form.address) if form.validate() else None
    if signature is None:
        return _page(form, 422)
    with recording("erased", signature=signature.id) as draft:
        draft.happened = signatures.erase(db.session, signature.id)
    return _page(EmailForm(formdata=None), status_message=gettext("The signature has been deleted."))


@bp.errorhandler(TooManyLookups)
def refuse_for_now(error: TooManyLookups) -> ResponseReturnValue:
    """Report how long to wait."""
    minutes, form = -(-error.seconds // 60), EmailForm(formdata=None)
    text = ngettext(
        "You’ve reached the hourly limit for looking up signatures. Try again in %(num)s minute.",
        "You’ve reached the hourly limit for looking up signatures. Try again in %(num)s minutes.",
        minutes,
    )
    form.refuse(form.email, text)
    response: Response = make_response(_page(form, 429))
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _find(address: str) -> StoredSignature | None:
    """Return the stored data for an email address. Each look-up is counted and recorded. Raises `TooManyLookups`."""
    try:
        count_lookup(db.session, current_organiser().id)
    except TooManyLookups as error:
        record_refused("looked-up", audit_log.reason_of(error))
        raise
    signature = find_by_email(db.session, current_context().keys.addresses, address)
    record("looked-up", signature=signature and signature.id)
    return signature


def _page(form: EmailForm, status: int = 200, **context: Any) -> ResponseReturnValue:
    context.setdefault("decrypt_form", DecryptForm(formdata=None))
    was_searched = form.email.data and not form.errors
    return make_response(
        render_template("admin/data_requests.html", form=form, was_searched=was_searched, **context), status
    )
