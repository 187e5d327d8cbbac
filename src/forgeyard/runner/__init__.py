"""What runs on the build machine: from a job to its result (DESIGN §5)."""
