"""What one process of the campaign works with: its settings and its keys."""

from dataclasses import dataclass
from typing import cast

from flask import Flask, current_app

from campaign.config import Settings
from campaign.petition.sealing import DataKeys
from campaign.petition.signatures import Keys
from campaign.secret import server_key


@dataclass(frozen=True, slots=True)
class State:
    """The settings, the keys that signing needs, and those of the pages (32 bytes each)."""

    settings: Settings
    keys: Keys
    form_key: bytes
    visitor_key: bytes


def keep_state(app: Flask, settings: Settings) -> None:
    """Derive the keys and keep them with `app`."""
    keys = Keys(
        addresses=server_key(settings, "addresses of signers"),
        links=server_key(settings, "links in mails"),
        outbox=server_key(settings, "letters in the outbox"),
        data=DataKeys(),
    )
    form_key, visitor_key = server_key(settings, "forms sent again"), server_key(settings, "visitors of a day")
    app.extensions["campaign"] = State(settings, keys, form_key=form_key, visitor_key=visitor_key)


def state_of(app: Flask) -> State:
    """Return the state of `app`."""
    return cast(State, app.extensions["campaign"])


def state() -> State:
    """Return the state of the current application."""
    return state_of(current_app)
