"""Checks how crawlers of social networks read the page."""
