"""6xx: which component enforces in ambient mode, and is it there?"""
