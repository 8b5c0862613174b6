"""What a browser makes of a call that a page of another origin makes.

requests.py  whether it asks first (preflight), and how
checks.py    whether it lets the page see the answer, and what its console says
"""
