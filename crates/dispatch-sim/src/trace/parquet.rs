//! Call records in Parquet: one row group, and of it some thousand rows, at a time.

use std::fs::File;
use std::panic::catch_unwind;
use std::path::Path;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit};
use ::parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use ::parquet::data_type::{ByteArray, DataType};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::schema::types::{ColumnDescPtr, SchemaDescriptor};

use super::cell::Cell;
use super::format::Format;
use super::layout::Layout;
use super::reading::{Read, Reading};
use super::{Options, Place, TraceError, Whole};

/// Reads the calls of a file row by row, and of the columns only those that are needed.
pub(super) fn read(path: &Path, options: &Options) -> Result<Read, TraceError> {
    // On damaged files the crate may panic.
    catch_unwind(|| read_rows(path, options)).unwrap_or_else(|_| {
        let problem = "cannot be read as Parquet: it is damaged".to_owned();
        Err(TraceError { path: path.to_owned(), place: None, column: None, problem })
    })
}

fn read_rows(path: &Path, options: &Options) -> Result<Read, TraceError> {
    let whole = |problem| TraceError { path: path.to_owned(), place: None, column: None, problem };
    let broken = |cause: ParquetError| whole(format!("cannot be read as Parquet: {cause}"));
    let file = File::open(path).map_err(|cause| whole(cause.to_string()))?;
    let file = SerializedFileReader::new(file).map_err(broken)?;
    let schema = file.metadata().file_metadata().schema_descr();
    let leaves = flat_columns(schema);
    let names = leaves.iter().map(|leaf| schema.column(*leaf).name().to_owned()).collect();
    let layout = Layout::new(Format::Parquet, names, &options.columns).map_err(whole)?;

    let columns = layout.columns();
    let mut kinds = Vec::new();
    for column in &columns {
        let described = schema.column(leaves[*column]);
        kinds.push(Kind::of(&described).ok_or_else(|| {
            let problem = format!("a column of the type {} is not understood", type_name(&described));
            let column = Some((column + 1, described.name().to_owned()));
            TraceError { column, ..whole(problem) }
        })?);
    }

    let mut reading = Reading::new(layout, options.skip_bad_rows);
    let mut number = 0;
    for group in 0..file.num_row_groups() {
        let group = file.get_row_group(group).map_err(broken)?;
        let mut readers = Vec::new();
        for (column, kind) in columns.iter().zip(&kinds) {
            let reader = group.get_column_reader(leaves[*column]).map_err(broken)?;
            readers.push((reader, *kind));
        }
        let mut rows = usize::try_from(group.metadata().num_rows()).unwrap_or(0);
        while rows > 0 {
            let count = rows.min(BATCH);
            let batch: Vec<Vec<Value>> = readers
                .iter_mut()
                .map(|(reader, kind)| values(reader, *kind, count))
                .collect::<Result<_, _>>()
                .map_err(broken)?;
            rows -= count;
            for row in 0..count {
                number += 1;
                let cell = |column| {
                    let place = columns.binary_search(&column).unwrap_or_default();
                    batch[place].get(row).map_or(Ok(Cell::Null), Value::cell)
                };
                if let Err((column, problem)) = reading.add(cell) {
                    let name = reading.layout().names[column].clone();
                    let place = Some(Place::Row(number));
                    reading.bad(|| TraceError {
                        place,
                        column: Some((column + 1, name)),
                        ..whole(problem)
                    })?;
                }
            }
        }
    }
    reading.finish().map_err(|Whole(problem)| whole(problem))
}

/// The columns that have one value per row, by their place in the file.
fn flat_columns(schema: &SchemaDescriptor) -> Vec<usize> {
    let is_flat = |leaf: &usize| {
        let column = schema.column(*leaf);
        column.path().parts().len() == 1 && column.max_rep_level() == 0
    };
    (0..schema.num_columns()).filter(is_flat).collect()
}

fn type_name(column: &ColumnDescPtr) -> String {
    match column.converted_type() {
        ConvertedType::NONE => column.physical_type().to_string(),
        converted => converted.to_string(),
    }
}

/// What the numbers of a column mean.
#[derive(Clone, Copy)]
enum Kind {
    /// As they are, times this.
    Number(f64),
    Unsigned,
    /// Since 1970, this many in a microsecond or this many microseconds each.
    Moment {
        per_micro: i64,
        micros: i64,
    },
    Text,
}

