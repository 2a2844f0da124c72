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
            "She wins gold, and cannot embrace the woman she loves. Watch the film and ask the IOC to speak out."
        )
    else:
        text = gettext("She wins gold, and cannot embrace the woman she loves. Watch the film and pass it on.")
    return str(text)


def message(stage: PetitionStatus) -> str:
    """Return the default message to share along with the link."""
    return f"{description(stage)} #{HASHTAG}"


def image_text(stage: PetitionStatus, count: int) -> ImageText:
    """Return the text of the share card."""
    ask = gettext("Ask the International Olympic Committee to speak out.")
    return ImageText(
        language=i18n.get_language(),
        title=title(),
        question=str(gettext("What if living your dream meant living a lie?")),
        ask=str(ask if stage.is_open else gettext("Watch the film and pass it on.")),
        figure=_figure(at_least(count)),
    )


def _figure(count: int) -> str:
    if not count:
        return ""
    figure = format_decimal(count)
    return str(ngettext("Already %(shown)s signature", "Already %(shown)s signatures", count, shown=figure))
