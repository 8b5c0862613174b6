"""Makes `tests` importable as a package from every test, wherever pytest is started."""
