//! What serde says of a wrong request, in words for whoever sent it.

use serde_path_to_error::Path;

use crate::problem::Problem;
use crate::wire::excerpt;

/// The problem at this place. `part` is what the parts of such a request are called.
pub(crate) fn problem(path: &Path, why: &str, part: &str) -> Problem {
    let path = path.to_string();
    let place = match excerpt(&path) {
        "." | "?" => None,
        // A name may be empty, and is still to be seen.
        "" => Some("\"\""),
        place => Some(place),
    };
    let inside = |name: &str| place.map_or(name.to_owned(), |place| format!("{place}.{name}"));
    if let Some(name) = quoted(why, "missing field `") {
        return Problem::invalid_field(&inside(name), "is missing");
    }
    if let Some(name) = quoted(why, "duplicate field `") {
        return Problem::invalid_field(&inside(name), "is given twice");
    }
    match place {
        Some(place) => Problem::invalid_field(place, &sentence(why, part)),
        None => Problem::invalid(sentence(why, part)),
    }
}

fn quoted<'a>(why: &'a str, phrase: &str) -> Option<&'a str> {
    why.strip_prefix(phrase)?.strip_suffix('`')
}

fn sentence(why: &str, part: &str) -> String {
    if let Some((_, known)) =
        why.strip_prefix("unknown field `").and_then(|it| it.split_once("`, "))
    {
        let known = known.replace("expected one of ", "").replace("expected ", "");
        return match known.as_str() {
            "there are no fields" => format!("is unknown; no {part} is known here"),
            known => {
                format!("is unknown; known here: {}", known.replace(" or ", ", ").replace('`', ""))
            }
        };
    }
    if why == "number out of range" {
        return "is a number too large to be read; send a smaller one".to_owned();
    }
    match why.strip_prefix("invalid type: ").and_then(|it| it.rsplit_once(", expected ")) {
        Some((found, expected)) => {
            let (found, expected) = (in_json(excerpt(found)), in_json(expected));
            format!("must be {expected}, and this is {found}")
        }
        None => why.to_owned(),
    }
}

/// The kinds of values, as JSON calls them.
fn in_json(kind: &str) -> String {
    match kind {
        "map" => "an object".to_owned(),
        "sequence" | "a sequence" => "an array".to_owned(),
        kind => kind.replace('`', ""),
    }
}
