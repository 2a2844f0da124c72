"""The pages behind the emailed link: confirmation, "this wasn't me", receipt, updates, withdrawal."""

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.context import current_context
from campaign.core.database import db
from campaign.crypto.tokens import signature_id_from
from campaign.errors import PetitionDelivered
from campaign.petition import signatures
from campaign.petition.receipts import Receipt, load_receipt
from campaign.web import i18n, last_known
from campaign.web.headers import never_cache
from campaign.web.share_links import share_links

bp = Blueprint("signature", __name__)


@bp.after_request
def keep_private(response: Response) -> Response:
    """Mark the responses as private: only the supporter knows these URLs."""
    return never_cache(response)


@bp.before_request
def find_signature() -> None:
    """Look up the signature of a token, before any of these pages."""
    i18n.set_language(request.form.get("lang") or request.args.get("lang"))
    g.signature_id = signature_id_from(current_context().link_key, (request.view_args or {}).get("token", ""))


@bp.get("/confirm/<token:token>", strict_slashes=False)
def confirm(token: str) -> ResponseReturnValue:
    """Show one button. Mail scanners follow links, so opening one must not confirm."""
    receipt = _receipt()
    if receipt.confirmed_at is not None:
        return _redirect_to(".show_receipt", token, 302)
    return render_template(
        "public/confirm.html",
        receipt=receipt,
        token=token,
        petition_status=last_known.status(),
        names_off="names-off" in last_known.flags(),
    )


@bp.post("/confirm/<token>")
def confirm_now(token: str) -> ResponseReturnValue:
    """Confirm and lead to the receipt."""
    try:
        signatures.confirm(db.session, g.signature_id)
    except PetitionDelivered:
        return _redirect_to(".confirm", token, 303)  # which says so
    return _redirect_to(".show_receipt", token, 303)


@bp.post("/confirm/<token>/not-me")
def not_me(token: str) -> ResponseReturnValue:
    """Erase the signature, and suppress further email to its address."""
    is_suppressed = signatures.refuse(db.session, g.signature_id)
    return render_template("public/deleted.html", is_refusal=True, is_suppressed=is_suppressed)


@bp.get("/receipt/<token:token>", strict_slashes=False)
def show_receipt(token: str) -> ResponseReturnValue:
    """Show the supporter their own page."""
    receipt = _receipt()
    if receipt.confirmed_at is None:
        return _redirect_to(".confirm", token, 302)
    stage = last_known.status()
    offered = share_links(stage, receipt.referral_code)
    return render_template(
        "public/receipt.html", receipt=receipt, token=token, petition_status=stage, share_links=offered
    )


@bp.post("/receipt/<token>/updates-off")
def stop_updates(token: str) -> ResponseReturnValue:
    """Write no more to this supporter, and lead back to the receipt."""
    signatures.stop_updates(db.session, g.signature_id)
    return _redirect_to(".show_receipt", token, 303)


@bp.get("/receipt/<token>/withdraw")
def ask_to_withdraw(token: str) -> ResponseReturnValue:
    """Show the effect of withdrawing, which cannot be undone, with one button."""
    return render_template("public/withdraw.html", receipt=_receipt(), token=token, petition_status=last_known.status())


@bp.post("/receipt/<token>/withdraw")
def withdraw(token: str) -> ResponseReturnValue:
    """Erase the signature; the supporter may sign again."""
    signatures.erase(db.session, g.signature_id)
    return render_template("public/deleted.html", can_sign_again=last_known.status().is_open)


def _receipt() -> Receipt:
    receipt = load_receipt(db.session, g.signature_id)
    i18n.set_language(request.args.get("lang", receipt.language))
    return receipt


def _redirect_to(endpoint: str, token: str, status: int) -> ResponseReturnValue:
    """Redirect, in the chosen language if there is one."""
    return redirect(url_for(endpoint, token=token, lang=request.args.get("lang")), status)
