"""What the views answer, one module a route's resource: rows in keyset pages, seals opened as they are read."""
