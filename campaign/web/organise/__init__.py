"""The organisers' room: what stands under /organise/, and who may see what of it."""

from flask import Flask
from flask_babel import gettext

from campaign.config import Settings
from campaign.web.organise import (
    access,
    account_pages,
    cookies,
    dashboard_pages,
    entrance_pages,
    export_pages,
    invitation_pages,
)


def open_room(app: Flask, settings: Settings) -> None:
    """Add the organisers' pages to `app`."""
    cookies.bake(app, settings)
    access.guard(app)
    app.jinja_env.globals["rooms"] = _rooms
    for room in (account_pages, dashboard_pages, entrance_pages, export_pages, invitation_pages):
        app.register_blueprint(room.bp, url_prefix="/organise")


def _rooms() -> list[tuple[str, str]]:
    """Return what the organiser may open, by its view and what it is called."""
    rooms = [
        ("reader", "dashboard.show", gettext("Figures")),
        ("organiser", "export.show", gettext("Export")),
        ("reader", "account.show", gettext("Your account")),
    ]
    return [(view, label) for role, view, label in rooms if access.me().may(role)]  # type: ignore[arg-type]
