//! What a file of call records is, and the names of its columns where it does not say them.

use super::cell::date;
use super::layout::Unit;

/// What a file of call records is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// CSV whose first line names the columns.
    Csv,
    /// `Master.csv` of Asterisk, without header: as cdr_csv writes it (16 to 18 columns, the account code
    /// first) or as cdr_custom's sample does (18 or 19, the caller first).
    Asterisk,
    /// `Master.csv` of FreeSWITCH by the template `example`, with or without header.
    Freeswitch,
    /// An Azure LLM inference trace.
    Azure,
    /// Parquet: columns by name, as in CSV.
    Parquet,
}

impl Format {
    /// Every format that there is.
    pub const ALL: [Self; 5] = [Self::Csv, Self::Asterisk, Self::Freeswitch, Self::Azure, Self::Parquet];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Asterisk => "asterisk",
            Self::Freeswitch => "freeswitch",
            Self::Azure => "azure",
            Self::Parquet => "parquet",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// What a file that is not Parquet must be, by the first row of it.
    pub(super) fn of_row(row: &[String]) -> Self {
        let is_there = |name: &&str| row.iter().any(|field| field.eq_ignore_ascii_case(name));
        if ["TIMESTAMP", "ContextTokens", "GeneratedTokens"].iter().all(is_there) {
            Self::Azure
        } else if asterisk_names(row).is_some() {
            Self::Asterisk
        } else if ["start_stamp", "answer_stamp", "duration"].iter().all(is_there) || is_freeswitch(row) {
            Self::Freeswitch
        } else {
            Self::Csv
        }
    }

    /// The names of the columns where they are known before the file is read; `None` where its first
    /// row has them.
    pub(super) fn names(self, first_row: &[String]) -> Result<Option<Vec<String>>, String> {
        let names = match self {
            Self::Asterisk => Some(asterisk_names(first_row).ok_or_else(|| {
                "this is no Master.csv of Asterisk: neither column 15 nor column 14 is a disposition such as ANSWERED"
                    .to_owned()
            })?),
            Self::Freeswitch if first_row.iter().any(|field| field == "start_stamp") => None,
            Self::Freeswitch => Some(&FREESWITCH[..]),
            Self::Csv | Self::Azure | Self::Parquet => None,
        };
        Ok(names.map(|names| {
            let numbered = (names.len()..first_row.len()).map(|column| format!("column {}", column + 1));
            names.iter().map(|name| (*name).to_owned()).chain(numbered).collect()
        }))
    }

    /// Which columns are read where nobody says otherwise: start, duration.
    pub(super) fn columns(self) -> (&'static str, &'static str, Unit) {
        match self {
            Self::Csv | Self::Asterisk | Self::Parquet => ("start", "duration", Unit::Seconds),
            Self::Freeswitch => ("start_stamp", "duration", Unit::Seconds),
            Self::Azure => ("timestamp", "generatedtokens", Unit::Tokens),
        }
    }
}

fn asterisk_names(row: &[String]) -> Option<&'static [&'static str]> {
    let is_disposition = |column: usize| {
        row.get(column)
            .is_some_and(|field| DISPOSITIONS.iter().any(|known| field.eq_ignore_ascii_case(known)))
    };
    match row.len() {
        16.. if is_disposition(14) => Some(&ASTERISK),
        14.. if is_disposition(13) => Some(&ASTERISK_CUSTOM),
        _ => None,
    }
}

/// By the template `example`, whose first 13 columns were always the same.
fn is_freeswitch(row: &[String]) -> bool {
    let is_number = |column: usize| row[column].parse::<u64>().is_ok();
    row.len() >= 13 && date(&row[4]).is_some() && is_number(7) && is_number(8)
}

/// What became of a call, as Asterisk writes it; the first one: somebody answered.
pub(super) const DISPOSITIONS: [&str; 5] = ["ANSWERED", "NO ANSWER", "BUSY", "FAILED", "CONGESTION"];

const ASTERISK: [&str; 18] = [
    "accountcode",
    "src",
    "dst",
    "dcontext",
    "clid",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "uniqueid",
    "userfield",
];

const ASTERISK_CUSTOM: [&str; 19] = [
    "clid",
    "src",
    "dst",
    "dcontext",
    "channel",
    "dstchannel",
    "lastapp",
    "lastdata",
    "start",
    "answer",
    "end",
    "duration",
    "billsec",
    "disposition",
    "amaflags",
    "accountcode",
    "uniqueid",
    "userfield",
    "sequence",
];

const FREESWITCH: [&str; 15] = [
    "caller_id_name",
    "caller_id_number",
    "destination_number",
    "context",
    "start_stamp",
    "answer_stamp",
    "end_stamp",
    "duration",
    "billsec",
    "hangup_cause",
    "uuid",
    "bleg_uuid",
    "accountcode",
    "read_codec",
    "write_codec",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_known_by_its_first_row() {
        let check = |row: &str, expected| {
            let row: Vec<_> = row.split(',').map(str::to_owned).collect();
            assert_eq!(Format::of_row(&row), expected, "{row:?}");
        };
        check("start,duration", Format::Csv);
        check("Timestamp,ContextTokens,GeneratedTokens", Format::Azure);
        check(
            "a,s,d,c,i,ch,dch,app,data,2025-03-03 09:00:00,,2025-03-03 09:00:09,9,0,NO ANSWER,DOC",
            Format::Asterisk,
        );
        check(
            "i,s,d,c,ch,dch,app,data,2025-03-03 09:00:00,,2025-03-03 09:00:09,9,0,busy,DOC,a,u,f,1",
            Format::Asterisk,
        );
        check("n,1,2,c,2025-03-03 09:00:00,,2025-03-03 09:00:09,9,0,CAUSE,u,b,a", Format::Freeswitch);
        check("uuid,start_stamp,answer_stamp,end_stamp,duration", Format::Freeswitch);
        check("n,1,2,c,start,,,9,0,CAUSE,u,b,a", Format::Csv);
    }
}
