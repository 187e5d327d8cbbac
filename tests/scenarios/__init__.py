"""Named worlds, shared by tests and screenshots."""
