"""People's requests: what is kept of somebody, their link once more, or that they be erased."""

from typing import Any

from flask import Blueprint, make_response, render_template
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.db import db
from campaign.petition import signatures
from campaign.petition.requests import Stored, by_address
from campaign.state import state
from campaign.web.organise.access import needs, opened, record
from campaign.web.organise.forms import EmailForm, OpenForm

bp = Blueprint("requests", __name__)


@bp.get("/signatures")
@needs("organiser")
def show() -> ResponseReturnValue:
    """Ask for the address of who asks."""
    return _page(EmailForm(formdata=None))


@bp.post("/signatures")
@needs("organiser")
def find() -> ResponseReturnValue:
    """Show what is stored for an address. A POST, so that the address stands in no log."""
    form = EmailForm()
    if not form.validate():
        return _page(form, 422)
    found = _found(form.address)
    record("looked-up", signature=found and found.id)
    return _page(form, found=found)


@bp.post("/signatures/open")
@needs("organiser")
def open_() -> ResponseReturnValue:
    """Show what is sealed as well, with the passphrase."""
    form = OpenForm()
    found = _found(form.address) if form.validate() else None
    if found is None:
        return _page(form, 422)
    with form.refusing(form.passphrase, gettext("This is not your passphrase. Nothing was opened.")):
        person = opened("show", str(form.passphrase.data), signature_id=str(found.id)).finish()
        record("opened", signature=found.id)
        return _page(form, found=found, person=person)
    return _page(form, form.status, found=found, opening=form)


@bp.post("/signatures/send")
@needs("organiser")
def send() -> ResponseReturnValue:
    """Send the link of a confirmed signature once more, to the address itself and nobody else."""
    form = EmailForm()
    found = _found(form.address) if form.validate() else None
    if found is None or found.confirmed_at is None:
        return _page(form, 422)
    record("sent-link", signature=found.id)
    signatures.send_link(db.session, state().keys, email=form.address, language=found.language, at_once=True)
    return _page(form, found=found, said=gettext("The link is on its way to this address."))


@bp.post("/signatures/erase")
@needs("organiser")
def erase() -> ResponseReturnValue:
    """Erase all submissions with the address and the mail that waits for them."""
    form = EmailForm()
    found = _found(form.address) if form.validate() else None
    if found is None:
        return _page(form, 422)
    record("erased", signature=found.id)
    signatures.erase(db.session, found.id)
    return _page(EmailForm(formdata=None), said=gettext("The signature is erased."))


def _found(address: str) -> Stored | None:
    return by_address(db.session, state().keys.addresses, address)


def _page(form: EmailForm, status: int = 200, **shown: Any) -> ResponseReturnValue:
    shown.setdefault("opening", OpenForm(formdata=None))
    searched = form.email.data and not form.errors
    return make_response(render_template("organise/requests.html", form=form, searched=searched, **shown), status)
