"""Foundations that every package uses: database, logging, files, text, fonts, limits on slow work."""
