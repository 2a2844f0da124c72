"""The web layer: views, forms, security headers, languages. Views translate; domain packages decide."""

from flask import Flask

from campaign.config.settings import Settings
from campaign.web import (
    admin,
    error_pages,
    film_player,
    headers,
    i18n,
    last_known,
    link_repair,
    petition_settings,
    proxies,
    rate_limits,
    redirects,
    share_section,
    static_files,
)
from campaign.web.form_request import FormRequest
from campaign.web.public import (
    bot_check,
    browser_files,
    embed,
    film,
    health,
    images,
    metrics,
    petition,
    privacy,
    sharing,
    signature,
    well_known,
)
from campaign.web.request_gate import RequestGate


def init_app(app: Flask, settings: Settings) -> None:
    """Add all pages to `app`."""
    app.request_class = FormRequest
    app.wsgi_app = RequestGate(app.wsgi_app, settings.threads)  # type: ignore[method-assign]  # innermost: static files need no place in it
    app.jinja_env.globals["public_url"] = settings.public_url
    app.jinja_env.policies["json.dumps_kwargs"] = {"ensure_ascii": False}  # otherwise a Cyrillic letter takes six bytes
    i18n.init_i18n(app)
    static_files.init_static(app, settings)
    film_player.init_film(app, settings)
    app.jinja_env.globals["custom_petition_text"] = petition_settings.petition_text
    last_known.init_last_known(app)
    share_section.init_share_section(app)
    rate_limits.init_limits(app, settings)
    proxies.init_proxy_check(app, settings)
    redirects.init_redirects(app)
    link_repair.init_link_repair(app)
    headers.init_headers(app, settings)
    error_pages.register_error_handlers(app)
    admin.init_admin(app, settings)
    for room in (petition, privacy, signature, sharing, images, embed):
        app.register_blueprint(room.bp)
    for room in (film, well_known, browser_files, bot_check, health, metrics):
        app.register_blueprint(room.bp)
