//! The command line as it was typed: what may stand elsewhere is put in its place, and what is not understood is told
//! with what was probably meant.

use std::ffi::{OsStr, OsString};

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, CommandFactory as _, Error, FromArgMatches as _};

use crate::Cli;

/// Flags that may also stand before the subcommand, and whether a value follows.
const ANYWHERE: [(&str, Follows); 3] =
    [("--url", Follows::Value), ("--retry-for-s", Follows::Value), ("--json", Follows::Nothing)];

/// Names of values that are whole numbers.
const NUMBERS: [&str; 6] = ["SECONDS", "COUNT", "SEQ", "ATTEMPT", "VERSION", "DAYS"];

/// What other programs call it, and what it is called here.
const CALLED_ELSEWHERE: &[(&[&str], &str)] = &[
    (&["list", "delegations", "jobs", "tasks", "ps", "queue"], "ls"),
    (&["status", "get", "describe", "info", "inspect", "result"], "show"),
    (&["create", "add", "new", "submit", "enqueue", "send"], "delegate"),
    (&["wait", "follow", "tail"], "watch"),
    (&["log", "logs", "history"], "events"),
    (&["why", "next"], "explain"),
    (&["take", "pull", "dequeue", "work", "worker", "run", "exec"], "claim"),
    (&["beat", "ping", "progress", "alive"], "heartbeat"),
    (&["done", "finish", "answer", "succeed"], "complete"),
    (&["error", "reject"], "fail"),
    (&["give-back", "return", "requeue"], "release"),
    (&["abort", "kill", "stop", "delete", "rm", "remove"], "cancel"),
    (&["restart", "redo", "again"], "retry"),
    (&["deadline", "postpone"], "extend"),
    (&["messages", "mail", "ack"], "inbox"),
    (&["agent", "workers"], "agents"),
    (&["count", "counts", "summary"], "stats"),
    (&["start", "server", "up", "daemon"], "serve"),
    (&["gc", "clean", "cleanup", "purge"], "prune"),
    (&["check", "health", "diagnose"], "doctor"),
    (&["verify", "fsck"], "audit"),
    (&["dump", "copy", "export"], "backup"),
    (&["version"], "--version"),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Follows {
    Value,
    Nothing,
}

/// What was typed; ends the process where it cannot be understood.
pub(crate) fn parsed() -> Cli {
    let mut command = taking_signs(Cli::command());
    let typed = in_place(&command, std::env::args_os().collect());
    let matched = command.try_get_matches_from_mut(typed);
    let cli = matched.and_then(|it| Cli::from_arg_matches(&it));
    cli.unwrap_or_else(|error| told(error).exit())
}

/// A number with a sign is a wrong number, not an unknown flag.
fn taking_signs(command: Command) -> Command {
    let signed = |arg: Arg| {
        let is_number =
            arg.get_value_names().is_some_and(|names| NUMBERS.contains(&names[0].as_str()));
        arg.allow_negative_numbers(is_number)
    };
    command.mut_args(signed).mut_subcommands(taking_signs)
}

/// Puts the flags that may stand anywhere behind the last subcommand.
fn in_place(mut command: &Command, typed: Vec<OsString>) -> Vec<OsString> {
    let mut typed = typed.into_iter().peekable();
    let mut in_place: Vec<OsString> = typed.next().into_iter().collect();
    let mut moved = vec![];
    while let Some(next) = typed.peek() {
        if let Some(follows) = anywhere(next) {
            moved.extend(typed.next());
            moved.extend(typed.next_if(|_| follows == Follows::Value));
        } else if let Some(subcommand) = command.find_subcommand(next) {
            command = subcommand;
            in_place.extend(typed.next());
        } else {
            break;
        }
    }
    in_place.extend(moved);
    in_place.extend(typed);
    in_place
}

/// What follows this argument, if it may stand anywhere.
fn anywhere(typed: &OsStr) -> Option<Follows> {
    let typed = typed.to_str()?;
    let (flag, has_value) = typed.split_once('=').map_or((typed, false), |(flag, _)| (flag, true));
    let (_, follows) = ANYWHERE.iter().find(|(name, _)| *name == flag)?;
    Some(if has_value { Follows::Nothing } else { *follows })
}

fn told(mut error: Error) -> Error {
    match (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        (ErrorKind::InvalidSubcommand, Some(ContextValue::String(typed))) => {
            if let Some(meant) = called_here(typed) {
                let tip = StyledStr::from(format!("here that is 'consign {meant}'"));
                error.remove(ContextKind::SuggestedSubcommand);
                error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip]));
            }
            error
        }
        (ErrorKind::ValueValidation, _) => no_number(&error).unwrap_or(error),
        _ => error,
    }
}

fn called_here(typed: &str) -> Option<&'static str> {
    CALLED_ELSEWHERE.iter().find(|(names, _)| names.contains(&typed)).map(|(_, here)| *here)
}

/// What is told of a value that is no number, or has a sign, where there must be a whole one.
fn no_number(error: &Error) -> Option<Error> {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text),
        _ => None,
    };
    let (flag, value) = (context(ContextKind::InvalidArg)?, context(ContextKind::InvalidValue)?);
    let name = NUMBERS.iter().find(|name| flag.ends_with(&format!("<{name}>")))?;
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let allowed = match *name {
        "SECONDS" => "give whole seconds, digits alone; six hours are 21600",
        _ => "give a whole number, digits alone",
    };
    let told = format!(
        "invalid value '{value}' for '{flag}': {allowed}\n\nFor more information, try '--help'.\n"
    );
    Some(Error::raw(ErrorKind::ValueValidation, told))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(line: &str) -> String {
        let typed = line.split(' ').map(OsString::from).collect();
        let put = in_place(&Cli::command(), typed);
        put.iter().map(|it| it.to_str().unwrap()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_may_stand_anywhere_goes_behind_the_subcommand() {
        for (typed, is) in [
            ("consign --url u ls --all", "consign ls --url u --all"),
            (
                "consign --json --url=u --retry-for-s 0 show d1",
                "consign show --json --url=u --retry-for-s 0 d1",
            ),
            ("consign --url u agents --json show bob", "consign agents show --url u --json bob"),
            ("consign agents --url u", "consign agents --url u"),
            ("consign show --url u d1 --json", "consign show --url u d1 --json"),
            ("consign --url", "consign --url"),
            ("consign --url ls", "consign --url ls"),
            ("consign --frob ls", "consign --frob ls"),
            ("consign claim a --exec ls -- --url u", "consign claim a --exec ls -- --url u"),
            ("consign", "consign"),
        ] {
            assert_eq!(put(typed), is, "{typed}");
        }
    }

    #[test]
    fn what_is_called_otherwise_elsewhere_is_no_subcommand_and_what_it_is_called_here_is_one() {
        let command = Cli::command();
        for (names, here) in CALLED_ELSEWHERE {
            let is_here = here.starts_with("--") || command.find_subcommand(here).is_some();
            assert!(is_here, "{here}");
            for name in *names {
                assert!(command.find_subcommand(name).is_none(), "{name}");
                assert_eq!(called_here(name), Some(*here), "{name} stands there twice");
            }
        }
    }
}
