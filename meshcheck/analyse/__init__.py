"""Questions about all calls at once: sets of requests, assertions, differences between two Worlds."""
