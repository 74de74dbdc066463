"""Where to look further once the year is shown: links, subjects, and how anybody checks it all for himself."""

import shlex
import sys
from pathlib import Path

from emulation_saas.demo.account import Account
from emulation_saas.demo.illustrations import Illustrations
from emulation_saas.demo.scene import ADMIN, AUDITOR, COUNCIL_MEMBER, INTEGRATOR, SECRETARY, representative
from emulation_saas.serving import LOCAL_OPERATOR


def dossier_path(account: Account, data: Path) -> Path:
    """Return where the dossier of the dispute is kept."""
    return data / f"dossier-{account.dispute.dispute}.tar"


def later(account: Account, data: Path) -> str:
    """Return where to look further once the service has stopped."""
    return "\n".join(
        [
            "\nXem thêm (look further)",
            f"  {_program()} serve --data {_quoted(data)}",
            *_checks(account, data),
            "",
        ]
    )


def onward(account: Account, made: Illustrations, *, url: str, data: Path, log: Path) -> str:
    """Return where to look further while the service runs.

    Args:
        account: what was shown.
        made: its handles.
        url: where the service is.
        data: the data directory.
        log: the file of the service's own log.
    """
    province, bloc = f"{url}/v1/provinces/{made.province.province}", f"/blocs/{made.bloc}"
    standings = f"{bloc}/years/2023/standings"
    links = [
        f"{url}/schema",
        f"{province}{bloc}",
        f"{province}{standings}",
        f"{province}{bloc}/years/2023/nominations",
        f"{province}{bloc}/years/2024/ballots/{made.ballots.roll_call.ballot}/tally",
        f"{province}{bloc}/years/2024/pledge",
        f"{province}{bloc}/years/2023/timeline",
    ]
    audited = [
        f"{province}/explain?path={standings}&figure={account.explained.figure}",
        f"{province}{bloc}/years/2023/disputes/{account.dispute.dispute}",
        f"{province}{bloc}/years/2023/disputes/{account.dispute.dispute}/dossier",
        f"{province}/log/checkpoint",
    ]
    waits = representative(made.roll_call_waits_for)
    return "\n".join(
        [
            "\nXem thêm (look further)",
            *(f"  {link}" for link in links),
            f"  nhật ký của dịch vụ (the service's own log): {log}",
            f"  TOKEN=$({_program()} token {ADMIN} --data {_quoted(data)})",
            f'  curl -H "Authorization: Bearer $TOKEN" {links[2]}',
            f"  tài khoản khác (other subjects): {SECRETARY}, {COUNCIL_MEMBER}, {waits}, {LOCAL_OPERATOR}",
            "\nTích hợp (integrate)",
            f"  TOKEN=$({_program()} token {INTEGRATOR} --data {_quoted(data)})",
            f'  curl -N -H "Authorization: Bearer $TOKEN" -H "Accept: text/event-stream" {province}/events',
            "\nTự kiểm tra (check us)",
            f"  TOKEN=$({_program()} token {AUDITOR} --data {_quoted(data)})",
            *(f'  curl -H "Authorization: Bearer $TOKEN" {shlex.quote(link)}' for link in [links[2], *audited]),
            f"  {_program()} export {made.province.province} --url {url} --token $TOKEN --out {_export(data)}",
            f"  {_program()} verify export {_export(data)} --vkey {_key(account)}",
            *_checks(account, data),
            "",
        ]
    )


def _checks(account: Account, data: Path) -> list[str]:
    path = _quoted(dossier_path(account, data))
    return [
        f"  hồ sơ kiến nghị (dossier): {path}",
        f"  {_program()} verify dossier {path} --vkey {_key(account)}",
    ]


def _key(account: Account) -> str:
    return shlex.quote(account.signed.signed_by[0])


def _export(data: Path) -> str:
    return _quoted(data / "export.tar")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _program() -> str:
    name = Path(sys.argv[0]).name
    return shlex.quote(sys.argv[0]) if name == "emulation-saas" else "emulation-saas"
