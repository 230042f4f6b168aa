"""The errors that end a command with one line instead of a traceback."""

import errno

#: numbers of an `OSError` of a disk, or a quota, that is full
FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


class UserError(Exception):
    """Something that the user can correct. The message is one line that says what to do; commands exit with 2.

    A message that names an option writes `option NAME`; the command line replaces that by the flag.
    """


class TrainingError(Exception):
    """A run that cannot continue (NaN loss, too many unreadable images). Commands exit with 1."""


class WriteError(UserError):
    """A file or folder that cannot be written, which is as before. During training commands exit with 1."""


class PeerError(TrainingError):
    """Another process of the run has ended or cannot be reached.

    What MXNet was computing has failed in several of its threads at once, and it may crash when Python ends as usual:
    commands end at once with 1.
    """
