//! `callsteer migrate`: from a kamailio.cfg and its list to a configuration of Callsteer.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer::list::{self, List, Mode};
use callsteer_sim::migrate::{self, Fate, Migration, Options};
use callsteer_sim::script::Script;
use clap::{Args, ValueEnum};

use super::{Done, FOUND, define, print, write};

/// Carry a kamailio.cfg and its dispatcher list over to a configuration of Callsteer
///
/// Writes the configuration and the list, and says of every line that concerns the dispatcher what
/// became of it. Nothing is passed over: what has no counterpart is named with file and line.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Migrate {
    /// The kamailio.cfg; files that it includes are read too
    script: PathBuf,
    /// The list, in place of the one that the script names (list_file)
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// Read the list from a database: sqlite:, postgres: or mysql:, as db_url of the script; without
    /// URL, that one
    #[cfg(feature = "database")]
    #[arg(long, value_name = "URL", conflicts_with = "list", num_args = 0..=1, default_missing_value = "")]
    database: Option<String>,
    /// Read kamailio.cfg with this defined, as Kamailio's option -A does; may be given several times
    #[arg(short = 'A', long = "define", value_name = "NAME[=VALUE]", value_parser = define)]
    defines: Vec<(String, String)>,
    /// The same decisions as Kamailio's, by the algorithm "kamailio", in place of the better ones
    #[arg(long)]
    as_kamailio: bool,
    /// Where callsteer.json or callsteer.toml and dispatcher.list are written
    #[arg(long, value_name = "FOLDER", default_value = "callsteer")]
    into: PathBuf,
    /// The form of the configuration
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Toml,
}

impl Migrate {
    pub(super) fn run(self) -> Done {
        let defines: BTreeMap<String, String> = self.defines.iter().cloned().collect();
        let script = Script::read(&self.script, &defines)?;
        let (list, from) = self.list(&script)?;
        let options = Options { as_kamailio: self.as_kamailio };
        let migration = migrate::migrate(&script, list, &from, options);
        print(&render(&migration))?;
        let (config, list) = self.write(&migration)?;
        print(&format!("Configuration: {}\nList: {}\n", config.display(), list.display()))?;
        let to_do = migration.count(Fate::Outside) + migration.count(Fate::Lost);
        Ok(if to_do == 0 { ExitCode::SUCCESS } else { ExitCode::from(FOUND) })
    }

    /// The list, and what its lines are told by.
    fn list(&self, script: &Script) -> Result<(List, String), Box<dyn Error>> {
        let mode = if script.number("ds_load_mode").unwrap_or(0) == 1 { Mode::Strict } else { Mode::Lenient };
        let refuse = |from: &str, error: list::ParseError| {
            format!("{from}:{}:{}: {}", error.line, error.column, error.message)
        };
        let named = |name| script.param("dispatcher", name).and_then(|param| param.value.text());
        #[cfg(feature = "database")]
        if let Some(url) = &self.database {
            let url = match (&**url, named("db_url")) {
                ("", Some(url)) => url,
                ("", None) => return Err("--database without URL: the script has no db_url".into()),
                (url, _) => url.to_owned(),
            };
            let table = callsteer_sim::database::Table::of(script);
            let lines = callsteer_sim::database::read(&url, &table)?;
            let from = format!("table {}, row", table.name);
            return Ok((list::parse(lines.as_bytes(), mode).map_err(|error| refuse(&from, error))?, from));
        }
        let file = match (&self.list, named("list_file"), named("db_url")) {
            (Some(file), ..) => file.clone(),
            (None, _, Some(_)) => {
                return Err(format!("the list is in a database (db_url): {FROM_DATABASE}").into());
            }
            (None, Some(file), None) => self.beside(file.into()),
            (None, None, None) => {
                return Err(
                    "the script names no list, or one that only Kamailio knows: give --list FILE".into()
                );
            }
        };
        let from = file.display().to_string();
        let bytes =
            std::fs::read(&file).map_err(|error| format!("{from}: {error}; another one: --list FILE"))?;
        Ok((list::parse(&bytes, mode).map_err(|error| refuse(&from, error))?, from))
    }

    /// A file that the script names, or the one of that name in the folder of the script.
    fn beside(&self, file: PathBuf) -> PathBuf {
        let beside = self.script.parent().map(|folder| folder.join(&file));
        beside.filter(|beside| !file.is_file() && beside.is_file()).unwrap_or(file)
    }

    fn write(&self, migration: &Migration) -> Result<(PathBuf, PathBuf), Box<dyn Error>> {
        let folder: &Path = &self.into;
        std::fs::create_dir_all(folder)
            .map_err(|error| format!("cannot write {}: {error}", folder.display()))?;
        let changes = migration.config_changes();
        let (name, text) = match self.format {
            Format::Json => ("callsteer.json", serde_json::to_string_pretty(&changes)? + "\n"),
            Format::Toml => ("callsteer.toml", toml::to_string(&changes)?),
        };
        let (config, list) = (folder.join(name), folder.join("dispatcher.list"));
        write(&config, &text)?;
        write(&list, &String::from_utf8_lossy(&list::write(&migration.list)))?;
        Ok((config, list))
    }
}

fn render(migration: &Migration) -> String {
    let mut text = String::new();
    for line in &migration.lines {
        let _ = writeln!(text, "{}: {}: {}", line.place, line.fate, line.what);
    }
    let counts = [Fate::Carried, Fate::Needless, Fate::Differs, Fate::Outside, Fate::Lost];
    let counts: Vec<String> =
        counts.iter().map(|fate| format!("{fate} {}", migration.count(*fate))).collect();
    let _ = writeln!(text, "{}", counts.join(", "));
    text
}

#[cfg(feature = "database")]
const FROM_DATABASE: &str = "give --database to read it there, or --list FILE";
#[cfg(not(feature = "database"))]
const FROM_DATABASE: &str = "give --list FILE, or build with --features database and give --database";

const AFTER_HELP: &str = "\
Examples:
  callsteer migrate /etc/kamailio/kamailio.cfg
  callsteer migrate kamailio.cfg --list dispatcher.list --as-kamailio --format toml

Each line that concerns the dispatcher is one of
  carried   it stands in the configuration or in the list
  needless  it has no counterpart and needs none
  differs   it stands there, and does something else than in Kamailio
  outside   the program around Callsteer has to do it
  lost      it has no counterpart, or nobody knows what it means

Exit codes: 0 everything is carried over; 1 something is outside or lost; 2 a file cannot be used.";
