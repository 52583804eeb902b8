//! The disk's own rate: what no durable write can be faster than.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use crate::Outcome;
use crate::stopwatch::Stopwatch;

/// How long one look at the disk lasts, in seconds.
const LOOK_S: f64 = 0.3;
/// The file is written round and round, as a WAL is.
const FILE_BYTES: u64 = 1 << 20;
const PAGE: [u8; 4096] = [7; 4096];

/// How many times a second a page is written and flushed in `dir`, now.
pub(crate) fn fdatasyncs_per_s(dir: &Path) -> Outcome<f64> {
    let path = dir.join("fdatasync.probe");
    let mut file = File::create(&path)?;
    file.write_all(&vec![0; usize::try_from(FILE_BYTES)?])?;
    file.sync_all()?;
    let (mut count, watch) = (0_u32, Stopwatch::start());
    while watch.seconds() < LOOK_S {
        if file.stream_position()? >= FILE_BYTES || count == 0 {
            file.seek(SeekFrom::Start(0))?;
        }
        file.write_all(&PAGE)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = f64::from(count) / watch.seconds();
    std::fs::remove_file(path)?;
    Ok(rate)
}
