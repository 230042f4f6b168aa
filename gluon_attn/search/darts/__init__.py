"""Gradient searches, DARTS and its descendants: supernets of mixed operations, and the architecture step."""
