"""The campaign site of "Love Always Wins": the film, the petition, sharing, and the organisers' area."""

__version__ = "0.2.0"
