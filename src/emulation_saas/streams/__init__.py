"""Streams: a province's log for integrators, in order, from any position, skipping nothing.

Design
------
::

    log ──▶ tails: one read a process and province, for all who follow it    subscribers: who they are, where they stand
              └─▶ pages: what one reader sees of a span of positions         sights, pages
                    ├─▶ feed       a page, lines, Server-Sent Events; the reader keeps the position   feed, lines, sse
                    ├─▶ consumers  the same; the service keeps the position
                    ├─▶ webhooks   posted to a URL
                    └─▶ bridges    published to a broker                      cursors: one row each

Rules that every change here must keep:

* There is no queue: whoever is sent events has a cursor into the log, and may be sent again what lies behind it.
* A cursor moves only once what lies before it has been taken, and only from where it was thought to stand.
* The stored bytes are sent, never encoded again.
* Who may see what is judged for each page anew. What is hidden moves the position and does nothing else.
* A position that is missing stops the stream aloud (`LogGapError`); nobody reads around it.
"""
