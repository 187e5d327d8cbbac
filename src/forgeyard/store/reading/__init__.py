"""Read queries for pages and API: each returns values, ready to be shown."""
