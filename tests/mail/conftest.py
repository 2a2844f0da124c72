"""A mail server on this machine, and a campaign that sends to it."""

import pytest
from aiosmtpd.controller import Controller

from tests import services
from tests.conftest import campaign_on
from tests.mail.smtp_server import Mailbox


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def smtp(mailbox):
    controller = Controller(mailbox, hostname="127.0.0.1", port=services.free_port())
    controller.start()
    yield controller.port
    controller.stop()


@pytest.fixture
def posting(request, backend, ready, tmp_path, smtp):
    """A campaign that sends over SMTP. Marker `settings(name=value)` changes its settings."""
    marker = request.node.get_closest_marker("settings")
    mail_url = f"smtp://127.0.0.1:{smtp}?from=hello@example.org"
    with campaign_on(ready, backend, tmp_path, mail_url=mail_url, **(marker.kwargs if marker else {})) as campaign:
        yield campaign
