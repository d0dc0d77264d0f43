"""The project below is a user's; a test copies it elsewhere and runs it there."""

collect_ignore = ["project"]
