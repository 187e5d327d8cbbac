"""What turns an attempt into a running process: one package per executor (DESIGN §5)."""
