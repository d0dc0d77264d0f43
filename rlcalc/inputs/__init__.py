"""From what a user gave to checked values: bind, read, check domains, convert to arrays."""
