"""What can go wrong with the embedded database, in words for the person who started it."""


class EmbeddedPostgresError(Exception):
    """The embedded database cannot run here; the message says why and what to do."""


class AlreadyRunsError(EmbeddedPostgresError):
    """Another server runs on the data directory."""
