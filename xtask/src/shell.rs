//! Running other programs from the root of the workspace, with the command line said first.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::failed::Failed;

/// The root of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace")
}

/// A program to be run.
pub(crate) struct Program(Command);

/// The cargo that runs us.
pub(crate) fn cargo<I: AsRef<OsStr>>(args: impl IntoIterator<Item = I>) -> Program {
    program(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())).args(args)
}

/// Any program, by name or path.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Program {
    let mut command = Command::new(name);
    command.current_dir(root());
    Program(command)
}

impl Program {
    pub(crate) fn args<I: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = I>) -> Self {
        self.0.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    /// Runs it in the open; anything but success is a failure.
    pub(crate) fn run(mut self) -> Result<(), Failed> {
        self.say();
        let status = self.0.status().map_err(|why| self.unable(&why))?;
        if status.success() { Ok(()) } else { Err(self.failed()) }
    }

    /// Runs it in the open and shows each line to `look`. Whether it succeeded.
    pub(crate) fn watch(mut self, mut look: impl FnMut(&str)) -> Result<bool, Failed> {
        self.say();
        if std::io::stderr().is_terminal() {
            self.0.env("CARGO_TERM_COLOR", "always");
        }
        // One pipe for both, so that they keep their order.
        let (lines, writer) = std::io::pipe()?;
        self.0.stdin(Stdio::null()).stdout(writer.try_clone()?).stderr(writer);
        let mut child = self.0.spawn().map_err(|why| self.unable(&why))?;
        // The command keeps its ends of the pipe open; the last line comes when all are closed.
        drop(self);
        for line in BufReader::new(lines).split(b'\n') {
            let line = line?;
            std::io::stdout().write_all(&[&line[..], b"\n"].concat())?;
            look(&String::from_utf8_lossy(&line));
        }
        Ok(child.wait()?.success())
    }

    /// Runs it silently. What it printed, if it succeeded.
    pub(crate) fn output(mut self) -> Result<String, Failed> {
        let output = self.0.output().map_err(|why| self.unable(&why))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        Err(Failed::new(format!("{}\n{}", self.failed(), String::from_utf8_lossy(&output.stderr))))
    }

    fn say(&self) {
        println!("$ {}", self.line());
    }

    fn line(&self) -> String {
        let name = Path::new(self.0.get_program()).file_name().unwrap_or_default();
        let words = std::iter::once(name).chain(self.0.get_args());
        words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
    }

    fn unable(&self, why: &std::io::Error) -> Failed {
        Failed::new(format!("`{}` could not be run: {why}", self.line()))
    }

    fn failed(&self) -> Failed {
        Failed::new(format!("`{}` failed", self.line()))
    }
}
