//! The npm packages: one in JavaScript, and one per platform with the native part, of which npm installs what fits.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, ensure};
use serde_json::{Value, json};

use super::files::{example, only, version};
use crate::node::{self, npm};
use crate::tools::run;

/// A platform that releases are built for.
struct Platform {
    /// As napi-rs names it; `lib/native.ts` looks for `callsteer-NAME`.
    name: &'static str,
    /// As Rust names it.
    rust: (&'static str, &'static str),
    /// As npm names it.
    npm: (&'static str, &'static str),
}

/// The workflow `release.yml` has a machine for each.
const PLATFORMS: &[Platform] = &[
    Platform { name: "linux-x64-gnu", rust: ("linux", "x86_64"), npm: ("linux", "x64") },
    Platform { name: "linux-arm64-gnu", rust: ("linux", "aarch64"), npm: ("linux", "arm64") },
    Platform { name: "darwin-x64", rust: ("macos", "x86_64"), npm: ("darwin", "x64") },
    Platform { name: "darwin-arm64", rust: ("macos", "aarch64"), npm: ("darwin", "arm64") },
    Platform { name: "win32-x64-msvc", rust: ("windows", "x86_64"), npm: ("win32", "x64") },
];

/// Packs the package and that of this platform into `folder`.
pub(super) fn pack(folder: &Path) -> anyhow::Result<()> {
    node::build()?;
    let place = tempfile::tempdir()?;
    let manifest: Value = serde_json::from_str(&fs::read_to_string(format!("{PACKAGE}/package.json"))?)?;
    let version = version()?;
    ensure!(manifest["version"] == *version, "{PACKAGE}/package.json has another version than {version}");

    let main = place.path().join("main");
    for part in ["dist", "types"] {
        copy(&Path::new(PACKAGE).join(part), &main.join(part))?;
    }
    documents(&main)?;
    write_manifest(&main, &published(manifest.clone(), &version)?)?;

    let here = (std::env::consts::OS, std::env::consts::ARCH);
    let platform =
        PLATFORMS.iter().find(|platform| platform.rust == here).context("no platform of releases")?;
    let native = place.path().join(platform.name);
    fs::create_dir_all(&native)?;
    fs::copy(format!("{PACKAGE}/callsteer.node"), native.join("callsteer.node"))?;
    documents(&native)?;
    write_manifest(&native, &of_platform(&manifest, platform))?;

    for package in [main, native] {
        run(npm().args(["pack", "--silent"]).arg(package).arg("--pack-destination").arg(folder))?;
    }
    Ok(())
}

/// Installs both in an empty folder, without a registry, and runs the README's example.
pub(super) fn check(folder: &Path) -> anyhow::Result<()> {
    let place = tempfile::tempdir()?;
    let version = version()?;
    fs::write(place.path().join("package.json"), "{\"private\": true, \"type\": \"module\"}")?;
    fs::write(place.path().join("example.js"), example("## In Node", "js")?)?;
    let install = ["install", "--offline", "--no-audit", "--no-fund"];
    let main = folder.join(format!("callsteer-{version}.tgz"));
    let native = PLATFORMS.iter().find_map(|of| only(folder, &format!("callsteer-{}", of.name), ".tgz").ok());
    let native = native.context("there is no package of a platform")?;
    run(npm().current_dir(place.path()).args(install).args([main, native]))?;
    run(Command::new("node").current_dir(place.path()).arg("example.js"))
}

/// The manifest as it is published: without what only the repository has, with the packages of all platforms.
fn published(mut manifest: Value, version: &str) -> anyhow::Result<Value> {
    let fields = manifest.as_object_mut().context("package.json is an object")?;
    fields.remove("devDependencies");
    fields.remove("scripts");
    fields.insert("files".into(), json!(["dist", "types", "LICENSE-*"]));
    let platforms = PLATFORMS.iter().map(|of| (format!("callsteer-{}", of.name), json!(version)));
    fields.insert("optionalDependencies".into(), Value::Object(platforms.collect()));
    Ok(manifest)
}

fn of_platform(manifest: &Value, platform: &Platform) -> Value {
    let (os, cpu) = platform.npm;
    let mut fields = json!({
        "name": format!("callsteer-{}", platform.name),
        "description": format!("The native part of callsteer for {}", platform.name),
        "main": "callsteer.node",
        "files": ["callsteer.node", "LICENSE-*"],
        "os": [os],
        "cpu": [cpu],
    });
    if platform.name.ends_with("-gnu") {
        fields["libc"] = json!(["glibc"]);
    }
    for same in ["version", "license", "author", "engines"] {
        fields[same] = manifest[same].clone();
    }
    fields
}

fn write_manifest(folder: &Path, manifest: &Value) -> anyhow::Result<()> {
    Ok(fs::write(folder.join("package.json"), serde_json::to_string_pretty(manifest)? + "\n")?)
}

fn documents(folder: &Path) -> anyhow::Result<()> {
    fs::copy(format!("{PACKAGE}/README.md"), folder.join("README.md"))?;
    for licence in ["LICENSE-MIT", "LICENSE-APACHE"] {
        fs::copy(licence, folder.join(licence))?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

const PACKAGE: &str = "crates/dispatch-node";
