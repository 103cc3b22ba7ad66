//! Call records as text: CSV with a header, Asterisk, FreeSWITCH, Azure.

use std::fs::File;
use std::io::{self, BufReader, Read as _, Seek, SeekFrom};
use std::path::Path;

use csv::{ByteRecord, Position, ReaderBuilder, Trim};

use super::cell::Cell;
use super::format::Format;
use super::layout::Layout;
use super::reading::{Read, Reading};
use super::{Options, Place, TraceError, Whole};

/// Reads the calls of a file row by row.
pub(super) fn read(path: &Path, options: &Options) -> Result<Read, TraceError> {
    let error = |place, column, problem| TraceError { path: path.to_owned(), place, column, problem };
    let broken = |cause: csv::Error| {
        let place = cause.position().map(|position| Place::Line(line(path, position)));
        error(place, None, cause.to_string())
    };
    let mut rows = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .buffer_capacity(BUFFER)
        .from_path(path)
        .map_err(|cause| error(None, None, io::Error::from(cause).to_string()))?;

    let mut row = ByteRecord::new();
    rows.read_byte_record(&mut row).map_err(broken)?;
    let first: Vec<_> = row.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    let format = options.format.unwrap_or_else(|| Format::of_row(&first));
    let line_1 = |problem| error(Some(Place::Line(1)), None, problem);
    let names = format.names(&first).map_err(line_1)?;
    let has_header = names.is_none();
    let layout = Layout::new(format, names.unwrap_or(first), &options.columns).map_err(line_1)?;
    let shape = Shape::new(&layout, has_header);

    let mut reading = Reading::new(layout, options.skip_bad_rows);
    let mut is_row = !has_header && !row.is_empty();
    loop {
        if is_row {
            add(path, &mut reading, &row, shape)?;
        }
        is_row = rows.read_byte_record(&mut row).map_err(broken)?;
        if !is_row {
            break;
        }
    }
    reading.finish().map_err(|Whole(problem)| error(None, None, problem))
}

fn add(path: &Path, reading: &mut Reading, row: &ByteRecord, shape: Shape) -> Result<(), TraceError> {
    let place = || row.position().map(|position| Place::Line(line(path, position)));
    let error = |column, problem| TraceError { path: path.to_owned(), place: place(), column, problem };
    if let Err(problem) = shape.check(row.len()) {
        return reading.bad(|| error(None, problem));
    }
    let cell = |column| match std::str::from_utf8(&row[column]) {
        Ok(text) => Ok(Cell::Text(text)),
        Err(_) => Err("the field is not UTF-8".to_owned()),
    };
    if let Err((column, problem)) = reading.add(cell) {
        let name = reading.layout().names[column].clone();
        return reading.bad(|| error(Some((column + 1, name)), problem));
    }
    Ok(())
}

/// How many fields a row must have.
#[derive(Clone, Copy)]
enum Shape {
    /// As many as the header.
    Exactly(usize),
    AtLeast(usize),
}

impl Shape {
    fn new(layout: &Layout, has_header: bool) -> Self {
        match layout.columns().last() {
            Some(last) if !has_header => Self::AtLeast(last + 1),
            _ => Self::Exactly(layout.names.len()),
        }
    }

    fn check(self, fields: usize) -> Result<(), String> {
        match self {
            Self::Exactly(header) if fields != header => {
                Err(format!("the row has {fields} fields, the header has {header}"))
            }
            Self::AtLeast(least) if fields < least => {
                Err(format!("the row has {fields} fields, {least} are needed"))
            }
            _ => Ok(()),
        }
    }
}

/// The line of the row that was read from `position`, which is before the empty lines above it.
fn line(path: &Path, position: &Position) -> u64 {
    let above = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(position.byte()))?;
        let mut lines = 0;
        for byte in BufReader::new(file).bytes() {
            match byte? {
                b'\n' => lines += 1,
                b'\r' => {}
                _ => break,
            }
        }
        io::Result::Ok(lines)
    };
    position.line() + above().unwrap_or(0)
}

const BUFFER: usize = 64 * 1024;
