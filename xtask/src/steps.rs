//! The steps of `cargo xtask test`, in the order in which they run: cheap ones first.

use std::env;
use std::fmt;
use std::path::Path;

use crate::kamailio::INSTALLED;
use crate::{freestanding, fuzz, python};

use Action::{Check, Command};

/// Something that must hold before a change is sent.
pub(crate) struct Step {
    /// What `--step` calls it.
    pub(crate) name: &'static str,
    /// What is so when it passes.
    pub(crate) proves: &'static str,
    /// Without these it is skipped, or fails where nothing may be skipped.
    pub(crate) needs: &'static [Need],
    /// What it does, in this order, until something fails.
    pub(crate) actions: &'static [Action],
}

pub(crate) enum Action {
    /// A command line as one types it in the root of the repository: spaces separate arguments, and
    /// `NAME=value` in front sets the environment.
    Command(&'static str),
    /// What no other program can check; says what it found.
    Check(fn() -> anyhow::Result<String>),
}

/// Something that a machine may not have.
pub(crate) struct Need {
    pub(crate) what: &'static str,
    pub(crate) is_here: fn() -> bool,
    /// How to get it.
    pub(crate) get_it_with: &'static str,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not here; get it with: {}", self.what, self.get_it_with)
    }
}

pub(crate) const STEPS: &[Step] = &[
    Step {
        name: "rustfmt",
        proves: "the code has one format",
        needs: &[RUSTFMT],
        actions: &[
            Command("cargo fmt --all --check"),
            Command("cargo fmt --check --manifest-path crates/freestanding/Cargo.toml"),
            Command("cargo fmt --check --manifest-path fuzz/Cargo.toml"),
            Command("cargo fmt --check --manifest-path benches/Cargo.toml"),
        ],
    },
    Step {
        name: "clippy",
        proves: "no lint has anything to say",
        needs: &[CLIPPY],
        actions: &[
            Command("cargo clippy --locked --workspace --all-targets --all-features -- -Dwarnings"),
            Command("cargo clippy --locked --package callsteer --no-default-features -- -Dwarnings"),
            // Without the peers, whose crates take minutes.
            Command(
                "cargo clippy --locked --manifest-path benches/Cargo.toml --target-dir target/benches \
                 --no-default-features -- -Dwarnings",
            ),
            Command(
                "cargo clippy --locked --package callsteer-sim --all-targets --no-default-features --features cli \
                 -- -Dwarnings",
            ),
            Command(
                "cargo clippy --locked --package callsteer-sim --lib --no-default-features -- -Dwarnings",
            ),
        ],
    },
    Step {
        name: "architecture",
        proves: "arrows between modules point down, and every file is short and says what it is",
        needs: &[],
        actions: &[Command("cargo test --locked --package callsteer --all-features --test architecture")],
    },
    Step {
        name: "test",
        proves: "the code does what its tests and examples say, with and without its features",
        needs: &[],
        actions: &[
            Command("cargo test --locked --workspace --all-features"),
            Command("cargo test --locked --package callsteer --no-default-features"),
        ],
    },
    Step {
        name: "kamailio",
        proves: "decisions are those of the Kamailio that is installed, on lists and calls new every time",
        needs: &[KAMAILIO],
        actions: &[
            Command("cargo xtask kamailio random --into target/kamailio"),
            Command(
                "CALLSTEER_RECORDINGS=target/kamailio cargo test --locked --package callsteer --all-features \
                 --test kamailio kamailio_does",
            ),
        ],
    },
    Step {
        name: "azure",
        proves: "a real trace is replayed, and shows on real arrivals what the embedded workload shows",
        needs: &[AZURE_TRACE],
        actions: &[Command(
            "cargo test --locked --package callsteer-sim --all-features --test claims --test load_claims azure",
        )],
    },
    Step {
        name: "page",
        proves: "a browser shows the page of a report, without a complaint and without a request",
        needs: &[CHROMIUM],
        actions: &[Command("cargo test --locked --package callsteer-sim --all-features --test page browser")],
    },
    Step {
        name: "node",
        proves: "the npm package does what its tests say, and decides what every language decides",
        needs: &[NODE, NPM],
        actions: &[
            Command("npm ci --prefix crates/dispatch-node"),
            Command("npm run build --prefix crates/dispatch-node"),
            Command("npm test --prefix crates/dispatch-node"),
        ],
    },
    Step {
        name: "node-types",
        proves: "the types of the npm package are up to date, and right for CommonJS and ES modules",
        needs: &[NODE, NPM],
        actions: &[
            Command("npm ci --prefix crates/dispatch-node"),
            Command("npm run build --prefix crates/dispatch-node"),
            Command("npm run types --prefix crates/dispatch-node"),
        ],
    },
    Step {
        name: "control-plane-node",
        proves: "the control plane on Node keeps the HTTP contract, and a browser drains a bridge by the live page of both",
        needs: &[NODE, NPM, PYTHON, CHROMIUM],
        actions: &[
            Command("npm ci --prefix crates/dispatch-node"),
            Command("npm run build --prefix crates/dispatch-node"),
            Check(python::install),
            Command("npm ci --prefix examples/node-control-plane"),
            Command(
                "CALLSTEER_PYTHON=target/python/venv/bin/python npm test --prefix examples/node-control-plane",
            ),
        ],
    },
    Step {
        name: "python",
        proves: "the Python package does what its tests say, and decides what every language decides",
        needs: &[PYTHON],
        actions: &[
            Check(python::install),
            Command(
                "HYPOTHESIS_STORAGE_DIRECTORY=target/python/hypothesis target/python/venv/bin/python -m pytest \
                 -c crates/dispatch-py/pyproject.toml -p no:cacheprovider crates/dispatch-py/tests",
            ),
            Check(python::try_every_python),
        ],
    },
    Step {
        name: "python-types",
        proves: "the types of the Python package are what they say, and its code has one format",
        needs: &[PYTHON, NODE, NPM],
        actions: &[
            Check(python::install),
            Command("target/python/venv/bin/ruff check --no-cache crates/dispatch-py"),
            Command("target/python/venv/bin/ruff format --no-cache --check crates/dispatch-py"),
            Command(
                "MYPY_CACHE_DIR=target/python/mypy target/python/venv/bin/mypy \
                 --config-file crates/dispatch-py/pyproject.toml crates/dispatch-py/python crates/dispatch-py/tests",
            ),
            Command(
                "target/python/venv/bin/pyright --project crates/dispatch-py \
                 --pythonpath target/python/venv/bin/python",
            ),
            // All other types stand in the code.
            Command("MYPY_CACHE_DIR=target/python/mypy target/python/venv/bin/stubtest callsteer._callsteer"),
        ],
    },
    Step {
        name: "kamailio-kemi",
        proves: "with Callsteer in its Python, calls through Kamailio come to their end though bridges refuse and die",
        needs: &[PYTHON, KAMAILIO, KAMAILIO_PYTHON, SIPP],
        actions: &[
            Check(python::install),
            Command(
                "target/python/venv/bin/ruff check --no-cache --config crates/dispatch-py/pyproject.toml examples/kamailio",
            ),
            Command(
                "target/python/venv/bin/ruff format --no-cache --check --config crates/dispatch-py/pyproject.toml examples/kamailio",
            ),
            Command(
                "PYTHONDONTWRITEBYTECODE=1 target/python/venv/bin/python -m pytest \
                 -c crates/dispatch-py/pyproject.toml -p no:cacheprovider examples/kamailio",
            ),
        ],
    },
    Step {
        name: "docs",
        proves: "the documentation is complete, and its links lead somewhere",
        needs: &[],
        actions: &[Command(
            "RUSTDOCFLAGS=-Dwarnings cargo doc --locked --workspace --no-deps --all-features",
        )],
    },
    Step {
        name: "freestanding",
        proves: "the core runs where there is no std, no C library and no operating system's allocator",
        needs: &[LINUX, C_LINKER, CLIPPY],
        actions: &[
            Command(
                "cargo clippy --locked --release --manifest-path crates/freestanding/Cargo.toml \
                 --target-dir target/freestanding -- -Dwarnings",
            ),
            Command(
                "cargo build --locked --release --manifest-path crates/freestanding/Cargo.toml \
                 --target-dir target/freestanding",
            ),
            Command("target/freestanding/release/callsteer-freestanding"),
            Check(|| freestanding::inspect("target/freestanding/release/callsteer-freestanding")),
        ],
    },
    Step {
        name: "instructions",
        proves: "no hot path takes 3 % more instructions than the baseline",
        needs: &[VALGRIND],
        actions: &[
            Command(
                "cargo build --locked --release --manifest-path benches/Cargo.toml --target-dir target/benches \
                 --no-default-features",
            ),
            Command("target/benches/release/callsteer-benches instructions"),
        ],
    },
    Step {
        name: "fuzz",
        proves: "a minute of inputs that reach new code fails nowhere",
        needs: &[LINUX, CXX],
        actions: &[Check(fuzz::all)],
    },
];

