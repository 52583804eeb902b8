//! Values that may be given at the command line, in a file, or through standard input.

use std::fs::File;
use std::io::{self, Read};

use consign_client::json_text;
use serde_json::value::RawValue;

use crate::error::CliError;

/// Longest value that is read, in bytes: above whatever a server takes.
const BYTES_MAX: u64 = 64 << 20;

/// The text behind a flag's value: `-` is standard input, `@FILE` a file, anything else the text itself.
pub(crate) fn text(flag: &'static str, value: &str) -> Result<String, CliError> {
    let unreadable = |path: &str, why| CliError::Unreadable { flag, path: path.to_owned(), why };
    let bytes = if value == "-" {
        read(io::stdin().lock()).map_err(|why| unreadable("standard input", why))?
    } else if let Some(path) = value.strip_prefix('@') {
        File::open(path).and_then(read).map_err(|why| unreadable(path, why))?
    } else {
        value.as_bytes().to_vec()
    };
    let not_text = |why: std::string::FromUtf8Error| why.utf8_error().valid_up_to();
    String::from_utf8(bytes).map_err(|why| CliError::NotText { flag, at: not_text(why) })
}

/// The same, as a JSON document.
pub(crate) fn json(flag: &'static str, value: &str) -> Result<Box<RawValue>, CliError> {
    serde_json::from_str(&text(flag, value)?).map_err(|why| CliError::NotJson { flag, why })
}

/// One of two flags, the one for text and the one for JSON; each may be missing.
pub(crate) fn text_or_json(
    flags: [&'static str; 2],
    as_text: Option<&str>,
    as_json: Option<&str>,
) -> Result<Option<Box<RawValue>>, CliError> {
    match (as_text, as_json) {
        (Some(value), _) => Ok(Some(json_text(&text(flags[0], value)?))),
        (None, Some(value)) => Ok(Some(json(flags[1], value)?)),
        (None, None) => Ok(None),
    }
}

fn read(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = vec![];
    from.take(BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(io::Error::other(format!("it has more than {BYTES_MAX} bytes")));
    }
    Ok(bytes)
}
