"""The languages of the campaign, by their ISO 639-1 codes."""

LANGUAGES = ("en", "ru", "fr", "es", "pt", "de", "it", "nl", "ar")
DEFAULT_LANGUAGE = "en"
