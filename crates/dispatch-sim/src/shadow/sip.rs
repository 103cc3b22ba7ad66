//! A SIP message, as far as a shadow needs it: start line and a few headers (RFC 3261, 7.3).

use std::time::Duration;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Request or response.
    pub start: Start<'a>,
    /// The body of Call-ID.
    pub call_id: &'a [u8],
    /// The number of CSeq.
    pub sequence: u32,
    /// The method of CSeq.
    pub method: &'a [u8],
    /// The URI of From.
    pub from: &'a [u8],
    /// The URI of To.
    pub to: &'a [u8],
    /// Whether To has a tag: the request belongs to a dialog.
    pub has_to_tag: bool,
    /// The branch of the first Via.
    pub branch: &'a [u8],
    /// The username of Proxy-Authorization, or of Authorization.
    pub username: Option<&'a [u8]>,
    /// Retry-After.
    pub retry_after: Option<Duration>,
}

/// The first line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request.
    Request {
        /// The Request-URI.
        uri: &'a [u8],
    },
    /// A response.
    Response {
        /// Its code, 100 to 699.
        code: u16,
    },
}

/// Reads a message; `None` where the bytes are none.
///
/// # Errors
/// They begin as a message, and a header that every message has is missing or none.
pub fn read(bytes: &[u8]) -> Result<Option<Message<'_>>, String> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let Some(start) = lines.next().and_then(start_line) else { return Ok(None) };
    let headers: Vec<&[u8]> = lines.take_while(|line| !line.is_empty()).collect();
    let find = |name: &str, compact: &str| headers.iter().find_map(|line| value(line, name, compact));
    let missing = |name: &str| format!("a SIP message without {name}");
    let call_id = find("call-id", "i").ok_or_else(|| missing("Call-ID"))?;
    let sequence = find("cseq", "").ok_or_else(|| missing("CSeq"))?;
    let mut parts = sequence.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty());
    let number = parts.next().and_then(|part| std::str::from_utf8(part).ok()?.parse().ok());
    let (Some(sequence), Some(method)) = (number, parts.next()) else {
        return Err("a CSeq that is not a number and a method".into());
    };
    let (from, to) = (find("from", "f"), find("to", "t"));
    let (Some(from), Some(to)) = (from, to) else { return Err(missing("From or To")) };
    let via = find("via", "v").unwrap_or_default();
    let credentials = find("proxy-authorization", "").or_else(|| find("authorization", ""));
    let retry_after = find("retry-after", "").and_then(|text| {
        let digits = text.split(|byte| !byte.is_ascii_digit()).next()?;
        std::str::from_utf8(digits).ok()?.parse().ok().map(Duration::from_secs)
    });
    Ok(Some(Message {
        start,
        call_id,
        sequence,
        method,
        from: uri(from),
        to: uri(to),
        has_to_tag: parameter(after_uri(to), b"tag").is_some(),
        branch: parameter(via, b"branch").unwrap_or_default(),
        username: credentials.and_then(username),
        retry_after,
    }))
}

fn start_line(line: &[u8]) -> Option<Start<'_>> {
    if let Some(rest) = line.strip_prefix(b"SIP/2.0 ") {
        let code = std::str::from_utf8(rest.get(..3)?).ok()?.parse().ok()?;
        return (100..700).contains(&code).then_some(Start::Response { code });
    }
    let mut words = line.split(|byte| *byte == b' ');
    let (method, uri, version) = (words.next()?, words.next()?, words.next()?);
    let is_method = !method.is_empty() && method.iter().all(|byte| byte.is_ascii_uppercase());
    (is_method && version == b"SIP/2.0" && words.next().is_none()).then_some(Start::Request { uri })
}

/// The value of a header, if it is this one.
fn value<'a>(line: &'a [u8], name: &str, compact: &str) -> Option<&'a [u8]> {
    let colon = line.iter().position(|byte| *byte == b':')?;
    let (found, value) = (line[..colon].trim_ascii(), line[colon + 1..].trim_ascii());
    let is = |name: &str| found.eq_ignore_ascii_case(name.as_bytes());
    (is(name) || (!compact.is_empty() && is(compact))).then_some(value)
}

