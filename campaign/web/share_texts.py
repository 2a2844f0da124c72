"""Texts for sharing, in the language of the request."""

from flask_babel import format_decimal, gettext, ngettext

from campaign.petition.goals import at_least
from campaign.petition.status import PetitionStatus
from campaign.sharing.channels import HASHTAG
from campaign.sharing.images.content import ImageText
from campaign.web import i18n


def title() -> str:
    """Return the campaign's name."""
    return str(gettext("Love Always Wins"))


def description(stage: PetitionStatus) -> str:
    """Return a description of the campaign in two sentences."""
    if stage.is_open:
        text = gettext(
            "She wins gold and can’t embrace the woman she loves. Watch the film and call on the IOC to speak out."
        )
    else:
        text = gettext("She wins gold and can’t embrace the woman she loves. Watch the film and share it.")
    return str(text)


def message(stage: PetitionStatus, *, has_signed: bool) -> str:
    """Return the default message to share along with the link, in the words of somebody who `has_signed` or has not."""
    if not stage.is_open:
        text = gettext(
            "This film stays with me: she wins gold and can’t embrace the woman she loves. Watch it and share it."
        )
    elif has_signed:
        text = gettext(
            "I’ve just called on the IOC to speak out. She wins gold in Sochi and can’t embrace the woman she loves. "
            "Watch the film and add your name."
        )
    else:
        text = gettext(
            "I want the IOC to speak out against discrimination before the Games in Sochi. Watch “Love Always Wins” "
            "and sign with me."
        )
    return f"{text} #{HASHTAG}"


def image_text(stage: PetitionStatus, count: int) -> ImageText:
    """Return the text of the share card."""
    ask = gettext("Call on the International Olympic Committee to speak out.")
    return ImageText(
        language=i18n.get_language(),
        title=title(),
        question=str(gettext("What if living your dream meant living a lie?")),
        ask=str(ask if stage.is_open else gettext("Watch the film and share it.")),
        figure=_figure(at_least(count)),
    )


def _figure(count: int) -> str:
    if not count:
        return ""
    figure = format_decimal(count)
    return str(ngettext("%(shown)s signature so far", "%(shown)s signatures so far", count, shown=figure))
