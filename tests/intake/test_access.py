from __future__ import annotations

import pytest

from manometer.intake.access import Access, Denied

HOME = Access("127.0.0.1")
OUTSIDE = Access("0.0.0.0", "secret")  # noqa: S104 - nothing listens


@pytest.mark.parametrize("host", ["127.0.0.1:8300", "localhost", "LOCALHOST:1", "[::1]:8300", "127.0.0.1"])
def test_this_machine_may_ask_without_a_token(host: str) -> None:
    """By any of its own names."""
    HOME.check("/topics/a", {"Host": host})


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8300", "localhost.evil.example", "", "[::1", "10.0.0.1"]
)
def test_a_name_that_only_leads_here_is_refused(host: str) -> None:
    """A page whose name was made to lead to this machine (DNS rebinding) gets nothing, health included."""
    for path in ("/topics/a", "/healthz"):
        with pytest.raises(Denied) as denied:
            HOME.check(path, {"Host": host})
        assert denied.value.status == 403


@pytest.mark.parametrize(
    ("origin", "passes"),
    [("http://localhost:8300", True), ("http://evil.example", False), ("null", False), ("http://[", False)],
)
def test_web_pages_of_others_may_not_send(origin: str, passes: bool) -> None:  # noqa: FBT001 - reads as the table
    """A browser tells where a request comes from; only pages of this server itself may send."""
    headers = {"Host": "localhost:8300", "Origin": origin}
    if passes:
        HOME.check("/topics/a", headers)
        return
    with pytest.raises(Denied) as denied:
        HOME.check("/topics/a", headers)
    assert denied.value.error == "origin"


@pytest.mark.parametrize("given", ["Bearer secret", "bearer secret", "Bearer  secret "])
def test_the_token_opens(given: str) -> None:
    """As a bearer token, the scheme in any case."""
    OUTSIDE.check("/topics/a", {"Host": "anything", "Authorization": given})


@pytest.mark.parametrize(
    "given", [None, "", "secret", "Basic secret", "Bearer", "Bearer wrong", "Bearer s\u00e9cret", "Bearer \udcff"]
)
def test_without_the_token_nothing_opens(given: str | None) -> None:
    """Except what whoever supervises the process asks."""
    headers = {"Host": "anything"} | ({} if given is None else {"Authorization": given})

    for path in ("/topics/a", "/metrics", "/telemetry"):
        with pytest.raises(Denied) as denied:
            OUTSIDE.check(path, headers)
        assert denied.value.status == 401
    OUTSIDE.check("/healthz", headers)
    OUTSIDE.check("/readyz", headers)
