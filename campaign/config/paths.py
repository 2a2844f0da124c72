"""Where the code's own files are, in a checkout and in an installed package."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent.parent
ROOT = PACKAGE.parent  # of a checkout
MIGRATIONS = PACKAGE / "migrations"
TRANSLATIONS = PACKAGE / "translations"
FONTS = PACKAGE / "fonts"


def _data_dir(name: str) -> Path:
    """Return `name` in the package, where a wheel has it, or at the top of the checkout."""
    packaged = PACKAGE / name
    return packaged if packaged.is_dir() else ROOT / name


TEMPLATES = _data_dir("templates")
STATIC = _data_dir("static")
