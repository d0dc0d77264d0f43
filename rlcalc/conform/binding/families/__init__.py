"""Formulas with inputs of one sort: what their places may be, how arrays are laid out and probed."""
