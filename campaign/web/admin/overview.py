"""The overview of the campaign, and each figure as CSV."""

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from campaign.accounts import audit_log
from campaign.context import current_context
from campaign.core.database import db, utcnow
from campaign.core.disk_space import disk_status
from campaign.exports.csv_writer import DIALECTS, iter_csv
from campaign.mail import domain_budget
from campaign.mail.queue_status import health
from campaign.petition import totals
from campaign.petition.status import petition_status
from campaign.web import proxies
from campaign.web.admin import figures
from campaign.web.admin.access import requires_role
from campaign.web.admin.downloads import attachment

EXPORTS_SHOWN = 5

bp = Blueprint("overview", __name__)


@bp.get("/")
@requires_role("reader")
def show() -> ResponseReturnValue:
    """Show the overview."""
    return render_template(
        "admin/overview.html",
        tables={key: make() for key, make in figures.FIGURES.items()},
        today=figures.today(),
        count=totals.confirmed(db.session),
        exports=audit_log.entries(db.session, most=EXPORTS_SHOWN, action="exported"),
        petition_status=petition_status(db.session),
        domains_at_limit=domain_budget.full_domains(db.session),
        mail_health=health(db.session),
        now=utcnow(),
        disk=disk_status(current_context().settings),
        has_unknown_proxy=proxies.is_unknown(),
    )


@bp.get("/figures/<key>.csv")
@requires_role("reader")
def figures_csv(key: str) -> ResponseReturnValue:
    """Return one table as CSV for a spreadsheet."""
    if key not in figures.FIGURES:
        abort(404)
    table = figures.FIGURES[key]()
    header = (table.first, *table.columns)
    rows = [(line.key, *map(str, line.numbers)) for line in table.lines]
    return attachment(b"".join(iter_csv(rows, header=header, dialect=DIALECTS["excel"])), key)
