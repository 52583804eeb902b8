//! What the end of a program means to its caller.

use std::os::unix::process::ExitStatusExt as _;
use std::process::ExitStatus;

use consign_client::json_text;
use serde_json::value::RawValue;

use super::capture::{Head, text};
use super::process::{Halt, Remains};

/// The exit code that says "not now": `EX_TEMPFAIL` of sysexits.h.
pub(crate) const NOT_NOW: i32 = 75;
/// Longest result, in bytes of JSON: the longest body that a server takes, less what stands around a result in it.
const RESULT_BYTES_MAX: usize = (4 << 20) - 1024;
/// Longest error detail that a ledger takes.
const DETAIL_BYTES_MAX: usize = 4096;
/// What its caller is told of a program that wanted to talk to a person.
const SUSPENDED: &str = "it asked the terminal of its worker, which suspended it, and nobody could have answered; \
                         a work has no terminal: what it needs must be in its task or its environment";
/// The signals by which a machine, a service manager or a terminal ends whatever runs.
const ENDINGS: [(i32, &str); 3] = [(1, "SIGHUP"), (2, "SIGINT"), (15, "SIGTERM")];
/// The others by which programs are known to end.
const OTHERS: [(i32, &str); 8] = [
    (3, "SIGQUIT"),
    (4, "SIGILL"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (9, "SIGKILL"),
    (11, "SIGSEGV"),
    (13, "SIGPIPE"),
];

/// What the ledger is told.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The result.
    Complete(Box<RawValue>),
    /// Why not.
    Fail(String),
    /// Why it is given back.
    Release(String),
    /// Nothing: it knows better than we do that the work is over.
    None(String),
}

impl Answer {
    /// What its worker says that was asked to end.
    pub(crate) fn ending() -> Self {
        Self::Release("its worker is ending".to_owned())
    }
}

impl Remains {
    pub(crate) fn answer(self, result_json: bool) -> Answer {
        match (self.halt, self.status) {
            (Some(Halt::Told(why)), _) => Answer::None(why),
            (Some(Halt::Stopping), _) => Answer::ending(),
            (Some(Halt::Suspended), _) => Answer::Fail(detail(SUSPENDED, &self.errors)),
            (None, Some(status)) if status.success() => match result(&self.output, result_json) {
                Ok(result) => Answer::Complete(result),
                Err(why) => Answer::Fail(detail(&why, &self.errors)),
            },
            (None, Some(status)) if status.code() == Some(NOT_NOW) => {
                Answer::Release(detail(&format!("exit code {NOT_NOW}: not now"), &self.errors))
            }
            (None, Some(status)) => Answer::Fail(detail(&ended(status), &self.errors)),
            (None, None) => Answer::Fail(detail("it ended, and nobody knows how", &self.errors)),
        }
    }

    /// It was ended as a machine that shuts down ends everything: then we are about to be told the same.
    pub(crate) fn looks_like_shutdown(&self) -> bool {
        let Some(status) = self.status.filter(|_| self.halt.is_none()) else { return false };
        // A shell whose command was ended by a signal says 128 and its number.
        let signal = status.signal().or(status.code().map(|code| code - 128));
        ENDINGS.iter().any(|(ending, _)| signal == Some(*ending))
    }
}

/// A result as JSON, or why it is none that a ledger takes.
fn result(output: &Head, as_json: bool) -> Result<Box<RawValue>, String> {
    if output.bytes_in_all > output.bytes.len() as u64 {
        return Err(too_large(output.bytes_in_all));
    }
    let result = if as_json {
        serde_json::from_slice(&output.bytes)
            .map_err(|why| format!("its output is no JSON: {why}"))?
    } else {
        json_text(&text(&output.bytes))
    };
    let bytes = result.get().len();
    if bytes > RESULT_BYTES_MAX { Err(too_large(bytes as u64)) } else { Ok(result) }
}

fn too_large(bytes: u64) -> String {
    format!(
        "its output has {bytes} bytes as a result, and a result has at most {RESULT_BYTES_MAX}; \
         keep what is larger elsewhere, and print where it is"
    )
}

