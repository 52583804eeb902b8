//! A folder with a server's data: made, started, stopped.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::binaries::{self, command, path, run};

/// The password of the one user, over TCP; over the socket none is asked for.
pub(super) const PASSWORD: &str = "throw-away";

/// Connections that one server takes.
const CONNECTIONS_MAX: usize = 300;

/// How a server ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// As an administrator does it: sessions are ended, what is committed is on the disk.
    Fast,
    /// As `kill -9` does it: the next start recovers.
    Immediate,
}

/// What survives a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Disk {
    /// Nothing need survive: no flushes.
    Careless,
    /// As in production.
    Flushed,
}

/// One server's folder: its data, its socket, its log.
pub(super) struct Cluster {
    pub(super) folder: PathBuf,
    pub(super) port: u16,
}

/// Makes a folder that PostgreSQL's owner may write to, and everybody may look into.
pub(super) fn make_folder(folder: &Path) {
    fs::create_dir_all(folder).expect("the temporary folder can be written to");
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).expect("it is ours");
    if let Some((user, group)) = binaries::owner() {
        chown(folder, Some(user), Some(group)).expect("root may give it away");
    }
}

impl Cluster {
    /// Makes the data anew.
    pub(super) fn make(folder: PathBuf, disk: Disk) -> Self {
        make_folder(&folder);
        let data = folder.join("data");
        if data.exists() {
            fs::remove_dir_all(&data).expect("what an earlier server left can go");
        }
        let password = folder.join("password");
        fs::write(&password, PASSWORD).expect("the folder can be written to");
        fs::set_permissions(&password, fs::Permissions::from_mode(0o644)).expect("it is ours");
        let mut initdb = command(path("initdb"));
        initdb.arg("-D").arg(&data).args([
            "-U",
            "consign",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]);
        initdb.args(["--auth-local=trust", "--auth-host=scram-sha-256"]);
        initdb.arg("--pwfile").arg(&password);
        run(initdb);
        let settings = match disk {
            Disk::Careless => "fsync = off\nfull_page_writes = off\n",
            Disk::Flushed => "",
        };
        let settings = format!(
            "{settings}max_connections = {CONNECTIONS_MAX}\nshared_buffers = 64MB\nmax_wal_size = 512MB\n\
             unix_socket_directories = '{}'\nlisten_addresses = '127.0.0.1'\nlogging_collector = off\n",
            folder.display()
        );
        fs::write(data.join("postgresql.auto.conf"), settings).expect("the data are ours");
        Self { folder, port: 0 }
    }

    /// Lets it speak TLS under this certificate, from its next start on.
    pub(super) fn speak_tls(&self, certificate: &str, key: &str) {
        let data = self.folder.join("data");
        for (name, text) in [("server.crt", certificate), ("server.key", key)] {
            let path = data.join(name);
            fs::write(&path, text).expect("the data are ours");
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("it is ours");
            if let Some((user, group)) = binaries::owner() {
                chown(&path, Some(user), Some(group)).expect("root may give it away");
            }
        }
        let settings = data.join("postgresql.auto.conf");
        let before = fs::read_to_string(&settings).expect("it was written");
        fs::write(settings, format!("{before}ssl = on\n")).expect("the data are ours");
    }

    /// What an earlier process made, where it runs.
    pub(super) fn running(folder: PathBuf) -> Option<Self> {
        let port = fs::read_to_string(folder.join("port")).ok()?.parse().ok()?;
        let cluster = Self { folder, port };
        let mut status = cluster.pg_ctl();
        status.arg("status").stdout(Stdio::null()).stderr(Stdio::null());
        status.status().is_ok_and(|status| status.success()).then_some(cluster)
    }

    fn pg_ctl(&self) -> std::process::Command {
        let mut pg_ctl = command(path("pg_ctl"));
        pg_ctl.arg("-D").arg(self.folder.join("data"));
        pg_ctl
    }

    /// Starts it, on the port it had or on a free one; it is there when this returns.
    pub(super) fn start(&mut self) {
        if self.port == 0 {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
            self.port = free.expect("loopback has a free port").port();
        }
        let mut start = self.pg_ctl();
        start.args(["-w", "-t", "60", "-l"]).arg(self.folder.join("log"));
        start.arg("-o").arg(format!("-p {}", self.port)).arg("start");
        // Its output belongs to the server, too, which outlives this call: nobody may wait for its end.
        start.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let started = start.status().expect("pg_ctl can run");
        let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(started.success(), "PostgreSQL did not start: {}", log());
        fs::write(self.folder.join("port"), self.port.to_string()).expect("the folder is ours");
    }

    pub(super) fn stop(&self, how: Stop) {
        let how = match how {
            Stop::Fast => "fast",
            Stop::Immediate => "immediate",
        };
        let mut stop = self.pg_ctl();
        stop.args(["-w", "-m", how, "stop"]);
        run(stop);
    }

    /// The address of one of its databases, over the socket.
    pub(super) fn url(&self, database: &str) -> String {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        format!("postgres://consign@{folder}:{}/{database}", self.port)
    }

    /// The address of one of its databases, over TCP.
    pub(super) fn tcp_url(&self, database: &str) -> String {
        format!("postgres://consign:{PASSWORD}@127.0.0.1:{}/{database}", self.port)
    }
}
