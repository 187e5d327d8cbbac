"""The daemon: loops over actions that keep a yard going."""
