"""Metrics for Prometheus: those that the server counted, and those that are read now."""

import hmac
import shutil
from collections.abc import Iterator
from ipaddress import ip_address

from flask import Blueprint, Response, abort, request
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4, Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from campaign.context import current_context
from campaign.core.database import DatabaseError, db, utcnow
from campaign.mail import server_state
from campaign.mail.queue_status import queue_status
from campaign.petition import totals

MAX_COUNTED = 100_000  # messages; Prometheus asks every few seconds, and more would tell it no more

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def show() -> ResponseReturnValue:
    """Return the metrics to those who may read them; to others, there is no such page."""
    if not _may_read():
        abort(404)
    exposition = current_context().metrics.exposition([_MachineCollector(), _DatabaseCollector()])
    return Response(exposition, content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_read() -> bool:
    """Return whether the request has the token, or comes from this machine if none is set.

    A proxy on this machine passes on what comes from elsewhere, and says so in a header.
    """
    token = current_context().settings.metrics_token
    if token:
        sent = request.headers.get("Authorization", "").encode()
        return hmac.compare_digest(sent, f"Bearer {token}".encode())
    if any(name in request.headers for name in ("X-Forwarded-For", "Forwarded", "X-Real-IP")):
        return False
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False


class _MachineCollector(Collector):
    """The space and the threads of this server."""

    def collect(self) -> Iterator[Metric]:
        settings = current_context().settings
        disk = shutil.disk_usage(settings.instance)
        yield GaugeMetricFamily("campaign_disk_free_bytes", "Free bytes of the instance folder's disk.", disk.free)
        yield GaugeMetricFamily("campaign_disk_bytes", "Bytes of the instance folder's disk.", disk.total)
        threads = settings.threads * settings.worker_count()
        yield GaugeMetricFamily("campaign_threads", "Threads that can work on requests.", threads)
        connections = settings.connection_count() * settings.worker_count()
        yield GaugeMetricFamily("campaign_database_connections", "Database connections at most.", connections)


class _DatabaseCollector(Collector):
    """Figures of the campaign, the same on every server; only one of them while the database is away."""

    def collect(self) -> Iterator[Metric]:
        try:
            yield from self._figures()
        except DatabaseError:
            db.session.rollback()
            yield GaugeMetricFamily("campaign_database_up", "Whether the database answers.", 0)
        else:
            yield GaugeMetricFamily("campaign_database_up", "Whether the database answers.", 1)

    @staticmethod
    def _figures() -> list[Metric]:
        queue, server = queue_status(db.session, most=MAX_COUNTED), server_state.load(db.session)
        messages = GaugeMetricFamily(
            "campaign_outbox_messages",
            f"Messages in the outbox, counted up to {MAX_COUNTED}; refused ones are waiting or dead too.",
            labels=["state"],
        )
        states = {"waiting": queue.waiting, "dead": queue.dead, "refused": queue.bounced, "reminder": queue.reminders}
        for state, number in states.items():
            messages.add_metric([state], number)
        oldest = max((utcnow() - queue.oldest).total_seconds(), 0) if queue.oldest else 0
        return [
            GaugeMetricFamily("campaign_signatures_confirmed", "Confirmed signatures.", totals.confirmed(db.session)),
            messages,
            GaugeMetricFamily(
                "campaign_outbox_oldest_seconds", "Seconds that the oldest due message has waited.", oldest
            ),
            GaugeMetricFamily(
                "campaign_mail_paused",
                "Whether the mail server refuses everything, so that workers pause.",
                server.is_failing,
            ),
        ]
