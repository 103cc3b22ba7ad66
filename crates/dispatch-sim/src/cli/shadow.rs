//! `callsteer shadow`: what Kamailio did, and what Callsteer would have done.

use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use callsteer::kamailio::Release;
use callsteer::list::{self, List, Mode};
use callsteer::{Config, ReplyCodes, SetId};
use callsteer_sim::migrate;
use callsteer_sim::policy::{self, Policy};
use callsteer_sim::script::Script;
use callsteer_sim::shadow::calls::{Course, Known};
use callsteer_sim::shadow::fleet::Fleet;
use callsteer_sim::shadow::model::{self, Upkeep};
use callsteer_sim::shadow::record::Recording;
use callsteer_sim::shadow::report::{Options, report};
use callsteer_sim::shadow::{log, table, traffic};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::{Done, define, print, write_json};

/// Show what Kamailio did with real calls, and what Callsteer's algorithms would have done
///
/// Reads a capture of SIP (pcap, pcapng) or a log of decisions, and the dispatcher list. For each
/// call: where Kamailio sent it, whether its model agrees, where each algorithm would have sent it;
/// then how even the load was and would have been, with the calls' real lengths.
#[derive(Args)]
#[command(after_help = AFTER_HELP)]
pub(super) struct Shadow {
    /// A capture, or a log of decisions
    file: PathBuf,
    /// The list, in the format of Kamailio's dispatcher.list
    #[arg(long, value_name = "FILE")]
    list: Option<PathBuf>,
    /// The kamailio.cfg: parameters, sets and algorithms
    #[arg(long, value_name = "FILE")]
    cfg: Option<PathBuf>,
    /// Read kamailio.cfg with this defined, as Kamailio's option -A does; may be given several times
    #[arg(short = 'A', long = "define", value_name = "NAME[=VALUE]", value_parser = define, requires = "cfg")]
    defines: Vec<(String, String)>,
    /// The set of calls that do not say theirs
    #[arg(long, value_name = "SET")]
    set: Option<SetId>,
    /// Kamailio's algorithm for calls that do not say it; without it, the one that agrees most often is shown
    #[arg(long, value_name = "NUMBER")]
    alg: Option<u16>,
    /// The address of a host that is a name in the list; may be given several times
    #[arg(long = "address", value_name = "NAME=IP", value_parser = address)]
    addresses: Vec<(String, IpAddr)>,
    /// Whose behaviour the model has
    #[arg(long, value_enum, default_value_t = Kamailio::V5)]
    kamailio: Kamailio,
    /// Compare only with this policy; may be given several times
    #[arg(long = "policy", visible_alias = "algorithm", value_name = "NAME",
          value_parser = PossibleValuesParser::new(policies().map(|policy| policy.name)))]
    policies: Vec<String>,
    /// Calls of each set that the table shows
    #[arg(long, value_name = "N", default_value_t = 10)]
    calls: usize,
    /// Write everything as JSON; "-" prints it in place of the table
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kamailio {
    /// Kamailio 5
    #[value(name = "5")]
    V5,
    /// Kamailio 6
    #[value(name = "6")]
    V6,
}

