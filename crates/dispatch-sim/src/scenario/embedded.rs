//! The embedded scenarios: the files in `scenarios/`, to be run, printed, copied and changed.

use super::{Scenario, file};

/// Every embedded scenario.
#[must_use]
pub fn all() -> Vec<Scenario> {
    FILES.into_iter().map(read).collect()
}

/// The embedded scenario of this name.
#[must_use]
pub fn named(name: &str) -> Option<Scenario> {
    all().into_iter().find(|scenario| scenario.name == name)
}

/// The file of the embedded scenario of this name.
#[must_use]
pub fn text(name: &str) -> Option<&'static str> {
    FILES.into_iter().find(|text| read(text).name == name)
}

fn read(text: &str) -> Scenario {
    file::parse(text).expect("the tests read every embedded scenario")
}

const FILES: [&str; 30] = [
    include_str!("../../scenarios/base16.toml"),
    include_str!("../../scenarios/bimodal.toml"),
    include_str!("../../scenarios/heavy-tail.toml"),
    include_str!("../../scenarios/diurnal.toml"),
    include_str!("../../scenarios/bank-day.toml"),
    include_str!("../../scenarios/flash-crowd.toml"),
    include_str!("../../scenarios/ramp-200.toml"),
    include_str!("../../scenarios/tools-x3.toml"),
    include_str!("../../scenarios/cold-calls.toml"),
    include_str!("../../scenarios/flat-cost.toml"),
    include_str!("../../scenarios/wrong-labels.toml"),
    include_str!("../../scenarios/4x12.toml"),
    include_str!("../../scenarios/16x50.toml"),
    include_str!("../../scenarios/64.toml"),
    include_str!("../../scenarios/weights-10-10-8-10.toml"),
    include_str!("../../scenarios/mixed-1-2-4.toml"),
    include_str!("../../scenarios/dispatchers-4.toml"),
    include_str!("../../scenarios/dispatchers-16.toml"),
    include_str!("../../scenarios/reports-30.toml"),
    include_str!("../../scenarios/lost-reports.toml"),
    include_str!("../../scenarios/silent-reports.toml"),
    include_str!("../../scenarios/no-reports.toml"),
    include_str!("../../scenarios/frozen-report.toml"),
    include_str!("../../scenarios/throttled.toml"),
    include_str!("../../scenarios/black-hole.toml"),
    include_str!("../../scenarios/grey-failure.toml"),
    include_str!("../../scenarios/cold-join.toml"),
    include_str!("../../scenarios/crash.toml"),
    include_str!("../../scenarios/rolling-restart.toml"),
    include_str!("../../scenarios/azure.toml"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_and_says_in_a_line_what_it_shows() {
        let mut names: Vec<_> = all().into_iter().map(|scenario| scenario.name).collect();
        let n = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), n);
        assert!(all().iter().all(|scenario| (15..=90).contains(&scenario.about.len())));
    }

    #[test]
    fn faults_concern_bridges_that_there_are() {
        for scenario in all() {
            let bridges = scenario.weights.len();
            assert!(scenario.faults.iter().all(|fault| fault.bridge < bridges), "{}", scenario.name);
            assert!(scenario.watch.is_none_or(|watch| watch.bridge < bridges), "{}", scenario.name);
        }
    }
    #[test]
    fn a_file_is_named_as_its_scenario_and_what_it_leaves_out_is_as_in_base16() {
        let base16 = named("base16").unwrap();
        let empty = format!("name = 'base16'\nabout = '{}'", base16.about);
        assert_eq!(file::parse(&empty).unwrap(), base16);
        for scenario in all() {
            let path = format!("{}/scenarios/{}.toml", env!("CARGO_MANIFEST_DIR"), scenario.name);
            assert_eq!(std::fs::read_to_string(path).unwrap(), text(&scenario.name).unwrap());
        }
    }
}
