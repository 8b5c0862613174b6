"""3xx: what does the whole set of policies do?"""
