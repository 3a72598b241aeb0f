"""The command line: one module per verb, each with HINT, `add_arguments` and `run`.

Importing this room is cheap; a verb imports what it needs when it runs.
"""
