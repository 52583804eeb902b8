//! Requests that carry many: each item stands for itself, and an invalid one has its own outcome.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::limits::BATCH_ITEMS_MAX;
use crate::parse;
use crate::problem::Problem;

/// Reads every item before any is acted on. Too many are refused whole.
pub(crate) fn items<'a, T: Deserialize<'a>>(
    field: &str,
    items: &[&'a RawValue],
) -> Result<Vec<Result<T, Problem>>, Problem> {
    if items.len() > BATCH_ITEMS_MAX {
        let why = format!("must be at most {BATCH_ITEMS_MAX}, and these are {}", items.len());
        return Err(Problem::invalid_field(field, &why));
    }
    Ok(items.iter().map(|item| parse::object(item.get())).collect())
}

/// Acts on the valid items together, and puts each outcome into its place among the invalid ones.
pub(crate) async fn fill<T, U>(
    items: Vec<Result<T, Problem>>,
    act: impl AsyncFnOnce(Vec<T>) -> Vec<Result<U, Problem>>,
) -> Vec<Result<U, Problem>> {
    let mut valid = Vec::with_capacity(items.len());
    let mut places = Vec::with_capacity(items.len());
    for item in items {
        places.push(match item {
            Ok(item) => {
                valid.push(item);
                None
            }
            Err(problem) => Some(problem),
        });
    }
    let mut outcomes = act(valid).await.into_iter();
    let outcome = |place: Option<Problem>| match place {
        Some(problem) => Err(problem),
        None => outcomes.next().unwrap_or_else(|| Err(Problem::internal())),
    };
    places.into_iter().map(outcome).collect()
}
