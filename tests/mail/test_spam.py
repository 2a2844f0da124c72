"""What a spam filter thinks of our mail."""

import mailbox
import re
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from campaign.core.database import new_id, utcnow
from campaign.core.languages import LANGUAGES
from campaign.mail.messages import render_message
from campaign.mail.outbox import ClaimedMessage, Kind, Recipient
from tests import services

pytestmark = pytest.mark.slow

MOST = 2.0
SENT = [kind for kind in get_args(Kind) if kind != "blank"]
LINK = f"https://lovealwayswins.example.org/confirm/{'aZ9-_' * 8}abc"


@pytest.fixture
def backend() -> str:
    """What a mail says does not depend on the database."""
    return "sqlite"


def judged(folder: Path, mails: list[bytes]) -> list[float]:
    """Return the score of each mail; the filter is started once, for that takes it longest."""
    box = mailbox.mbox(folder / "mails")
    for mail in mails:
        box.add(mail)
    box.close()
    command = ["spamassassin", "-L", "-t", "--mbox", str(folder / "mails")]
    told = subprocess.run(command, capture_output=True, check=True).stdout
    return [float(score) for score in re.findall(rb"^X-Spam-Status: .*?score=(-?[\d.]+)", told, re.MULTILINE)]


@pytest.mark.parametrize("kind", SENT)
def test_spamassassin_finds_little_to_say(campaign, kind, tmp_path):
    if reason := services.why_no_spamassassin():
        pytest.skip(reason)
    mails = []
    with campaign.app.app_context():
        for language in LANGUAGES:
            waiting = ClaimedMessage(new_id(), kind, None, Recipient("ada@example.org", language), utcnow(), utcnow())
            mails.append(
                render_message(waiting, waiting.letter, link=LINK, sender="no-reply@lovealwayswins.example.org").content
            )
    scores = judged(tmp_path, mails)
    assert len(scores) == len(LANGUAGES)
    assert max(scores) < MOST, dict(zip(LANGUAGES, scores, strict=True))


def test_spamassassin_recognises_spam(tmp_path):
    if reason := services.why_no_spamassassin():
        pytest.skip(reason)
    gtube = b"XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X"
    [score] = judged(tmp_path, [b"From: a@example.org\nTo: b@example.org\nSubject: x\n\n" + gtube + b"\n"])
    assert score > MOST
