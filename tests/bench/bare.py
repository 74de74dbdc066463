"""The limit for votes over HTTP: the same server and framework, the same body read and the same answer, at once.

No token, no province, no decision, no log. By `--surrounded`, with what the service has around every request too (its
request id, limits, security headers, log line), so that one sees what that costs.
"""

import argparse
import sys
from typing import Any, Final

import msgspec
from litestar import Litestar, post
from litestar.params import FromPath, JSONBody

from emulation_saas.ballots.routes import VoteBody
from emulation_saas.http.answers import CommandAnswer
from emulation_saas.http.application import Service
from emulation_saas.http.exchange import Exchange
from emulation_saas.http.health import live
from emulation_saas.http.problems import exception_handlers
from emulation_saas.http.requests import StrictRequest
from emulation_saas.http.server import serve
from emulation_saas.log import Accepted
from tests.bench.payload import EVENT_BODY

_ACCEPTED: Final = Accepted(5_000, [msgspec.Raw(EVENT_BODY)])


@post("/v1/provinces/{province:str}/blocs/{bloc:str}/years/{year:int}/ballots/{ballot:str}/votes")
async def answer_at_once(
    province: FromPath[str],  # noqa: ARG001 - read as the service's route reads it
    bloc: FromPath[str],  # noqa: ARG001 - likewise
    year: FromPath[int],  # noqa: ARG001 - likewise
    ballot: FromPath[str],  # noqa: ARG001 - likewise
    data: JSONBody[VoteBody],  # noqa: ARG001 - likewise
) -> Accepted:
    """Answer as a vote is answered."""
    return _ACCEPTED


class Bare(Litestar):
    """The framework alone, with the headers read as the strict body needs them."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - the server's ASGI types
        """Answer one request."""
        if scope["type"] == "http":
            exchange = Exchange()
            exchange.read_headers(scope["headers"])
            scope.setdefault("state", {})["exchange"] = exchange
        await super().__call__(scope, receive, send)


def main() -> int:
    """Serve on an inherited socket."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--surrounded", action="store_true")
    options = parser.parse_args()
    application = Service if options.surrounded else Bare

    def app() -> Litestar:
        return application(
            route_handlers=[answer_at_once, live],
            request_class=StrictRequest,
            response_class=CommandAnswer,
            exception_handlers=exception_handlers(),
            openapi_config=None,
            logging_config=None,
            debug=False,
        )

    return serve(app, fd=options.fd)


if __name__ == "__main__":
    sys.exit(main())
