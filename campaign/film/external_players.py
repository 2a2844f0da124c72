"""Films that play from YouTube or Vimeo: which address to frame, and which one to link to."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ExternalPlayer:
    """A film on another site. `host` is the only host that a visitor's browser connects to."""

    site: str
    host: str
    frame: str
    link: str


def external_player(setting: str) -> ExternalPlayer | None:
    """Return what `youtube:ID`, `vimeo:ID` or `vimeo:ID/HASH` (an unlisted film) names, or None for any other text."""
    site, _, film = setting.partition(":")
    if site == "youtube":
        return _youtube(film)
    return _vimeo(film) if site == "vimeo" else None


def _youtube(film: str) -> ExternalPlayer:
    # The host without cookies until the film plays (support.google.com, "Embed videos").
    host = "www.youtube-nocookie.com"
    frame = f"https://{host}/embed/{film}?autoplay=1&rel=0&playsinline=1"
    return ExternalPlayer("YouTube", host, frame, f"https://www.youtube.com/watch?v={film}")


def _vimeo(film: str) -> ExternalPlayer:
    # `dnt` asks Vimeo to track nothing (developer.vimeo.com, "Player embed options").
    number, _, unlisted = film.partition("/")
    secret = f"&h={unlisted}" if unlisted else ""
    host = "player.vimeo.com"
    return ExternalPlayer(
        "Vimeo", host, f"https://{host}/video/{number}?dnt=1&autoplay=1{secret}", f"https://vimeo.com/{film}"
    )
