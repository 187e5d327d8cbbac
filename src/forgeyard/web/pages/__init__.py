"""Server-rendered pages; live where something moves, readable without scripts."""
