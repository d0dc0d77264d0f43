"""The shown working: terms, the derivation that they make, and its printers."""
