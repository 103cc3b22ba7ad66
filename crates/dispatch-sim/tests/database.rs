//! `callsteer migrate --database`: Kamailio's table in SQLite, PostgreSQL and MySQL.
#![cfg(feature = "database")]

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use callsteer::list::{Mode, parse};
use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, Connection, Executor};

/// As Kamailio's own scripts make it, with one column more.
const TABLE: &str = "CREATE TABLE dispatcher (
    id INTEGER PRIMARY KEY NOT NULL, setid INTEGER DEFAULT 0 NOT NULL, destination VARCHAR(192) DEFAULT '' NOT NULL,
    flags INTEGER DEFAULT 0 NOT NULL, priority INTEGER DEFAULT 0 NOT NULL, attrs VARCHAR(128) DEFAULT '' NOT NULL,
    description VARCHAR(64) DEFAULT '' NOT NULL, share INTEGER)";
const ROWS: &str = "INSERT INTO dispatcher VALUES
    (1, 1, 'sip:10.0.0.1', 8, 5, 'duid=a;maxload=20', 'first', 60), (2, 1, 'sip:10.0.0.2', 0, 0, '', '', NULL),
    (3, 2, 'sip:10.0.0.3', 0, 0, 'duid=c', '', 40)";
const LIST: &str =
    "1 sip:10.0.0.1 8 5 duid=a;maxload=20;weight=60\n1 sip:10.0.0.2\n2 sip:10.0.0.3 0 0 duid=c;weight=40\n";

fn fill(url: &str) {
    install_default_drivers();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = AnyConnection::connect(url).await.unwrap();
        connection.execute(TABLE).await.unwrap();
        connection.execute(ROWS).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// Exit code, what is printed, and the list that is written.
fn migrate(folder: &Path, script: &str, database: &[&str]) -> (i32, String, Option<String>) {
    std::fs::write(folder.join("kamailio.cfg"), script).unwrap();
    let output = Command::new(assert_cmd::cargo::cargo_bin!("callsteer"))
        .current_dir(folder)
        .args(["migrate", "kamailio.cfg", "--database"])
        .args(database)
        .output()
        .unwrap();
    let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    (
        output.status.code().unwrap(),
        said,
        std::fs::read_to_string(folder.join("callsteer/dispatcher.list")).ok(),
    )
}

/// The table of a database comes out as the list that it means.
fn check(folder: &Path, url: &str) {
    fill(url);
    let extra = "modparam(\"dispatcher\", \"ds_db_extra_attrs\", \"weight=share\")\n";
    let script = format!("modparam(\"dispatcher\", \"db_url\", \"{url}\")\n{extra}");
    for arguments in [&[][..], &[url]] {
        let (code, said, list) = migrate(folder, &script, arguments);
        assert_eq!(code, 0, "{said}");
        let read = |text: &str| parse(text.as_bytes(), Mode::Strict).unwrap().destinations();
        assert_eq!(read(&list.unwrap()), read(LIST), "{said}");
    }
    let wrong = format!("{script}modparam(\"dispatcher\", \"table_name\", \"nowhere\")\n");
    let (code, said, _) = migrate(folder, &wrong, &[]);
    assert!(code == 2 && said.contains("table nowhere: "), "{said}");
}

#[test]
fn a_table_in_sqlite_is_read_and_nothing_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kamailio.sqlite");
    let missing = migrate(folder.path(), "", &[&format!("sqlite://{}", file.display())]);
    assert!(missing.0 == 2 && missing.1.contains("unable to open"), "{}", missing.1);
    assert!(!file.exists());
    std::fs::write(&file, "").unwrap();
    check(folder.path(), &format!("sqlite://{}", file.display()));
}

