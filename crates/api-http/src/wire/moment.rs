//! Moments: RFC 3339, answered in UTC with milliseconds.
//!
//! Read here field by field, because every moment that RFC 3339 can write has a true answer: a leap second,
//! the year 0000, and the end of the year 9999, which calendars for people do not all hold.

use std::str::FromStr;

use consign_ledger::Time;
use consign_ledger::delegation::deadline::DeadlineRequest;
use jiff::civil::{self, DateTime};
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, SchemaFormat, Type};

use super::{Seconds, Wire, Worded, excerpt};
use crate::problem::Problem;

/// A moment on the wire.
pub(crate) type Moment = Wire<Time>;

/// Since when the ledger counts.
const EPOCH: DateTime = civil::date(1970, 1, 1).at(0, 0, 0, 0);

impl Worded for Time {
    const NAME: &'static str = "Moment";

    fn read(text: &str) -> Result<Self, String> {
        let written = Written::read(text).ok_or_else(|| {
            format!(
                "must be a time as in RFC 3339, such as 2026-01-31T12:00:00Z, and this is {:?}",
                excerpt(text)
            )
        })?;
        written.time().map_err(|why| format!("{:?} is no time: {why}", excerpt(text)))
    }

    fn schema() -> Object {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment, in RFC 3339. Answers are in UTC with milliseconds."))
            .build()
    }
}

/// The deadline that a request asks for: by the clock or from now, not both.
pub(crate) fn deadline(
    at: Option<Moment>,
    within: Option<Seconds>,
) -> Result<Option<DeadlineRequest>, Problem> {
    match (at, within) {
        (None, None) => Ok(None),
        (Some(at), None) => Ok(Some(DeadlineRequest::At(at.0))),
        (None, Some(within)) => Ok(Some(DeadlineRequest::In(within.0))),
        (Some(_), Some(_)) => Err(Problem::invalid_field(
            "deadline",
            "goes without `deadline_s`; send one of the two",
        )),
    }
}

/// What stands in a text of the right form: its numbers may still name no moment.
struct Written {
    year: i16,
    day: [i8; 2],
    time: [i8; 3],
    ms: i64,
    /// Hours and minutes ahead of UTC.
    offset: [i64; 2],
}

impl Written {
    /// `2026-01-31T12:00:00`, a fraction where there is one, and `Z` or an offset.
    fn read(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let (year, day) = date.split_once('-')?;
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let (time, rest) = rest.split_at_checked(8)?;
        let (fraction, offset) = match rest.strip_prefix('.') {
            Some(rest) => rest.split_at(rest.find(|it: char| !it.is_ascii_digit())?),
            None => ("0", rest),
        };
        Some(Self {
            year: numbers(year, [4], '-').map(|[year]| year)?,
            day: numbers(day, [2, 2], '-')?,
            time: numbers(time, [2, 2, 2], ':')?,
            ms: milliseconds(fraction)?,
            offset: ahead(offset)?,
        })
    }

    /// The moment, or why there is none.
    fn time(self) -> Result<Time, &'static str> {
        let [month, day] = self.day;
        let date = civil::Date::new(self.year, month, day)
            .map_err(|_| "a month has 28 to 31 days, and a year 12 months")?;
        let ([hour, minute, second], [hours, minutes]) = (self.time, self.offset);
        if hours.abs() > 23 || minutes.abs() > 59 {
            return Err("an offset is at most 23:59");
        }
        // A leap second is counted as the one after it, as clocks that know none do.
        let is_leap = second == 60;
        let time = civil::Time::new(hour, minute, if is_leap { 59 } else { second }, 0)
            .map_err(|_| "hours end at 23, minutes at 59, seconds at 59, or 60 in a leap second")?;
        let local_s = DateTime::from_parts(date, time).duration_since(EPOCH).as_secs();
        let utc_s = local_s - hours * 3600 - minutes * 60;
        if is_leap && !ends_a_month(utc_s) {
            return Err("a leap second comes only at 23:59:60 UTC on the last day of a month");
        }
        Ok(Time((utc_s + i64::from(is_leap)) * 1000 + self.ms))
    }
}

/// Numbers of so many digits, and nothing else.
fn numbers<T: FromStr + Copy + Default, const N: usize>(
    text: &str,
    digits: [usize; N],
    between: char,
) -> Option<[T; N]> {
    let mut numbers = [T::default(); N];
    let mut parts = text.split(between);
    for (number, digits) in numbers.iter_mut().zip(digits) {
        let part = parts.next().filter(|it| it.len() == digits)?;
        *number = part.bytes().all(|it| it.is_ascii_digit()).then(|| part.parse().ok())??;
    }
    parts.next().is_none().then_some(numbers)
}

/// The first three digits of a fraction of a second.
fn milliseconds(fraction: &str) -> Option<i64> {
    let first = fraction.get(..fraction.len().min(3)).filter(|it| !it.is_empty())?;
    format!("{first:0<3}").parse().ok()
}

