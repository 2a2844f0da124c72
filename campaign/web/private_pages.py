"""The pages behind the link in a supporter's mail: confirming, "this wasn't me", the receipt, updates, withdrawing."""

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.db import db
from campaign.mail.links import signature_id_in
from campaign.petition import signatures
from campaign.petition.receipts import Receipt, receipt
from campaign.sharing.channels import CHANNELS, landing_url
from campaign.state import state
from campaign.web import languages
from campaign.web.headers import private

bp = Blueprint("private", __name__)


@bp.after_request
def keep_private(response: Response) -> Response:
    """These addresses are known to their owner alone; keep it so."""
    return private(response)


@bp.before_request
def find_signature() -> None:
    """Find the signature that a token stands for, before any of these pages."""
    languages.use(request.form.get("lang"))
    g.signature_id = signature_id_in(state().link_key, (request.view_args or {}).get("token", ""))


@bp.get("/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Show one button. Mail scanners follow links, so opening one must not confirm."""
    found = _receipt()
    if found.confirmed_at is not None:
        return redirect(url_for(".show_receipt", token=token), 302)
    return render_template("public/confirm.html", receipt=found, token=token)


@bp.post("/confirm/<token>")
def confirm_now(token: str) -> ResponseReturnValue:
    """Confirm and lead to the receipt."""
    signatures.confirm(db.session, g.signature_id)
    return redirect(url_for(".show_receipt", token=token), 303)


@bp.post("/confirm/<token>/not-me")
def not_me(token: str) -> ResponseReturnValue:
    """Erase the signature at once, and send no more mail to its address."""
    refused = signatures.refuse(db.session, g.signature_id)
    return render_template("public/erased.html", refused=refused, withdrawn=False)


@bp.get("/receipt/<token>")
def show_receipt(token: str) -> ResponseReturnValue:
    """Show the supporter their own page."""
    found = _receipt()
    if found.confirmed_at is None:
        return redirect(url_for(".confirm", token=token), 302)
    copied = landing_url(state().settings.public_url, language=languages.current(), via="copy", ref=found.code)
    sharing = {"channels": CHANNELS.values(), "copied": copied, "ref": found.code}
    return render_template("public/receipt.html", receipt=found, token=token, **sharing)


@bp.post("/receipt/<token>/updates-off")
def stop_updates(token: str) -> ResponseReturnValue:
    """Write no more to this supporter, and lead back to the receipt."""
    signatures.stop_updates(db.session, g.signature_id)
    return redirect(url_for(".show_receipt", token=token), 303)


@bp.post("/receipt/<token>/withdraw")
def withdraw(token: str) -> ResponseReturnValue:
    """Erase the signature at once; it may be signed again."""
    signatures.erase(db.session, g.signature_id)
    return render_template("public/erased.html", refused=False, withdrawn=True)


def _receipt() -> Receipt:
    found = receipt(db.session, g.signature_id)
    languages.use(found.language)
    return found
