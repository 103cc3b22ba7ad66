//! What of a request is hashed.

use alloc::vec::Vec;

/// The key of algorithm 0: the Call-ID as it stands on the wire, without white space around it.
#[must_use]
pub const fn call_id_key(call_id: &[u8]) -> &[u8] {
    call_id.trim_ascii()
}

/// The key of algorithms 1 (From), 2 (To) and 3 (Request-URI): user, and with `user_only` (Kamailio's
/// `flags` bit 1) nothing else; without it also the host, and the port where it is written and not
/// the scheme's own. `None` where the text is no sip, sips or tel URI.
///
/// Everything counts as it is written: case, escapes, the dot after a host. A password, parameters
/// and headers do not count. The manual says that algorithm 3 hashes the user; it hashes both.
///
/// ```
/// use callsteer::kamailio::uri_key;
/// let key = |uri: &str| uri_key(uri.as_bytes(), false).unwrap();
/// assert_eq!(key("sip:a@h:5060;lr"), key("sip:a@h"));
/// assert_ne!(key("sip:a@h:5070"), key("sip:a@h"));
/// assert_ne!(key("sip:a@H"), key("sip:a@h"));
/// ```
#[must_use]
pub fn uri_key(uri: &[u8], user_only: bool) -> Option<Vec<u8>> {
    let colon = uri.iter().position(|byte| *byte == b':')?;
    let (scheme, rest) = uri.split_at_checked(colon)?;
    let rest = rest.get(1..)?;
    if scheme.eq_ignore_ascii_case(b"tel") {
        return Some(join(until(rest, b";?"), b""));
    }
    let default_port = match scheme {
        _ if scheme.eq_ignore_ascii_case(b"sip") => 5060,
        _ if scheme.eq_ignore_ascii_case(b"sips") => 5061,
        _ => return None,
    };
    let (user, place) = match rest.iter().position(|byte| *byte == b'@') {
        Some(at) => (until(rest.get(..at)?, b":"), rest.get(at + 1..)?),
        None => (&b""[..], rest),
    };
    let place = until(place, b";?");
    if user_only { Some(join(user, b"")) } else { Some(join(user, without_port(place, default_port))) }
}

/// The key of algorithm 5: the user of a username `scheme:user@domain`, or the whole of one that is
/// shorter than three bytes. `None` where there is no user, so that it is round robin.
///
/// ```
/// use callsteer::kamailio::username_key;
/// assert_eq!(username_key(b"alice@example.com"), Some(&b"alice"[..]));
/// assert_eq!(username_key(b"sip:alice"), Some(&b"alice"[..]));
/// ```
#[must_use]
pub fn username_key(username: &[u8]) -> Option<&[u8]> {
    if username.len() < 3 {
        return Some(username).filter(|name| !name.is_empty());
    }
    let end = username.iter().position(|byte| *byte == b'@').unwrap_or(username.len());
    let name = username.get(..end)?;
    let start = name.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1);
    name.get(start..).filter(|user| !user.is_empty())
}

/// One key that hashes as these two together: the rest of the first that fills no group of four is
/// filled up in front, which does not change its number.
fn join(first: &[u8], second: &[u8]) -> Vec<u8> {
    if second.is_empty() {
        return first.to_vec();
    }
    let (groups, rest) = first.split_at(first.len() - first.len() % 4);
    let fill = if rest.is_empty() { 0 } else { 4 - rest.len() };
    [groups, [0; 4].get(..fill).unwrap_or_default(), rest, second].concat()
}

fn until<'a>(text: &'a [u8], ends: &[u8]) -> &'a [u8] {
    text.split(|byte| ends.contains(byte)).next().unwrap_or_default()
}

/// Host and port as written, or the host alone where the port is `default`.
fn without_port(place: &[u8], default: u32) -> &[u8] {
    let bracket = place.iter().rposition(|byte| *byte == b']').unwrap_or(0);
    let colon = place.iter().rposition(|byte| *byte == b':').filter(|colon| *colon >= bracket);
    let Some((host, port)) = colon.and_then(|colon| place.split_at_checked(colon)) else { return place };
    let digits = core::str::from_utf8(port.get(1..).unwrap_or_default()).ok();
    if digits.and_then(|digits| digits.parse().ok()) == Some(default) { host } else { place }
}

#[cfg(test)]
mod tests {
    use super::super::{Bytes, hash};
    use super::*;

    #[test]
    fn a_joined_key_hashes_as_two() {
        for first in [&b""[..], b"a", b"ab", b"abc", b"abcd", b"alice", b"\xFFb", b"\x80\x81\x82"] {
            for second in [&b""[..], b"example.com", b"h"] {
                for bytes in [Bytes::Signed, Bytes::Unsigned] {
                    assert_eq!(hash(&join(first, second), b"", bytes), hash(first, second, bytes));
                }
            }
        }
    }

    #[test]
    fn a_key_is_user_host_and_an_uncommon_port() {
        let check = |uri: &str, user: &str, place: &str| {
            let expected = Some(join(user.as_bytes(), place.as_bytes()));
            assert_eq!(uri_key(uri.as_bytes(), false), expected, "{uri}");
        };
        check("sip:carol@example.com", "carol", "example.com");
        check("sip:carol:secret@example.com:5060;lr?a=b", "carol", "example.com");
        check("sip:carol@example.com:5061", "carol", "example.com:5061");
        check("sips:carol@example.com:5061", "carol", "example.com");
        check("sip:carol@example.com:05070", "carol", "example.com:05070");
        check("SIP:user;p=1@[2001:db8::1]", "user;p=1", "[2001:db8::1]");
        check("sip:carol@[2001:db8::1]:5070", "carol", "[2001:db8::1]:5070");
        check("sip:10.0.0.1", "", "10.0.0.1");
        check("tel:+1555;x=y", "+1555", "");
        assert_eq!(uri_key(b"sip:carol:x@example.com", true), Some(b"carol".to_vec()));
        assert_eq!(uri_key(b"mailto:carol@example.com", false), None);
        assert_eq!(uri_key(b"carol", false), None);
        let users =
            ["x", "a:", "@b", "a:b", ":a@b", "a@b:c", "a:b:c@d"].map(|name| username_key(name.as_bytes()));
        assert_eq!(users, ["x", "a:", "@b", "b", "a", "a", "b:c"].map(|user| Some(user.as_bytes())));
        assert_eq!([&b""[..], b"a:@b", b"@bc"].map(username_key), [None; 3]);
        assert_eq!(call_id_key(b" \ta@b \r\n"), b"a@b");
    }
}