const RUSTFMT: Need = Need {
    what: "rustfmt",
    is_here: || on_the_path("cargo-fmt"),
    get_it_with: "rustup component add rustfmt",
};

const CLIPPY: Need = Need {
    what: "clippy",
    is_here: || on_the_path("cargo-clippy"),
    get_it_with: "rustup component add clippy",
};

const LINUX: Need = Need {
    what: "Linux on x86-64 or 64-bit ARM",
    is_here: || cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    get_it_with: "a container of any Linux distribution",
};

/// Kept beside the repository, not in it; where to look else is said by `CALLSTEER_SHARED`.
const AZURE_TRACE: Need = Need {
    what: "../shared/data/azure_llm_inference_2023_conv.csv",
    is_here: || {
        let folder = env::var_os("CALLSTEER_SHARED").unwrap_or_else(|| "../shared".into());
        Path::new(&folder).join("data/azure_llm_inference_2023_conv.csv").is_file()
    },
    get_it_with: "a download of the conversation trace of 2023 from github.com/Azure/AzurePublicDataset",
};

const KAMAILIO: Need = Need {
    what: INSTALLED,
    is_here: || Path::new(INSTALLED).is_file(),
    get_it_with: "apt-get install kamailio",
};

const KAMAILIO_PYTHON: Need = Need {
    what: "Kamailio's app_python3",
    is_here: || {
        let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let module = "kamailio/modules/app_python3.so";
        libraries.map(|folder| folder.path().join(module)).any(|file| file.is_file())
    },
    get_it_with: "apt-get install kamailio-python3-modules",
};

