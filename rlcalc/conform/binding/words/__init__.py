"""What names say: of a function, of its class, of its parameters."""