impl Shadow {
    pub(super) fn run(self) -> Done {
        let defines: BTreeMap<String, String> = self.defines.iter().cloned().collect();
        let script = self.cfg.as_ref().map(|file| Script::read(file, &defines)).transpose()?;
        let is_capture = is_capture(&self.file)?;
        let log = if is_capture { log::Log::default() } else { log::read(&self.file)? };
        let list = self.list(log.list.as_deref())?;
        let fleet = Fleet::new(&list);
        let mut base = Config::default();
        if let Some(script) = &script {
            base = migrate::migrate(script, list, "", migrate::Options::default()).config;
        }
        let recording =
            if is_capture { self.capture(&fleet, &base.probing.accepted)? } else { log.recording };

        let number = |name: &str| {
            let scripted = script.as_ref().and_then(|script| script.number(name));
            scripted.or_else(|| log.params.get(name)?.as_i64())
        };
        let mut params = model::params(number);
        params.release = match self.kamailio {
            Kamailio::V5 => Release::V5,
            Kamailio::V6 => Release::V6,
        };
        let upkeep = Upkeep::of(script.as_ref());
        let mark = script.as_ref().filter(|_| is_capture).and_then(model::mark);
        let course =
            Course::new(recording, &fleet, &Known { set: self.set, algorithm: self.alg, script, mark });
        let policies = self.policies();
        let options = Options { params, upkeep, base, policies: &policies };
        let report = report(&self.file.display().to_string(), &course, &fleet, &options)?;
        if report.sets.is_empty() {
            let notes = report.notes.join("\n  - ");
            return Err(format!(
                "{}: no call went to a destination of the list\n  - {notes}",
                self.file.display()
            )
            .into());
        }
        match &self.json {
            Some(file) if file == Path::new("-") => write_json(file, &report)?,
            json => {
                print(&table::render(&report, self.calls))?;
                if let Some(file) = json {
                    write_json(file, &report)?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn list(&self, recorded: Option<&str>) -> Result<List, Box<dyn Error>> {
        let (file, bytes) = match (&self.list, recorded) {
            (Some(file), _) => {
                let name = file.display().to_string();
                let bytes = std::fs::read(file).map_err(|error| format!("{name}: {error}"))?;
                (name, bytes)
            }
            (None, Some(list)) => (format!("{}, list", self.file.display()), list.as_bytes().to_vec()),
            (None, None) => return Err("give the dispatcher list: --list FILE".into()),
        };
        let list = list::parse(&bytes, Mode::Lenient)?;
        for error in list.skipped() {
            eprintln!("{file}:{}:{}: left out: {}", error.line, error.column, error.message);
        }
        Ok(list)
    }

    fn capture(&self, fleet: &Fleet, accepted: &ReplyCodes) -> Result<Recording, Box<dyn Error>> {
        let names = self.addresses.iter().cloned().collect();
        Ok(traffic::read(&self.file, fleet, &traffic::Options { names, accepted: accepted.clone() })?)
    }

    fn policies(&self) -> Vec<Policy> {
        let asked = |policy: &Policy| {
            self.policies.is_empty() || self.policies.iter().any(|name| name == policy.name)
        };
        policies().filter(asked).collect()
    }
}

/// Nobody tells what a call cost.
fn policies() -> impl Iterator<Item = Policy> {
    policy::ALL.into_iter().filter(|policy| !policy.costs_told)
}

/// Whether a file starts as pcap (either byte order, micro- or nanoseconds) or pcapng does.
fn is_capture(file: &Path) -> Result<bool, String> {
    let mut magic = [0; 4];
    let read = std::fs::File::open(file).and_then(|mut file| file.read(&mut magic));
    read.map_err(|error| format!("{}: {error}", file.display()))?;
    let known = [0xa1b2_c3d4, 0xa1b2_3c4d, 0x0a0d_0d0a_u32];
    Ok(known.contains(&u32::from_be_bytes(magic)) || known.contains(&u32::from_le_bytes(magic)))
}

fn address(text: &str) -> Result<(String, IpAddr), String> {
    let (name, ip) = text.split_once('=').ok_or("not NAME=IP")?;
    let ip = ip.parse().map_err(|_| format!("{ip:?} is not an IP address"))?;
    Ok((name.to_ascii_lowercase(), ip))
}

const AFTER_HELP: &str = "\
Examples:
  callsteer shadow sip.pcap --list dispatcher.list --cfg kamailio.cfg
  callsteer shadow sip.pcapng --list dispatcher.list --alg 4 --calls 50
  callsteer shadow decisions.log --list dispatcher.list --json -

docs/kamailio.md has the lines for a kamailio.cfg that write such a log.";
