//! A line as Kamailio reads it, for the model of its module.

use alloc::borrow::ToOwned;

use super::Entry;
use super::lint::Row;
use crate::kamailio;

impl Entry {
    /// The line as Kamailio reads it: weights above 100 are none, `rweight` is not `weight`, and who
    /// has no duid has none. [`kamailio::Dispatcher`] takes these.
    #[must_use]
    pub fn kamailio(&self) -> kamailio::Destination {
        let uri = self.destination.uri.clone();
        let Some(row) = Row::new(self) else { return kamailio::Destination { uri, ..Default::default() } };
        let number = |name| row.fields.attr(name).and_then(|attr| attr.value.text.parse().ok());
        kamailio::Destination {
            uri,
            flags: row.fields.bits,
            priority: row.fields.priority,
            duid: row.fields.attr("duid").map(|duid| duid.value.text.to_owned()).unwrap_or_default(),
            maxload: self.destination.max_calls,
            weight: row.kamailio("weight"),
            rweight: row.kamailio("rweight"),
            latency: number("latency").unwrap_or_default(),
            congestion_control: row.fields.attr("cc").is_some_and(|cc| cc.value.text == "1"),
            overload_min: number("ocmin").unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mode, parse};
    use alloc::vec::Vec;

    #[test]
    fn a_line_keeps_what_only_kamailio_tells_apart() {
        let list = parse(b"1 sip:a 8 5 duid=x;weight=101;rweight=7;maxload=3;cc=1\n1 sip:b\n", Mode::Strict)
            .unwrap();
        let read: Vec<_> = list.entries().map(|entry| entry.kamailio()).collect();
        let a = &read[0];
        assert_eq!((a.uri.as_str(), a.flags, a.priority, a.duid.as_str()), ("sip:a", 8, 5, "x"));
        assert_eq!((a.weight, a.rweight, a.maxload, a.congestion_control), (0, 7, 3, true));
        assert_eq!(read[1], crate::kamailio::Destination { uri: "sip:b".into(), ..Default::default() });
    }
}
