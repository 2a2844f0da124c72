"""The audit log page."""

import json
from collections.abc import Iterator

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from campaign.accounts import audit_log
from campaign.core.database import db, iso
from campaign.exports.csv_writer import DIALECTS, iter_csv
from campaign.web.admin.access import requires_role
from campaign.web.admin.downloads import attachment

PAGE_LENGTH = 50
_HIGHEST = 2**31 - 1  # number of an entry
_HEADER = ("number", "at", "actor", "action", "details")

bp = Blueprint("audit_log", __name__)


@bp.get("/activity")
@requires_role("organiser")
def show() -> ResponseReturnValue:
    """Show the newest entries, or those before a certain one."""
    before = request.args.get("before", type=lambda text: max(1, min(int(text), _HIGHEST)))
    entries = audit_log.entries(db.session, most=PAGE_LENGTH, before=before)
    next_before = entries[-1].number if entries and entries[-1].number > 1 else None
    return render_template(
        "admin/audit_log.html", entries=entries, next_before=next_before, action_labels=_action_labels()
    )


@bp.get("/activity.csv")
@requires_role("organiser")
def as_csv() -> ResponseReturnValue:
    """Return all entries as CSV, oldest first."""
    content = b"".join(iter_csv(_rows(), header=_HEADER, dialect=DIALECTS["excel"]))
    return attachment(content, "activity")


def _rows() -> Iterator[tuple[str, ...]]:
    for entry in audit_log.iter_entries(db.session):
        details = json.dumps(entry.details, sort_keys=True, ensure_ascii=False)
        yield str(entry.number), iso(entry.occurred_at), entry.actor, entry.action, details


def _action_labels() -> dict[str, str]:
    """Return the description of each action."""
    return {
        "added-passkey": gettext("Passkey added"),
        "came-in": gettext("Invitation accepted"),
        "changed-passphrase": gettext("Passphrase changed"),
        "changed-password": gettext("Password changed"),
        "changed-role": gettext("Role changed"),
        "changed-setting": gettext("Setting changed"),
        "closed": gettext("Petition closed"),
        "delivered": gettext("Petition marked as delivered"),
        "ended-export": gettext("Export access removed"),
        "erased": gettext("Signatures deleted"),
        "export-incomplete": gettext("Export incomplete: some rows couldn’t be decrypted"),
        "exported": gettext("Signatures exported"),
        "hand-in": gettext("Delivery PDF created"),
        "hand-in-replaced": gettext("Delivery PDF contains names with characters it can’t show"),
        "hid-name": gettext("First name hidden"),
        "invited": gettext("Invitation created"),
        "looked-up": gettext("Signature looked up"),
        "made-recovery-codes": gettext("Backup codes created"),
        "opened": gettext("Signature decrypted"),
        "refused": gettext("Attempt refused"),
        "removed": gettext("Team member removed"),
        "removed-passkey": gettext("Passkey removed"),
        "rotated-key": gettext("New campaign key created"),
        "reopened": gettext("Petition opened"),
        "sent-link": gettext("Link sent again"),
        "showed-name": gettext("First name shown again"),
        "signed-in": gettext("Logged in"),
        "took-back-invitation": gettext("Invitation withdrawn"),
        "wrong-code": gettext("Two-step verification failed"),
        "wrong-passphrase": gettext("Wrong passphrase entered"),
    }
