"""Importing a film with ffmpeg: probe, encode, posters, HLS, publish."""
