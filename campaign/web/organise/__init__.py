"""The organisers' room: what stands under /organise/, and who may see what of it."""

from flask import Flask
from flask_babel import gettext

from campaign.config import Settings
from campaign.db import iso
from campaign.web.organise import (
    access,
    account_pages,
    activity_pages,
    cookies,
    dashboard_pages,
    entrance_pages,
    export_pages,
    hand_in_pages,
    invitation_pages,
    name_pages,
    organiser_pages,
    request_pages,
    setting_pages,
    step_up,
)


def open_room(app: Flask, settings: Settings) -> None:
    """Add the organisers' pages to `app`."""
    cookies.bake(app, settings)
    access.guard(app)
    step_up.guard(app)
    app.jinja_env.globals["rooms"] = _rooms
    app.jinja_env.filters["iso"] = iso
    pages = (account_pages, activity_pages, dashboard_pages, entrance_pages, export_pages, invitation_pages)
    for room in (*pages, hand_in_pages, name_pages, organiser_pages, request_pages, setting_pages):
        app.register_blueprint(room.bp, url_prefix="/organise")


def _rooms() -> list[tuple[str, str]]:
    """Return what the organiser may open, by its view and what it is called."""
    rooms = [
        ("reader", "dashboard.show", gettext("Figures")),
        ("organiser", "export.show", gettext("Export")),
        ("organiser", "hand_in.show", gettext("Hand in")),
        ("reader", "names.show", gettext("Names")),
        ("organiser", "requests.show", gettext("Requests")),
        ("owner", "organisers.show", gettext("Organisers")),
        ("owner", "settings.show", gettext("Settings")),
        ("organiser", "activity.show", gettext("Activity")),
        ("reader", "account.show", gettext("Your account")),
    ]
    return [(view, label) for role, view, label in rooms if access.me().may(role)]  # type: ignore[arg-type]
