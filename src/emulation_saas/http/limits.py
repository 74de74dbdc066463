"""How much one request may ask of the service: each limit once, here, and in the README's table."""

from typing import Final

BODY_BYTES_MAX: Final = 262_144
"""A command's body: 256 KiB, enough for the longest text an event may hold in any escaping."""
DEPTH_MAX: Final = 32
"""Objects and arrays inside each other. The deepest body of ours has six."""
HEADER_BYTES_MAX: Final = 32_768
"""All header names and values of a request."""
TARGET_BYTES_MAX: Final = 8_192
"""Path and query."""
TOKEN_BYTES_MAX: Final = 8_192
"""A bearer token."""
IDEMPOTENCY_KEY_MAX: Final = 200
"""Visible ASCII characters of an Idempotency-Key."""
PAGE_DEFAULT: Final = 100
"""Items of a list when the caller names no limit."""
PAGE_MAX: Final = 1_000
"""Items of a list at most."""
CURSOR_CHARS_MAX: Final = 512
"""A cursor, as given back by the caller."""
REQUEST_TIMEOUT_S: Final = 30.0
"""From a request's head to its answer's last byte, streams excepted; for a body that does not come, too."""
PIECE_TIMEOUT_S: Final = 30.0
"""For the caller to take a piece of a stream; who reads nothing for so long is let go."""
STREAMS_PER_PERSON_MAX: Final = 50
"""Streams and waiting requests for events that one person may have open with one worker, in one province."""
STREAMS_PER_PROVINCE_MAX: Final = 1_500
"""The same of one province: what is left is for the others."""
STREAMS_MAX: Final = 2_000
"""The same of everybody together. They do not count as requests in flight."""
WAIT_MAX_S: Final = 30
"""How long a request for events may wait for one."""
STREAM_MAX_S: Final = 900
"""After which a stream of events ends and is to be taken up again, with a token that is still good; some end sooner, so
that not all come back at once."""
REQUESTS_PER_PROVINCE_MAX: Final = 500
"""Requests of one province that one worker handles at a time, those whose commands wait to be decided among them: what
is left is for the others."""
REQUESTS_PER_PERSON_MAX: Final = 100
"""The same of one person."""
QUESTIONS_MAX: Final = 2
"""Questions that fold a log anew (the past, why, what if) which one worker answers at a time, one of them of each
province: some take seconds."""
QUESTION_WAIT_MAX_S: Final = 5.0
"""How long such a question waits for others of its province."""
BURST_S: Final = 0.1
"""Requests of so many seconds, and one at least, may come at once; a longer burst would be noticed by all others."""
TURN_MAX_S: Final = 1.0
"""Who asks faster than he may waits for his turn, at most so long; then he is refused, and told when to come back."""
REQUESTS_IN_FLIGHT_MAX: Final = 1_000
"""Requests one worker handles at a time; more are told to come back."""
GRACEFUL_STOP_S: Final = 6
"""What requests in flight get at a stop, so that hooks have run and a process is gone within ten seconds."""
