"""2xx: will the fields match the traffic that their author has in mind?"""