/// The URI of a From or To: in angle brackets, or up to the first parameter.
fn uri(value: &[u8]) -> &[u8] {
    match angle(value) {
        Some((open, close)) => &value[open + 1..close],
        None => value.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii(),
    }
}

fn after_uri(value: &[u8]) -> &[u8] {
    angle(value).map_or(value, |(_, close)| &value[close + 1..])
}

/// The brackets behind the name, which may be a quoted string with brackets of its own.
fn angle(value: &[u8]) -> Option<(usize, usize)> {
    let mut quoted = false;
    let mut escaped = false;
    let open = value.iter().position(|byte| {
        let is_open = *byte == b'<' && !quoted;
        match *byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            _ => {}
        }
        is_open
    })?;
    let close = value[open..].iter().position(|byte| *byte == b'>')?;
    Some((open, open + close))
}

fn parameter<'a>(value: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    value.split(|byte| *byte == b';' || *byte == b',').skip(1).find_map(|part| {
        let equals = part.iter().position(|byte| *byte == b'=')?;
        part[..equals].trim_ascii().eq_ignore_ascii_case(name).then(|| part[equals + 1..].trim_ascii())
    })
}

/// `Digest username="bob", realm=...`.
fn username(credentials: &[u8]) -> Option<&[u8]> {
    let start = credentials.windows(10).position(|part| part.eq_ignore_ascii_case(b"username=\""))? + 10;
    credentials[start..].split(|byte| *byte == b'"').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_compact_and_long_headers() {
        let text = b"INVITE sip:bob@example.com SIP/2.0\r\n\
            v: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bKabc;x=1\r\n\
            Via: SIP/2.0/UDP 10.0.0.8;branch=z9hG4bKolder\r\n\
            f: \"a <b;tag=c>\" <sip:alice@example.com;user=phone>;tag=1\r\n\
            TO:sip:bob@example.com;x=y\r\n\
            i:  4711@10.0.0.9 \r\n\
            CSeq: 7  INVITE\r\n\
            Proxy-Authorization: Digest realm=\"r\", username=\"carol\"\r\n\r\nv=0\r\nFrom: <sip:body@x>\r\n";
        let message = read(text).unwrap().unwrap();
        assert_eq!(message.start, Start::Request { uri: b"sip:bob@example.com" });
        assert_eq!(
            (message.call_id, message.sequence, message.method),
            (&b"4711@10.0.0.9"[..], 7, &b"INVITE"[..])
        );
        assert_eq!(message.from, b"sip:alice@example.com;user=phone");
        assert_eq!((message.to, message.has_to_tag), (&b"sip:bob@example.com"[..], false));
        assert_eq!((message.branch, message.username), (&b"z9hG4bKabc"[..], Some(&b"carol"[..])));
    }

    #[test]
    fn a_response_is_read() {
        let text = b"SIP/2.0 503 Full\nVia: SIP/2.0/UDP a;branch=z\nFrom: <sip:a>;tag=1\nTo: <sip:b>;tag=2\n\
            Call-ID: x\nCSeq: 1 INVITE\nRetry-After: 18 (soon);duration=3\n\n";
        let message = read(text).unwrap().unwrap();
        assert_eq!(message.start, Start::Response { code: 503 });
        assert!(message.has_to_tag);
        assert_eq!(message.retry_after, Some(Duration::from_secs(18)));
    }

    #[test]
    fn what_is_no_message_is_none_and_half_a_message_is_an_error() {
        for bytes in [&b""[..], b"\0\0", b"GET / HTTP/1.1\r\n\r\n", b"SIP/2.0 99 x\r\n", b"\r\n\r\n"] {
            assert_eq!(read(bytes), Ok(None), "{bytes:?}");
        }
        let start = "BYE sip:a SIP/2.0\r\n";
        let check = |headers: &str, expected: &str| {
            assert!(
                read(format!("{start}{headers}").as_bytes()).unwrap_err().contains(expected),
                "{headers}"
            );
        };
        check("", "without Call-ID");
        check("i: a\r\n", "without CSeq");
        check("i: a\r\nCSeq: BYE\r\n", "a CSeq that");
        check("i: a\r\nCSeq: 1 BYE\r\nf: <sip:a>\r\n", "without From or To");
    }
}