impl Kind {
    fn of(column: &ColumnDescPtr) -> Option<Self> {
        use ::parquet::basic::Type;
        let moment = |per_micro, micros| Some(Self::Moment { per_micro, micros });
        match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (Type::INT64, Some(LogicalType::Timestamp(of)), _) => match of.unit {
                TimeUnit::MILLIS => moment(1, 1_000),
                TimeUnit::MICROS => moment(1, 1),
                TimeUnit::NANOS => moment(1_000, 1),
            },
            (Type::INT64, _, ConvertedType::TIMESTAMP_MILLIS) => moment(1, 1_000),
            (Type::INT64, _, ConvertedType::TIMESTAMP_MICROS) => moment(1, 1),
            (Type::INT96, ..) => moment(1, 1),
            (Type::INT32 | Type::INT64, _, ConvertedType::DECIMAL) => {
                Some(Self::Number(0.1f64.powi(column.type_scale())))
            }
            (
                Type::INT32 | Type::INT64,
                _,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
            ) => Some(Self::Unsigned),
            (
                Type::INT32 | Type::INT64,
                None | Some(LogicalType::Integer(_)),
                ConvertedType::NONE
                | ConvertedType::INT_8
                | ConvertedType::INT_16
                | ConvertedType::INT_32
                | ConvertedType::INT_64,
            )
            | (Type::FLOAT | Type::DOUBLE, ..) => Some(Self::Number(1.0)),
            (Type::BYTE_ARRAY, _, ConvertedType::NONE | ConvertedType::UTF8 | ConvertedType::ENUM) => {
                Some(Self::Text)
            }
            _ => None,
        }
    }

    fn int(self, value: i64, unsigned: u64) -> Value {
        match self {
            Self::Unsigned => Value::Number(unsigned as f64),
            Self::Moment { per_micro, micros } => {
                Value::Moment(value.div_euclid(per_micro).saturating_mul(micros))
            }
            Self::Number(unit) => Value::Number(value as f64 * unit),
            Self::Text => Value::Null,
        }
    }
}

/// One field of a row.
enum Value {
    Number(f64),
    Moment(i64),
    Text(ByteArray),
    Null,
}

impl Value {
    fn cell(&self) -> Result<Cell<'_>, String> {
        Ok(match self {
            Self::Number(number) => Cell::Number(*number),
            Self::Moment(micros) => Cell::Moment(*micros),
            Self::Text(bytes) => {
                Cell::Text(bytes.as_utf8().map_err(|_| "the field is not UTF-8".to_owned())?)
            }
            Self::Null => Cell::Null,
        })
    }
}

/// The next values of a column.
fn values(column: &mut ColumnReader, kind: Kind, count: usize) -> Result<Vec<Value>, ParquetError> {
    let number = |value: f64| Value::Number(value);
    match column {
        ColumnReader::Int32ColumnReader(reader) => {
            filled(reader, count, |value| kind.int(i64::from(*value), u64::from(*value as u32)))
        }
        ColumnReader::Int64ColumnReader(reader) => {
            filled(reader, count, |value| kind.int(*value, *value as u64))
        }
        ColumnReader::Int96ColumnReader(reader) => {
            filled(reader, count, |value| Value::Moment(value.to_micros()))
        }
        ColumnReader::FloatColumnReader(reader) => filled(reader, count, |value| number(f64::from(*value))),
        ColumnReader::DoubleColumnReader(reader) => filled(reader, count, |value| number(*value)),
        ColumnReader::ByteArrayColumnReader(reader) => {
            filled(reader, count, |value| Value::Text(value.clone()))
        }
        ColumnReader::BoolColumnReader(_) | ColumnReader::FixedLenByteArrayColumnReader(_) => Ok(Vec::new()),
    }
}

/// Values at the rows that have one: those of definition level 1, or all where no row lacks one.
fn filled<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    value: impl Fn(&T::T) -> Value,
) -> Result<Vec<Value>, ParquetError> {
    let (mut found, mut levels) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let (rows, ..) = reader.read_records(count, Some(&mut levels), None, &mut found)?;
    if rows != count {
        return Err(ParquetError::EOF(format!("a column ends {} rows too early", count - rows)));
    }
    if levels.is_empty() {
        return Ok(found.iter().map(value).collect());
    }
    let mut found = found.iter();
    let at = |level: &i16| if *level > 0 { found.next().map_or(Value::Null, &value) } else { Value::Null };
    Ok(levels.iter().map(at).collect())
}

