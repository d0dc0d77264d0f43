"""Services for people who study: is my answer right, which mistake did I make, give me exercises.

answers     a typed answer against the exact one
mistakes    what gives a wrong answer: known bugs, conventions, another input
"""
