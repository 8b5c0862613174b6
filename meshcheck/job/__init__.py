"""One pass, or an endless watch, inside a cluster: report, metrics, events."""
