//! What is in the packages, as CycloneDX (JSON, 1.5): a file per package, made of what Cargo builds it from.
//!
//! The packages of Python and npm have no dependencies in these languages, but crates compiled in.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::files::version;

/// Writes them into `folder`.
pub(super) fn write(folder: &Path) -> anyhow::Result<()> {
    let version = version()?;
    let checksums = checksums(&fs::read_to_string("Cargo.lock")?);
    for (package, kind, of) in PACKAGES {
        let bom = bom(of, kind, &version, &tree(package)?, &checksums);
        let file = folder.join(format!("{package}-{version}.cdx.json"));
        fs::write(&file, serde_json::to_string_pretty(&bom)? + "\n")?;
    }
    Ok(())
}

/// The crates that are compiled in, on any platform: name, version, licence.
fn tree(package: &str) -> anyhow::Result<Vec<(String, String, String)>> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "tree",
        "--locked",
        "--package",
        package,
        "--edges",
        "normal,no-proc-macro",
        "--target",
        "all",
    ]);
    let output = cargo.args(["--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"]).output()?;
    ensure!(output.status.success(), "cargo tree {package}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout)?;
    let mut crates: Vec<_> = text
        .lines()
        .skip(1)
        .map(|line| {
            let (named, licence) = line.split_once('|').context("cargo tree writes no licence")?;
            let mut words = named.split_whitespace();
            let name = words.next().context("no name")?;
            let version = words.next().context("no version")?.trim_start_matches('v');
            Ok((name.to_owned(), version.to_owned(), licence.to_owned()))
        })
        .collect::<anyhow::Result<_>>()?;
    crates.sort();
    crates.dedup();
    Ok(crates)
}

/// By name and version, of crates that come from a registry.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let field = |block: &str, name: &str| {
        let line = block.lines().find_map(|line| line.strip_prefix(&format!("{name} = \"")))?;
        Some(line.trim_end_matches('"').to_owned())
    };
    let blocks = lock.split("[[package]]").skip(1);
    blocks
        .filter_map(|block| {
            Some(((field(block, "name")?, field(block, "version")?), field(block, "checksum")?))
        })
        .collect()
}

fn bom(
    of: &str,
    kind: &str,
    version: &str,
    crates: &[(String, String, String)],
    checksums: &BTreeMap<(String, String), String>,
) -> Value {
    let components: Vec<Value> = crates
        .iter()
        .map(|(name, version, licence)| {
            let purl = format!("pkg:cargo/{name}@{version}");
            let mut component = json!({
                "type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl,
            });
            if !licence.is_empty() {
                // Older crates write MIT/Apache-2.0 for what SPDX writes with OR.
                component["licenses"] = json!([{"expression": licence.replace('/', " OR ")}]);
            }
            if let Some(checksum) = checksums.get(&(name.clone(), version.clone())) {
                component["hashes"] = json!([{"alg": "SHA-256", "content": checksum}]);
            }
            component
        })
        .collect();
    let purl = format!("pkg:{of}@{version}");
    let depends: Vec<&Value> = components.iter().map(|component| &component["bom-ref"]).collect();
    let name = of.rsplit('/').next().unwrap_or(of);
    let dependencies = json!([{"ref": purl, "dependsOn": depends}]);
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "tools": {"components": [{"type": "application", "name": "cargo xtask dist", "version": version}]},
            "component": {
                "type": kind, "bom-ref": purl, "name": name, "version": version, "purl": purl,
                "licenses": [{"expression": "MIT OR Apache-2.0"}],
            },
        },
        "components": components,
        "dependencies": dependencies,
    })
}

/// The crate, what comes of it, and its package URL without the version.
const PACKAGES: &[(&str, &str, &str)] = &[
    ("callsteer", "library", "cargo/callsteer"),
    ("callsteer-sim", "application", "cargo/callsteer-sim"),
    ("callsteer-python", "library", "pypi/callsteer"),
    ("callsteer-node", "library", "npm/callsteer"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_lock_file() {
        let lock = "version = 4\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\nchecksum = \"12\"\n\n\
                    [[package]]\nname = \"own\"\nversion = \"0.1.0\"\n";
        let expected = BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "12".to_owned())]);
        assert_eq!(checksums(lock), expected);
    }

    #[test]
    fn a_component_has_its_licence_and_checksum() {
        let crates = [("a".to_owned(), "1.0.0".to_owned(), "MIT/Apache-2.0".to_owned())];
        let checksums = BTreeMap::from([(("a".to_owned(), "1.0.0".to_owned()), "12".to_owned())]);
        let bom = bom("cargo/x", "library", "0.1.0", &crates, &checksums);
        let component = &bom["components"][0];
        assert_eq!(component["purl"], "pkg:cargo/a@1.0.0");
        assert_eq!(component["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(component["hashes"][0]["content"], "12");
        assert_eq!(bom["dependencies"][0]["dependsOn"][0], "pkg:cargo/a@1.0.0");
    }
}
