"""One connection to a broker, driven in the caller's thread: to receive, or to publish."""