fn ended(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => {
            let known = ENDINGS.iter().chain(&OTHERS).find(|(number, _)| *number == signal);
            let name = known.map(|(_, name)| format!(" ({name})")).unwrap_or_default();
            format!("killed by signal {signal}{name}")
        }
        (None, None) => "it ended, and nobody knows how".to_owned(),
    }
}

/// What happened, and what it said last.
fn detail(what: &str, errors: &str) -> String {
    let errors = errors.trim();
    let told = if errors.is_empty() { what.to_owned() } else { format!("{what}: {errors}") };
    told[..told.floor_char_boundary(DETAIL_BYTES_MAX)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By its wait status: an exit code times 256, or a signal.
    fn remains(raw: i32, output: &str, errors: &str) -> Remains {
        let bytes = output.as_bytes().to_vec();
        Remains {
            status: Some(ExitStatus::from_raw(raw)),
            halt: None,
            output: Head { bytes_in_all: bytes.len() as u64, bytes },
            errors: errors.to_owned(),
        }
    }

    fn told(remains: Remains) -> String {
        match remains.answer(false) {
            Answer::Complete(result) => format!("complete {result}"),
            Answer::Fail(why) => format!("fail {why}"),
            Answer::Release(why) => format!("release {why}"),
            Answer::None(why) => format!("none {why}"),
        }
    }

    #[test]
    fn the_end_of_a_program_is_its_answer() {
        assert_eq!(told(remains(0, "done\n", "a word")), r#"complete "done\n""#);
        assert_eq!(told(remains(3 << 8, "", "no disk\n")), "fail exit code 3: no disk");
        assert_eq!(told(remains(9, "half", "")), "fail killed by signal 9 (SIGKILL)");
        assert_eq!(told(remains(64, "", "")), "fail killed by signal 64");
        assert_eq!(told(remains(75 << 8, "", "busy")), "release exit code 75: not now: busy");
        let halted = |halt| Remains { halt: Some(halt), ..remains(0, "half", "") };
        assert_eq!(told(halted(Halt::Stopping)), "release its worker is ending");
        assert_eq!(told(halted(Halt::Told("cancelled".to_owned()))), "none cancelled");
        assert!(told(halted(Halt::Suspended)).starts_with("fail it asked the terminal"));
    }

    #[test]
    fn a_result_that_no_ledger_takes_is_a_failure_that_says_so() {
        let json = |output| match remains(0, output, "").answer(true) {
            Answer::Complete(result) => result.get().to_owned(),
            Answer::Fail(why) => why,
            other => panic!("{other:?}"),
        };
        assert_eq!(json(" {\"a\": 1.10}\n"), r#"{"a": 1.10}"#);
        assert!(
            json("done").starts_with("its output is no JSON: expected value"),
            "{}",
            json("done")
        );
        assert!(json("").starts_with("its output is no JSON: EOF"), "{}", json(""));
        let escaped = "\u{1}".repeat(RESULT_BYTES_MAX / 2);
        assert!(told(remains(0, &escaped, "")).starts_with("fail its output has 1257"));
        let mut cut = remains(0, "beginning", "");
        cut.output.bytes_in_all = 5 << 20;
        assert!(told(cut).starts_with("fail its output has 5242880 bytes"));
    }

    #[test]
    fn an_end_by_a_signal_that_ends_machines_is_told_from_others() {
        for (raw, shutdown) in
            [(15, true), (2, true), (143 << 8, true), (9, false), (1 << 8, false)]
        {
            assert_eq!(remains(raw, "", "").looks_like_shutdown(), shutdown, "{raw}");
        }
    }

    #[test]
    fn a_detail_is_as_long_as_a_ledger_takes() {
        let detail = detail("exit code 1", &"ü".repeat(3000));
        assert!(detail.len() > DETAIL_BYTES_MAX - 4 && detail.len() <= DETAIL_BYTES_MAX);
    }
}
