"""Sharing: share links for each channel, and how often they are used."""
