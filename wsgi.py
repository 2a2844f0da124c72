"""What a WSGI server serves: `wsgi:app`."""

from campaign.app import serve

app = serve()
