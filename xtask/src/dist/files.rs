//! Files of a release: found by name, counted, summed, and what documents say of them.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use sha2::{Digest, Sha256};

/// The only file whose name begins and ends so.
pub(super) fn only(folder: &Path, begin: &str, end: &str) -> anyhow::Result<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(begin) && name.ends_with(end) {
            found.push(path);
        }
    }
    ensure!(found.len() == 1, "{} has {} files {begin}*{end}, not one", folder.display(), found.len());
    found.pop().context("it is there")
}

/// What `sha256sum` prints of all files.
pub(super) fn sums(folder: &Path) -> anyhow::Result<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name())).collect::<anyhow::Result<_>>()?;
    names.sort();
    let mut text = String::new();
    for name in names {
        let digest = Sha256::digest(fs::read(folder.join(&name))?);
        for byte in digest {
            write!(text, "{byte:02x}")?;
        }
        writeln!(text, "  {}", name.display())?;
    }
    Ok(text)
}

/// The version of everything here: that of the workspace.
pub(super) fn version() -> anyhow::Result<String> {
    let manifest = fs::read_to_string("Cargo.toml")?;
    let section =
        manifest.split_once("[workspace.package]").context("Cargo.toml has no [workspace.package]")?.1;
    let line =
        section.lines().find_map(|line| line.strip_prefix("version = ")).context("it has no version")?;
    Ok(line.trim_matches('"').to_owned())
}

/// The first example in a language of the README, after this heading.
pub(super) fn example(heading: &str, language: &str) -> anyhow::Result<String> {
    let readme = fs::read_to_string("README.md")?;
    let section = readme.split_once(heading).with_context(|| format!("the README has no {heading}"))?.1;
    let code = section.split_once(&format!("```{language}\n")).context("it has no example")?.1;
    Ok(code.split("```").next().unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_those_of_sha256sum() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("b"), "abc").unwrap();
        fs::write(folder.path().join("a"), "").unwrap();
        let expected = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  a\n\
                        ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  b\n";
        assert_eq!(sums(folder.path()).unwrap(), expected);
        assert!(only(folder.path(), "a", "").is_ok());
        assert!(only(folder.path(), "", "").is_err());
    }
}
