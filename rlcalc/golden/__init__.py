"""Certified test vectors as files: read, certify, verify, report, export."""
