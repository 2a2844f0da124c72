"""The questions before actions that are hard to undo: each names the person or number meant, and the consequences."""

from uuid import UUID

from flask import request
from flask_babel import format_decimal, gettext, ngettext

from campaign.accounts.organisers import EXPORT_ROLES, ROLES, Member, Role, member
from campaign.core.database import db
from campaign.errors import UnknownOrganiser
from campaign.petition import totals
from campaign.petition.status import petition_status
from campaign.web.admin.step_up import Question, describe
from campaign.web.forms.settings import DayForm
from campaign.web.i18n import format_day


def removal_question(organiser_id: UUID) -> Question | None:
    """Return the question before an organiser is removed."""
    person = _member(organiser_id)
    if person is None:
        return None
    facts = gettext(
        "They’ll be logged out and their copy of the key will be deleted straight away. They’ll keep "
        "any files they’ve exported."
    )
    return Question(describe(gettext("Remove %(email)s?"), person.email), (facts,), gettext("Remove"))


def revoke_export_question(organiser_id: UUID) -> Question | None:
    """Return the question before an organiser loses the right to export."""
    person = _member(organiser_id)
    if person is None or not person.may_export:
        return None
    return Question(
        describe(gettext("Remove export access for %(email)s?"), person.email),
        (_key_is_deleted(),),
        gettext("Remove export access"),
    )


def role_change_question(organiser_id: UUID) -> Question | None:
    """Return the question before an organiser gets another role."""
    person, role = _member(organiser_id), request.form.get("role", "")
    if person is None or role not in ROLES or role == person.role:
        return None
    loses_key = person.may_export and role not in EXPORT_ROLES
    return Question(
        describe(gettext("Change the role of %(email)s?"), person.email),
        (f"{role_names()[person.role]} → {role_names()[role]}", _key_is_deleted() if loses_key else ""),
        gettext("Change"),
    )


def revoke_invitation_question() -> Question:
    """Return the question before an invitation is taken back."""
    email = request.form.get("email") or "–"
    facts = gettext("Its link will stop working.")
    return Question(
        describe(gettext("Withdraw the invitation for %(email)s?"), email), (facts,), gettext("Withdraw invitation")
    )


def status_change_question() -> Question | None:
    """Return the question before the petition is opened, closed or marked as delivered."""
    act, present = request.form.get("act"), petition_status(db.session)
    if act == "deliver":
        return delivery_question()
    if present.name == "closed" if act == "close" else present.is_open:
        return None
    if act == "close":
        facts = gettext("Visitors will see that the petition is closed, and no one can sign.")
        return Question(
            gettext("Close the petition?"), (_confirmed(), facts, _unconfirmed_note()), gettext("Close the petition")
        )
    facts = gettext(
        "Visitors will see that the petition is open, and they can sign. Any delivery date will be deleted."
    )
    return Question(gettext("Open the petition?"), (_confirmed(), facts), gettext("Open the petition"))


def delivery_question() -> Question | None:
    """Return the question before the petition is marked as delivered."""
    form = DayForm()
    if not form.validate() or form.day.data is None or petition_status(db.session).delivered_on == form.day.data:
        return None
    facts = gettext("Visitors will see that the petition was delivered. No one can sign or confirm after that.")
    title = gettext("Mark the petition as delivered on %(day)s?", day=format_day(form.day.data))
    return Question(title, (_confirmed(), facts, _unconfirmed_note()), gettext("Mark as delivered"))


def role_names() -> dict[Role, str]:
    """Return the name of each role, with its rights."""
    return {
        "reader": gettext("Viewer – overview"),
        "organiser": gettext("Organiser – also export and data requests"),
        "owner": gettext("Admin – also team and settings"),
    }


def _member(organiser_id: UUID) -> Member | None:
    """Return an organiser; None if there is no such one, which the view says."""
    try:
        return member(db.session, organiser_id)
    except UnknownOrganiser:
        return None


def _key_is_deleted() -> str:
    return str(
        gettext(
            "Their copy of the key will be deleted straight away. An Admin with export access can give them a new one."
        )
    )


def _confirmed() -> str:
    count = totals.confirmed(db.session)
    text = ngettext(
        "%(shown)s signature is confirmed.",
        "%(shown)s signatures are confirmed.",
        count,
        shown=format_decimal(count),
    )
    return str(text)


def _unconfirmed_note() -> str:
    count = totals.unconfirmed(db.session)
    text = ngettext(
        "%(shown)s signature isn’t confirmed yet.",
        "%(shown)s signatures aren’t confirmed yet.",
        count,
        shown=format_decimal(count),
    )
    return str(text)
