"""PostgreSQL: which server and roles are accepted, the schema's migrations, and the embedded server.

Every connection logs in as its own role (`server`): the base URL names none. Knows no province and no capability.
"""
