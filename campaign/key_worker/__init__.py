"""All that needs a private key: done in a process of its own, which is over with it."""
