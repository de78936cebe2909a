"""Small pages without a script: to log in, a runbook, and that there is none."""

from __future__ import annotations

from html import escape
from typing import Final

_PAGE: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} - Manometer</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/board.css">
</head>
<body class="page">
<main class="page">
{body}
</main>
</body>
</html>
"""
_LOGIN: Final = """<h1>Manometer</h1>
<form method="post" action="/login" class="login">
<p><label for="token">Token</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus></p>
<input type="hidden" name="next" value="{following}">
{trouble}<p><button type="submit">Log in</button></p>
</form>
<p>The token stands in the file that the process was started with: <code>--token-file</code>.</p>"""


def page(title: str, body: str) -> str:
    """Write a page; the body is HTML, the title a text."""
    return _PAGE.format(title=escape(title), body=body)


def login_page(following: str, trouble: str = "") -> str:
    """Write the page that asks for the token, and goes on to an address of ours."""
    told = f'<p role="alert">{escape(trouble)}</p>\n' if trouble else ""
    return page("Log in", _LOGIN.format(following=escape(following), trouble=told))


def not_found_page(name: str, there: list[str]) -> str:
    """Write the page for a runbook that there is none of."""
    links = "\n".join(f'<li><a href="/runbooks/{escape(one)}">{escape(one)}</a></li>' for one in there)
    about = f"<p>No runbook is called <code>{escape(name)}</code>. There are:</p>"
    return page("No such runbook", f"<h1>No such runbook</h1>\n{about}\n<ul>\n{links}\n</ul>")


def own_address(text: str) -> str:
    """Give an address of this server as it may be gone to; anything else is the first page.

    >>> own_address("/?board=a"), own_address("//evil.example/"), own_address("https://evil.example")
    ('/?board=a', '/', '/')
    """
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if plain else "/"
