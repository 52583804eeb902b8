//! How long what is over is kept: days that somebody typed.
//!
//! Other numbers that make no sense are passed over with a warning. Not these: where somebody meant ten years, the
//! default would remove what cannot be brought back.

use std::ffi::OsStr;

use consign_engine::{Pruning, RETENTION_DAYS_MAX, Retention};

use crate::error::ServeError;
use crate::options::{ACKNOWLEDGED_DAYS_DEFAULT, Options, PRUNE_DEFAULT, RETENTION_DAYS_DEFAULT};

/// How long what is over is kept, or what is wrong and what to do about it.
pub(crate) fn retention(options: &Options) -> Result<Retention, ServeError> {
    Ok(Retention {
        acknowledged_days: days(
            "--retention-acknowledged-days (CONSIGN_RETENTION_ACKNOWLEDGED_DAYS)",
            &options.retention_acknowledged_days,
            ACKNOWLEDGED_DAYS_DEFAULT,
        )?,
        any_days: days(
            "--retention-days (CONSIGN_RETENTION_DAYS)",
            &options.retention_days,
            RETENTION_DAYS_DEFAULT,
        )?,
    })
}

pub(crate) fn pruning(given: &OsStr) -> Result<Pruning, ServeError> {
    match given.to_str() {
        Some("" | PRUNE_DEFAULT) => Ok(Pruning::Daily),
        Some("asked") => Ok(Pruning::Asked),
        _ => Err(ServeError::Prune(given.to_string_lossy().into_owned())),
    }
}

/// 0 keeps for ever. Empty means not given.
fn days(
    setting: &'static str,
    given: &OsStr,
    default: &'static str,
) -> Result<Option<u32>, ServeError> {
    let given = if given.is_empty() { OsStr::new(default) } else { given };
    let refused = || ServeError::Days { setting, given: given.to_string_lossy().into_owned() };
    // Digits alone: Rust's own parser would also take a sign.
    let digits = given.to_str().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
    let days: u32 = digits.and_then(|text| text.parse().ok()).ok_or_else(refused)?;
    if days > RETENTION_DAYS_MAX {
        return Err(refused());
    }
    Ok((days > 0).then_some(days))
}

/// What is kept how long, in a few words.
pub(crate) fn told(retention: Retention) -> String {
    let kept = |days: Option<u32>| match days {
        Some(days) => format!("{days} days"),
        None => "for ever".to_owned(),
    };
    let Retention { acknowledged_days, any_days } = retention;
    let first = acknowledged_days.into_iter().chain(any_days).min();
    if first == any_days {
        return format!("verdicts are kept {}", kept(any_days));
    }
    format!("acknowledged verdicts are kept {}, others {}", kept(first), kept(any_days))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_days_are_taken_and_nothing_else_is() {
        let read = |given: &str| days("--days", OsStr::new(given), "30");
        for (given, expected) in
            [("", Some(30)), ("0", None), ("1", Some(1)), ("3660", Some(3660)), ("007", Some(7))]
        {
            assert_eq!(read(given).unwrap(), expected, "{given:?}");
        }
        for given in ["3661", "-1", "30d", " 30", "1.5", "99999999999", "never", "\u{663}"] {
            let refused = read(given).unwrap_err().to_string();
            assert!(refused.contains("--days") && refused.contains("3660"), "{refused}");
        }
    }

    #[test]
    fn what_is_kept_is_told_in_words() {
        let told = |acknowledged_days, any_days| told(Retention { acknowledged_days, any_days });
        assert_eq!(told(None, None), "verdicts are kept for ever");
        assert_eq!(told(Some(200), Some(180)), "verdicts are kept 180 days");
        assert_eq!(told(Some(30), None), "acknowledged verdicts are kept 30 days, others for ever");
        assert_eq!(
            told(Some(30), Some(180)),
            "acknowledged verdicts are kept 30 days, others 180 days"
        );
    }
}
