"""The statements of the lecture, one module for each part of a chapter."""
