//! Files of the data set that is kept beside the repository, not in it.

use std::path::PathBuf;

/// One of them: in `CALLSTEER_SHARED`, or in `../shared` from the workspace's root.
pub(crate) fn file(name: &str) -> Option<PathBuf> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let file = std::env::var_os("CALLSTEER_SHARED").map_or_else(beside, PathBuf::from).join(name);
    if file.exists() {
        return Some(file);
    }
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{} is missing", file.display());
    eprintln!("SKIPPED: {} is missing", file.display());
    None
}
