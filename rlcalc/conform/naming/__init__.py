"""What a wrong answer says about the code that gave it: explanations, constants, and proofs of a name."""
