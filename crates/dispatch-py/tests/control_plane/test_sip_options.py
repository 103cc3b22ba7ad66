"""OPTIONS as text: where a URI leads, what is sent, which replies are its own."""

from __future__ import annotations

import pytest

from callsteer.fastapi.sip_options import Address, NotProbeable, Options, Reply

OPTIONS = Options("sip:b@10.0.0.1;transport=udp", "udp", ("10.0.0.9", 5070), "z9hG4bKx", "id@x", "t")


def reply(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode()


def test_a_uri_leads_to_a_host_a_port_and_a_transport() -> None:
    def check(uri: str, host: str, port: int, transport: str = "udp") -> None:
        assert Address.of(uri) == Address(host, port, transport), uri

    check("sip:10.0.0.1", "10.0.0.1", 5060)
    check("sip:10.0.0.1:5080", "10.0.0.1", 5080)
    check("SIP:bob:secret@bridge.example:5080;lr?subject=x", "bridge.example", 5080)
    check("sip:[2001:db8::1]:5080", "2001:db8::1", 5080)
    check("sip:bridge.example;Transport=TCP", "bridge.example", 5060, "tcp")
    check("sip:bridge.example;transport=tls", "bridge.example", 5061, "tls")
    check("sips:bridge.example", "bridge.example", 5061, "tls")
    check("sips:bridge.example;transport=tcp", "bridge.example", 5061, "tls")
    check("sip:bridge.example;maddr=10.0.0.7", "10.0.0.7", 5060)


@pytest.mark.parametrize(
    "uri", ["", "sip:", "http://a", "sip:a:0", "sip:a:70000", "sip:a;transport=ws", "sip:[::1"]
)
def test_a_uri_that_nobody_can_ask_is_refused_by_name(uri: str) -> None:
    with pytest.raises(NotProbeable, match=r"\w"):
        Address.of(uri)


def test_a_request_has_what_rfc_3261_wants() -> None:
    assert OPTIONS.to_bytes().decode().split("\r\n") == [
        "OPTIONS sip:b@10.0.0.1;transport=udp SIP/2.0",
        "Via: SIP/2.0/UDP 10.0.0.9:5070;branch=z9hG4bKx;rport",
        "Max-Forwards: 70",
        "From: <sip:callsteer@10.0.0.9:5070>;tag=t",
        "To: <sip:b@10.0.0.1;transport=udp>",
        "Call-ID: id@x",
        "CSeq: 1 OPTIONS",
        "Contact: <sip:callsteer@10.0.0.9:5070;transport=udp>",
        "Accept: application/sdp",
        "User-Agent: callsteer",
        "Content-Length: 0",
        "",
        "",
    ]


def test_every_request_is_another_transaction_and_a_request_uri_has_no_headers() -> None:
    one, two = (Options("sip:a;method=INVITE;lr?subject=x", "udp", ("::1", 5070)) for _ in range(2))
    assert len({one.branch, two.branch, one.call_id, two.call_id, one.tag, two.tag}) == 6
    assert one.branch.startswith("z9hG4bK")
    assert one.to_bytes() == one.to_bytes()
    assert one.to_bytes().startswith(b"OPTIONS sip:a;lr SIP/2.0\r\nVia: SIP/2.0/UDP [::1]:5070;")


def test_a_reply_is_read_whatever_the_spelling_of_its_headers() -> None:
    def check(status: int, retry_after: int | None, *lines: str) -> None:
        parsed = Reply.parse(reply(*lines))
        assert parsed is not None
        assert (parsed.status, parsed.retry_after) == (status, retry_after)
        assert OPTIONS.is_answered_by(parsed)

    via = "Via: SIP/2.0/UDP 10.0.0.9:5070;rport=5070;received=10.0.0.9;branch=z9hG4bKx"
    check(200, None, "SIP/2.0 200 OK", via, "Call-ID: id@x", "CSeq: 1 OPTIONS")
    check(
        404, None, "SIP/2.0 404 Not Found", "v: SIP/2.0/UDP a;branch=z9hG4bKx", "i:id@x", "cseq : 1   OPTIONS"
    )
    check(
        503,
        120,
        "SIP/2.0 503 Busy",
        via,
        "Call-ID: id@x",
        "CSeq: 1 OPTIONS",
        "retry-after: 120 (later);duration=9",
    )
    check(503, None, "SIP/2.0 503", via, "Call-ID: id@x", "CSeq: 1 OPTIONS", "Retry-After: soon")
    check(
        200,
        None,
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP a",
        " ;branch=z9hG4bKx, SIP/2.0/UDP b;branch=y",
        "i: id@x",
        "CSeq: 1 OPTIONS",
    )


def test_what_is_no_reply_to_the_request_is_none() -> None:
    def check(message: bytes) -> None:
        parsed = Reply.parse(message)
        assert parsed is None or not OPTIONS.is_answered_by(parsed)

    ok, via, call_id, cseq = (
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP a;branch=z9hG4bKx",
        "Call-ID: id@x",
        "CSeq: 1 OPTIONS",
    )
    check(b"")
    check(b"\r\n\r\n")
    check(b"\xff\xfe\x00")
    check(OPTIONS.to_bytes())
    check(reply("SIP/2.0 99 Low", via, call_id, cseq))
    check(reply("SIP/2.0 2000 High", via, call_id, cseq))
    check(reply("HTTP/1.1 200 OK", via, call_id, cseq))
    check(reply(ok, "Via: SIP/2.0/UDP a;branch=z9hG4bKy", call_id, cseq))
    check(reply(ok, via, "Call-ID: other@x", cseq))
    check(reply(ok, via, call_id, "CSeq: 1 INVITE"))
    check(reply(ok, call_id, cseq))
