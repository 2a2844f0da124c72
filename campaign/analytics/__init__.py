"""Anonymous hourly counters: page views, film views, shares."""
