//! Processes beside this one: the real server, its rivals, and what puts load on them.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde::de::DeserializeOwned;

use crate::Outcome;
use crate::fleet::PATIENT_S;
use crate::load::{Load, Order, Rate, Shape, is_ready};
use crate::stopwatch::Stopwatch;

/// How long a server may take to become ready, in seconds.
const READY_S_MAX: f64 = 60.0;

/// A server that ends with this value.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From its start to its first "ready", in milliseconds.
    pub(crate) ready_ms: f64,
}

impl Server {
    /// The real one: `consign serve`, as it was built beside this program.
    pub(crate) fn consign(ledger: &Path) -> Outcome<Self> {
        Self::consign_at(&format!("sqlite:{}", ledger.display()), PATIENT_S)
    }

    /// The same, on the ledger at this URL, and with this threshold.
    pub(crate) fn consign_at(url: &str, threshold_s: u32) -> Outcome<Self> {
        let program = std::env::current_exe()?.with_file_name("consign");
        let mut command = Command::new(&program);
        command.args(["serve", "--listen", "127.0.0.1:0", "--database-url"]);
        command.arg(url);
        command.args(["--stuck-threshold-s", &threshold_s.to_string()]);
        let mut server = Self::start(command).map_err(|why| {
            format!("{}: {why}; `cargo xtask bench` builds it", program.display())
        })?;
        server.ready_ms = server.wait_until_ready()?;
        Ok(server)
    }

    /// This program in one of its roles.
    pub(crate) fn rival<I: AsRef<OsStr>>(role: impl IntoIterator<Item = I>) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(role);
        Self::start(command)
    }

    /// A server says on its first line where it listens.
    fn start(mut command: Command) -> Outcome<Self> {
        let begun = Stopwatch::start();
        let mut child = command.stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = child.stdout.take().ok_or("its output is not there")?;
        BufReader::new(output).read_line(&mut line)?;
        let address = line.split("http://").nth(1).and_then(|rest| rest.split_whitespace().next());
        let Some(address) = address.and_then(|address| address.parse().ok()) else {
            child.kill()?;
            return Err(format!("it did not say where it listens, but {line:?}").into());
        };
        Ok(Self { child, address, ready_ms: begun.ms() })
    }

    /// How long it took since its start line, that time included.
    fn wait_until_ready(&self) -> Outcome<f64> {
        let watch = Stopwatch::start();
        while !is_ready(self.address) {
            if watch.seconds() > READY_S_MAX {
                return Err("the server does not become ready".into());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(self.ready_ms + watch.ms())
    }

    /// Sends it the same requests from another process. How many things a second were done.
    pub(crate) fn things_per_s(&self, shape: Shape, ids: &Path, seconds: u64) -> Outcome<f64> {
        let load = Load::Rounds { shape, ids: ids.to_owned(), seconds };
        Ok(put::<Rate>(load, std::slice::from_ref(self))?.things_per_s)
    }

    /// The most memory that it ever had, in MiB.
    pub(crate) fn peak_mib(&self) -> Outcome<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib: f64 = peak.ok_or("no VmHWM")?.trim().trim_end_matches(" kB").parse()?;
        Ok(kib / 1024.0)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Puts a load on these servers from another process. What came of it.
pub(crate) fn put<T: DeserializeOwned>(load: Load, servers: &[Server]) -> Outcome<T> {
    let addresses = servers.iter().map(|server| server.address).collect();
    let order = serde_json::to_string(&Order { addresses, load })?;
    let output = Command::new(std::env::current_exe()?).args(["load", &order]).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}
