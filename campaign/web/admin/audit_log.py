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
        "added-passkey": gettext("added a passkey"),
        "came-in": gettext("came in with an invitation"),
        "changed-passphrase": gettext("changed their passphrase"),
        "changed-password": gettext("changed their password"),
        "changed-role": gettext("changed a role"),
        "changed-setting": gettext("changed a setting"),
        "closed": gettext("closed the petition"),
        "delivered": gettext("noted the hand-in"),
        "ended-export": gettext("took the right to export"),
        "erased": gettext("erased signatures"),
        "export-incomplete": gettext("an export left out rows that could not be opened"),
        "exported": gettext("exported signatures"),
        "hand-in": gettext("made the document to hand in"),
        "hand-in-replaced": gettext("names in the document have characters that it cannot show"),
        "hid-name": gettext("hid a first name"),
        "invited": gettext("invited somebody"),
        "looked-up": gettext("looked for a signature"),
        "made-recovery-codes": gettext("made new recovery codes"),
        "opened": gettext("opened a sealed signature"),
        "refused": gettext("was refused"),
        "removed": gettext("removed an organiser"),
        "removed-passkey": gettext("removed a passkey"),
        "rotated-key": gettext("made a new campaign key"),
        "reopened": gettext("opened the petition"),
        "sent-link": gettext("sent a link again"),
        "showed-name": gettext("showed a hidden name again"),
        "signed-in": gettext("signed in"),
        "took-back-invitation": gettext("took back an invitation"),
        "wrong-code": gettext("gave a wrong second factor"),
        "wrong-passphrase": gettext("gave a wrong passphrase"),
    }
