"""Whether the server is alive, and whether it is ready to take signatures."""

from ipaddress import ip_address

from flask import Blueprint, jsonify, request
from flask.typing import ResponseReturnValue

from campaign.context import current_context
from campaign.core.database import DatabaseError, db, iso, utcnow
from campaign.core.disk_space import disk_status
from campaign.core.migrations import is_current
from campaign.crypto.campaign_keys import has_campaign_key
from campaign.mail.queue_status import health, is_late, queue_status

MAX_COUNTED = 10_000  # messages; monitoring asks every few seconds, and more would tell it no more

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def alive() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> ResponseReturnValue:
    """Report whether the database is reachable and migrated, a campaign key exists and the disk has space; also email.

    Problems with email do not make a server unready: all servers share them, and none would be left.
    """
    try:
        if not is_current():
            return jsonify(status="not ready", database=True, migrations=False), 503
        keys, mail = has_campaign_key(db.session), _mail()
    except DatabaseError:
        return jsonify(status="not ready", database=False), 503
    disk = disk_status(current_context().settings)
    is_ready = keys and disk != "full"
    status = "ready" if is_ready else "not ready"
    response = jsonify(status=status, database=True, migrations=True, keys=keys, disk=disk, mail=mail)
    return response, 200 if is_ready else 503


def _mail() -> dict[str, object]:
    late = is_late(db.session)
    if not _is_near():
        return {"status": "late" if late else "ok", "late": late}
    queue, mail_health = queue_status(db.session, most=MAX_COUNTED), health(db.session)
    age = (utcnow() - queue.oldest).total_seconds() if queue.oldest else 0
    fields: dict[str, object] = {
        "status": mail_health.status,
        "late": late,
        "waiting": queue.waiting,
        "dead": queue.dead,
    }
    fields |= {"oldest_seconds": round(age)}
    return fields | ({"reply": mail_health.reply, "since": iso(mail_health.since)} if mail_health.since else {})


def _is_near() -> bool:
    """Return whether the request comes from this machine or its own network.

    The numbers would tell others whether signing with an address makes us write to it. A proxy
    beside us has a private address too, but appends the client's to X-Forwarded-For, which counts even where
    CAMPAIGN_PROXIES is not set.
    """
    forwarded = [part.strip() for part in ",".join(request.headers.getlist("X-Forwarded-For")).split(",")]
    addresses = [request.remote_addr or "", *filter(None, forwarded)]
    try:
        are_private = all(ip_address(address).is_private for address in addresses)
    except ValueError:
        return False
    return are_private and not any(name in request.headers for name in ("Forwarded", "X-Real-IP"))
