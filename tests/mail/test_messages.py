"""Messages: discreet outside, clear inside, and nobody's words but ours."""

from email import message_from_bytes, policy

import pytest

from campaign.core.database import new_id, utcnow
from campaign.mail import outbox
from campaign.mail.messages import render_message
from campaign.mail.transports import sender
from tests.personas import path_in


def test_a_message_is_discreet_outside_and_clear_inside(campaign, ada):
    ada.signs()
    [mail] = ada.mails()
    outside = f"{mail['Subject']} {mail['From']}".lower()
    assert not [word for word in ("love", "lgbt", "gay", "petition", "olympic", "campaign", "sign") if word in outside]
    assert "Olympic Committee" in mail.get_body(("plain",)).get_content()
    assert path_in(mail) in mail.get_body(("html",)).get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Message-ID"]
    assert mail["Date"]


def test_nobody_can_have_their_own_words_sent(campaign, mallory):
    typed = dict.fromkeys(("given_name", "family_name", "message"), "Buy-my-pills http://pills.example")
    for _ in range(2):
        mallory.signs(**typed)
    assert len(mallory.mails()) == 2
    assert not [mail for mail in mallory.mails() if "pills" in mail.as_string()]


@pytest.mark.parametrize("kind", ["confirmation", "already_signed", "link_request", "reminder"])
def test_the_link_is_where_it_belongs_and_nowhere_else(campaign, kind):
    waits = outbox.ClaimedMessage(new_id(), kind, None, outbox.Recipient("ada@example.org", "en"), utcnow(), utcnow())
    link = f"https://{'long.' * 40}example.org/confirm/{'x' * 43}"
    with campaign.app.app_context():
        message = render_message(waits, waits.letter, link=link, sender="info@example.org")
    parsed = message_from_bytes(message.content, policy=policy.default)
    text, html = (parsed.get_body((part,)).get_content() for part in ("plain", "html"))
    assert (text.count(link), html.count(link), parsed.defects) == (1, 3, [])  # in HTML as a button, and to copy
    assert parsed.get_boundary() == "=_letter"
    assert max(map(len, message.content.split(b"\r\n"))) <= 78


def test_a_sender_at_an_international_domain_is_written_in_ascii(campaign):
    chosen = campaign.settings.model_copy(update={"mail_url": "smtp://127.0.0.1?from=info@bücher.example"})
    assert sender(chosen) == "info@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("public_url", "expected"),
    [("http://127.0.0.1:8000", "no-reply@localhost"), ("https://example.org", "no-reply@example.org")],
)
def test_the_sender_is_at_the_pages_own_host(campaign, public_url, expected):
    assert sender(campaign.settings.model_copy(update={"public_url": public_url})) == expected
