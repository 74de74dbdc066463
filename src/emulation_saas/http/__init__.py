"""HTTP: what is the same for every route, so that a route only parses, executes and answers.

::

    request ─▶ application   id, limits, deadline, security headers, log line       exchange, limits, logs
                ├─ acting    token ─▶ caller ─▶ person ─▶ authority in the province  tokens, keys, local_issuer
                ├─ requests  body in one spelling, decoded by the route's own type   strict_json, bodies
                ├─ (route)   a capability's command, or a view of a projection       paging
                ├─ answers   the stored bytes, their position
                └─ problems  every refusal, in the caller's language                 refusals, languages, catalogue/
    also: openapi and reference (the description of all this, at /schema), health, server (one worker)

Rules that every change here must keep:

* Who asks is settled before anything of the request's body is read; a caller without a role in a province learns
  nothing of it, not even that it exists.
* Province and caller come from the path and the token, never from another header.
* What is fingerprinted for idempotency is what was obeyed: both are the canonical spelling of the body.
* A refusal shows its code, its title and what is the caller's own; what we did not foresee shows nothing.
* This package knows no capability.
"""
