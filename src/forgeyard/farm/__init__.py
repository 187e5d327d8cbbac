"""The farm: pools of runners, what they offer, and which build goes where (DESIGN §5)."""
