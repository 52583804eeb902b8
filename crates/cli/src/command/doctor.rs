//! `consign doctor`: looks at settings, disk or database, ledger, clock and server, and says what to do.

use std::process::ExitCode;

use clap::Args;
use consign_server::{Database, Options, Settings};
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
    pub(crate) fn run(self) -> ExitCode {
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
        let now = visit.paper.now;
        let mut found = of_settings(&settings);
        match &settings.database {
            Database::Sqlite(path) => {
                found.extend(disk(path));
                found.extend(ledger(path, now));
            }
            Database::Postgres { url, shown } => found.extend(database(url, shown, now).await),
        }
        found.extend(server(visit, settings.sweeper_interval_s, now).await);
        found
    }
}

fn of_settings(settings: &Settings) -> Vec<Diagnosis> {
    let Settings { sweeper_interval_s, stuck_threshold_s, brake, listen, .. } = settings;
    let in_force = format!(
        "listen on {listen}, sweeper interval {sweeper_interval_s} s, stuck threshold {stuck_threshold_s} s, \
         brake {brake}; {}",
        settings.retention_told()
    );
    let ignored = settings.ignored.iter().map(|it| {
        Diagnosis::wrong("settings", it.to_string(), "give whole seconds, digits alone, or nothing")
    });
    [Diagnosis::well("settings", in_force)].into_iter().chain(ignored).collect()
}

fn told(visit: &Visit, found: &[Diagnosis]) -> String {
    if visit.paper.json {
        let found: Vec<Value> = found.iter().map(Diagnosis::document).collect();
        return json!({"found": found}).to_string();
    }
    let lines: Vec<String> = found.iter().map(|it| it.line(&visit.paper)).collect();
    lines.join("\n")
}
