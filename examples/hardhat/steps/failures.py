"""Failures that are the user's to mend: one clear line, exit code 2, no stack trace."""

EXIT_BAD_INPUT = 2


class StepFailure(Exception):
    """The message says what is wrong, where, and what to do."""
