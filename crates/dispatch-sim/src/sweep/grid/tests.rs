//! Grids that are read, and those that are refused.

use super::*;

fn parse(text: &str) -> Result<Grid, FileError> {
    Grid::parse(text, Path::new(""))
}

fn with(rest: &str) -> String {
    format!("name = 'test'\nbase = 'base16'\npolicies = ['call_load']\nseeds = 2\n[axes]\n{rest}")
}

#[test]
fn a_grid_is_every_combination_in_the_order_of_the_file() {
    let text = with("reports.interval = [5, 30]\nfleet.shared_every = [0.2, 'never']\n");
    let text =
        text.replace("seeds = 2", "seeds = [7, 3]").replace("['call_load']", "['random', 'load_score']");
    let grid = parse(&text).unwrap();
    let keys: Vec<_> = grid.axes.iter().map(|axis| &*axis.key).collect();
    assert_eq!(keys, ["reports.interval", "fleet.shared_every"]);
    let cells: Vec<_> = grid.cells.iter().map(|cell| Value::from(cell.values.clone()).to_string()).collect();
    assert_eq!(cells, ["[5,0.2]", "[5,\"never\"]", "[30,0.2]", "[30,\"never\"]"]);
    assert_eq!(grid.cells[2].scenario.reports.interval.as_secs(), 30);
    assert_eq!(grid.cells[3].scenario.shared_every, None);

    let tasks = grid.tasks().unwrap();
    let runs: Vec<_> = tasks[..5].iter().map(|task| (&*task.policy, task.seed)).collect();
    assert_eq!(runs, [("random", 7), ("random", 3), ("load_score", 7), ("load_score", 3), ("random", 7)]);
    assert_eq!(tasks.len(), 16);
    assert_eq!(tasks[4].cell["fleet.shared_every"], "never");
    let alone = Scenario { name: String::new(), about: String::new(), ..embedded::named("base16").unwrap() };
    assert_eq!(file::parse(&tasks[4].scenario).unwrap(), alone, "what no axis changes is as in the base");
}

#[test]
fn a_grid_that_changes_keeps_the_ids_of_what_stays() {
    let ids = |text: &str| -> Vec<String> {
        parse(text).unwrap().tasks().unwrap().into_iter().map(|task| task.id).collect()
    };
    let before = ids(&with("fleet.dispatchers = [1, 4]\n"));
    let after = ids(&with("fleet.dispatchers = [16, 4, 1]\n# and more\n"));
    assert_eq!((&after[4..6], &after[2..4]), (&before[0..2], &before[2..4]));
    assert!(after[..2].iter().all(|id| !before.contains(id)));
    let renamed = ids(&with("fleet.dispatchers = [1, 4]\n").replace("'test'", "'other'"));
    assert_eq!(renamed, before, "a name changes no result");
}

#[test]
fn an_axis_can_change_lists_and_tables() {
    let grid = parse(&with("fleet.weights = [[1, 2], [1]]\ncalls.lengths = [{ pareto = 2 }]\n"));
    // The base says how many bridges there are, which is one thing too many.
    assert!(grid.unwrap_err().message.contains("weights or a number"));
    let grid = with("fleet.weights = [[1, 2], [1]]\ncalls.lengths = [{ pareto = 2 }]\n");
    let grid = parse(&grid.replace("base16", "weights-10-10-8-10")).unwrap();
    assert_eq!(grid.cells[0].scenario.weights, [1, 2]);
    assert_eq!(grid.cells[1].scenario.lengths, crate::scenario::Lengths::Pareto(2.0));
}

#[test]
fn a_grid_that_is_wrong_is_refused_where_it_is_wrong() {
    let refused = |text: &str, at: (usize, usize), wanted: &str| {
        let error = parse(text).unwrap_err();
        assert_eq!((error.line, error.column), at, "{error}");
        assert!(error.message.contains(wanted), "{error}");
    };
    let axes = |rest: &str, at, wanted| refused(&with(rest), at, wanted);
    axes("fleet.dispachers = [1]\n", (6, 7), "unknown key `dispachers`");
    axes("fleet.dispachers = [1]\n", (6, 7), "did you mean `dispatchers`?");
    axes("dispatchers = [1]\n", (6, 1), "did you mean `fleet.dispatchers`?");
    axes("colour = [1]\n", (6, 1), "unknown key `colour`, expected one of");
    axes("fleet.dispatchers = []\n", (6, 21), "at least one value");
    axes("fleet.dispatchers = 4\n", (6, 21), "a list of values");
    axes("fleet.dispatchers = [1, 'four']\n", (6, 25), "expected u32");
    axes("fleet.dispatchers = [1, 65]\n", (6, 25), "1 to 64 dispatchers");
    axes("fleet.dispatchers = [1, 4, 1]\n", (6, 28), "stands twice");
    axes("", (5, 1), "an axis at least");
    axes(
        "fleet.bridges = [4]\nfault = [[], [{ bridges = [9], what = 'dead' }]]\n",
        (5, 1),
        "fleet.bridges = 4",
    );
    axes("about = ['a', 'b']\n[", (7, 2), "");
    axes(
        &format!("fleet.load = {:?}\nfleet.bridges = {:?}", hundreds(), hundreds()),
        (5, 1),
        "more than 100000",
    );
    let text = with("fleet.load = [1]\n");
    refused(&text.replace("base16", "bse16"), (2, 8), "did you mean `base16`?");
    refused(&text.replace("base16", "nowhere.toml"), (2, 8), "cannot read nowhere.toml");
    refused(&text.replace("base16", "azure"), (2, 8), "no recorded calls");
    refused(&text.replace("call_load", "call_lod"), (3, 13), "did you mean `call_load`?");
    refused(&text.replace("['call_load']", "['random', 'random']"), (3, 23), "twice");
    refused(&text.replace("['call_load']", "[]"), (3, 12), "at least one policy");
    refused(&text.replace("seeds = 2", "seeds = 0"), (4, 9), "1 to 1000 seeds");
    refused(&text.replace("seeds = 2", "seeds = [1, 1]"), (4, 9), "twice");
    refused(&text.replace("seeds = 2", "seeds = 'two'"), (4, 9), "a number of seeds");
    refused(&text.replace("seeds = 2", "sedes = 2"), (4, 1), "did you mean `seeds`?");
    refused("name = 'test'\n", (1, 1), "missing key `base`");
}

#[test]
fn cells_that_are_the_same_are_refused() {
    let grid = parse(&with("about = ['a', 'b']\n")).unwrap();
    let error = grid.tasks().unwrap_err().to_string();
    assert_eq!(error, "cells about = \"a\" and about = \"b\" are the same");
}

fn hundreds() -> Vec<u32> {
    (1..=500).collect()
}