const SIPP: Need =
    Need { what: "sipp", is_here: || on_the_path("sipp"), get_it_with: "apt-get install sip-tester" };

const CHROMIUM: Need =
    Need { what: "chromium", is_here: || on_the_path("chromium"), get_it_with: "apt-get install chromium" };

const VALGRIND: Need =
    Need { what: "valgrind", is_here: || on_the_path("valgrind"), get_it_with: "apt-get install valgrind" };

const C_LINKER: Need = Need { what: "cc", is_here: || on_the_path("cc"), get_it_with: "apt-get install gcc" };

const CXX: Need = Need { what: "c++", is_here: || on_the_path("c++"), get_it_with: "apt-get install g++" };

const NODE: Need = Need {
    what: "Node 20 or newer",
    is_here: || {
        let version = std::process::Command::new("node").arg("--version").output();
        let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let major =
            version.ok().and_then(|version| version.strip_prefix('v')?.split('.').next()?.parse().ok());
        major.is_some_and(|major: u32| major >= 20)
    },
    get_it_with: "apt-get install nodejs (Debian 13 and newer), or nodejs.org/download",
};

const PYTHON: Need = Need {
    what: "Python 3.11 or newer with venv",
    is_here: python::is_here,
    get_it_with: "apt-get install python3 python3-venv",
};

const NPM: Need = Need { what: "npm", is_here: || on_the_path("npm"), get_it_with: "apt-get install npm" };

fn on_the_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}
