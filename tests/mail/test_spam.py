"""What a spam filter thinks of our mail."""

import re
import subprocess
from typing import get_args

import pytest

from campaign.db import new_id, utcnow
from campaign.mail.messages import written
from campaign.mail.outbox import Kind, Letter, Waiting
from campaign.web.languages import LANGUAGES
from tests import services

MOST = 2.0
SENT = [kind for kind in get_args(Kind) if kind != "blank"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", SENT)
def test_spamassassin_finds_little_to_say(campaign, kind, language):
    if reason := services.why_no_spamassassin():
        pytest.skip(reason)
    waiting = Waiting(new_id(), kind, None, Letter("ada@example.org", language), utcnow(), utcnow())
    link = f"https://lovealwayswins.example.org/confirm/{'aZ9-_' * 8}abc"
    with campaign.app.app_context():
        message = written(waiting, waiting.letter, link=link, sender="no-reply@lovealwayswins.example.org")
    judged = subprocess.run(["spamassassin", "-L", "-t"], input=message.content, capture_output=True, check=True)
    assert float(re.search(rb"score=(-?[\d.]+)", judged.stdout)[1]) < MOST, judged.stdout.decode()
