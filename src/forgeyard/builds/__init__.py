"""Builds, attempts and their states; what happens next is decided here (DESIGN §4)."""
