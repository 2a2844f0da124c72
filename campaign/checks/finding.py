"""A finding of a check."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault: `what` it is, `why` it matters, and the command or setting that mends it (`fix`).

    With an error, the campaign does not work or people are in danger; a warning may be accepted.
    """

    level: Literal["error", "warning"]
    what: str
    why: str
    fix: str