#[test]
fn a_row_that_is_no_destination_is_named_by_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kamailio.sqlite");
    std::fs::write(&file, "").unwrap();
    let url = format!("sqlite://{}", file.display());
    fill(&url);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        connection.execute("UPDATE dispatcher SET attrs = 'weight=abc' WHERE id = 2").await.unwrap();
    });
    let (code, said, _) = migrate(folder.path(), "", &[&url]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("table dispatcher, row:2:27: lost: weight is 1 to 65535"), "{said}");
    let strict = "modparam(\"dispatcher\", \"ds_load_mode\", 1)\n";
    let (code, said, _) = migrate(folder.path(), strict, &[&url]);
    assert!(code == 2 && said.contains("table dispatcher, row:2:27: weight is"), "{said}");
}

/// A server that ends with the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        // It is still there, or it ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Servers do not run as root: there another user has to.
fn command(program: &Path, user: &str) -> Command {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n");
    if !is_root {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", user, "--regid", user, "--clear-groups"]).arg(program);
    command
}

fn folder_of(user: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    // Only root can give it away, and only then that is needed.
    let _ = Command::new("chown").arg(user).arg(folder.path()).output();
    folder
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Waits until the server says so on its standard error.
fn await_line(server: &mut Child, line: &str) {
    let mut errors = BufReader::new(server.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(line) {
        assert!(errors.read_line(&mut said).unwrap() > 0, "the server ended: {said}");
    }
    // Whatever it says later goes nowhere.
    std::thread::spawn(move || errors.read_to_end(&mut Vec::new()));
}

/// Only where a server is installed; the step `databases` of `cargo xtask test` needs both.
#[test]
fn a_table_in_postgresql_is_read() {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let Some(programs) = versions.map(|version| version.path().join("bin")).max() else { return };
    let data = folder_of("postgres");
    let initialised = command(&programs.join("initdb"), "postgres")
        .args(["--auth", "trust", "--username", "kamailio", "--encoding", "UTF8", "--no-sync", "-D"])
        .arg(data.path().join("data"))
        .output()
        .unwrap();
    assert!(initialised.status.success(), "{}", String::from_utf8_lossy(&initialised.stderr));
    let port = free_port();
    let mut server = command(&programs.join("postgres"), "postgres")
        .arg("-D")
        .arg(data.path().join("data"))
        .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"])
        .args(["-c", "unix_socket_directories=", "-c", "lc_messages=C"])
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map(Server)
        .unwrap();
    await_line(&mut server.0, "database system is ready to accept connections");
    let folder = tempfile::tempdir().unwrap();
    check(folder.path(), &format!("postgres://kamailio@127.0.0.1:{port}/postgres"));
}

#[test]
fn a_table_in_mysql_is_read() {
    let program = PathBuf::from("/usr/sbin/mariadbd");
    if !program.exists() {
        return;
    }
    let data = folder_of("mysql");
    let initialised = command(Path::new("mariadb-install-db"), "mysql")
        .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"])
        .arg(format!("--datadir={}", data.path().join("data").display()))
        .output()
        .unwrap();
    assert!(initialised.status.success(), "{}", String::from_utf8_lossy(&initialised.stderr));
    let port = free_port();
    let within = |name: &str| data.path().join(name).display().to_string();
    let mut server = command(&program, "mysql")
        .args([
            "--no-defaults",
            "--skip-name-resolve",
            "--bind-address=127.0.0.1",
            "--innodb-flush-log-at-trx-commit=0",
        ])
        .args([
            format!("--datadir={}", within("data")),
            format!("--socket={}", within("s")),
            format!("--port={port}"),
        ])
        .arg(format!("--pid-file={}", within("pid")))
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map(Server)
        .unwrap();
    await_line(&mut server.0, "ready for connections");
    let folder = tempfile::tempdir().unwrap();
    let url = format!("mysql://root@127.0.0.1:{port}/kamailio");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        install_default_drivers();
        let mut connection =
            AnyConnection::connect(&format!("mysql://root@127.0.0.1:{port}/mysql")).await.unwrap();
        connection.execute("CREATE DATABASE kamailio").await.unwrap();
    });
    check(folder.path(), &url);
}
