"""Generated cases: drafts, number pools, decision processes, token runs, shrinking."""
