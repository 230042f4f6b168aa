"""The two failures a user meets, and the exit codes they end with."""


class UserError(Exception):
    """Something the user can put right. The message is one line that says what to do; commands exit with 2."""


class TrainingError(Exception):
    """A run that cannot go on (NaN loss, too many broken images). Commands exit with 1."""
