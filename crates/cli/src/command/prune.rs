//! `consign prune`: lets go what the server's retention lets go, after writing it down, where that is asked for.
//!
//! Asks the server, which decides: the rules and the retention are its, and whatever it has in hand meanwhile counts.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use consign_client::{Prunable, PruneItem, Reply, Shown};
use serde_json::value::RawValue;

use crate::asking::{Asking, Visit};
use crate::error::CliError;
use crate::exit::{Exit, OF_ASKING};
use crate::print::{Column, Paper, Table, lines};

/// Of how many that ended one request asks; so many are also exported before any of them goes.
const PAGE_ITEMS: u32 = 100;

const COLUMNS: &[Column] = &[
    Column::Whole("DELEGATION"),
    Column::Whole("STATUS"),
    Column::Whole("ENDED"),
    Column::Whole("ACKNOWLEDGED"),
];

/// The arguments of `consign prune`.
#[derive(Args)]
#[command(after_help = OF_ASKING)]
pub(crate) struct Prune {
    /// Only list what may go
    #[arg(long, conflicts_with = "export")]
    dry_run: bool,

    /// Append each delegation to this file first, a line of JSON with its events and late results
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,

    #[command(flatten)]
    asking: Asking,
}

/// What went, and what the server would not let go after all.
#[derive(Default)]
struct Tally {
    pruned: u64,
    stayed: u64,
}

impl Prune {
    pub(crate) fn run(self) -> ExitCode {
        self.asking.run(async |visit| {
            if self.dry_run {
                return list(visit).await;
            }
            let mut export = self.export.as_deref().map(Export::open).transpose()?;
            let mut tally = Tally::default();
            // What a child or a retry names goes once that one has.
            loop {
                let before = tally.pruned;
                round(visit, export.as_mut(), &mut tally).await?;
                if tally.pruned == before {
                    break;
                }
            }
            tell(visit.paper, &tally)?;
            Ok(Exit::Done)
        })
    }
}

async fn list(visit: &Visit) -> Result<Exit, CliError> {
    let mut cursor: Option<String> = None;
    loop {
        let page = visit.heard(visit.client.prunable(cursor.as_deref(), Some(PAGE_ITEMS)).await)?;
        visit.paper.answer(&page, |page| table(&visit.paper, &page.delegations))?;
        cursor = page.value.next_cursor;
        if cursor.is_none() {
            return Ok(Exit::Done);
        }
    }
}

fn table(paper: &Paper, prunable: &[Prunable]) -> String {
    let mut table = Table::new(paper, COLUMNS);
    for it in prunable {
        table.row([
            it.delegation_id.clone(),
            it.status.to_string(),
            paper.moment(it.finished_at),
            if it.acknowledged { "yes" } else { "no" }.to_owned(),
        ]);
    }
    table.print("nothing may go")
}

/// Everything that may go now, page by page: written down, then removed.
async fn round(
    visit: &Visit,
    mut export: Option<&mut Export>,
    tally: &mut Tally,
) -> Result<(), CliError> {
    let mut cursor: Option<String> = None;
    loop {
        let page = visit.heard(visit.client.prunable(cursor.as_deref(), Some(PAGE_ITEMS)).await)?;
        let (mut ids, mut items) = (vec![], vec![]);
        for it in &page.value.delegations {
            let version = match &mut export {
                Some(export) => export.write(visit, &it.delegation_id).await?,
                None => Some(it.version),
            };
            // It was gone already where there is no version.
            let Some(version) = version else { continue };
            ids.push(&it.delegation_id);
            items.push(PruneItem::new(&it.delegation_id, version));
        }
        if let Some(export) = &mut export {
            export.flush()?;
        }
        if !items.is_empty() {
            let pruned = visit.heard(visit.client.prune(&items).await)?.value;
            for (id, outcome) in ids.into_iter().zip(&pruned.outcomes) {
                // Where an answer was lost, what went by it is not there any more when it is asked for again.
                let gone = outcome.pruned || shown(visit, id).await?.is_none();
                tally.pruned += u64::from(gone);
                tally.stayed += u64::from(!gone);
            }
        }
        cursor = page.value.next_cursor;
        if cursor.is_none() {
            return Ok(());
        }
    }
}

