"""An organiser's own account: password, passphrase, backup codes, passkeys."""

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import backup_codes, organisers, passkeys, passwords
from campaign.accounts.login import check_password
from campaign.core.database import db
from campaign.errors import LastSecondFactor, WrongCredential
from campaign.web.admin import sessions
from campaign.web.admin.access import (
    current_organiser,
    own_secret,
    record,
    record_refused,
    recording,
    requires_role,
    run_with_passphrase,
)
from campaign.web.admin.relying_party import relying_party
from campaign.web.forms.admin import (
    ChangePassphraseForm,
    ChangePasswordForm,
    CurrentSecretForm,
    PasskeyForm,
    RemovalForm,
)

bp = Blueprint("account", __name__)


@bp.get("/welcome")
@requires_role("reader")
def welcome() -> ResponseReturnValue:
    """Explain the recovery key to a new organiser."""
    return render_template("admin/welcome.html")


@bp.get("/account")
@requires_role("reader")
def show() -> ResponseReturnValue:
    """Show the account."""
    return _account()


@bp.post("/account/password")
@requires_role("reader")
@own_secret
def change_password() -> ResponseReturnValue:
    """Change the password, and end all other sessions."""
    form = ChangePasswordForm(prefix="password")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, password_form=form)
    password_hash = passwords.hash_password(str(form.chosen.data))
    with recording("changed-password"):
        organisers.set_password(db.session, current_organiser().id, password_hash)
        sessions.end_others(current_organiser())
    return redirect(url_for(".show", done="password"), 303)


@bp.post("/account/passphrase")
@requires_role("organiser")
@own_secret
def change_passphrase() -> ResponseReturnValue:
    """Wrap the organiser's copy of the keys by another passphrase."""
    form = ChangePassphraseForm(prefix="passphrase")
    if not form.validate():
        return _account(form.status, passphrase_form=form)
    with form.refusing(form.old, gettext("Wrong passphrase. Try again.")):
        run_with_passphrase("change_passphrase", str(form.old.data), new=str(form.chosen.data)).finish()
    if form.errors:
        return _account(form.status, passphrase_form=form)
    record("changed-passphrase")
    return redirect(url_for(".show", done="passphrase"), 303)


@bp.post("/account/codes")
@requires_role("reader")
@own_secret
def make_codes() -> ResponseReturnValue:
    """Create new backup codes and show them once; the old ones become invalid."""
    form = CurrentSecretForm(prefix="codes")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, codes_form=form)
    with recording("made-recovery-codes"):
        codes = backup_codes.new_backup_codes(db.session, current_organiser().id)
    return _account(codes=codes)


@bp.post("/account/passkey")
@requires_role("reader")
@own_secret
def add_passkey() -> ResponseReturnValue:
    """Add a passkey."""
    form, credential = PasskeyForm(prefix="passkey"), request.form.get("credential", "")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, passkey_form=form)
    with form.refusing(form.old, gettext("This passkey can’t be used here. Try again, or use an authenticator app.")):
        passkeys.register(
            db.session, relying_party(), current_organiser().id, credential=credential, name=str(form.name.data)
        )
    if form.errors:
        return _account(form.status, passkey_form=form)
    record("added-passkey")
    return redirect(url_for(".show", done="passkey"), 303)


@bp.post("/account/passkey/remove")
@requires_role("reader")
@own_secret
def remove_passkey() -> ResponseReturnValue:
    """Remove a passkey, with the password; the last second factor stays."""
    form = RemovalForm(prefix="removal")
    if not form.validate() or not _is_theirs(form):
        return _account(form.status, removal_form=form)
    try:
        with recording("removed-passkey") as draft:
            draft.happened = passkeys.remove(db.session, current_organiser().id, form.passkey_id)
    except LastSecondFactor:
        form.refuse(form.old, gettext("You need this passkey for two-step verification. Add another one first."))
        return _account(409, removal_form=form)
    return redirect(url_for(".show", done="passkey"), 303)


def _is_theirs(form: CurrentSecretForm) -> bool:
    """Return whether the typed password is right: with a stolen session only, nobody must lock the owner out."""
    with form.refusing(form.old, gettext("Wrong password. Try again.")):
        try:
            check_password(db.session, current_organiser().email, str(form.old.data))
        except WrongCredential:
            record_refused(str(request.endpoint), "wrong-secret")
            raise
    return not form.errors


def _account(status: int = 200, **context: object) -> ResponseReturnValue:
    options = passkeys.registration_options(
        db.session, relying_party(), current_organiser().id, current_organiser().email
    )
    empty = {
        "password_form": ChangePasswordForm(formdata=None, prefix="password"),
        "passphrase_form": ChangePassphraseForm(formdata=None, prefix="passphrase"),
        "codes_form": CurrentSecretForm(formdata=None, prefix="codes"),
        "passkey_form": PasskeyForm(formdata=None, prefix="passkey"),
        "removal_form": RemovalForm(formdata=None, prefix="removal"),
    }
    page = render_template(
        "admin/account.html",
        options=options,
        codes_left=backup_codes.backup_codes_left(db.session, current_organiser().id),
        passkeys=passkeys.list_passkeys(db.session, current_organiser().id),
        **empty | context,
    )
    return make_response(page, status)
