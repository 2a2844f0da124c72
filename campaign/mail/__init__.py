"""Mail: one function a message, the outbox where they wait, and the worker that empties it."""
