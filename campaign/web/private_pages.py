"""The pages behind the link in a supporter's mail: confirming, "this wasn't me", the receipt, withdrawing."""

from flask import Blueprint, Response, g, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from campaign.db import db
from campaign.petition import signatures
from campaign.petition.links import signature_id_in
from campaign.sharing.channels import CHANNELS, landing_url
from campaign.state import state
from campaign.web import languages
from campaign.web.headers import private

bp = Blueprint("private", __name__)


@bp.after_request
def keep_private(response: Response) -> Response:
    """These addresses are known to their owner alone; keep it so."""
    return private(response)


@bp.url_value_preprocessor
def find_signature(_endpoint: str | None, values: dict[str, str] | None) -> None:
    """Find the signature that a token stands for, before any of these pages."""
    g.signature_id = signature_id_in(state().keys.links, (values or {}).get("token", ""))


@bp.get("/confirm/<token>")
def confirm(token: str) -> ResponseReturnValue:
    """Show one button. Mail scanners follow links, so opening one must not confirm."""
    found = _receipt()
    if found.confirmed_at is not None:
        return redirect(url_for(".receipt", token=token), 302)
    return render_template("public/confirm.html", receipt=found, token=token)


@bp.post("/confirm/<token>")
def confirm_now(token: str) -> ResponseReturnValue:
    """Confirm and lead to the receipt."""
    signatures.confirm(db.session, g.signature_id)
    return redirect(url_for(".receipt", token=token), 303)


@bp.get("/receipt/<token>")
def receipt(token: str) -> ResponseReturnValue:
    """Show the supporter their own page."""
    found = _receipt()
    if found.confirmed_at is None:
        return redirect(url_for(".confirm", token=token), 302)
    copied = landing_url(state().settings.public_url, language=languages.current(), via="copy", ref=found.code)
    sharing = {"channels": CHANNELS.values(), "copied": copied, "ref": found.code}
    return make_response(render_template("public/receipt.html", receipt=found, token=token, **sharing))


@bp.post("/confirm/<token>/not-me", endpoint="not_me")
@bp.post("/receipt/<token>/withdraw", endpoint="withdraw")
def erase(token: str) -> ResponseReturnValue:
    """Erase the signature at once."""
    languages.use(_receipt().language)
    signatures.erase(db.session, g.signature_id)
    return render_template("public/erased.html")


def _receipt() -> signatures.Receipt:
    found = signatures.receipt(db.session, g.signature_id)
    languages.use(found.language)
    return found
