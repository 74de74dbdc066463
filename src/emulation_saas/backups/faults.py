"""What can go wrong with backups, in words for the person who wants one."""


class BackupError(Exception):
    """A backup could not be taken, kept or restored; the message says why and what to do."""


class OtherServerError(BackupError):
    """The directory holds the backups of another server; trying again will not mend that."""
