//! Delegations: in one line, on a sheet, in a list; and what awaits them.

use consign_client::{Delegation, Outlook, Waiting};

use super::{Column, Paper, Sheet, Table, duration, escaped, exact, excerpt, payload};

const COLUMNS: &[Column] = &[
    Column::Whole("ID"),
    Column::Whole("STATUS"),
    Column::Cut("CALLER"),
    Column::Cut("CALLEE"),
    Column::Whole("ATTEMPT"),
    Column::Whole("CREATED"),
    Column::Whole("DEADLINE"),
    Column::Cut("ABOUT"),
];

/// `d1 is stuck: no heartbeat for 10m0s`.
pub(crate) fn one_line(it: &Delegation) -> String {
    let why = it.error_detail.as_ref().map(|why| format!(": {}", excerpt(why)));
    format!("{} is {}{}", escaped(&it.delegation_id), it.status, why.unwrap_or_default())
}

/// A page of them.
pub(crate) fn list(paper: &Paper, page: &[Delegation]) -> String {
    let mut table = Table::new(paper, COLUMNS);
    for it in page {
        table.row([
            it.delegation_id.clone(),
            it.status.to_string(),
            it.caller_id.clone(),
            it.callee_id.clone(),
            attempts(it),
            paper.moment(it.created_at),
            if it.status.in_flight() { paper.moment(it.deadline) } else { "-".to_owned() },
            about(it),
        ]);
    }
    table.print("no delegation")
}

/// What a person would ask next.
fn about(it: &Delegation) -> String {
    let progress = || it.progress.as_deref().filter(|_| it.status.in_flight()).map(payload);
    let says = it.error_detail.clone().or_else(|| it.result_preview.clone()).or_else(progress);
    says.unwrap_or_else(|| it.task_preview.clone())
}

fn attempts(it: &Delegation) -> String {
    format!("{}/{}", it.attempt, it.max_attempts)
}

/// The whole of one.
pub(crate) fn sheet_of(paper: &Paper, it: &Delegation) -> String {
    let at = |at| paper.moment_whole(at);
    let seconds = |seconds: u32| duration(seconds.into());
    let progress = it.progress.as_deref().map(payload);
    Sheet::new(paper)
        .line("delegation", &it.delegation_id)
        .line("status", &status(it))
        .maybe("because", it.error_detail.clone())
        .line("caller", &it.caller_id)
        .line("callee", &it.callee_id)
        .line("attempt", &format!("{} of {}", it.attempt, it.max_attempts))
        .maybe("task", it.task.as_deref().map(payload))
        .maybe("result", it.result.as_deref().map(payload))
        .maybe(
            "progress",
            progress.zip(it.progress_at).map(|(what, when)| format!("{what}\n{}", at(when))),
        )
        .maybe("waiting", it.waiting.as_ref().map(|it| waiting(paper, it)))
        .maybe("last heartbeat", it.last_heartbeat.map(at))
        .line("deadline", &at(it.deadline))
        .maybe("looked at next", it.due_at.map(at))
        .maybe("stuck threshold", it.stuck_threshold_s.map(seconds))
        .maybe("stuck grace", it.stuck_grace_s.map(seconds))
        .maybe("start within", it.start_within_s.map(seconds))
        .maybe("progress within", it.progress_within_s.map(seconds))
        .maybe("priority", (it.priority != 0).then(|| it.priority.to_string()))
        .maybe("notify", (!it.notify.is_empty()).then(|| it.notify.join(", ")))
        .maybe("idempotency key", it.idempotency_key.clone())
        .maybe("parent", it.parent_id.clone())
        .maybe("retry of", it.retry_of.clone())
        .maybe("metadata", it.metadata.as_ref().map(|json| json.get().to_owned()))
        .line("version", &it.version.to_string())
        .line("created", &at(it.created_at))
        .line("updated", &at(it.updated_at))
        .maybe("finished", it.finished_at.map(at))
        .print()
}

fn status(it: &Delegation) -> String {
    match it.failure.as_ref().or(it.stuck_reason.as_ref()) {
        Some(kind) => format!("{} ({kind})", it.status),
        None => it.status.to_string(),
    }
}

fn waiting(paper: &Paper, it: &Waiting) -> String {
    let child = it.child_id.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
    let note = it.note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
    format!("for {}{child}{note}\nuntil {}", it.r#for, paper.moment_whole(it.until))
}

/// What comes next by the clock.
pub(crate) fn outlook(paper: &Paper, it: &Outlook) -> String {
    let next = it
        .next
        .as_ref()
        .map(|next| format!("{} at {}", next.would_become, paper.moment_whole(next.at)));
    let gaps: Vec<String> = it
        .gaps
        .iter()
        .map(|gap| format!("{} to {} ({})", exact(gap.from), exact(gap.to), gap.cause))
        .collect();
    Sheet::new(paper)
        .line("delegation", &it.delegation_id)
        .line("status", it.status.as_str())
        .line("next", &next.unwrap_or_else(|| "nothing: the verdict is in".to_owned()))
        .maybe("because", it.next.as_ref().map(|next| next.because.clone()))
        .maybe("rule", it.next.as_ref().map(|next| next.arm.clone()))
        .maybe("silent for", it.silence_s.map(|it| duration(it.unsigned_abs())))
        .maybe("not counted", (!gaps.is_empty()).then(|| gaps.join("\n")))
        .maybe("held", it.held.then(|| "the brake holds its verdict".to_owned()))
        .print()
}
