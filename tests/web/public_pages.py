"""Every page that anybody can come to, in a language of choice."""

from datetime import date

from campaign.core.database import db
from campaign.petition.status import close, deliver, reopen
from tests.conftest import Campaign
from tests.personas import FROM_OUR_PAGE
from tests.web.admin.admin_pages import every_room

DAY = date(2013, 12, 10)


def every_page(campaign: Campaign, language: str) -> dict[str, str]:
    """Return the pages of a fresh `campaign` by a name of each."""
    signer = campaign.persona("Ada", email="ada@example.org", lang=language)
    receipt = campaign.persona("Olga", email="olga@example.org", lang=language, show_name="1", updates="1").confirms()
    signer.signs()
    link = signer.link()

    def at(path: str) -> str:
        return campaign.client.get(path, headers={"Accept-Language": language}).text

    wrong_link = campaign.client.post("/link", data={"lang": language}, headers=FROM_OUR_PAGE)
    pages = {"page": at(f"/{language}/"), "thanks": at(f"/{language}/thanks"), "confirm": at(link)}
    pages |= {
        "withdraw": at(f"{receipt}/withdraw"),
        "receipt": at(receipt),
        "privacy": at(f"/{language}/privacy"),
        "link sent": at(f"/{language}/link-sent"),
    }
    pages |= {"mistakes": signer.posts(email="typo", country="").text, "wrong link form": wrong_link.text}
    pages |= {"mastodon": at(f"/{language}/mastodon"), "embed": at(f"/{language}/embed")}
    pages["wrong instance"] = campaign.client.post(f"/{language}/mastodon", headers=FROM_OUR_PAGE).text
    pages |= {"nothing": at("/nothing"), "failed link": at("/confirm/abc")}
    with campaign.app.app_context():
        close(db.session)
    pages |= {"closed": at(f"/{language}/"), "closed embed": at(f"/{language}/embed"), "closed receipt": at(receipt)}
    with campaign.app.app_context():
        deliver(db.session, DAY)
    pages |= {
        "withdraw after delivery": at(f"{receipt}/withdraw"),
        "erase": at(f"{link}/withdraw".replace("confirm", "receipt")),
    }
    pages |= {"delivered": at(f"/{language}/"), "too late": at(link), "thanks too late": at(f"/{language}/thanks")}
    with campaign.app.app_context():
        reopen(db.session)
    campaign.command("bot-check", "on")
    pages |= {"bot check": at(f"/{language}/"), "wait": signer.posts().text}
    pages["refused"] = campaign.client.post(f"{link}/not-me", data={"lang": language}).text
    pages["erased"] = campaign.client.post(f"{receipt}/withdraw", data={"lang": language}).text
    campaign.command("bot-check", "off")
    return pages | every_room(campaign, language)
