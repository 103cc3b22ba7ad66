//! The steps of `cargo xtask test`, in the order in which they run: cheap ones first, long ones beside the others.

use crate::needs::{
    AZURE_TRACE, C_LINKER, CARGO_DENY, CHROMIUM, CLIPPY, CXX, GIT, KAMAILIO, KAMAILIO_PYTHON, LINUX, MARIADB,
    NODE, NPM, Need, POSTGRESQL, PYTHON, REDIS, RUSTFMT, SIPP, VALGRIND,
};
use crate::{api, book, deny, dist, freestanding, fuzz, node, python};

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
    /// It builds in a folder of its own, and so can run beside the others.
    pub(crate) beside: bool,
}

pub(crate) enum Action {
    /// A command line as one types it in the root of the repository: spaces separate arguments, and
    /// `NAME=value` in front sets the environment.
    Command(&'static str),
    /// What no other program can check; says what it found.
    Check(fn() -> anyhow::Result<String>),
}

/// The program, as the tests are built: `cargo build` would build half of its dependencies again, with the features
/// that they have without tests.
const BUILD_CALLSTEER: &str = "cargo test --locked --workspace --all-features --no-run --test claims";

/// What builds in the same folder builds the whole workspace with all features, so that nothing is built twice.
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
        beside: false,
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
        beside: false,
    },
    Step {
        name: "architecture",
        proves: "arrows between modules point down, and every file is short and says what it is",
        needs: &[],
        actions: &[Command("cargo test --locked --workspace --all-features --test architecture")],
        beside: false,
    },
    Step {
        name: "deny",
        proves: "dependencies have permissive licences, one version each, come from where they should, and are counted right",
        needs: &[CARGO_DENY],
        actions: &[Check(deny::check), Check(deny::count)],
        beside: false,
    },
    Step {
        name: "test",
        proves: "the code does what its tests and examples say, with and without its features",
        needs: &[],
        actions: &[
            Command("cargo test --locked --workspace --all-features"),
            Command("cargo test --locked --package callsteer --no-default-features"),
        ],
        beside: false,
    },
    Step {
        name: "kamailio",
        proves: "decisions are those of the Kamailio that is installed, on lists and calls new every time, and so are names",
        needs: &[KAMAILIO],
        actions: &[
            Command("cargo xtask kamailio random --into target/kamailio"),
            Command(
                "CALLSTEER_RECORDINGS=target/kamailio cargo test --locked --workspace --all-features \
                 --test kamailio -- kamailio_does kamailio_itself",
            ),
        ],
        beside: false,
    },
    Step {
        name: "azure",
        proves: "a real trace is replayed, and shows on real arrivals what the embedded workload shows",
        needs: &[AZURE_TRACE],
        actions: &[Command(
            "cargo test --locked --workspace --all-features --test claims --test load_claims azure",
        )],
        beside: false,
    },
    Step {
        name: "databases",
        proves: "Kamailio's table is read from SQLite, PostgreSQL and MySQL",
        needs: &[POSTGRESQL, MARIADB],
        actions: &[Command("cargo test --locked --workspace --all-features --test database")],
        beside: false,
    },
    Step {
        name: "page",
        proves: "a browser shows the page of a report, without a complaint and without a request",
        needs: &[CHROMIUM],
        actions: &[Command("cargo test --locked --workspace --all-features --test page browser")],
        beside: false,
    },
    Step {
        name: "node",
        proves: "the npm package does what its tests say, and decides what every language decides",
        needs: &[NODE, NPM],
        actions: &[Check(node::build), Command("npm test --prefix crates/dispatch-node")],
        beside: false,
    },
    Step {
        name: "node-types",
        proves: "the types of the npm package are up to date, and right for CommonJS and ES modules",
        needs: &[NODE, NPM],
        actions: &[Check(node::build), Command("npm run types --prefix crates/dispatch-node")],
        beside: false,
    },
    Step {
        name: "control-plane-node",
        proves: "the control plane on Node keeps the HTTP contract, and a browser drains a bridge by the live page of both",
        needs: &[NODE, NPM, PYTHON, CHROMIUM],
        actions: &[
            Check(node::build),
            Check(python::install),
            Check(node::install_control_plane),
            Command(
                "CALLSTEER_PYTHON=target/python/venv/bin/python npm test --prefix examples/node-control-plane",
            ),
        ],
        beside: false,
    },
    Step {
        name: "python",
        proves: "the Python package does what its tests say, and decides what every language decides",
        needs: &[PYTHON],
        actions: &[
            Check(python::install),
            // Sweeps are compared with what it does.
            Command(BUILD_CALLSTEER),
            Command(
                "HYPOTHESIS_STORAGE_DIRECTORY=target/python/hypothesis target/python/venv/bin/python -m pytest \
                 -c crates/dispatch-py/pyproject.toml -p no:cacheprovider crates/dispatch-py/tests",
            ),
            // Each of eight threads does what every other one does, with dispatchers of its own.
            Command(
                "target/python/venv/bin/python -m pytest --parallel-threads=8 -c crates/dispatch-py/pyproject.toml \
                 -p no:cacheprovider crates/dispatch-py/tests/test_vectors.py",
            ),
            Check(python::try_every_python),
        ],
        beside: false,
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
        beside: false,
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
        beside: false,
    },
    Step {
        name: "replicas",
        proves: "control planes of both languages and proxies keep one fleet's limits through Redis, whatever breaks",
        needs: &[NODE, NPM, PYTHON, REDIS],
        actions: &[
            Check(node::build),
            Check(python::install),
            Check(node::install_control_plane),
            Command("cargo test --locked --workspace --all-features --test shared"),
            Command(
                "target/python/venv/bin/ruff check --no-cache --config crates/dispatch-py/pyproject.toml examples/replicas",
            ),
            Command(
                "target/python/venv/bin/ruff format --no-cache --check --config crates/dispatch-py/pyproject.toml examples/replicas",
            ),
            Command(
                "PYTHONDONTWRITEBYTECODE=1 target/python/venv/bin/python -m pytest \
                 -c crates/dispatch-py/pyproject.toml -p no:cacheprovider examples/replicas",
            ),
        ],
        beside: false,
    },
    Step {
        name: "docs",
        proves: "the documentation is complete, and its links lead somewhere",
        needs: &[],
        actions: &[Command(
            "RUSTDOCFLAGS=-Dwarnings cargo doc --locked --workspace --no-deps --all-features",
        )],
        beside: false,
    },
    Step {
        name: "book",
        proves: "documents lead somewhere, their commands run, and they show what is printed and drawn",
        needs: &[GIT],
        actions: &[Command(BUILD_CALLSTEER), Check(book::check)],
        beside: false,
    },
    Step {
        name: "api",
        proves: "the public interface of the crate is the one that is listed",
        needs: &[],
        actions: &[Check(api::check)],
        beside: true,
    },
    Step {
        name: "packages",
        proves: "crates, wheel, sources and npm packages are made, and each works installed from its file alone",
        needs: &[PYTHON, NODE, NPM],
        actions: &[Check(dist::make), Check(dist::check)],
        beside: false,
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
        beside: true,
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
        beside: true,
    },
    Step {
        name: "fuzz",
        proves: "inputs that reach new code fail nowhere, for a minute per target",
        needs: &[LINUX, CXX],
        actions: &[Check(fuzz::all)],
        beside: true,
    },
];
