//! What happened: events, answers, passes of the sweeper.

use consign_client::{Actor, Answered, Changed, Event, SweepReport};

use super::{Column, Paper, Sheet, Table, escaped, exact, one_line};

const EVENTS: &[Column] = &[
    Column::Whole("AT"),
    Column::Whole("KIND"),
    Column::Whole("FROM"),
    Column::Whole("TO"),
    Column::Whole("ATTEMPT"),
    Column::Cut("BY"),
    Column::Cut("WHY"),
];

const REPORTS: &[Column] = &[
    Column::Whole("STARTED"),
    Column::Whole("MS"),
    Column::Whole("EXAMINED"),
    Column::Whole("DEADLINES"),
    Column::Whole("STUCK"),
    Column::Whole("REQUEUED"),
    Column::Whole("REARMED"),
    Column::Whole("HELD"),
    Column::Whole("ERRORS"),
];

/// `callee bob`.
pub(crate) fn actor(actor: &Actor) -> String {
    match &actor.id {
        Some(id) => format!("{} {id}", actor.role),
        None => actor.role.clone(),
    }
}

/// Events, in order.
pub(crate) fn events(paper: &Paper, events: &[Event]) -> String {
    let mut table = Table::new(paper, EVENTS);
    for event in events {
        table.row([
            exact(event.at),
            event.kind.clone(),
            event.from.map_or_else(|| "-".to_owned(), |from| from.to_string()),
            event.to.to_string(),
            event.attempt.to_string(),
            actor(&event.actor),
            why(event),
        ]);
    }
    table.print("nothing happened behind that")
}

/// One event on a line of its own.
pub(crate) fn event_line(event: &Event) -> String {
    let line = format!(
        "{}  {:<11}  {:<11}  {}  {}",
        exact(event.at),
        event.kind,
        event.to.to_string(),
        escaped(&actor(&event.actor)),
        escaped(&why(event)),
    );
    line.trim_end().to_owned()
}

fn why(event: &Event) -> String {
    let data = || event.data.as_ref().map(|data| data.get().to_owned()).unwrap_or_default();
    event.reason.clone().unwrap_or_else(data)
}

/// What became of a verb.
pub(crate) fn changed(answer: &Changed) -> String {
    let already = if answer.changed { "" } else { " (it was so already)" };
    one_line(&answer.delegation) + already
}

/// What became of an answer.
pub(crate) fn answered(answer: &Answered) -> String {
    let id = escaped(&answer.delegation.delegation_id);
    let note = match (answer.changed, answer.kept_as_late) {
        (true, _) => String::new(),
        (false, false) => " (it was so already)".to_owned(),
        (false, true) => format!(
            "; the verdict stands, and this answer was kept beside it: `consign late-results {id}`"
        ),
    };
    one_line(&answer.delegation) + &note
}

/// What one pass did.
pub(crate) fn report(paper: &Paper, it: &SweepReport) -> String {
    Sheet::new(paper)
        .line("started", &paper.moment_whole(it.started_at))
        .line("took", &format!("{} ms", it.duration_ms))
        .line("examined", &it.examined.to_string())
        .line("failed by deadline", &it.deadline_failures.to_string())
        .line("marked stuck", &it.stuck_marked.to_string())
        .line("handed out again", &it.requeued.to_string())
        .line("looked at again later", &it.rearmed.to_string())
        .line("held by the brake", &it.held.to_string())
        .line("errors", &it.errors.to_string())
        .print()
}

/// What many passes did.
pub(crate) fn reports(paper: &Paper, reports: &[SweepReport]) -> String {
    let mut table = Table::new(paper, REPORTS);
    for it in reports {
        let counts = [
            it.duration_ms,
            it.examined,
            it.deadline_failures,
            it.stuck_marked,
            it.requeued,
            it.rearmed,
            it.held,
            it.errors,
        ];
        let started = paper.moment(it.started_at);
        table.row([started].into_iter().chain(counts.map(|count| count.to_string())));
    }
    table.print("no pass yet")
}
