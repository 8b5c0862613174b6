"""From a verdict to what a person does next: ranked causes, near misses, and changes that let the call through.

causes.py   what would have to be otherwise, likeliest first
traps.py    known mistakes in what a field wants: `spiffe://`, a star in the middle, the Service's port
fixes.py    smallest changes, each tried out before it is offered
"""
