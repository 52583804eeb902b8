//! `consign serve`: runs a server until it is asked to stop.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use consign_server::{Options, ServeError};
use tokio::runtime::Runtime;

use crate::log;

/// How long threads may take to end after the server did.
const THREADS_END_WITHIN: Duration = Duration::from_secs(2);

/// What the exit codes mean.
const EXIT_CODES: &str = "\
Exit codes:
   0  stopped by SIGTERM or SIGINT
   1  could not start: the ledger or the address is not to be had
   2  could not start: a flag or a variable is wrong
  70  stopped because a part failed that a server cannot do without

Variables count where no flag is given; an empty one counts as not set.";

/// The arguments of `consign serve`.
#[derive(Args)]
#[command(after_help = EXIT_CODES)]
pub(crate) struct Serve {
    #[command(flatten)]
    options: Options,

    /// What to log: off, error, warn, info, debug or trace, also per part, such as `info,tower_http=debug`
    #[arg(long, env = "CONSIGN_LOG", value_name = "LEVEL", default_value = log::LEVEL_DEFAULT)]
    log: String,
}

impl Serve {
    /// Serves, and says on standard error why it ended, if nobody asked it to.
    pub(crate) fn run(self) -> ExitCode {
        if let Err(wrong) = log::open(&self.log) {
            eprintln!("consign: --log (CONSIGN_LOG) is {:?}: {wrong}", self.log);
            return ExitCode::from(2);
        }
        match self.serve() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                // Not through the log, which may be off: this line is why the process is gone.
                eprintln!("consign: {error}");
                ExitCode::from(error.exit_code())
            }
        }
    }

    fn serve(&self) -> Result<(), ServeError> {
        let settings = self.options.settle()?;
        let runtime = Runtime::new().map_err(ServeError::Threads)?;
        let ended = runtime.block_on(consign_server::serve(settings));
        runtime.shutdown_timeout(THREADS_END_WITHIN);
        ended
    }
}
