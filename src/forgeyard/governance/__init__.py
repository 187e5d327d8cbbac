"""Who may do what, and what was done: actors, permissions, tokens, the journal."""