/// The delegation as it is, where it is there.
async fn shown(visit: &Visit, id: &str) -> Result<Option<Reply<Shown>>, CliError> {
    match visit.heard(visit.client.show(id).await) {
        Err(error) if error.exit() == Exit::NotFound => Ok(None),
        shown => shown.map(Some),
    }
}

fn tell(paper: Paper, tally: &Tally) -> io::Result<()> {
    let Tally { pruned, stayed } = tally;
    if paper.json {
        return lines(&format!("{{\"pruned\":{pruned},\"stayed\":{stayed}}}"));
    }
    let stayed = match stayed {
        0 => String::new(),
        _ => format!("; {stayed} changed meanwhile and stayed"),
    };
    lines(&format!("{pruned} pruned{stayed}"))
}

/// The file that delegations are written to before they go.
struct Export {
    path: PathBuf,
    file: BufWriter<File>,
}

impl Export {
    fn open(path: &Path) -> Result<Self, CliError> {
        let unwritable = |why| CliError::Unwritable { path: path.to_owned(), why };
        let mut options = OpenOptions::new();
        // Whatever people's agents were told is in it.
        options.read(true).append(true).create(true).mode(0o600);
        let mut file = options.open(path).map_err(unwritable)?;
        end_a_torn_line(&mut file).map_err(unwritable)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        // A file that is new must still be in its folder after a power cut.
        File::open(folder.unwrap_or(Path::new(".")))
            .and_then(|folder| folder.sync_all())
            .map_err(unwritable)?;
        Ok(Self { path: path.to_owned(), file: BufWriter::new(file) })
    }

    /// Writes one delegation, whole. The version that was written; none where it is gone.
    async fn write(&mut self, visit: &Visit, id: &str) -> Result<Option<u64>, CliError> {
        let Some(shown) = shown(visit, id).await? else { return Ok(None) };
        let events = events(visit, id).await?;
        let late = visit.heard(visit.client.late_results(id).await)?;
        let delegation = part(&shown.text, "delegation")?;
        let late = part(&late.text, "late_results")?;
        let line = format!(
            "{{\"delegation\":{delegation},\"events\":[{}],\"late_results\":{late}}}",
            events.join(",")
        );
        // As it came: whoever sent a document may have broken its lines, which in JSON is only space.
        let line = line.replace(['\n', '\r'], " ");
        let unwritable = |why| CliError::Unwritable { path: self.path.clone(), why };
        writeln!(self.file, "{line}").map_err(unwritable)?;
        Ok(Some(shown.value.delegation.version))
    }

    /// On the disk, before anything goes.
    fn flush(&mut self) -> Result<(), CliError> {
        let unwritable = |why| CliError::Unwritable { path: self.path.clone(), why };
        self.file.flush().map_err(unwritable)?;
        self.file.get_ref().sync_all().map_err(unwritable)
    }
}

/// Whoever was killed while writing left half a line, and nothing that went by it: what comes now is no part of it.
fn end_a_torn_line(file: &mut File) -> io::Result<()> {
    let mut last = [b'\n'];
    if file.seek(SeekFrom::End(0))? > 0 {
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
    }
    if last == [b'\n'] { Ok(()) } else { file.write_all(b"\n") }
}

/// All of its events, as they came.
async fn events(visit: &Visit, id: &str) -> Result<Vec<String>, CliError> {
    let (mut events, mut after) = (vec![], None);
    loop {
        let page = visit.heard(visit.client.events(id, after, None).await)?;
        for event in page.value.events() {
            let (event, text) = visit.heard(event.map_err(consign_client::Error::NotUnderstood))?;
            events.push(text.to_owned());
            after = Some(event.seq);
        }
        if page.value.next_cursor.is_none() {
            return Ok(events);
        }
    }
}

/// One field of an answer, as it came.
fn part(answer: &str, field: &str) -> Result<Box<RawValue>, CliError> {
    let mut fields: std::collections::HashMap<String, Box<RawValue>> =
        serde_json::from_str(answer).map_err(io::Error::from)?;
    let missing = || io::Error::other(format!("the server's answer has no {field}"));
    Ok(fields.remove(field).ok_or_else(missing)?)
}
