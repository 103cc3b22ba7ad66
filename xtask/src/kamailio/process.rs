//! A Kamailio of our own: started with a list, asked over UDP on this machine, ended with its handle.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::recording::ModParams;
use super::sip::{Reply, Request};

/// Which program to start.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Program {
    /// The Kamailio to start
    #[arg(long = "program", value_name = "FILE", default_value = INSTALLED)]
    path: PathBuf,
    /// Where its modules are, if it does not know
    #[arg(long, value_name = "DIRECTORY")]
    modules: Option<PathBuf>,
}

impl Program {
    /// What it calls itself, as `-v` prints it.
    pub(super) fn version(&self) -> anyhow::Result<String> {
        let output = Command::new(&self.path).arg("-v").output();
        let output = output.with_context(|| {
            format!("cannot start {}; get it with: apt-get install kamailio", self.path.display())
        })?;
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().next().context("kamailio -v prints no version")?.trim().to_owned())
    }

    /// Kamailio 5 knows fewer algorithms.
    pub(super) fn is_5(&self) -> anyhow::Result<bool> {
        Ok(self.version()?.contains(" 5."))
    }
}

/// One that runs; it ends with the value.
pub(super) struct Kamailio {
    shell: Child,
    folder: TempDir,
    socket: UdpSocket,
    requests: u32,
}

impl Kamailio {
    pub(super) fn start(program: &Program, list: &str, params: &ModParams) -> anyhow::Result<Self> {
        // Between looking for a port and using it, somebody else can take it.
        Self::start_once(program, list, params).or_else(|_| Self::start_once(program, list, params))
    }

    fn start_once(program: &Program, list: &str, params: &ModParams) -> anyhow::Result<Self> {
        let folder = TempDir::with_prefix("kamailio-")?;
        let path = folder.path();
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let config = CONFIG
            .replace("{PORT}", &port.to_string())
            .replace("{FOLDER}", &path.to_string_lossy())
            .replace("{MODPARAMS}", &modparams(params));
        fs::write(path.join("kamailio.cfg"), config)?;
        fs::write(path.join("dispatcher.list"), list)?;

        let mut command = Command::new("sh");
        command.args(["-c", UNTIL_INPUT_ENDS, "kamailio"]).arg(&program.path);
        command.arg("-f").arg(path.join("kamailio.cfg")).args(["-DD", "-E", "-e"]);
        command.arg("-Y").arg(path).arg("-P").arg(path.join("pid"));
        command.args(["-m", "64", "-M", "16", "-x", "tlsf", "-X", "tlsf"]);
        if let Some(modules) = &program.modules {
            command.arg("-L").arg(modules);
        }
        if !program.is_5()? {
            command.args(["-A", "WITH_OVERLOAD"]);
        }
        let log = fs::File::create(path.join("log"))?;
        let shell = command.stdin(Stdio::piped()).stdout(log.try_clone()?).stderr(log).spawn()?;
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        socket.connect((Ipv4Addr::LOCALHOST, port))?;
        let mut kamailio = Self { shell, folder, socket, requests: 0 };
        kamailio.wait_until_it_answers()?;
        Ok(kamailio)
    }

    /// Gives the new list, and has it read.
    pub(super) fn reload(&mut self, list: Option<&str>) -> anyhow::Result<()> {
        if let Some(list) = list {
            fs::write(self.folder.path().join("dispatcher.list"), list)?;
        }
        let reply = self.rpc("dispatcher.reload", json!([]))?;
        ensure!(reply.get("error").is_none(), "cannot reload the list: {reply}\n{}", self.log());
        Ok(())
    }

    /// A command by RPC: `result` or `error` of what it answered.
    pub(super) fn rpc(&mut self, method: &str, params: Value) -> anyhow::Result<Value> {
        let body = json!({"jsonrpc": "2.0", "method": method, "params": params, "id": 1}).to_string();
        let reply = self.ask(&Request { method: "INFO", body: &body, ..Request::default() })?;
        serde_json::from_str(&reply.body).with_context(|| format!("{method} answered {:?}", reply.body))
    }

    /// One request and its reply.
    pub(super) fn ask(&mut self, request: &Request<'_>) -> anyhow::Result<Reply> {
        self.socket.set_read_timeout(Some(PATIENCE))?;
        self.send(request)?;
        self.receive().with_context(|| format!("no reply to {}\n{}", request.method, self.log()))
    }

    fn wait_until_it_answers(&mut self) -> anyhow::Result<()> {
        let started = Instant::now();
        self.socket.set_read_timeout(Some(STEP))?;
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.shell.try_wait()? {
                bail!("kamailio ended at once, {status}\n{}", self.log());
            }
            // Refused at once, as long as nobody listens.
            let asked = self.send(&Request { method: "INFO", body: "{}", ..Request::default() });
            if asked.is_ok() && self.receive().is_ok() {
                return Ok(());
            }
            thread::sleep(STEP);
        }
        bail!("kamailio does not answer\n{}", self.log())
    }

    fn send(&mut self, request: &Request<'_>) -> anyhow::Result<()> {
        self.requests += 1;
        let from = self.socket.local_addr()?;
        self.socket.send(&request.bytes(from, self.requests))?;
        Ok(())
    }

    fn receive(&self) -> anyhow::Result<Reply> {
        let mut buffer = vec![0; usize::from(u16::MAX)];
        loop {
            let size = self.socket.recv(&mut buffer)?;
            let reply = Reply::parse(&buffer[..size])?;
            // What is older was given up.
            if reply.sequence == self.requests {
                return Ok(reply);
            }
        }
    }

    /// The end of what it logged.
    fn log(&self) -> String {
        let log = fs::read(self.folder.path().join("log")).unwrap_or_default();
        let text = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(20)..].join("\n")
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        if let Err(error) = self.shell.wait() {
            eprintln!("cannot wait for the end of kamailio: {error}");
        }
    }
}

fn modparams(params: &ModParams) -> String {
    let line = |(name, value): (&String, &Value)| format!("modparam(\"dispatcher\", \"{name}\", {value})\n");
    params.iter().map(line).collect()
}

/// Where Debian has it, which is not on everybody's path.
pub(crate) const INSTALLED: &str = "/usr/sbin/kamailio";
/// Runs a program until it ends or our end of the pipe does, which it does however we end.
const UNTIL_INPUT_ENDS: &str = r#"
    exec 3<&0
    "$@" </dev/null 3<&- &
    program=$!
    (cat <&3 >/dev/null; kill "$program" 2>/dev/null) &
    exec 3<&-
    wait "$program"
"#;

const CONFIG: &str = include_str!("kamailio.cfg");
const PATIENCE: Duration = Duration::from_secs(20);
const STEP: Duration = Duration::from_millis(20);
