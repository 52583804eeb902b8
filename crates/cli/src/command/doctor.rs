//! `consign doctor`: looks at settings, disk or database, ledger, clock and server, and says what to do.

use std::process::ExitCode;

use clap::Args;
use consign_client::Settings as InForce;
use consign_server::{Brake, Database, Options, Pruning, Settings};
use serde_json::{Value, json};

use crate::asking::{Asking, Visit};
use crate::diagnosis::{Diagnosis, State, database, disk, ledger, server};
use crate::error::CliError;
use crate::exit::{Exit, OF_JUDGING};
use crate::print;

/// The arguments of `consign doctor`: those of the server that it looks at.
#[derive(Args)]
#[command(after_help = OF_JUDGING)]
pub(crate) struct Doctor {
    #[command(flatten)]
    options: Options,

    #[command(flatten)]
    asking: Asking,
}

impl Doctor {
    pub(crate) fn run(mut self) -> ExitCode {
        if let Ok(Settings { listen, .. }) = self.options.settle() {
            self.asking.unless_told(format!("http://{listen}"));
        }
        self.asking.run(async |visit| {
            let found = self.look(visit).await;
            print::lines(&told(visit, &found))?;
            let ill = found.iter().any(|it| it.state == State::Wrong);
            Ok::<_, CliError>(if ill { Exit::Unsound } else { Exit::Done })
        })
    }

    async fn look(&self, visit: &Visit) -> Vec<Diagnosis> {
        let settings = match self.options.settle() {
            Ok(settings) => settings,
            // Without them nobody knows where to look. The sentence ends in what to do.
            Err(error) => return vec![Diagnosis::wrong("settings", error.to_string(), "")],
        };
        let (of_server, in_force) = server(visit, settings.sweeper_interval_s).await;
        // A server that does not answer was waited for, and meanwhile time and the ledger went on.
        let now = print::now();
        let mut found = of_settings(&settings, in_force.as_ref());
        match &settings.database {
            Database::Sqlite(path) => {
                found.extend(disk(path));
                found.extend(ledger(path, now));
            }
            Database::Postgres { url, shown } => found.extend(database(url, shown, now).await),
        }
        found.extend(of_server);
        found
    }
}

/// What a server is started with here, beside what the one that answers has.
fn of_settings(settings: &Settings, in_force: Option<&InForce>) -> Vec<Diagnosis> {
    let Settings { sweeper_interval_s, stuck_threshold_s, brake, listen, .. } = settings;
    let here = format!(
        "listen on {listen}, sweeper interval {sweeper_interval_s} s, stuck threshold {stuck_threshold_s} s, \
         brake {brake}; {}",
        settings.retention_told()
    );
    let ignored = settings.ignored.iter().map(|it| {
        Diagnosis::wrong("settings", it.to_string(), "give whole seconds, digits alone, or nothing")
    });
    let others = in_force.map(|in_force| others(settings, in_force)).unwrap_or_default();
    let first = if others.is_empty() {
        Diagnosis::well("settings", here)
    } else {
        let seen = format!("{here}; but the server that answers has {}", others.join(", "));
        let advice = "give `consign doctor` the flags and variables of that server, or start it again with these";
        Diagnosis::note("settings", seen, advice)
    };
    [first].into_iter().chain(ignored).collect()
}

/// In what the server's settings differ from these.
fn others(settings: &Settings, in_force: &InForce) -> Vec<String> {
    let days =
        |days: Option<u32>| days.map_or("for ever".to_owned(), |days| format!("{days} days"));
    let seconds = |seconds: u32| format!("{seconds} s");
    let brake = if in_force.brake { Brake::On } else { Brake::Off };
    let pruning = if settings.pruning == Pruning::Daily { "daily" } else { "asked" };
    let kept = settings.retention;
    let compared = [
        ("ledger", settings.database.to_string(), in_force.ledger.clone()),
        (
            "sweeper interval",
            seconds(settings.sweeper_interval_s),
            seconds(in_force.sweeper_interval_s),
        ),
        (
            "stuck threshold",
            seconds(settings.stuck_threshold_s),
            seconds(in_force.stuck_threshold_s),
        ),
        ("brake", settings.brake.to_string(), brake.to_string()),
        (
            "acknowledged verdicts kept",
            days(kept.acknowledged_days),
            days(in_force.retention_acknowledged_days),
        ),
        ("others kept", days(kept.any_days), days(in_force.retention_days)),
        ("pruning", pruning.to_owned(), in_force.prune.clone()),
    ];
    let differ = compared.into_iter().filter(|(_, here, there)| here != there);
    differ.map(|(what, _, there)| format!("{what} {there}")).collect()
}

fn told(visit: &Visit, found: &[Diagnosis]) -> String {
    if visit.paper.json {
        let found: Vec<Value> = found.iter().map(Diagnosis::document).collect();
        return json!({"found": found}).to_string();
    }
    let lines: Vec<String> = found.iter().map(|it| it.line(&visit.paper)).collect();
    lines.join("\n")
}
