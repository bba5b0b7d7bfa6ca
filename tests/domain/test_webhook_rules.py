"""Where webhooks may be sent, when they are tried again, how they are signed."""

import base64
from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook as Verifier

from promograph.domain.webhooks.addresses import checked_url, is_public
from promograph.domain.webhooks.retrying import KEEPS_TRYING, Answer, asked_pause, next_try, rest
from promograph.domain.webhooks.signing import new_secret, signed_headers
from promograph.errors import BadInput

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)

REFUSED = [
    "",
    "example.com",
    "ftp://example.com/",
    "https://",
    "https://user:word@example.com/",
    "https://example.com/#here",
    "https://example.com:0/",
    "https://example.com:70000/",
    "https://exa mple.com/",
    "https://example.com/\u2603",
    "https://example.com/\r\nhost: elsewhere",
    "https://example.com/" + "x" * 2000,
    "https://[oops/",
]
INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1",
    "fd00::1",
    "ff02::1",
]
OUTSIDE = ["93.184.215.14", "8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]


@pytest.mark.parametrize("url", REFUSED)
def test_what_is_no_address_for_a_webhook(url: str) -> None:
    with pytest.raises(BadInput) as refused:
        checked_url(url, over_http=True, to_private=True)
    assert refused.value.field == ("url",)


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_of_private_networks(address: str) -> None:
    host = f"[{address}]" if ":" in address else address
    assert not is_public(address)
    with pytest.raises(BadInput):
        checked_url(f"https://{host}/", over_http=False, to_private=False)
    assert checked_url(f"http://{host}/", over_http=True, to_private=True)


def test_public_addresses_and_names() -> None:
    assert all(map(is_public, OUTSIDE))
    assert not is_public("example.com")
    for url in ("https://example.com/hooks?x=1", "https://8.8.8.8:8443/", "https://[2606:4700::1111]/"):
        assert checked_url(url, over_http=False, to_private=False) == url
    for url in ("http://example.com/", "https://localhost/"):
        with pytest.raises(BadInput):
            checked_url(url, over_http=False, to_private=False)


def test_tries_go_on_for_more_than_a_day_ever_further_apart() -> None:
    failed, at, tries = Answer(status=500), NOW, 0
    pauses = []
    while True:
        tries += 1
        then = next_try(failed, tries=tries, first=NOW, now=at, luck=1.0)
        if then is None:
            break
        pauses.append(then - at)
        at = then
    assert pauses == sorted(pauses) and pauses[0] < timedelta(seconds=10)
    assert timedelta(days=2) < at - NOW <= KEEPS_TRYING
    early = next_try(failed, tries=5, first=NOW, now=NOW, luck=0.0)
    late = next_try(failed, tries=5, first=NOW, now=NOW, luck=1.0)
    assert early is not None and late is not None and late - NOW == (early - NOW) * 1.5
    assert next_try(Answer(status=410), tries=1, first=NOW, now=NOW, luck=0.5) is None


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("120", 120),
        (" 120 ", 120),
        ("Mon, 01 Mar 2027 12:05:00 GMT", 300),
        ("Mon, 01 Mar 2027 11:00:00 GMT", 0),
        ("999999999999999999999", 0),
        ("9999999", 86_400),
        ("soon", 0),
        ("-5", 0),
        ("", 0),
    ],
)
def test_what_retry_after_asks_for(asked: str, seconds: int) -> None:
    answer = Answer(status=503, retry_after=asked)
    assert asked_pause(answer, NOW) == timedelta(seconds=seconds)
    then = next_try(answer, tries=1, first=NOW, now=NOW, luck=0.5)
    assert then is not None and then - NOW == max(timedelta(seconds=5), timedelta(seconds=seconds))
    assert rest(answer, failures=1, now=NOW, luck=0.5) == then


def test_an_endpoint_that_is_down_rests_longer_each_time_and_not_for_long() -> None:
    rests = [rest(Answer(failure="x"), failures=n, now=NOW, luck=0.5) - NOW for n in (1, 2, 3, 100)]
    assert rests == [timedelta(seconds=s) for s in (5, 10, 20, 300)]


def test_the_independent_library_makes_the_same_signatures() -> None:
    for body in (b'{"type":"code.issued"}', "{“ünï”}".encode()):
        old, new = new_secret(), new_secret()
        headers = signed_headers("evt_1", NOW, body, [new, old])
        made = [Verifier(secret).sign("evt_1", NOW, body.decode()) for secret in (new, old)]
        assert headers["webhook-signature"] == " ".join(made)
        assert headers["webhook-timestamp"] == str(int(NOW.timestamp()))
    assert new.startswith("whsec_") and len(base64.b64decode(new[6:])) == 32
