"""The first names that the public page shows, and hiding them."""

from datetime import UTC, datetime
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from campaign.core.database import db
from campaign.petition import display_names, feature_flags
from campaign.web.admin.access import no_step_up, recording, requires_role, step_up
from campaign.web.forms.admin import NameForm

PAGE_LENGTH = 50

bp = Blueprint("display_names", __name__)


@bp.get("/names")
@requires_role("reader")
def show() -> ResponseReturnValue:
    """Show the newest names, or those before a certain one."""
    before = _place(request.args.get("before", ""))
    names, further = display_names.list_names(db.session, most=PAGE_LENGTH, before=before)
    return _page(
        NameForm(formdata=None), names=names, next_before=f"{further[0].timestamp()}_{further[1]}" if further else ""
    )


@bp.post("/names")
@requires_role("reader")
@no_step_up
def find() -> ResponseReturnValue:
    """Show the newest names with a certain part. A POST, so that no log holds the name."""
    form = NameForm()
    if not form.validate():
        return _page(form, 422)
    names, _further = display_names.list_names(db.session, most=PAGE_LENGTH, search=str(form.name.data))
    return _page(form, names=names)


@bp.post("/names/<uuid:signature_id>/hide")
@requires_role("organiser")
@no_step_up
def hide(signature_id: UUID) -> ResponseReturnValue:
    """Hide a name from the public page."""
    with recording("hid-name", signature=signature_id) as draft:
        draft.happened = display_names.set_hidden(db.session, signature_id, hidden=True)
    return redirect(url_for(".show"), 303)


@bp.post("/names/<uuid:signature_id>/show")
@requires_role("organiser")
@step_up
def show_again(signature_id: UUID) -> ResponseReturnValue:
    """Show a hidden name on the public page again."""
    with recording("showed-name", signature=signature_id) as draft:
        draft.happened = display_names.set_hidden(db.session, signature_id, hidden=False)
    return redirect(url_for(".show"), 303)


def _place(text: str) -> tuple[datetime, UUID] | None:
    """Return where a page begins, as `show` writes it; None for anything else."""
    moment, _, identity = text[:80].partition("_")
    try:
        return datetime.fromtimestamp(float(moment), UTC), UUID(identity)
    except (OSError, OverflowError, ValueError):
        return None


def _page(form: NameForm, status: int = 200, **context: object) -> ResponseReturnValue:
    names_off = feature_flags.is_enabled(db.session, "names-off")
    return make_response(render_template("admin/display_names.html", form=form, names_off=names_off, **context), status)
