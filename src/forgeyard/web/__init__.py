"""The yard over HTTP: API, pages and the bytes of channels.  A thin face over actions."""
