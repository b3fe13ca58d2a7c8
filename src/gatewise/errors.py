"""The one exception that users are meant to read."""


class GatewiseError(Exception):
    """Something the user can mend; the message says what is wrong, where, and what to do.

    Entry points (`pipeline/`, `gatewise`) print the message without a traceback and exit
    with status 1. Anything else that escapes is a bug and keeps its traceback.
    """
