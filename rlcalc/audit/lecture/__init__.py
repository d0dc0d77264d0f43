"""The statements of the lecture, one module a chapter and one for each worked example."""
