"""Sources: one provider per kind of place, one rule for all: the sha256 decides."""
