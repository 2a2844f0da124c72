"""Shares are counted by the hour, and a share that cannot be counted still goes through."""

from sqlalchemy import select, text

from campaign.db import db
from campaign.models import ShareTally


def test_shares_add_up(campaign):
    for channel in ("x", "x", "whatsapp"):
        campaign.client.get(f"/share/{channel}?lang=en")
    with campaign.app.app_context():
        tallies = db.session.execute(select(ShareTally.channel, ShareTally.language, ShareTally.shares)).all()
    assert sorted(tallies) == [("whatsapp", "en", 1), ("x", "en", 2)]


def test_a_share_goes_through_when_it_cannot_be_counted(campaign):
    with campaign.app.app_context():
        db.session.execute(text("DROP TABLE share_tallies"))
        db.session.commit()
    assert campaign.client.get("/share/x").status_code == 302
