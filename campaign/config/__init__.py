"""Settings, and the checks that validate them."""