/// Hours and minutes ahead of UTC.
fn ahead(offset: &str) -> Option<[i64; 2]> {
    if matches!(offset, "Z" | "z") {
        return Some([0, 0]);
    }
    let (sign, rest) = match offset.as_bytes().first()? {
        b'+' => (1, &offset[1..]),
        b'-' => (-1, &offset[1..]),
        _ => return None,
    };
    let [hours, minutes] = numbers::<i64, 2>(rest, [2, 2], ':')?;
    Some([sign * hours, sign * minutes])
}

/// Whether the second after this one begins a month.
fn ends_a_month(utc_s: i64) -> bool {
    let next = EPOCH.saturating_add(jiff::SignedDuration::from_secs(utc_s + 1));
    // The last second that a calendar holds begins no month, and ends one.
    (next.day(), next.hour(), next.minute(), next.second()) == (1, 0, 0, 0) || next == DateTime::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> i64 {
        Time::read(text).unwrap_or_else(|why| panic!("{text}: {why}")).0
    }

    #[test]
    fn every_way_to_write_a_moment_is_read() {
        let noon = 1_769_860_800_000;
        for (text, expected) in [
            ("2026-01-31T12:00:00Z", noon),
            ("2026-01-31t12:00:00z", noon),
            ("2026-01-31 12:00:00Z", noon),
            ("2026-01-31T12:00:00+00:00", noon),
            ("2026-01-31T12:00:00-00:00", noon),
            ("2026-01-31T13:30:00+01:30", noon),
            ("2026-01-31T00:01:00-11:59", noon),
            ("2026-02-01T11:59:00+23:59", noon),
            ("2026-01-31T12:00:00.5Z", noon + 500),
            ("2026-01-31T12:00:00.0199999999999999Z", noon + 19),
            ("1970-01-01T00:00:00Z", 0),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2024-02-29T00:00:00Z", 1_709_164_800_000),
            ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
            ("9999-12-31T23:59:59-23:59", 253_402_387_139_000),
        ] {
            assert_eq!(ms(text), expected, "{text}");
        }
    }

    #[test]
    fn a_leap_second_is_the_second_after_it_and_comes_where_there_is_one() {
        for (leap, after) in [
            ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"),
            ("1990-12-31T15:59:60.25-08:00", "1990-12-31T16:00:00.25-08:00"),
            ("2027-07-01T01:59:60+02:00", "2027-07-01T02:00:00+02:00"),
        ] {
            assert_eq!(ms(leap), ms(after), "{leap}");
        }
        assert_eq!(ms("9999-12-31T23:59:60Z"), 253_402_300_800_000);
        for text in ["2027-01-15T08:00:60Z", "2027-01-15T23:59:60Z", "2016-12-31T23:59:60+01:00"] {
            let why = Time::read(text).unwrap_err();
            assert!(why.contains("leap second"), "{text}: {why}");
        }
    }

    #[test]
    fn what_names_no_moment_is_told_why() {
        for (text, says) in [
            ("2027-02-29T00:00:00Z", "days"),
            ("2027-13-01T00:00:00Z", "months"),
            ("2027-00-00T00:00:00Z", "months"),
            ("2027-01-01T24:00:00Z", "hours end at 23"),
            ("2027-01-01T00:60:00Z", "minutes at 59"),
            ("2027-01-01T00:00:61Z", "60 in a leap second"),
            ("2027-01-01T00:00:00+24:00", "an offset"),
            ("2027-01-01T00:00:00+00:60", "an offset"),
        ] {
            let why = Time::read(text).unwrap_err();
            assert!(why.contains("is no time") && why.contains(says), "{text}: {why}");
        }
    }

    #[test]
    fn anything_else_is_told_the_form() {
        for text in [
            "",
            "now",
            "1800000000",
            "2027-01-15",
            "2027-01-15T08:00:00",
            "2027-01-15T08:00Z",
            "2027-01-15T08Z",
            "20270115T080000Z",
            "2027-1-15T08:00:00Z",
            "2027-W03-5T08:00:00Z",
            "+002027-01-15T08:00:00Z",
            "-2027-01-15T08:00:00Z",
            "10000-01-01T00:00:00Z",
            "2027-01-15T08:00:00.Z",
            "2027-01-15T08:00:00,5Z",
            "2027-01-15T08:00:00 Z",
            "2027-01-15T08:00:00+01",
            "2027-01-15T08:00:00+0100",
            "2027-01-15T08:00:00+01:00:00",
            "2027-01-15T08:00:00+-1:00",
            "2027-01-15T08:00:00\u{2212}01:00",
            "2027-01-15T08:00:00Z[UTC]",
            "2027-01-15T08:00:00Zulu",
            "2027-01-15T0\u{661}:00:00Z",
            " 2027-01-15T08:00:00Z",
        ] {
            let why = Time::read(text).unwrap_err();
            assert!(why.contains("as in RFC 3339"), "{text}: {why}");
        }
    }
}
