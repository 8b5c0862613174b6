"""meshcheck against a second, slow and obvious evaluator."""
