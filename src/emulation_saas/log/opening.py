"""Opening a province's log: its handle, its key, its first events, in one transaction."""

import base64
import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import uuid4

import asyncpg
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from emulation_saas.kernel.ids import ProvinceId
from emulation_saas.kernel.use_cases import Acting
from emulation_saas.log.codec import Codec, Place
from emulation_saas.log.events import LogOpened
from emulation_saas.log.faults import ClockWrongError
from emulation_saas.log.frontier import Frontier, leaf_hash
from emulation_saas.log.reading import STATEMENTS
from emulation_saas.postgres.database import Database

FORMAT: Final = "emulation-log.v1"
_ED25519: Final = b"\x01"


@dataclass(frozen=True)
class LogKey:
    """The key that a log is opened with: its public half as C2SP writes it, and its seed."""

    vkey: str
    seed: bytes


def make_log_key(origin: str) -> LogKey:
    """Make an Ed25519 key named after the log's origin (C2SP signed-note)."""
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key_id = hashlib.sha256(origin.encode() + b"\n" + _ED25519 + public).digest()[:4]
    encoded = base64.b64encode(_ED25519 + public).decode()
    return LogKey(f"{origin}+{key_id.hex()}+{encoded}", private.private_bytes_raw())


async def open_log(
    database: Database, codec: Codec, *, handle: str, origin: str, acting: Acting, now: datetime
) -> ProvinceId | None:
    """Register a handle and write position 1 of its log.

    Args:
        database: where.
        codec: how events are written.
        handle: the province's permanent handle.
        origin: the setting under which logs are known, whatever the host is called.
        acting: who opens it.
        now: this machine's clock.

    Returns:
        The new province; None when the handle is taken.

    Raises:
        ClockWrongError: this machine's clock is wrong; nothing was registered.
    """
    province = ProvinceId(uuid4())
    key = make_log_key(f"{origin}/log/{province}")
    async with database.in_province_keys(province) as connection:
        await connection.execute(STATEMENTS["keep_log_key"], province, key.vkey, key.seed)
    opened = LogOpened(format=FORMAT, origin=f"{origin}/log/{province}", vkey=key.vkey)
    place = Place(
        province=province,
        position=1,
        recorded_at=now,
        time=None,
        actor=acting.person,
        command_id=uuid4(),
        salt=secrets.token_bytes(16),
    )
    body = codec.encode(opened, place, None)
    hashed = leaf_hash(body)
    frontier = Frontier()
    frontier.append(hashed)
    try:
        async with database.in_province(province) as connection:
            await connection.execute(STATEMENTS["register_province"], handle, province)
            written = await connection.fetchval(
                STATEMENTS["open_log"],
                province,
                now,
                frontier.peaks,
                frontier.root(),
                opened.type,
                body,
                hashed,
                opened.tags(),
            )
            if written is None:
                raise ClockWrongError
    except asyncpg.UniqueViolationError:  # by the handle: everything else here is new
        return None
    return province
