"""The text of cards and posters. It is separate from the rendering code, which takes 0.4 s and 40 MB to import."""

from dataclasses import dataclass

# Open Graph defines no size; the link preview guides of Facebook and LinkedIn recommend this one.
CARD_SIZE = (1200, 630)  # pixels


@dataclass(frozen=True, slots=True)
class ImageText:
    """What a card or a poster says, in one language; `figure` is the number of signatures, "" while that is small."""

    language: str
    title: str
    question: str
    ask: str
    figure: str

    @property
    def is_rtl(self) -> bool:
        """Whether the language is written from right to left."""
        return self.language == "ar"
