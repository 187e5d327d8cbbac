"""The verbs.  Each takes an actor, checks a permission, changes the store in one
transaction and writes one journal entry; web, CLI and daemon call them alike.
"""