const BATCH: usize = 4_096;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ::parquet::data_type::{ByteArrayType, DoubleType, Int32Type, Int64Type};
    use ::parquet::file::properties::WriterProperties;
    use ::parquet::file::writer::SerializedFileWriter;
    use ::parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::workload::Bridge;

    /// One column of a file, with the definition levels of its rows.
    enum Column<'a> {
        I32(&'a [i32]),
        I64(&'a [i64], &'a [i16]),
        F64(&'a [f64]),
        Text(&'a [&'a [u8]]),
    }

    fn write(schema: &str, columns: &[Column]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let schema = Arc::new(parse_message_type(&format!("message calls {{ {schema} }}")).unwrap());
        let properties = Arc::new(WriterProperties::builder().build());
        let mut writer = SerializedFileWriter::new(file.reopen().unwrap(), schema, properties).unwrap();
        let mut group = writer.next_row_group().unwrap();
        for column in columns {
            let mut to = group.next_column().unwrap().unwrap();
            match column {
                Column::I32(values) => to.typed::<Int32Type>().write_batch(values, None, None),
                Column::I64(values, levels) => {
                    to.typed::<Int64Type>().write_batch(values, (!levels.is_empty()).then_some(levels), None)
                }
                Column::F64(values) => to.typed::<DoubleType>().write_batch(values, None, None),
                Column::Text(values) => {
                    let values: Vec<_> = values.iter().map(|text| ByteArray::from(text.to_vec())).collect();
                    to.typed::<ByteArrayType>().write_batch(&values, None, None)
                }
            }
            .unwrap();
            to.close().unwrap();
        }
        group.close().unwrap();
        writer.close().unwrap();
        file
    }

    fn read_columns(file: &tempfile::NamedTempFile, columns: &str) -> Result<Read, String> {
        let options = Options { columns: columns.parse().unwrap(), ..Options::default() };
        read(file.path(), &options).map_err(|error| error.what())
    }

    /// Starts and lengths in milliseconds, costs in thousandths.
    fn calls(read: Read) -> Vec<(u64, u128, u32)> {
        let call = |call: crate::workload::CallRecord| {
            (call.start.as_micros() / 1_000, call.length.as_millis(), call.cost)
        };
        read.calls.workload("", vec![Bridge::new(1)]).calls(0).map(call).collect()
    }

    #[test]
    fn moments_and_numbers_mean_the_same_in_every_type() {
        let check = |kind: &str, starts: &[i64], option: &str| {
            let schema =
                format!("required int64 start {kind}; required int32 duration; required double cost;");
            let columns = [Column::I64(starts, &[]), Column::I32(&[2, 4]), Column::F64(&[1.0, 3.0])];
            let read = read_columns(&write(&schema, &columns), option).unwrap();
            assert_eq!(calls(read), [(0, 2_000, 500), (1_500, 4_000, 1_500)], "{kind}");
        };
        check("(TIMESTAMP(MILLIS,true))", &[1_700_000_000_000, 1_700_000_001_500], "start=start");
        check("(TIMESTAMP(MICROS,false))", &[1_700_000_000_000_000, 1_700_000_001_500_000], "start=start");
        check(
            "(TIMESTAMP(NANOS,true))",
            &[1_700_000_000_000_000_000, 1_700_000_001_500_000_000],
            "start=start",
        );
        check("", &[1_700_000_000_000, 1_700_000_001_500], "start=start:ms");
        check("", &[1_700_000_000_000_000, 1_700_000_001_500_000], "start=start:us");
        check("(DECIMAL(12,1))", &[0, 15], "start=start");
    }

    #[test]
    fn what_is_wrong_is_said_with_row_and_column() {
        let schema = "optional int64 start; required int32 duration; required binary class (UTF8);";
        let columns = |starts, levels, lengths, names| {
            [Column::I64(starts, levels), Column::I32(lengths), Column::Text(names)]
        };
        let refused = |columns: &[Column], option: &str, expected: &str| {
            let Err(error) = read_columns(&write(schema, columns), option) else { panic!("not refused") };
            assert_eq!(error, expected);
        };
        refused(
            &columns(&[7], &[0, 1], &[1, 1], &[b"a", b"b"]),
            "start=start",
            "row 1, column 1 (start): nothing is neither a number of seconds nor a date like 2023-11-16T18:15:46.68",
        );
        refused(
            &columns(&[7, 8], &[1, 1], &[1, -1], &[b"a", b"b"]),
            "start=start",
            "row 2, column 2 (duration): -1: a number of seconds is not negative",
        );
        refused(
            &columns(&[7, 8], &[1, 1], &[1, 1], &[b"a", b"\xff"]),
            "start=start",
            "row 2, column 3 (class): the field is not UTF-8",
        );
        refused(
            &columns(&[7], &[1], &[1], &[b"a"]),
            "duration=class",
            "row 1, column 3 (class): \"a\" is not a number of seconds",
        );
        let dates = write(
            "required int32 start (DATE); required int32 duration;",
            &[Column::I32(&[1]), Column::I32(&[1])],
        );
        assert_eq!(
            read_columns(&dates, "start=start").err().unwrap(),
            "column 1 (start): a column of the type DATE is not understood"
        );
    }

    #[test]
    fn a_damaged_file_is_an_error_wherever_it_is_damaged() {
        let schema = "required int64 start; required int32 duration;";
        let file = write(schema, &[Column::I64(&[1, 2], &[]), Column::I32(&[1, 2])]);
        let bytes = std::fs::read(file.path()).unwrap();
        for place in 4..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut damaged = bytes.clone();
                damaged[place] ^= flip;
                std::fs::write(file.path(), damaged).unwrap();
                // Some damage changes a value or nothing.
                let _ = read_columns(&file, "start=start");
            }
        }
    }

    #[test]
    fn rows_beyond_one_batch_keep_their_order() {
        let rows = 2 * BATCH + 3;
        let starts: Vec<i64> = (0..rows as i64).collect();
        let lengths: Vec<i32> = (0..rows as i32).collect();
        let columns = [Column::I64(&starts, &[]), Column::I32(&lengths)];
        let read =
            read_columns(&write("required int64 start; required int32 duration;", &columns), "start=start");
        let calls = calls(read.unwrap());
        assert_eq!(calls.len(), rows);
        assert!((0..).zip(&calls).all(|(n, call)| (call.0, call.1) == (n * 1_000, u128::from(n) * 1_000)));
    }
}
