//! As much of SIP as it takes to ask: a request as bytes, and what a reply says.

use std::net::SocketAddr;

use anyhow::Context;

/// What is asked. Texts are latin-1 views of the bytes on the wire.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) call_id: &'a str,
    pub(super) from: &'a str,
    pub(super) to: &'a str,
    pub(super) uri: &'a str,
    /// Further headers, each with its line end.
    pub(super) headers: &'a str,
    pub(super) body: &'a str,
}

impl Default for Request<'_> {
    fn default() -> Self {
        let (from, to, uri) = ("sip:from@127.0.0.1", "sip:to@127.0.0.1", "sip:uri@127.0.0.1");
        Self { method: "OPTIONS", call_id: "call-id", from, to, uri, headers: "", body: "" }
    }
}

impl Request<'_> {
    /// The datagram, sent from `via` as the `sequence`-th one.
    pub(super) fn bytes(&self, via: SocketAddr, sequence: u32) -> Vec<u8> {
        let Self { method, call_id, from, to, uri, headers, body } = self;
        let length = body.len();
        let text = format!(
            "{method} {uri} SIP/2.0\r\n\
             Via: SIP/2.0/UDP {via};branch=z9hG4bK-{sequence}\r\n\
             From: <{from}>;tag=1\r\n\
             To: <{to}>\r\n\
             Call-ID: {call_id}\r\n\
             CSeq: {sequence} {method}\r\n\
             Max-Forwards: 70\r\n\
             {headers}Content-Length: {length}\r\n\
             \r\n\
             {body}"
        );
        text.chars().map(|char| char as u8).collect()
    }
}

/// What was answered.
pub(super) struct Reply {
    pub(super) code: u16,
    /// The number of the request that it answers.
    pub(super) sequence: u32,
    pub(super) body: String,
    headers: Vec<(String, String)>,
}

impl Reply {
    pub(super) fn parse(datagram: &[u8]) -> anyhow::Result<Self> {
        let text: String = datagram.iter().map(|byte| char::from(*byte)).collect();
        let (head, body) = text.split_once("\r\n\r\n").context("a reply without an end of its headers")?;
        let mut lines = head.split("\r\n");
        let code = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_owned(), value.trim().to_owned()))
        };
        let headers: Vec<(String, String)> = lines.filter_map(header).collect();
        let mut reply = Self {
            code: code.context("a reply without a code")?,
            sequence: 0,
            body: body.to_owned(),
            headers,
        };
        let sequence = reply.all("CSeq").next().and_then(|value| value.split(' ').next()?.parse().ok());
        reply.sequence = sequence.context("a reply without CSeq")?;
        Ok(reply)
    }

    /// The values of a header, in order.
    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a String> {
        self.headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value)
    }

    pub(super) fn list(&self, name: &str) -> Vec<String> {
        self.all(name).cloned().collect()
    }
}
