//! The URI of a line: sip, sips, or a host that Kamailio writes `sip:` before.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::line::{Refusal, Word, whole};
use super::parse::ParseErrorKind;

/// A URI that can be called, as far as its text tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Uri<'a> {
    whole: Word<'a>,
    pub(super) has_scheme: bool,
    parameters: Word<'a>,
}

impl<'a> Uri<'a> {
    /// The URI with its scheme.
    pub(super) fn normal(&self) -> String {
        if self.has_scheme { self.whole.text.to_owned() } else { format!("sip:{}", self.whole.text) }
    }

    /// The parameters: place, name and value.
    pub(super) fn parameters(&self) -> impl Iterator<Item = (usize, &'a str, &'a str)> {
        let mut at = self.parameters.at;
        self.parameters.text.split(';').map(move |text| {
            let (name, value) = text.split_once('=').unwrap_or((text, ""));
            let start = at;
            at += text.len() + 1;
            (start, name, value)
        })
    }
}

/// Reads a URI.
pub(super) fn read(word: Word<'_>) -> Result<Uri<'_>, Refusal> {
    if let Some(at) = word.text.find(['<', '>', '"']) {
        return refuse(word.split(at).1, "a URI stands without quotes and angle brackets");
    }
    let scheme = word.text.split_once(':').map(|(scheme, _)| scheme);
    let has_scheme = scheme.is_some_and(|s| s.eq_ignore_ascii_case("sip") || s.eq_ignore_ascii_case("sips"));
    let rest = match scheme {
        Some(scheme) if has_scheme => word.split(scheme.len() + 1).1,
        _ => word,
    };
    let rest = match rest.text.find('@') {
        Some(0) => return refuse(rest, "no user before the '@'"),
        Some(at) => rest.split(at + 1).1,
        None => rest,
    };
    let (place, rest) = rest.split(rest.text.find([';', '?']).unwrap_or(rest.text.len()));
    let (host, port) = host_and_port(place)?;
    if !has_scheme {
        if let Some((scheme, port)) = place.text.split_once(':')
            && !place.text.starts_with('[')
            && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && whole(port).is_none()
        {
            return refuse(word, format!("the scheme is sip or sips, not {scheme:?}"));
        }
        if port.is_none() && !host.text.contains(['.', '[']) {
            return refuse(word, format!("{:?} is not a URI: write sip:{}", word.text, word.text));
        }
    }
    check_host(host)?;
    check_port(port)?;
    let end = rest.text.find('?').unwrap_or(rest.text.len());
    let (parameters, _) = rest.split(end);
    let (_, parameters) = parameters.split(usize::from(parameters.text.starts_with(';')));
    Ok(Uri { whole: word, has_scheme, parameters })
}

fn host_and_port(place: Word<'_>) -> Result<(Word<'_>, Option<Word<'_>>), Refusal> {
    let end = match place.text.find(']') {
        Some(at) if place.text.starts_with('[') => at + 1,
        _ => place.text.find(':').unwrap_or(place.text.len()),
    };
    let (host, rest) = place.split(end);
    let (colon, port) = rest.split(1);
    match colon.text {
        "" => Ok((host, None)),
        ":" if port.text.contains(':') => refuse(host, "an IPv6 address stands in brackets: sip:[::1]:5060"),
        ":" => Ok((host, Some(port))),
        _ => refuse(rest, "':' and a port follow an IPv6 address"),
    }
}

fn check_host(host: Word<'_>) -> Result<(), Refusal> {
    let text = host.text;
    if let Some(address) = text.strip_prefix('[') {
        return match address.strip_suffix(']').map(str::parse::<Ipv6Addr>) {
            Some(Ok(_)) => Ok(()),
            _ => refuse(host, format!("{text:?} is not an IPv6 address in brackets")),
        };
    }
    let in_a_name = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    if text.is_empty() {
        return refuse(host, "the host is missing");
    }
    if let Some(at) = text.find(|c| !in_a_name(c)) {
        let (_, rest) = host.split(at);
        return refuse(rest, format!("{:?} is not part of a host name", rest.text));
    }
    if text.starts_with('.') || text.contains("..") || text.len() > MAX_HOST {
        return refuse(host, format!("a host name is labels with a dot between, {MAX_HOST} bytes at most"));
    }
    let numeric = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if numeric && text.parse::<Ipv4Addr>().is_err() {
        return refuse(host, format!("{text:?} is not an IPv4 address"));
    }
    Ok(())
}

fn check_port(port: Option<Word<'_>>) -> Result<(), Refusal> {
    let Some(port) = port else { return Ok(()) };
    match whole(port.text) {
        Some(1..=65_535) => Ok(()),
        _ => refuse(port, format!("a port is 1 to 65535, not {:?}", port.text)),
    }
}

fn refuse<T>(word: Word<'_>, message: impl Into<String>) -> Result<T, Refusal> {
    Err(word.refuse(ParseErrorKind::InvalidUri, message))
}

/// The longest name that DNS can hold.
const MAX_HOST: usize = 253;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_is_sip_or_refused_where_it_goes_wrong() {
        let check = |text: &str, expected: Result<&str, usize>| {
            let read = read(Word { at: 0, text });
            let actual = read.as_ref().map(Uri::normal).map_err(|refusal| refusal.at);
            assert_eq!(actual, expected.map(String::from), "{text}");
        };
        for uri in
            ["sip:a", "SIPS:a.b:5061", "sip:u;x@a", "sip:[::1]:5060;lr?X=1", "sip:1.2.3.4", "sip:a_b-c."]
        {
            check(uri, Ok(uri));
        }
        check("a:5060", Ok("sip:a:5060"));
        check("[::1]", Ok("sip:[::1]"));
        check("1.2.3.4;lr", Ok("sip:1.2.3.4;lr"));
        check("a", Err(0));
        check("0", Err(0));
        check("tel:+1", Err(0));
        check("http://1.2.3.4/", Err(0));
        check("sip:", Err(4));
        check("sip:@a", Err(4));
        check("sip:a@b@c", Err(7));
        check("sip:a/b", Err(5));
        check("sip:::1", Err(4));
        check("sip:[::g]", Err(4));
        check("sip:[::1", Err(4));
        check("sip:[::1]5060", Err(9));
        check("sip:5060", Err(4));
        check("sip:1.2.3.256", Err(4));
        check("sip:a..b", Err(4));
        check("sip:a:", Err(6));
        check("sip:a:0", Err(6));
        check("sip:a:+5", Err(6));
        check("sip:a>", Err(5));
    }

    #[test]
    fn parameters_come_with_their_places() {
        let uri = read(Word { at: 10, text: "sip:a;lr;weight=5?X=1;y" }).unwrap();
        assert!(uri.parameters().eq([(16, "lr", ""), (19, "weight", "5")]));
    }
}
