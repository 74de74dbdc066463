"""The dossier of a dispute over HTTP."""

from typing import Final

from litestar import get
from litestar.di import NamedDependency
from litestar.params import FromPath

from emulation_saas.audit.dossiers import Documents, dossier
from emulation_saas.audit.export_routes import TAR
from emulation_saas.audit.routes import sees
from emulation_saas.audit.signing import Signer
from emulation_saas.http.answers import ANSWERS, Answer
from emulation_saas.kernel.authority import Authority
from emulation_saas.log import ProvinceLog

_TAR: Final = (b"content-type", TAR.encode())
_REVALIDATE: Final = (b"cache-control", b"private, no-cache")
_VARY: Final = (b"vary", b"authorization")


@get(
    "/blocs/{bloc:str}/years/{year:int}/disputes/{dispute:str}/dossier",
    summary="The dossier of a dispute as one file",
    media_type=TAR,
    opt={ANSWERS: {TAR: {"type": "string", "format": "binary"}}},
)
async def read_dossier(
    bloc: FromPath[str],
    year: FromPath[int],
    dispute: FromPath[str],
    log: NamedDependency[ProvinceLog],
    authority: NamedDependency[Authority],
    signer: NamedDependency[Signer],
    reader: NamedDependency[Documents],
) -> Answer:
    """Return a tar with the events in question, proofs, checkpoint, and the standings before and after, for offline."""
    size, whole = await dossier(
        signer=signer,
        documents=reader,
        log=log,
        may=authority,
        year=f"/blocs/{bloc}/years/{year}",
        dispute=dispute,
        sees=lambda entry: sees(log, authority, entry),
    )
    headers = [_TAR, _REVALIDATE, _VARY, (b"log-position", b"%d" % size)]
    return Answer(whole, status=200, headers=headers)


ROUTES = (read_dossier,)
