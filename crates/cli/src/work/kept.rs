//! An answer that nobody took: the work was done and paid for, so it stays in a file.

use std::io::{self, Write as _};
use std::path::PathBuf;

use serde::Serialize;
use tempfile::Builder;

/// Writes down the request that would have given it, for its user alone: the lease is in it.
pub(crate) fn keep(request: &impl Serialize) -> io::Result<PathBuf> {
    let mut file = Builder::new().prefix("consign-answer-").suffix(".json").tempfile()?;
    serde_json::to_writer(&mut file, request)?;
    file.write_all(b"\n")?;
    let (_, path) = file.keep().map_err(|error| error.error)?;
    Ok(path)
}
