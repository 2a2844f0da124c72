"""Whether the server is alive, and whether it is ready to take signatures."""

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from campaign.db import db, utcnow
from campaign.mail import outbox
from campaign.migrating import is_current
from campaign.petition.keys import has_campaign_key

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database answers and is migrated, and there is a key to seal with; also says how much mail waits."""
    try:
        checks = {"database": True, "migrations": is_current(), "keys": has_campaign_key(db.session)}
    except SQLAlchemyError:
        return jsonify(status="not ready", database=False), 503
    mail = outbox.backlog(db.session)
    age = (utcnow() - mail.oldest).total_seconds() if mail.oldest else 0
    backlog = {"waiting": mail.waiting, "oldest_seconds": round(age), "dead": mail.dead}
    fine = all(checks.values())
    return jsonify(status="ready" if fine else "not ready", **checks, mail=backlog), 200 if fine else 503
