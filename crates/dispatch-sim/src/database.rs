//! Kamailio's table `dispatcher`: SQLite, PostgreSQL or MySQL, read as the lines of a dispatcher.list.

use std::fmt;

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Row};

use crate::script::Script;

/// Where the columns of a list stand: what the parameters of Kamailio's dispatcher say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// `table_name`.
    pub name: String,
    /// `setid_col`, `destination_col`, `flags_col`, `priority_col`, `attrs_col`.
    pub columns: [String; 5],
    /// `ds_db_extra_attrs`: attributes that stand in columns of their own, by name and column.
    pub attributes: Vec<(String, String)>,
}

/// Why a table was not read.
#[derive(Debug)]
pub struct DatabaseError(String);

impl Default for Table {
    fn default() -> Self {
        let columns = ["setid", "destination", "flags", "priority", "attrs"].map(String::from);
        Self { name: "dispatcher".into(), columns, attributes: Vec::new() }
    }
}

impl Table {
    /// The table that a script names.
    #[must_use]
    pub fn of(script: &Script) -> Self {
        let named = |name| script.param("dispatcher", name).and_then(|param| param.value.text());
        let Self { name, columns, .. } = Self::default();
        let parameters = ["setid_col", "destination_col", "flags_col", "priority_col", "attrs_col"];
        let mut parameters = parameters.into_iter();
        let columns = columns.map(|column| parameters.next().and_then(named).unwrap_or(column));
        let extra = named("ds_db_extra_attrs").unwrap_or_default();
        let attributes = extra.split(';').filter_map(|part| part.split_once('='));
        let attributes = attributes.map(|(name, column)| (name.trim().into(), column.trim().into()));
        Self { name: named("table_name").unwrap_or(name), columns, attributes: attributes.collect() }
    }

    fn query(&self) -> Result<String, DatabaseError> {
        let extra = self.attributes.iter().map(|(_, column)| column);
        let columns: Vec<&str> = self.columns.iter().chain(extra).map(String::as_str).collect();
        for name in columns.iter().chain([&&*self.name]) {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
            if name.is_empty() || !name.chars().all(is_plain) {
                return Err(DatabaseError(format!("{name:?} is not the name of a table or column")));
            }
        }
        // Kamailio asks for no order either.
        Ok(format!("SELECT {} FROM {}", columns.join(", "), self.name))
    }
}

/// Reads a table as the lines of a dispatcher.list, in the order in which the database gives them.
/// `url` is as Kamailio's `db_url`.
///
/// # Errors
/// The database or the table cannot be read, or has a value that is none.
pub fn read(url: &str, table: &Table) -> Result<String, DatabaseError> {
    let query = table.query()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| DatabaseError(error.to_string()))?;
    runtime
        .block_on(rows(&address(url)?, &query, table))
        .map_err(|error| DatabaseError(format!("{}, table {}: {error}", without_password(url), table.name)))
}

async fn rows(address: &str, query: &str, table: &Table) -> Result<String, sqlx::Error> {
    install_default_drivers();
    let mut connection = AnyConnection::connect(address).await?;
    let mut lines = String::new();
    for row in sqlx::query(query).fetch_all(&mut connection).await? {
        let number = |column: usize| row.try_get::<Option<i64>, _>(column);
        let text = |column: usize| row.try_get::<Option<String>, _>(column).map(Option::unwrap_or_default);
        let (set, uri) = (number(0)?, text(1)?);
        let (flags, priority) = (number(2)?.unwrap_or(0), number(3)?.unwrap_or(0));
        let mut attrs = text(4)?;
        for (place, (name, _)) in table.attributes.iter().enumerate() {
            let column = table.columns.len() + place;
            // A column of numbers is no text, and a column of text no number.
            let value = match text(column) {
                Ok(value) => value,
                Err(_) => number(column)?.map(|number| number.to_string()).unwrap_or_default(),
            };
            if !value.is_empty() {
                attrs = [attrs, format!("{name}={value}")]
                    .into_iter()
                    .filter(|one| !one.is_empty())
                    .collect::<Vec<_>>()
                    .join(";");
            }
        }
        let set = set.map(|set| set.to_string()).unwrap_or_default();
        lines.push_str(format!("{set} {uri} {flags} {priority} {attrs}").trim_end());
        lines.push('\n');
    }
    connection.close().await?;
    Ok(lines)
}

/// A URL as the client library takes it: a file is opened to be read, and never made.
fn address(url: &str) -> Result<String, DatabaseError> {
    match url.split_once("://").unwrap_or((url, "")) {
        ("postgres" | "postgresql" | "mysql", _) => Ok(url.to_owned()),
        ("sqlite", file) if !file.is_empty() => Ok(format!("sqlite://{file}?mode=ro")),
        (scheme, _) => Err(DatabaseError(format!(
            "{scheme:?} is none of sqlite, postgres and mysql; export the table as a dispatcher.list and give --list"
        ))),
    }
}

fn without_password(url: &str) -> String {
    let secret = url
        .split_once("://")
        .and_then(|(_, rest)| rest.rsplit_once('@'))
        .and_then(|(user, _)| user.split_once(':'));
    secret.map_or_else(|| url.to_owned(), |(_, password)| url.replacen(&format!(":{password}@"), ":***@", 1))
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for DatabaseError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown_and_a_name_is_plain() {
        assert_eq!(without_password("mysql://kam:p:w@db/kamailio"), "mysql://kam:***@db/kamailio");
        assert_eq!(without_password("sqlite:///var/kam.db"), "sqlite:///var/kam.db");
        assert!(Table { name: "a; DROP TABLE b".into(), ..Table::default() }.query().is_err());
        assert_eq!(
            Table::default().query().unwrap(),
            "SELECT setid, destination, flags, priority, attrs FROM dispatcher"
        );
        assert!(address("unixodbc://a").unwrap_err().to_string().contains("none of sqlite"));
    }
}
