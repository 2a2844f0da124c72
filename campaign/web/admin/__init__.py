"""The organisers' area under /organise/: its pages and its access control."""

from flask import Flask
from flask_babel import gettext

from campaign.config.settings import Settings
from campaign.core.database import iso
from campaign.web.admin import (
    access,
    account,
    audit_log,
    data_requests,
    delivery,
    display_names,
    export,
    invitation,
    login,
    overview,
    sessions,
    site_settings,
    step_up,
    team,
)


def init_admin(app: Flask, settings: Settings) -> None:
    """Add the organisers' pages to `app`."""
    sessions.init_sessions(app, settings)
    access.init_access(app)
    step_up.init_step_up(app)
    app.jinja_env.globals["admin_navigation"] = _navigation
    app.jinja_env.filters["iso"] = iso
    pages = (account, audit_log, overview, login, export, invitation)
    for module in (*pages, delivery, display_names, team, data_requests, site_settings):
        app.register_blueprint(module.bp, url_prefix="/organise")


def _navigation() -> list[tuple[str, str]]:
    """Return the pages that the organiser may open, as pairs of endpoint and label."""
    pages = [
        ("reader", "overview.show", gettext("Overview")),
        ("organiser", "export.show", gettext("Export")),
        ("organiser", "delivery.show", gettext("Delivery")),
        ("reader", "display_names.show", gettext("Names")),
        ("organiser", "data_requests.show", gettext("Data requests")),
        ("owner", "organisers.show", gettext("Team")),
        ("owner", "settings.show", gettext("Settings")),
        ("organiser", "audit_log.show", gettext("Activity log")),
        ("reader", "account.show", gettext("Your account")),
    ]
    return [(view, label) for role, view, label in pages if access.current_organiser().has_role(role)]  # type: ignore[arg-type]
