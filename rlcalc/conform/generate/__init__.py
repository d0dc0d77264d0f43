"""Generated cases: drafts of exact inputs, the numbers they are made of, drawing, search and shrinking."""
