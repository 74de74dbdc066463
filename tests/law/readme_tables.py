"""The README's tables, made from the code: settings, limits, problem codes, event types.

`python -m tests.law.readme_tables` writes them anew; a test demands that they stand there as made.
"""

import ast
import importlib
import pkgutil
from itertools import pairwise
from pathlib import Path
from typing import Final

import emulation_saas
from emulation_saas.http.refusals import status_of
from emulation_saas.kernel.rejections import Rejection
from emulation_saas.settings import settings_table
from emulation_saas.wiring import EVENT_TYPES

README: Final = Path(__file__).parents[2] / "README.md"
LIMITS: Final = (
    "emulation_saas.http.limits",
    "emulation_saas.log.codec",
    "emulation_saas.log.batch",
    "emulation_saas.ballots.papers",
    "emulation_saas.years.schemes",
    "emulation_saas.disputes.docket",
    "emulation_saas.projecting.explaining",
    "emulation_saas.projecting.comparing",
    "emulation_saas.projecting.suppositions",
    "emulation_saas.streams.consumers",
    "emulation_saas.webhooks.use_cases",
    "emulation_saas.webhooks.destinations",
    "emulation_saas.webhooks.courier",
    "emulation_saas.webhooks.sender",
    "emulation_saas.streams.sights",
    "emulation_saas.streams.pages",
    "emulation_saas.operating.counting",
)


def tables() -> dict[str, str]:
    """Return each table's text by the name of its mark."""
    return {"settings": _settings(), "limits": _limits(), "codes": _codes(), "types": _types()}


def written(text: str) -> str:
    """Return the README's text with all tables as they must stand."""
    for name, table in tables().items():
        mark = f"<!-- {name} -->"
        before, _, rest = text.partition(mark)
        _, _, after = rest.partition("\n\n##")
        tail = f"\n\n##{after}" if after else "\n"
        text = f"{before}{mark}\n{table}{tail}"
    return text


def every_rejection() -> list[type[Rejection]]:
    """Return every rejection of the service that has a code, by code."""
    for module in pkgutil.walk_packages(emulation_saas.__path__, "emulation_saas."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[str, type[Rejection]] = {}
    waiting = list(Rejection.__subclasses__())
    while waiting:
        each = waiting.pop()
        waiting += each.__subclasses__()
        if "code" in vars(each) and each.__module__.startswith("emulation_saas."):
            found[each.code] = each
    return [found[code] for code in sorted(found)]


def _settings() -> str:
    rows = [
        f"| `{each.variable}` | {f'`{each.default}`' if each.default else ''} | {each.meaning} |"
        for each in settings_table()
    ]
    return "\n".join(["| variable | default | meaning |", "|---|---|---|", *rows])


def _limits() -> str:
    rows = ["| limit | value | meaning |", "|---|---|---|"]
    for name in LIMITS:
        module = importlib.import_module(name)
        body = ast.parse(Path(module.__file__ or "").read_text(encoding="utf-8")).body
        for statement, following in pairwise(body):
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                continue
            limit = statement.target.id
            if limit.startswith("_") or not limit.endswith(("_MAX", "_S")):
                continue
            meaning = following.value if isinstance(following, ast.Expr) else None
            told = meaning.value if isinstance(meaning, ast.Constant) else ""
            rows.append(f"| `{limit}` | {getattr(module, limit):,} | {' '.join(str(told).split())} |")
    return "\n".join(rows)


def _codes() -> str:
    rows = [f"| `{each.code}` | {status_of(each.__new__(each))} | {each.title()} |" for each in every_rejection()]
    return "\n".join(["| code | status | meaning |", "|---|---|---|", *rows])


def _types() -> str:
    rows = [
        f"| `{each.type}` | {each.visibility.value} | {(each.__doc__ or '').strip().splitlines()[0]} |"
        for each in sorted(EVENT_TYPES, key=lambda each: each.type)
    ]
    return "\n".join(["| type | who may read it | what happened |", "|---|---|---|", *rows])


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
