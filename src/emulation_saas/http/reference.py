"""The description as a page for people: one HTML document without scripts, so that nothing is loaded from anywhere."""

from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Any, Final

import msgspec

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1f}"
    "h2{margin-top:2.5rem;border-bottom:1px solid #ccc}summary{cursor:pointer;padding:.4rem 0}"
    "code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f4f6;padding:.8rem;overflow:auto}"
    ".m{display:inline-block;min-width:3.5rem;font-weight:700}table{border-collapse:collapse}"
    "td,th{text-align:left;padding:.2rem .8rem .2rem 0;vertical-align:top}"
)
_Json = dict[str, Any]


def policy() -> str:
    """Return the content security policy of the page: its own style, nothing else."""
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; frame-ancestors 'none'; base-uri 'none'"


class Reference:
    """Renders a description."""

    def __init__(self, description: _Json) -> None:
        """Take the completed OpenAPI document."""
        self._description = description
        self._schemas: _Json = description["components"]["schemas"]

    def page(self) -> str:
        """Return the page."""
        info = self._description["info"]
        operations = "".join(
            self._operation(path, method, operation)
            for path, methods in sorted(self._description["paths"].items())
            for method, operation in methods.items()
        )
        schemas = "".join(self._schema(name, schema) for name, schema in sorted(self._schemas.items()))
        title = escape(f"{info['title']} {info['version']}")
        return (
            '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>{title}</title><style>{_STYLE}</style></head><body><h1>{title}</h1>"
            f"<p>{escape(info.get('description', ''))}</p>"
            '<p><a href="/schema/openapi.json">openapi.json</a>; <a href="/asyncapi.json">asyncapi.json</a>; '
            '<a href="/schemas">schemas of events</a></p>'
            f"<h2>Operations</h2>{operations}<h2>Schemas</h2>{schemas}</body></html>"
        )

    def _operation(self, path: str, method: str, operation: _Json) -> str:
        parameters = "".join(
            f"<tr><td><code>{escape(each['name'])}</code></td><td>{escape(each['in'])}</td>"
            f"<td>{'required' if each.get('required') else ''}</td><td>{escape(each.get('description', ''))}</td></tr>"
            for each in operation.get("parameters", [])
        )
        responses = "".join(
            f"<tr><td>{escape(status)}</td><td>{escape(response['description'])}</td></tr>"
            for status, response in sorted(operation["responses"].items())
        )
        return (
            f'<details><summary><span class="m">{escape(method.upper())}</span><code>{escape(path)}</code> '
            f"{escape(operation.get('summary', ''))}</summary><p>{escape(operation.get('description', ''))}</p>"
            f"<table>{parameters}</table>{self._body(operation)}<table>{responses}</table></details>"
        )

    @staticmethod
    def _body(operation: _Json) -> str:
        media = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if media is None:
            return ""
        name = str(media["schema"].get("$ref", "")).rpartition("/")[2]
        example = escape(msgspec.json.format(msgspec.json.encode(media.get("example"))).decode())
        return f'<p>Body: <a href="#{escape(name)}">{escape(name)}</a></p><pre>{example}</pre>'

    @staticmethod
    def _schema(name: str, schema: _Json) -> str:
        text = escape(msgspec.json.format(msgspec.json.encode(schema)).decode())
        return f'<details id="{escape(name)}"><summary><code>{escape(name)}</code></summary><pre>{text}</pre></details>'
