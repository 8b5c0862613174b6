"""meshcheck: why does this call get a 403, and what change would let it through?"""

__version__ = "0.1.0"
