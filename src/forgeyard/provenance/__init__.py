"""How an artifact came to be: locks, and statements about it."""
