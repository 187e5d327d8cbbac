"""Channels as bytes: names, records, shards, repodata, publications, package files."""
