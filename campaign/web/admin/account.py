"""An organiser's own account: password, passphrase, recovery codes, passkeys."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import organisers, passkeys, passwords, second_factors
from campaign.accounts.login import check_password
from campaign.core.database import db
from campaign.errors import LastFactor, WrongFactor
from campaign.web.admin import sessions
from campaign.web.admin.access import me, needs, opened, own_secret, record, record_refused, recording
from campaign.web.admin.relying_party import place
from campaign.web.forms.admin import ChangedPassphraseForm, ChangedPasswordForm, OldForm, PasskeyForm, RemovalForm

bp = Blueprint("account", __name__)


@bp.get("/welcome")
@needs("reader")
def welcome() -> ResponseReturnValue:
    """Tell somebody who has just come in what the recovery key is."""
    return render_template("organise/welcome.html")


@bp.get("/account")
@needs("reader")
def show() -> ResponseReturnValue:
    """Show what an organiser may change of their own."""
    return _account()


@bp.post("/account/password")
@needs("reader")
@own_secret
def change_password() -> ResponseReturnValue:
    """Change the password, and end all other sessions."""
    form = ChangedPasswordForm(prefix="password")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, password=form)
    password_hash = passwords.hashed(str(form.chosen.data))
    with recording("changed-password"):
        organisers.set_password(db.session, me().id, password_hash)
        sessions.end_others(me())
    return redirect(url_for(".show", done="password"), 303)


@bp.post("/account/passphrase")
@needs("organiser")
@own_secret
def change_passphrase() -> ResponseReturnValue:
    """Wrap the organiser's copy of the keys by another passphrase."""
    form = ChangedPassphraseForm(prefix="passphrase")
    if not form.validate():
        return _account(form.status, passphrase=form)
    with form.refusing(form.old, gettext("This is not your passphrase.")):
        opened("rewrap", str(form.old.data), new=str(form.chosen.data)).finish()
    if form.errors:
        return _account(form.status, passphrase=form)
    record("changed-passphrase")
    return redirect(url_for(".show", done="passphrase"), 303)


@bp.post("/account/codes")
@needs("reader")
@own_secret
def make_codes() -> ResponseReturnValue:
    """Make new recovery codes, and show them this once; the old ones are good no more."""
    form = OldForm(prefix="codes")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, codes_form=form)
    with recording("made-recovery-codes"):
        made = second_factors.new_recovery_codes(db.session, me().id)
    return _account(codes=made)


@bp.post("/account/passkey")
@needs("reader")
@own_secret
def add_passkey() -> ResponseReturnValue:
    """Take a passkey beside what there is."""
    form, credential = PasskeyForm(prefix="passkey"), request.form.get("credential", "")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, passkey=form)
    with form.refusing(form.old, gettext("That passkey cannot be used here. Try once more, or use an app.")):
        passkeys.keep(db.session, place(), me().id, credential=credential, name=str(form.name.data))
    if form.errors:
        return _account(form.status, passkey=form)
    record("added-passkey")
    return redirect(url_for(".show", done="passkey"), 303)


@bp.post("/account/passkey/remove")
@needs("reader")
@own_secret
def remove_passkey() -> ResponseReturnValue:
    """Remove a passkey, with the password; the last second factor stays."""
    form = RemovalForm(prefix="removal")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, removal=form)
    try:
        with recording("removed-passkey") as draft:
            draft.happened = passkeys.remove(db.session, me().id, form.passkey_id)
    except LastFactor:
        form.refuse(form.old, gettext("This is your only second factor. Add another one first."))
        return _account(409, removal=form)
    return redirect(url_for(".show", done="passkey"), 303)


def _is_theirs(form: OldForm) -> bool:
    """Tell whether the password that was typed is theirs: a session alone must not lock its owner out."""
    with form.refusing(form.old, gettext("This is not your password.")):
        try:
            check_password(db.session, me().email, str(form.old.data))
        except WrongFactor:
            record_refused(str(request.endpoint), "wrong-secret")
            raise
    return not form.errors


def _account(status: int = 200, **shown: object) -> ResponseReturnValue:
    options = passkeys.creation(db.session, place(), me().id, me().email)
    empty = {
        "password": ChangedPasswordForm(formdata=None, prefix="password"),
        "passphrase": ChangedPassphraseForm(formdata=None, prefix="passphrase"),
        "codes_form": OldForm(formdata=None, prefix="codes"),
        "passkey": PasskeyForm(formdata=None, prefix="passkey"),
        "removal": RemovalForm(formdata=None, prefix="removal"),
    }
    page = render_template(
        "organise/account.html",
        options=options,
        left=second_factors.recovery_codes_left(db.session, me().id),
        passkeys=passkeys.passkeys_of(db.session, me().id),
        **empty | shown,
    )
    return make_response(page, status)
