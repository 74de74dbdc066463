"""What can go wrong for who follows a log.

::

    ClientError
      ├─ MissingPositionError     a position was left out: stop, and tell whoever runs the service
      ├─ RepeatedPositionError    a position came again, or out of order: likewise
      ├─ LogGapError              the service itself says that a position is missing
      ├─ MovedError               somebody else reads as the same consumer
      ├─ CursorBeyondHeadError    the log is not the one that was read before
      ├─ MalformedError           the answer is not what the interface says
      ├─ UnauthorizedError        the token is not accepted
      ├─ RefusedError             the service refuses for another reason, which it names
      ├─ UnreachableError         nobody answered for as long as the caller was willing to wait
      └─ SignatureError           a webhook's delivery cannot be trusted

What passes by itself is none of them: lost connections, busy services and restarts are waited out.
"""


class ClientError(Exception):
    """Something that following on would not mend."""


class MissingPositionError(ClientError):
    """After one position came a later one than the next, though every event can be seen."""

    def __init__(self, expected: int, came: int) -> None:
        """Say which position was left out."""
        super().__init__(f"position {expected} is missing: {came} came in its place")
        self.expected = expected
        self.came = came


class RepeatedPositionError(ClientError):
    """A position came that had come already, or that a later one had passed."""

    def __init__(self, after: int, came: int) -> None:
        """Say which position came when."""
        super().__init__(f"position {came} came after {after}")
        self.after = after
        self.came = came


class LogGapError(ClientError):
    """The service itself found that its log lacks a position, and stopped there."""


class MovedError(ClientError):
    """The service keeps the consumer elsewhere than it was left: somebody else reads as the same one, or moved it."""

    def __init__(self, left_at: int, found_at: int) -> None:
        """Say where it was left and found."""
        super().__init__(f"the consumer was left at {left_at} and stands at {found_at}")
        self.left_at = left_at
        self.found_at = found_at


class MalformedError(ClientError):
    """The answer is not what the interface says; something else may be answering, such as a proxy."""


class RefusedError(ClientError):
    """The service refuses, and would refuse again."""

    def __init__(self, status: int, code: str, title: str) -> None:
        """Take the status, and the code and title of the problem document; empty when there was none."""
        super().__init__(f"{status} {code}: {title}" if code else f"HTTP status {status}")
        self.status = status
        self.code = code


class UnauthorizedError(RefusedError):
    """The token is not accepted."""


class CursorBeyondHeadError(RefusedError):
    """The log is shorter than what was read of it: it was restored from a backup, or is another one.

    Do not read on: ask for a consistency proof between the head you remember and the log's.
    """


class UnreachableError(ClientError):
    """There was no answer for as long as one was waited for."""


class SignatureError(ClientError):
    """The delivery was not signed by one of the keys, or not lately."""
