"""Whether the server is alive, and whether it is ready to take signatures."""

from ipaddress import ip_address

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from campaign.db import db, utcnow
from campaign.disk import room
from campaign.mail.backlog import backlog, is_late
from campaign.migrating import is_current
from campaign.petition.keys import has_campaign_key
from campaign.state import state

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """The database answers and is migrated, there are a key to seal with and room on the disk; also what mail waits."""
    try:
        if not is_current():
            return jsonify(status="not ready", database=True, migrations=False), 503
        keys, mail, late = has_campaign_key(db.session), backlog(db.session), is_late(db.session)
    except SQLAlchemyError:
        return jsonify(status="not ready", database=False), 503
    age = (utcnow() - mail.oldest).total_seconds() if mail.oldest else 0
    waiting: dict[str, object] = {"late": late}
    if _is_near():
        waiting |= {"waiting": mail.waiting, "oldest_seconds": round(age), "dead": mail.dead}
    disk = room(state().settings)
    is_ready = keys and disk != "full"
    status = "ready" if is_ready else "not ready"
    told = jsonify(status=status, database=True, migrations=True, keys=keys, disk=disk, mail=waiting)
    return told, 200 if is_ready else 503


def _is_near() -> bool:
    """Whether we are asked from this machine or its own network.

    Who watches the numbers from elsewhere could tell whether signing with an address makes us write to it.
    """
    try:
        return ip_address(request.remote_addr or "").is_private
    except ValueError:
        return False
